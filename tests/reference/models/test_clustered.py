"""Cluster-robust covariances beside sandwich::vcovCL and clubSandwich, with its degrees of freedom."""

from __future__ import annotations

import numpy as np
import pytest
from estimator_truth.frozen import CLUSTER, cases, columns, frozen, matrices, orthonormal, vectors
from numpy.testing import assert_allclose
from scipy import stats

from specgl.kernels.estimators.clustered import cluster_adjustment, cluster_covariance, cluster_dof

# Sums of some hundred products and the roots of small matrices.
CLOSE = 1e-10


class Fit:
    """One design's least squares, as the kernels want it."""

    def __init__(self, key: str) -> None:
        name, kind = key.split(":")
        case = cases()["clustered"][name]
        self.x = np.array(case["matrix"])
        self.p = self.x.shape[1]
        self.codes = np.array(case["codes"], dtype=np.int64)
        self.basis, self.spread = orthonormal(self.x)
        y = columns(case["y"])
        self.b = self.spread @ (self.basis.T @ y)
        self.residuals = y - self.basis @ (self.basis.T @ y)
        self.adjustment = cluster_adjustment(self.basis, self.codes, CLUSTER[kind])
        self.theirs = frozen()["cluster"][key]

    def rows(self, weights: np.ndarray) -> np.ndarray:
        """Rows ``(n, r)`` of a contrast."""
        return self.basis @ (weights @ self.spread).T

    def covariance(self, weights: np.ndarray) -> np.ndarray:
        return cluster_covariance(self.rows(weights), self.residuals, self.adjustment, self.codes)

    def dof(self, weights: np.ndarray) -> float:
        return cluster_dof(self.basis, self.rows(weights), self.adjustment, self.codes)


@pytest.mark.parametrize("key", frozen()["cluster"])
def test_covariance(key: str) -> None:
    fit = Fit(key)
    ours = fit.covariance(np.eye(fit.p))
    for source in {"vcovCL", "vcovCR"} & fit.theirs.keys():
        theirs = matrices(fit.theirs[source])
        size = np.sqrt(np.einsum("aam->am", theirs))
        assert_allclose(ours / (size[:, None] * size), theirs / (size[:, None] * size), rtol=0, atol=CLOSE)


@pytest.mark.parametrize("key", frozen()["cluster"])
def test_t_with_the_degrees_of_freedom_of_bell_and_mccaffrey(key: str) -> None:
    fit = Fit(key)
    for i in range(fit.p):
        weights = np.eye(fit.p)[[i]]
        dof = fit.dof(weights)
        t = fit.b[i] / np.sqrt(fit.covariance(weights)[0, 0])
        assert_allclose(dof, vectors(fit.theirs["dof"])[i], rtol=CLOSE)
        assert_allclose(t, vectors(fit.theirs["t"])[i], rtol=CLOSE)
        assert_allclose(2 * stats.t.sf(np.abs(t), dof), vectors(fit.theirs["p"])[i], rtol=1e-8)


@pytest.mark.parametrize("key", [key for key, found in frozen()["cluster"].items() if "f" in found])
def test_f_of_two_coefficients_is_hotellings(key: str) -> None:
    fit = Fit(key)
    weights = np.eye(fit.p)[-2:]
    covariance, b, eta = fit.covariance(weights), weights @ fit.b, fit.dof(weights)
    q = np.array([b[:, j] @ np.linalg.solve(covariance[..., j], b[:, j]) for j in range(b.shape[1])])
    f = (eta - 1) / (2 * eta) * q
    # The covariance of both is inverted: a condition number of some hundred.
    assert_allclose(f, fit.theirs["f"], rtol=1e-9)
    assert_allclose(np.tile([2, eta - 1], (3, 1)), fit.theirs["f_dof"], rtol=CLOSE)
    assert_allclose(stats.f.sf(f, 2, eta - 1), fit.theirs["f_p"], rtol=1e-8)


def test_order_of_rows_is_of_no_matter() -> None:
    for kind in CLUSTER:
        one, other = Fit(f"between_and_covariate:{kind}"), Fit(f"shuffled_rows:{kind}")
        assert_allclose(one.dof(np.eye(3)[-2:]), other.dof(np.eye(3)[-2:]), rtol=1e-12)
