"""Intervals of d and JZS Bayes factors beside R."""

from __future__ import annotations

import numpy as np
import pytest
from estimator_truth.frozen import cases, frozen
from numpy.testing import assert_allclose

from specgl.kernels.bayes import jzs_bf10
from specgl.kernels.effect_sizes import d_limits


def statistics(part: str) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """t, effective size and degrees of freedom of the cases."""
    t, n = np.array(cases()[part]["one_sample"]).T
    s, a, b = np.array(cases()[part]["two_samples"]).T
    return {"one_sample": (t, n, n - 1), "two_samples": (s, a * b / (a + b), a + b - 2)}


@pytest.mark.parametrize("kind", ["one_sample", "two_samples"])
def test_bayes_factors(kind: str) -> None:
    t, size, dof = statistics("bayes")[kind]
    theirs = frozen()["bayes"][kind]
    ours = jzs_bf10(t, size, dof)
    # A sum at fixed nodes beside adaptive quadrature of the same integral; BayesFactor stops at 1e-10.
    assert_allclose(ours, theirs["integral"], rtol=1e-8)
    assert_allclose(ours, theirs["BayesFactor"], rtol=1e-8)


@pytest.mark.parametrize("kind", ["one_sample", "two_samples"])
@pytest.mark.parametrize("level", frozen()["intervals"])
def test_intervals_of_d(level: str, kind: str) -> None:
    t, size, dof = statistics("intervals")[kind]
    lower, upper = d_limits(t, dof, 1 / np.sqrt(size), float(level))
    theirs = frozen()["intervals"][level]
    # R's pt is good to 1e-12 of a probability, which is more of a limit where its tail is flat.
    assert_allclose(lower, theirs["lower"][kind], rtol=0, atol=1e-9)
    assert_allclose(upper, theirs["upper"][kind], rtol=0, atol=1e-9)
