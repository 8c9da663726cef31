"""Robust regression beside MASS::rlm."""

from __future__ import annotations

import numpy as np
import pytest
from estimator_truth.frozen import LOSSES, cases, columns, design, frozen, orthonormal, vectors
from numpy.testing import assert_allclose

from specgl.kernels.estimators.robust import fit_robust

# Both stop when the residuals hardly move (rlm at 1e-12 of their size, ours at 1e-10); an iteration that
# shrinks its error to nine tenths a step is then within 1e-9. A scale of 1.4826 instead of 1 / 0.6745 differs
# by 1.3e-5.
CLOSE = 1e-6


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", cases()["robust"])
def test_robust(name: str, loss: str) -> None:
    basis, spread = orthonormal(design(name))
    y = columns(cases()["robust"][name])
    theirs = frozen()["robust"][f"{name}:{loss}"]
    fit = fit_robust(basis[None], y, loss)
    assert fit.converged.all()
    b = spread @ fit.scores
    se = np.sqrt((spread**2).sum(axis=1)[:, None] * fit.variance)
    size = np.array(theirs["scale"])  # the unit of y: a coefficient may be near 0
    assert_allclose(b, vectors(theirs["b"]), rtol=CLOSE, atol=CLOSE * size.min())
    assert_allclose(se, vectors(theirs["se"]), rtol=CLOSE)
    assert_allclose(fit.scale, size, rtol=CLOSE)
    assert_allclose(np.sqrt(fit.variance), theirs["stddev"], rtol=CLOSE)
    assert_allclose(fit.weights, columns(theirs["weights"]), rtol=0, atol=CLOSE)
    assert_allclose(fit.residuals, y - design(name) @ vectors(theirs["b"]), rtol=0, atol=10 * CLOSE)


def test_far_outliers_are_met() -> None:
    """The third location has outliers that bisquare leaves out wholly and Huber's loss does not."""
    for name in cases()["robust"]:
        weights = {loss: np.array(frozen()["robust"][f"{name}:{loss}"]["weights"])[2] for loss in LOSSES}
        assert weights["huber"].min() > 0
        if name != "groups_8":  # two of eight make the scale large
            assert weights["bisquare"].min() == 0
