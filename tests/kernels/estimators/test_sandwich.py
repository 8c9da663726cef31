"""Covariances under unequal variances against the sandwich written out."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from specgl.kernels.estimators import HC_KINDS, HcKind, hc_covariance, hc_factors

SEEDS = st.integers(0, 2**32 - 1)
KINDS = list(HC_KINDS)


def fitted(seed: int, n: int = 13, k: int = 3, m: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A design, its basis and residuals of least squares."""
    rng = np.random.default_rng(seed)
    columns = np.column_stack([np.ones(n), rng.standard_normal((n, k - 1))])
    basis = np.linalg.qr(columns)[0]
    y = rng.standard_normal((n, m))
    return columns, basis, y - basis @ (basis.T @ y)


def test_every_kind_has_its_factor() -> None:
    assert set(HC_KINDS) == set(get_args(HcKind))


@pytest.mark.parametrize("kind", KINDS)
@given(seed=SEEDS)
@settings(max_examples=15)
def test_a_covariance_is_the_sandwich(kind, seed: int) -> None:
    columns, basis, rest = fitted(seed)
    contrast = np.array([[0.0, 1, 0], [1, 0, -2]])
    bread = np.linalg.inv(columns.T @ columns)
    n, p = columns.shape
    h = np.diag(columns @ bread @ columns.T)
    omega = {
        "hc0": np.ones(n),
        "hc1": np.full(n, n / (n - p)),
        "hc2": 1 / (1 - h),
        "hc3": (1 - h) ** -2,
        "hc4": (1 - h) ** -np.minimum(4, n * h / p),
    }[kind]
    rows = columns @ bread @ contrast.T
    factors = hc_factors((basis**2).sum(axis=1), kind, p)
    assert_allclose(factors, omega, rtol=1e-11)
    found = hc_covariance(rows[None], rest, factors)
    for location in range(rest.shape[1]):
        meat = columns.T @ np.diag(omega * rest[:, location] ** 2) @ columns
        expected = contrast @ bread @ meat @ bread @ contrast.T
        assert_allclose(found[:, :, location], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_tile_is_its_columns_to_the_bit(kind) -> None:
    _, basis, rest = fitted(1, m=5000)
    leverage = np.repeat((basis**2).sum(axis=1)[:, None], 5000, axis=1)
    factors = hc_factors(leverage, kind, 3)
    whole = hc_covariance(basis[None], rest, factors)
    assert_array_equal(hc_covariance(basis[None], rest, factors[:, 0]), whole)
    for cut in (slice(0, 1), slice(1, 4), slice(4094, 5000)):
        part = hc_covariance(basis[None], rest[:, cut], hc_factors(leverage[:, cut], kind, 3))
        assert_array_equal(part, whole[:, :, cut])
    each = hc_covariance(np.repeat(basis[None], 5000, axis=0), rest, factors)
    assert_array_equal(each, whole)


@pytest.mark.parametrize("kind", KINDS)
def test_an_observation_of_its_own_regressor_says_nothing(kind) -> None:
    factors = hc_factors(np.array([1.0, 1 - 1e-14, 0.5, 0.25, 0.25]), kind, 3)
    assert_array_equal(factors[:2], 0.0)
    assert np.isfinite(factors).all()
    assert (factors[2:] > 0).all()


def test_no_regressors_and_no_freedom() -> None:
    for kind in KINDS:
        assert_array_equal(hc_factors(np.zeros(4), kind, 0), 1.0)
    assert np.isnan(hc_factors(np.full(3, 0.9), "hc1", 3)).all()


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        hc_covariance(np.ones((1, 3, 1)), np.ones((4, 2)), np.ones(4))
