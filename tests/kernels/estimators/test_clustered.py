"""Cluster-robust covariances and their degrees of freedom against brute force."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from specgl.kernels.estimators import (
    ClusterCorrection,
    cluster_adjustment,
    cluster_covariance,
    cluster_dof,
    hc_covariance,
    hc_factors,
)
from specgl.kernels.estimators.clustered import CLUSTER_CORRECTIONS

SEEDS = st.integers(0, 2**32 - 1)
CODES = np.array([3, 0, 0, 7, 3, 3, 1, 1, 9, 9, 7, 0, 1, 3])
CORRECTIONS = list(CLUSTER_CORRECTIONS)


def fitted(seed: int, n: int = 14, k: int = 3, m: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """A basis with a constant, and residuals of least squares."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(np.column_stack([np.ones(n), rng.standard_normal((n, k - 1))]))[0]
    y = rng.standard_normal((n, m))
    return basis, y - basis @ (basis.T @ y)


def test_every_correction_is_known() -> None:
    assert set(CLUSTER_CORRECTIONS) == set(get_args(ClusterCorrection))


@pytest.mark.parametrize("correction", CORRECTIONS)
@given(seed=SEEDS)
@settings(max_examples=15)
def test_a_covariance_is_the_sum_over_clusters(correction, seed: int) -> None:
    basis, rest = fitted(seed)
    rows = basis @ np.array([[1.0, 0], [0.5, 1], [0, -1]])
    adjustment = cluster_adjustment(basis, CODES, correction)
    found = cluster_covariance(rows, rest, adjustment, CODES)
    expected = np.zeros_like(found)
    for g in np.unique(CODES):
        own = g == CODES
        left = np.eye(own.sum()) - basis[own] @ basis[own].T
        values, axes = np.linalg.eigh(left)
        correct = {
            "c0": np.eye(own.sum()),
            "c1": np.eye(own.sum()) * np.sqrt(5 / 4 * 13 / 11),
            "c2": axes @ np.diag(values**-0.5) @ axes.T,
            "c3": np.linalg.inv(left),
        }[correction]
        assert_allclose(adjustment[np.ix_(own, own)], correct, rtol=1e-9, atol=1e-11)
        sums = rows[own].T @ correct @ rest[own]
        expected += sums[:, None] * sums[None]
    assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert_array_equal(adjustment[CODES[:, None] != CODES], 0.0)


@pytest.mark.parametrize(("correction", "kind"), [("c0", "hc0"), ("c2", "hc2"), ("c3", "hc3")])
def test_clusters_of_one_are_unequal_variances(correction, kind) -> None:
    basis, rest = fitted(3)
    codes = np.arange(14)
    adjustment = cluster_adjustment(basis, codes, correction)
    factors = hc_factors((basis**2).sum(axis=1), kind, 3)
    assert_allclose(
        cluster_covariance(basis, rest, adjustment, codes),
        hc_covariance(basis[None], rest, factors),
        rtol=1e-11,
    )


@given(seed=SEEDS)
@settings(max_examples=10)
def test_c2_expects_the_right_covariance(seed: int) -> None:
    """Were errors independent and alike: the mean over them of the estimate is that of least squares."""
    basis, _ = fitted(seed)
    adjustment = cluster_adjustment(basis, CODES, "c2")
    residual = np.eye(14) - basis @ basis.T
    together = CODES[:, None] == CODES
    expected = basis.T @ (together * (adjustment @ residual @ adjustment.T)) @ basis
    assert_allclose(expected, np.eye(3), atol=1e-10)


