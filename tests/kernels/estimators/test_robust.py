"""Robust fits: laws, and the equations that they solve."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from specgl.kernels.estimators import Loss
from specgl.kernels.estimators.robust import LOSSES, TUNING, fit_robust, select

SEEDS = st.integers(0, 2**32 - 1)


def outlying(seed: int, n: int = 15, k: int = 2, m: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """A basis and data some of which lie far out."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(np.column_stack([np.ones(n), rng.standard_normal((n, max(k, 1)))])[:, : max(k, 1)])[
        0
    ]
    y = 3 + rng.standard_normal((n, m))
    y[0] += rng.uniform(5, 50, m)
    y[1] -= rng.uniform(3, 9, m)
    return basis[None, :, :k], y


def test_every_loss_has_its_number_and_its_constant() -> None:
    assert set(LOSSES) == set(TUNING) == set(get_args(Loss))


@pytest.mark.parametrize("loss", list(LOSSES))
@given(seed=SEEDS, k=st.integers(0, 3))
@settings(max_examples=20)
def test_a_fit_solves_its_equations(loss, seed: int, k: int) -> None:
    basis, y = outlying(seed, k=k)
    fit = fit_robust(basis, y, loss)
    assert fit.converged.mean() > 0.7
    rest = y - basis[0] @ fit.scores
    assert_allclose(fit.residuals, rest, atol=1e-12)
    assert_allclose(fit.scale, np.median(np.abs(fit.residuals), axis=0) / 0.6745, rtol=1e-15)
    u = np.abs(fit.residuals) / fit.scale / TUNING[loss]
    weights = 1 / np.maximum(u, 1) if loss == "huber" else np.maximum(1 - u**2, 0) ** 2
    assert_allclose(fit.weights, weights, atol=1e-12)
    assert ((fit.weights >= 0) & (fit.weights <= 1)).all()
    # A fit ends when a step is below 1e-10 of the residuals, whose length is some ten.
    left = basis[0].T @ (fit.weights * fit.residuals)
    assert_allclose(left[:, fit.converged], 0, atol=1e-8)
    rise = (u <= 1).astype(float) if loss == "huber" else np.where(u < 1, (1 - u**2) * (1 - 5 * u**2), 0)
    n, mean = len(y), rise.mean(axis=0)
    square = ((fit.weights * fit.residuals) ** 2).sum(axis=0) / (n - k)
    factor = 1 + k * rise.var(axis=0, ddof=1) / (n * mean**2)
    known = fit.converged
    assert_allclose(fit.variance[known], (square * (factor / mean) ** 2)[known], rtol=1e-9)
    assert np.isnan(fit.variance[~known]).all()


@given(seed=SEEDS, power=st.sampled_from([-6, 6]))
@settings(max_examples=10)
@pytest.mark.parametrize("loss", list(LOSSES))
def test_units_scale_the_fit(loss, seed: int, power: int) -> None:
    basis, y = outlying(seed)
    scale = 3 * 10.0**power
    one, other = fit_robust(basis, y, loss), fit_robust(basis, scale * y, loss)
    both = one.converged & other.converged
    assert_allclose(other.scores[:, both] / scale, one.scores[:, both], rtol=1e-7, atol=1e-7)
    assert_allclose(other.variance[both] / scale**2, one.variance[both], rtol=1e-6)


@pytest.mark.parametrize("loss", list(LOSSES))
@given(seed=SEEDS)
@settings(max_examples=10)
def test_order_of_rows_is_nothing_but_rounding(loss, seed: int) -> None:
    basis, y = outlying(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    one, other = fit_robust(basis, y, loss), fit_robust(basis[:, order], y[order], loss)
    both = one.converged & other.converged
    assert_allclose(other.scores[:, both], one.scores[:, both], rtol=1e-7, atol=1e-7)
    assert_allclose(other.weights[:, both], one.weights[order][:, both], atol=1e-7)


def test_without_outliers_huber_is_least_squares() -> None:
    """Residuals of one size: none exceeds the constant times the scale."""
    basis = np.full((1, 8, 1), 8**-0.5)
    y = np.tile([1.0, -1.0], 4)[:, None] * np.array([1.0, 1e-4, 1e4]) + 7
    fit = fit_robust(basis, y, "huber")
    assert fit.converged.all()
    assert_array_equal(fit.weights, 1.0)
    assert_allclose(fit.scores, basis[0].T @ y, rtol=1e-13)  # of sums of 1e4 is left 7
    rest = y - 7
    assert_allclose(fit.variance, (rest**2).sum(axis=0) / 7, rtol=1e-10)


def test_an_outlier_loses_its_say() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(rng.standard_normal((20, 1)), 3, axis=1)
    y[0] = [0.0, 1e3, 1e6]
    fit = fit_robust(np.full((1, 20, 1), 20**-0.5), y, "bisquare")
    assert fit.converged.all()
    assert_array_equal(fit.weights[0, 1:], 0.0)
    assert_allclose(fit.scores[0, 1], fit.scores[0, 2], rtol=1e-6)


@pytest.mark.parametrize("loss", list(LOSSES))
def test_what_cannot_be_scaled_is_told(loss) -> None:
    basis = np.full((1, 9, 1), 1 / 3)
    y = np.full((9, 3), 5.0)
    y[0, 1] = 6.0  # most residuals vanish in the end, or at once
    y[:, 2] = np.arange(9.0)
    fit = fit_robust(basis, y, loss)
    assert_array_equal(fit.converged, [False, False, True])
    assert np.isnan(fit.variance[:2]).all()
    full = fit_robust(np.eye(3)[None], np.arange(6.0).reshape(3, 2), loss)
    assert not full.converged.any()


@pytest.mark.parametrize("loss", list(LOSSES))
def test_a_tile_is_its_columns_to_the_bit(loss) -> None:
    basis, y = outlying(7, n=14)
    whole = fit_robust(basis, y, loss)
    each = fit_robust(np.repeat(basis, 9, axis=0), y, loss)
    for one, other in zip(each, whole, strict=True):
        assert_array_equal(one, other)
    for cut in (slice(0, 1), slice(1, 4), slice(4, 9)):
        for one, other in zip(fit_robust(basis, y[:, cut], loss), whole, strict=True):
            assert_array_equal(one, other[..., cut])


@given(st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=40), st.data())
@settings(max_examples=60)
def test_a_number_is_found_by_its_rank(values: list[float], data: st.DataObject) -> None:
    rank = data.draw(st.integers(0, len(values) - 1))
    array = np.array(values)
    found = select(array, rank)
    assert found == sorted(values)[rank]
    assert sorted(array) == sorted(values)
    assert (array[:rank] <= found).all()
