"""Designs that differ from location to location."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from specgl.kernels.estimators.bases import local_bases, local_columns

SEEDS = st.integers(0, 2**32 - 1)
USED = np.array([[False, False], [True, False], [True, True], [False, False]])


def parts(seed: int, m: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """A matrix ``(10, 4)`` and two covariates."""
    rng = np.random.default_rng(seed)
    matrix = np.column_stack([np.ones(10), np.ones(10), np.arange(10) % 2, rng.standard_normal(10)])
    return matrix, rng.uniform(0.1, 2, (2, 10, m))


@given(SEEDS)
@settings(max_examples=20)
def test_columns_are_products(seed: int) -> None:
    matrix, covariates = parts(seed)
    columns = local_columns(matrix, covariates, USED)
    for location in range(6):
        one, other = covariates[:, :, location]
        expected = np.column_stack([matrix[:, 0], one, matrix[:, 2] * one * other, matrix[:, 3]])
        assert_allclose(columns[location], expected, rtol=1e-15)


@given(SEEDS, st.sampled_from([1e-160, 1e-4, 1.0, 1e8]))
@settings(max_examples=30)
def test_a_basis_is_orthonormal_and_gives_the_columns(seed: int, scale: float) -> None:
    matrix, covariates = parts(seed)
    covariates[0] *= scale
    found = local_bases(matrix, covariates, USED)
    columns = local_columns(matrix, covariates, USED)
    assert found.full.all()
    assert_allclose(
        np.swapaxes(found.basis, 1, 2) @ found.basis, np.broadcast_to(np.eye(4), (6, 4, 4)), atol=1e-14
    )
    # X = U R with R the inverse of spread: the scores on U of X's own columns are R. The condition of columns
    # of length 1 is some hundreds here.
    scores = np.swapaxes(found.basis, 1, 2) @ columns
    assert_allclose(found.basis @ scores, columns, rtol=1e-11, atol=1e-12 * scale)
    size = np.array([1, scale, scale, 1])
    identity = np.broadcast_to(np.eye(4), (6, 4, 4))
    assert_allclose(found.spread @ scores * size[:, None] / size, identity, atol=1e-10)


def test_coefficients_are_least_squares() -> None:
    matrix, covariates = parts(1)
    y = np.random.default_rng(2).standard_normal((10, 6))
    found = local_bases(matrix, covariates, USED)
    for location, columns in enumerate(local_columns(matrix, covariates, USED)):
        expected = np.linalg.lstsq(columns, y[:, location], rcond=None)[0]
        coefficients = found.spread[location] @ (found.basis[location].T @ y[:, location])
        assert_allclose(coefficients, expected, rtol=1e-10)


def test_dependent_columns_are_told() -> None:
    matrix, covariates = parts(3)
    covariates[0, :, 1] = 2.0  # constant: the intercept once more
    covariates[1, :, 2] = 0.0
    covariates[0, 4, 3] = np.nan
    covariates[0, :, 4] = 1 + 1e-12 * covariates[0, :, 4]
    found = local_bases(matrix, covariates, USED)
    assert_array_equal(found.full, [True, False, False, False, False, True])
    assert np.isfinite(found.basis).all()
    assert np.isfinite(found.spread).all()


def test_a_tile_is_its_locations_to_the_bit() -> None:
    matrix, covariates = parts(4)
    whole = local_bases(matrix, covariates, USED)
    for location in range(6):
        one = local_bases(matrix, covariates[:, :, location : location + 1], USED)
        for part, all_ in zip(one, whole, strict=True):
            assert_array_equal(part[0], all_[location])


def test_no_columns_and_no_covariates() -> None:
    assert local_bases(np.empty((5, 0)), np.ones((1, 5, 3)), np.empty((0, 1), dtype=bool)).full.all()
    found = local_bases(np.eye(5)[:, :2], np.ones((0, 5, 3)), np.empty((2, 0), dtype=bool))
    assert_allclose(found.basis, np.broadcast_to(np.eye(5)[:, :2], (3, 5, 2)))


def test_shapes_that_do_not_fit_are_refused() -> None:
    matrix, covariates = parts(5)
    with pytest.raises(ValueError, match="do not fit"):
        local_bases(matrix[1:], covariates, USED)
    with pytest.raises(ValueError, match="columns"):
        local_columns(matrix, covariates, USED[1:])
