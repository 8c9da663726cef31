"""What a contrast leaves to the nuisance, as coefficients."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from specgl.kernels.statistics import reduced_columns
from specgl.kernels.statistics.reduced import tested_columns as along


@given(st.integers(1, 4), st.integers(2, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_both_parts_are_all_coefficients(q: int, p: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((9, p)) * 10.0 ** rng.integers(-4, 5, p)
    weights = rng.integers(-2, 3, (q, p)).astype(float)
    weights[0, 0] = 1.0
    weights = np.concatenate([weights, weights[:1] + weights[-1:]]) if q > 1 else weights
    rank = np.linalg.matrix_rank(weights)
    tested, nuisance = along(matrix, weights), reduced_columns(matrix, weights)
    assert (tested.shape, nuisance.shape) == ((p, rank), (p, p - rank))
    lengths = np.linalg.norm(matrix, axis=0)
    assert_allclose((weights / lengths) @ (lengths[:, None] * nuisance), 0, atol=1e-12 / lengths.min())
    whole = np.hstack([tested / np.linalg.norm(tested, axis=0), nuisance / np.linalg.norm(nuisance, axis=0)])
    assert np.linalg.matrix_rank(whole, tol=1e-13) == p
    # The tested part lies in the weights' row space.
    basis = np.linalg.svd(weights)[2][:rank]
    assert_allclose(basis.T @ (basis @ tested), tested, rtol=1e-9, atol=1e-9 * np.abs(tested).max())
    assert_array_equal(reduced_columns(matrix, -weights), nuisance)
    assert_array_equal(along(matrix, -weights), -tested if q == 1 else tested)


def test_a_contrast_that_picks_columns_leaves_the_others_as_they_are() -> None:
    matrix = np.column_stack([np.ones(5), 1e6 * np.arange(5), 1e-3 * np.arange(5.0) ** 2])
    found = reduced_columns(matrix, np.array([[0.0, 0, 3]]))
    assert_array_equal(found != 0, [[True, False], [False, True], [False, False]])
    assert_allclose(np.linalg.norm(matrix @ found, axis=0), 1)


def test_one_row_is_its_pseudo_inverse() -> None:
    weights = np.array([[0.5, -1.0, 2.0]])
    assert_allclose(along(np.eye(3), weights), np.linalg.pinv(weights), rtol=1e-15)
