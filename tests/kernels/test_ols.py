"""Least squares against numpy's lstsq, dummy columns and normal equations in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from specgl.kernels.ols import (
    estimable,
    factorise,
    factorise_patterns,
    fit_tile,
    residuals_tile,
)

SEEDS = st.integers(0, 2**32 - 1)


def dummies(codes: np.ndarray) -> np.ndarray:
    return (codes[:, None] == np.unique(codes)[None]).astype(float)


@given(SEEDS, st.integers(4, 40), st.integers(1, 5), st.integers(1, 20))
@settings(max_examples=60)
def test_agrees_with_lstsq(seed: int, n: int, p: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    p = min(p, n - 1)
    x, y = rng.standard_normal((n, p)), rng.standard_normal((n, m))
    factor = factorise(x)
    tile = fit_tile(factor, y)
    beta, rss, rank, _ = np.linalg.lstsq(x, y)
    # Random designs of few rows are now and then near to dependent; 1e-8 leaves room for that.
    assert_allclose(tile.beta, beta, rtol=1e-8, atol=1e-8)
    assert_allclose(tile.rss, ((y - x @ beta) ** 2).sum(axis=0), rtol=1e-8)
    assert rss.size in (0, m)
    assert (factor.rank, factor.dof) == (rank, n - rank)
    assert_allclose(factor.coefficients @ y, beta, rtol=1e-8, atol=1e-8)
    assert_allclose(factor.covariance @ (x.T @ x), np.eye(p), atol=1e-6)
    assert_allclose(residuals_tile(factor, y), y - x @ beta, atol=1e-8)
    assert_allclose(tile.tss, (y**2).sum(axis=0), rtol=1e-12)


@given(SEEDS, st.integers(2, 8), st.integers(1, 3))
@settings(max_examples=60)
def test_blocks_are_a_column_each(seed: int, n_blocks: int, p: int) -> None:
    rng = np.random.default_rng(seed)
    n = n_blocks * 3 + p + 1
    codes = rng.integers(0, n_blocks, n) * 5 - 3  # neither from 0, nor dense, nor sorted
    x = np.column_stack([np.ones(n), rng.standard_normal((n, p))])
    y = rng.standard_normal((n, 4)) + 100 * rng.standard_normal(n_blocks * 5)[codes][:, None]
    factor = factorise(x, codes)
    full = np.column_stack([x[:, 1:], dummies(codes)])
    beta, _, rank, _ = np.linalg.lstsq(full, y)
    tile = fit_tile(factor, y)
    assert factor.rank == rank
    assert_allclose(tile.beta[1:], beta[:p], rtol=1e-7, atol=1e-7)
    assert_allclose(tile.rss, ((y - full @ beta) ** 2).sum(axis=0), rtol=1e-8, atol=1e-9)
    assert_allclose(residuals_tile(factor, y), y - full @ beta, atol=1e-8)
    means = dummies(codes) @ np.linalg.lstsq(dummies(codes), y)[0]
    assert_allclose(tile.tss, ((y - means) ** 2).sum(axis=0), rtol=1e-9)
    assert_allclose(factor.coefficients @ y, tile.beta, atol=1e-7)


def test_total_sum_of_squares_is_about_the_mean_where_there_is_one() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((20, 2)), 1e4 + rng.standard_normal((20, 3))
    centred = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    half = np.arange(20) < 10
    assert_allclose(fit_tile(factorise(np.column_stack([np.ones(20), x])), y).tss, centred, rtol=1e-10)
    assert_allclose(fit_tile(factorise(np.column_stack([half, ~half, x])), y).tss, centred, rtol=1e-10)
    assert_allclose(fit_tile(factorise(x), y).tss, (y**2).sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_rank_does_not_depend_on_units(scale: float) -> None:
    rng = np.random.default_rng(1)
    age = rng.normal(50, 10, 25)
    x = np.column_stack([np.ones(25), age * scale, age**2])
    assert factorise(x).rank == 3
    assert factorise(np.column_stack([x, 3 * x[:, 1] - 2 * x[:, 0] * scale])).rank == 3
    assert factorise(np.column_stack([x, np.zeros(25)])).rank == 3


def test_a_large_offset_keeps_the_digits_of_what_varies() -> None:
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(12), rng.standard_normal(12).round(3)])
    y = 1e6 + rng.standard_normal((12, 1))
    tile = fit_tile(factorise(x), y)
    # Normal equations in fractions: exact for the numbers as they are held.
    rows = [[Fraction(v) for v in row] for row in x.tolist()]
    target = [Fraction(v) for v in y[:, 0].tolist()]
    n, sx = len(rows), sum(r[1] for r in rows)
    sxx, sy = sum(r[1] ** 2 for r in rows), sum(target)
    sxy = sum(r[1] * t for r, t in zip(rows, target, strict=True))
    slope = (n * sxy - sx * sy) / (n * sxx - sx * sx)
    icept = (sy - slope * sx) / n
    rss = sum((t - icept - slope * r[1]) ** 2 for r, t in zip(rows, target, strict=True))
    # The offset is a million times the noise: the slope is known to 1e-10 of its error, since coefficients of
    # the constant are rounded before the offset multiplies them; the residuals lose none.
    assert_allclose(tile.beta[:, 0], [float(icept), float(slope)], rtol=1e-13, atol=1e-10)
    assert_allclose(tile.rss, float(rss), rtol=1e-12)


def test_float32_data_are_computed_in_float64() -> None:
    rng = np.random.default_rng(8)
    x = np.column_stack([np.ones(30), rng.standard_normal(30)])
    y = (1000 + rng.standard_normal((30, 7))).astype(np.float32)
    single, double = fit_tile(factorise(x), y), fit_tile(factorise(x), y.astype(np.float64))
    assert_array_equal(single.rss, double.rss)
    assert_array_equal(single.beta, double.beta)
    assert single.beta.dtype == np.float64


def test_data_are_left_as_they_are() -> None:
    y = np.arange(12.0).reshape(6, 2)
    kept = y.copy()
    fit_tile(factorise(np.ones((6, 1)), np.repeat([0, 1], 3)), y)
    fit_tile(factorise(np.ones((6, 1))), y)
    residuals_tile(factorise(np.ones((6, 1))), y)
    assert_array_equal(y, kept)


@given(SEEDS, st.booleans())
@settings(max_examples=50)
def test_patterns_together_are_each_alone(seed: int, blocked: bool) -> None:
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(14), rng.standard_normal(14), rng.integers(0, 2, 14)])
    codes = rng.integers(0, 4, 14) if blocked else None
    present = rng.random((6, 14)) < 0.7
    present[0], present[1] = True, False
    factors = factorise_patterns(x, codes, present)
    for pattern in range(6):
        rows = factors.rows(pattern)
        assert_array_equal(np.sort(rows), np.flatnonzero(present[pattern]))
        if not rows.size:
            assert factors.geometry.rank[pattern] == 0
            continue
        alone = factorise(x[rows], None if codes is None else codes[rows])
        together = factors.factor(pattern)
        assert (together.rank, together.n) == (alone.rank, alone.n)
        y = rng.standard_normal((rows.size, 3))
        assert_allclose(fit_tile(together, y).rss, fit_tile(alone, y).rss, atol=1e-10)
        assert_allclose(together.covariance, alone.covariance, rtol=1e-6, atol=1e-8)


def test_estimable_is_a_question_of_row_space() -> None:
    group = np.repeat([0, 1, 2], 4)
    x = np.column_stack([np.ones(12), dummies(group), np.arange(12.0) * 1e6])
    geometry = factorise_patterns(x, None, np.ones((1, 12), dtype=bool)).geometry
    for weights, verdict in [
        ([0, 1, -1, 0, 0], True),
        ([1, 1, 0, 0, 0], True),
        ([1, 0.333333, 0.333333, 0.333334, 0], True),
        ([1, 0, 0, 0, 0], False),
        ([0, 1, 0, 0, 0], False),
        ([0, 0, 0, 0, 1], True),
        ([1, 0.3, 0.3, 0.3, 0], False),
    ]:
        assert estimable(geometry, np.array([weights], dtype=float)).tolist() == [verdict], weights
    both = np.array([[0, 1, -1, 0, 0], [0, 1, 0, 0, 0]], dtype=float)
    assert not estimable(geometry, both)[0]


def test_blocks_take_the_mean_with_them() -> None:
    x = np.column_stack([np.ones(8), np.tile([0.0, 1.0], 4)])
    factors = factorise_patterns(x, np.repeat(np.arange(4), 2), np.ones((1, 8), dtype=bool))
    assert factors.geometry.rank.tolist() == [5]
    assert estimable(factors.geometry, np.array([[0.0, 1.0]]))[0]
    assert not estimable(factors.geometry, np.array([[1.0, 0.0]]))[0]


def test_a_pattern_may_lose_a_group() -> None:
    group = np.repeat([0.0, 1.0], 5)
    present = np.ones((2, 10), dtype=bool)
    present[1, 5:] = False
    geometry = factorise_patterns(np.column_stack([np.ones(10), group]), None, present).geometry
    assert geometry.rank.tolist() == [2, 1]
    assert estimable(geometry, np.array([[0.0, 1.0]])).tolist() == [True, False]
    assert estimable(geometry, np.array([[1.0, 0.0]])).tolist() == [True, True]
