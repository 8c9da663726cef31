"""Weighted least squares against the textbook's matrices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from specgl.kernels.estimators.weighted import fit_weighted

SEEDS = st.integers(0, 2**32 - 1)


@given(seed=SEEDS, k=st.integers(0, 4), ratio=st.sampled_from([2.0, 1e3]))
@settings(max_examples=30)
def test_a_fit_is_the_textbooks(problem, projector, seed: int, k: int, ratio: float) -> None:
    data = problem(seed, k=k, ratio=ratio)
    basis, weights = data.basis[0], 1 / data.variances
    fit = fit_weighted(data.basis, data.y, weights)
    for location in range(data.y.shape[1]):
        y, w = data.y[:, location], weights[:, location]
        covariance = np.linalg.inv(basis.T @ (w[:, None] * basis))
        scores = covariance @ basis.T @ (w * y)
        hat = basis @ covariance @ basis.T * w
        # The textbook squares the condition: 1e3 of sixteen digits, and some more in the inverse.
        assert_allclose(fit.scores[:, location], scores, rtol=1e-9, atol=1e-10)
        assert_allclose(fit.covariance[:, :, location], covariance, rtol=1e-9, atol=1e-10)
        assert_allclose(fit.residuals[:, location], y - basis @ scores, rtol=1e-9, atol=1e-10)
        assert_allclose(fit.leverage[:, location], np.diag(hat), rtol=1e-9, atol=1e-10)
        assert_allclose(fit.rss[location], y @ projector(basis, w) @ y, rtol=1e-9)


def test_equal_weights_are_least_squares(problem) -> None:
    data = problem(0)
    fit = fit_weighted(data.basis, data.y, np.full_like(data.y, 4.0))
    scores = data.basis[0].T @ data.y
    assert_allclose(fit.scores, scores, rtol=1e-13, atol=1e-14)
    assert_allclose(fit.covariance, np.broadcast_to(np.eye(2)[:, :, None] / 4, (2, 2, 7)), atol=1e-15)
    assert_allclose(fit.leverage.sum(axis=0), 2, rtol=1e-13)


def test_a_weight_of_nought_leaves_the_row_out(problem) -> None:
    data = problem(1)
    weights = 1 / data.variances
    weights[3] = 0.0
    fit = fit_weighted(data.basis, data.y, weights)
    keep = np.arange(len(data.y)) != 3
    part = fit_weighted(data.basis[:, keep], data.y[keep], weights[keep])
    assert_allclose(fit.scores, part.scores, rtol=1e-12, atol=1e-13)
    assert_array_equal(fit.leverage[3], 0.0)


def test_dependent_columns_give_nothing(problem) -> None:
    data = problem(2)
    weights = np.ones_like(data.y)
    weights[1:, 0] = 0.0
    fit = fit_weighted(data.basis, data.y, weights)
    for part in fit:
        assert np.isnan(part[..., 0]).all()
        assert np.isfinite(part[..., 1:]).all()


def test_a_tile_is_its_columns_to_the_bit(problem) -> None:
    data = problem(3, m=11)
    whole = fit_weighted(data.basis, data.y, 1 / data.variances)
    each = fit_weighted(np.repeat(data.basis, 11, axis=0), data.y, 1 / data.variances)
    for one, other in zip(each, whole, strict=True):
        assert_array_equal(one, other)
    for cut in (slice(0, 1), slice(1, 5), slice(5, 11)):
        part = fit_weighted(data.basis, data.y[:, cut], 1 / data.variances[:, cut])
        for one, other in zip(part, whole, strict=True):
            assert_array_equal(one, other[..., cut])


def test_shapes_that_do_not_fit_are_refused(problem) -> None:
    data = problem(0)
    with pytest.raises(ValueError, match="does not fit"):
        fit_weighted(np.repeat(data.basis, 2, axis=0), data.y, data.variances)
