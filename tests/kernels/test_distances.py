"""Distances of observations against scores written out, and what a planted outlier does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from specgl.kernels.distances import components, gram_tile, mahalanobis, reference

SEEDS = st.integers(0, 2**32 - 1)


def fields(seed: int, n: int, n_loc: int = 300) -> np.ndarray:
    """Residuals of a mean, with a few strong directions, in units of each location's standard deviation."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 12)) * 0.7 ** np.arange(12) @ rng.standard_normal((12, n_loc))
    x += 0.3 * rng.standard_normal((n, n_loc))
    x -= x.mean(axis=0)
    return x / x.std(axis=0, ddof=1)


@given(SEEDS, st.integers(6, 40), st.integers(1, 5))
@settings(max_examples=30)
def test_it_is_mahalanobis_in_the_space_of_scores(seed: int, n: int, k: int) -> None:
    x = fields(seed, n)
    found = mahalanobis(gram_tile(x), k)
    left, size, _ = np.linalg.svd(x, full_matrices=False)
    scores = (left * size)[:, :k]
    precision = np.linalg.inv(np.atleast_2d(np.cov(scores.T)))
    expected = np.sqrt(np.einsum("ik,kl,il->i", scores, precision, scores))
    # Squaring loses half of the digits of directions that are small beside the largest; these are not.
    assert_allclose(found.distance, expected, rtol=1e-7, atol=1e-9)
    assert found.n_components == k
    assert_allclose((found.distance**2).mean(), k * (n - 1) / n, rtol=1e-10)
    assert (found.distance <= (n - 1) / np.sqrt(n) * (1 + 1e-12)).all()


@given(SEEDS, st.integers(10, 40), st.integers(0, 9))
@settings(max_examples=30)
def test_a_planted_outlier_has_the_largest_distance(seed: int, n: int, place: int) -> None:
    x = fields(seed, n)
    x[place] += 4 * np.random.default_rng(seed + 1).standard_normal(300)
    found = mahalanobis(gram_tile(x - x.mean(axis=0)), components(n))
    assert int(np.argmax(found.distance)) == place
    assert found.distance[place] > reference(found.n_components, 0.05)


@given(SEEDS)
@settings(max_examples=20)
def test_order_scale_and_tiles_change_nothing(seed: int) -> None:
    x = fields(seed, 18)
    order = np.random.default_rng(seed).permutation(18)
    whole = mahalanobis(gram_tile(x), 5).distance
    # Sums in another order; distances are of the size of 1.
    assert_allclose(mahalanobis(gram_tile(x[order]), 5).distance, whole[order], atol=1e-9)
    assert_allclose(mahalanobis(gram_tile(x * 1e-9), 5).distance, whole, atol=1e-9)
    tiles = gram_tile(x[:, :77]) + gram_tile(x[:, 77:])
    assert_allclose(mahalanobis(tiles, 5).distance, whole, atol=1e-9)
    assert_allclose(mahalanobis(gram_tile(x + 3.0), 5).distance, whole, atol=1e-8)


def test_directions_that_the_model_took_out_are_not_counted() -> None:
    rng = np.random.default_rng(6)
    model, _ = np.linalg.qr(np.column_stack([np.ones(9), rng.standard_normal((9, 5))]))
    y = rng.standard_normal((9, 500))
    x = y - model @ (model.T @ y)
    found = mahalanobis(gram_tile(x), 8)
    assert found.n_components == 3
    # All of the residual space: the distance is what the leverage leaves.
    assert_allclose(found.distance**2, 8 * (1 - np.einsum("ik,ik->i", model, model)), rtol=1e-9)


def test_what_is_missing_counts_as_its_expectation() -> None:
    x = fields(1, 10)
    holed = x.copy()
    holed[3, :50] = np.nan
    filled = np.where(np.isnan(holed), 0.0, holed)
    assert_array_equal(gram_tile(holed), gram_tile(filled))
    empty = mahalanobis(np.zeros((6, 6)), 2)
    assert_array_equal(empty.distance, [np.nan] * 6)
    assert empty.n_components == 0
    assert mahalanobis(gram_tile(np.ones((6, 20)) * 0.3), 2).n_components == 0


@pytest.mark.parametrize(("n", "expected"), [(2, 1), (4, 1), (10, 3), (13, 4), (31, 10), (500, 10)])
def test_the_number_of_components(n: int, expected: int) -> None:
    assert components(n) == expected


def test_the_reference_is_a_root_of_chi_square() -> None:
    assert_allclose(reference(4, 0.025), np.sqrt(stats.chi2.isf(0.025, 4)), rtol=1e-12)
    x = np.random.default_rng(0).standard_normal((400, 3)) @ np.diag([3.0, 2.0, 1.5])
    found = mahalanobis(gram_tile(x), 3)
    # 400 normal observations: a twentieth is further, within four standard deviations of 0.011.
    assert abs(np.mean(found.distance > reference(3, 0.05)) - 0.05) < 0.044