@pytest.mark.parametrize("correction", CORRECTIONS)
@given(seed=SEEDS)
@settings(max_examples=15)
def test_degrees_of_freedom_are_those_of_the_quadratic_form(correction, seed: int) -> None:
    """Satterthwaite's from the eigenvalues of the variance as a quadratic form in the data."""
    basis, _ = fitted(seed)
    row = basis @ np.array([[0.2], [1], [-1]])
    adjustment = cluster_adjustment(basis, CODES, correction)
    residual = np.eye(14) - basis @ basis.T
    form = np.zeros((14, 14))
    for g in np.unique(CODES):
        part = residual @ adjustment.T @ np.where(g == CODES, row[:, 0], 0.0)
        form += np.outer(part, part)
    expected = np.trace(form) ** 2 / np.trace(form @ form)
    assert_allclose(cluster_dof(basis, row, adjustment, CODES), expected, rtol=1e-10)


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_eta_is_that_of_all_entries(correction) -> None:
    """With the standardised covariance's entries as quadratic forms: cov(y'Ay) = 2 tr AA for symmetric A."""
    basis, _ = fitted(5)
    rows = basis[:, 1:]
    adjustment = cluster_adjustment(basis, CODES, correction)
    residual = np.eye(14) - basis @ basis.T
    parts = [residual @ adjustment.T @ np.where((g == CODES)[:, None], rows, 0.0) for g in np.unique(CODES)]
    values, axes = np.linalg.eigh(sum(part.T @ part for part in parts))
    root = axes @ np.diag(values**-0.5) @ axes.T
    total = 0.0
    for a in range(2):
        for b in range(2):
            form = sum(np.outer((part @ root)[:, a], (part @ root)[:, b]) for part in parts)
            form = (form + form.T) / 2
            total += 2 * np.trace(form @ form)
    assert_allclose(cluster_dof(basis, rows, adjustment, CODES), 2 * 3 / total, rtol=1e-10)


def test_degrees_of_freedom_do_not_depend_on_the_contrasts_units() -> None:
    basis, _ = fitted(6)
    adjustment = cluster_adjustment(basis, CODES, "c2")
    rows = basis[:, 1:]
    mixed = rows @ np.array([[1e4, 3e-3], [-2e4, 1e-3]])
    one, other = (cluster_dof(basis, each, adjustment, CODES) for each in (rows, mixed))
    assert_allclose(other, one, rtol=1e-6)


def test_equal_clusters_and_their_mean() -> None:
    """Of the mean of G clusters of one size: G - 1."""
    basis = np.full((12, 1), 12**-0.5)
    codes = np.repeat(np.arange(4), 3)
    for correction in CORRECTIONS:
        assert_allclose(cluster_dof(basis, basis, cluster_adjustment(basis, codes, correction), codes), 3)


def test_a_cluster_that_is_fitted_exactly() -> None:
    codes = np.array([0, 0, 0, 1, 1, 2, 2])
    basis = np.linalg.qr(np.column_stack([np.ones(7), codes == 0]))[0]
    for correction in ("c2", "c3"):
        adjustment = cluster_adjustment(basis, codes, correction)
        assert np.isfinite(adjustment).all()
        assert_allclose(adjustment[:3, :3].sum(), 0, atol=1e-10)
        assert np.isfinite(cluster_dof(basis, basis[:, :1], adjustment, codes))


def test_too_few_clusters() -> None:
    basis, _ = fitted(0)
    with pytest.raises(ValueError, match="two clusters"):
        cluster_adjustment(basis, np.zeros(14, dtype=int), "c1")
    one, two = np.zeros(14, dtype=int), CODES % 2
    assert np.isnan(cluster_dof(basis, basis[:, :1], np.eye(14), one))
    assert cluster_dof(basis, basis, np.eye(14), two) < 2


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_a_tile_is_its_columns_to_the_bit(correction) -> None:
    basis, rest = fitted(1, m=5000)
    adjustment = cluster_adjustment(basis, CODES, correction)
    whole = cluster_covariance(basis, rest, adjustment, CODES)
    for cut in (slice(0, 1), slice(1, 4), slice(4094, 5000)):
        part = cluster_covariance(basis, rest[:, cut], adjustment, CODES)
        assert_array_equal(part, whole[:, :, cut])
