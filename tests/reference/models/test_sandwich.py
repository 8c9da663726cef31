"""HC0 to HC4 beside sandwich::vcovHC."""

from __future__ import annotations

import numpy as np
import pytest
from estimator_truth.frozen import HC, cases, columns, design, frozen, matrices, orthonormal
from numpy.testing import assert_allclose

from specgl.kernels.estimators.sandwich import HC_KINDS, hc_covariance, hc_factors


@pytest.mark.parametrize("kind", HC)
@pytest.mark.parametrize("name", cases()["linear"])
def test_hc(name: str, kind: str) -> None:
    basis, spread = orthonormal(design(name))
    y = columns(cases()["linear"][name])
    theirs = matrices(frozen()["hc"][f"{name}:{kind}"])
    residuals = y - basis @ (basis.T @ y)
    leverage = (basis**2).sum(axis=1)
    rows = basis @ spread.T
    factors = hc_factors(leverage, kind.lower(), basis.shape[1])
    ours = hc_covariance(rows[None], residuals, factors)
    # Sums of some ten products; sandwich multiplies three matrices, which nearly cancel where the covariate
    # is ill scaled (columns of 1 and of 1e4 +- 50), and loses a digit.
    close = 1e-9 if name.startswith("ill") else 1e-10
    size = np.sqrt(np.einsum("aam->am", theirs))
    assert_allclose(ours / (size[:, None] * size), theirs / (size[:, None] * size), rtol=0, atol=close)


def test_every_kind_is_compared() -> None:
    assert set(HC_KINDS) == {kind.lower() for kind in HC}
