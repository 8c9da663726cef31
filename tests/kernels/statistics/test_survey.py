"""What float32 says of shuffled statistics against float64, with little and with much nuisance that moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from specgl.kernels.statistics import NOUGHT, TIE, partition
from specgl.kernels.statistics.exact import to_share
from specgl.kernels.statistics.pooled import PooledStatistic
from specgl.kernels.statistics.pooled_kernels import _correlate
from specgl.kernels.statistics.survey import _extremes
from specgl.kernels.statistics.weights import make_weights, rows_to_survey

N = 20
FEW, MANY = 4, 14  # columns of nuisance: fewer, and more, than what remains beside them


def prepared(method: str, kind: str, q: int, still: bool) -> PooledStatistic:
    rng = np.random.default_rng(q)
    r = 1 if kind == "t" else 2
    matrix = np.column_stack([rng.standard_normal((N, r)), np.ones(N), rng.standard_normal((N, q - 1))])
    y = rng.standard_normal((N, 1500)).astype(np.float32)
    y[:, 3] = 0.0
    return PooledStatistic.prepare(
        y,
        partition(matrix, np.eye(r, r + q)),
        kind=kind,
        nuisance=method,
        invariant=np.full((N, N), 1 / N) if still else None,
    )


def shuffles(still: bool) -> tuple[np.ndarray, np.ndarray | None]:
    rng = np.random.default_rng(7)
    rows = np.array([rng.permutation(N) for _ in range(12)], dtype=np.int32)
    return rows, None if still else rng.choice(np.array([-1, 1], dtype=np.int8), (12, N))


@given(arrays(np.float32, st.integers(1, 70), elements=st.floats(-4, 4, width=32)))
def test_extremes_are_those_of_numbers(row: np.ndarray) -> None:
    assert _extremes(row) == (row.max(), row.min())
    assert _extremes(np.abs(row)) == (np.abs(row).max(), np.abs(row).min())
    assert _extremes(-np.abs(row)) == (-np.abs(row).min(), -np.abs(row).max())


@pytest.mark.parametrize("still", [True, False])
@pytest.mark.parametrize("q", [FEW, MANY])
@pytest.mark.parametrize("kind", ["t", "F"])
@pytest.mark.parametrize("method", ["freedman_lane", "ter_braak", "manly"])
def test_surveyed_values_are_as_exact_as_they_say(method: str, kind: str, q: int, still: bool) -> None:
    statistic, (rows, signs) = prepared(method, kind, q, still), shuffles(still)
    assert statistic._whole.remaining == (q == MANY)
    rows_of = rows_to_survey(statistic.recipe, rows, signs, make_weights(statistic.recipe, rows, signs))
    squares = statistic.source.squares
    unit = np.concatenate(
        [
            statistic.tiles.flat[N * low : N * high].reshape(N, -1)
            for low, high in zip(statistic.tiles.first[:-1], statistic.tiles.first[1:], strict=True)
        ],
        axis=1,
    )
    products = rows_of.reshape(-1, N).astype(np.float32) @ unit
    partial = np.zeros(len(rows), dtype=bool)
    found = _correlate(products, len(rows), statistic.form, statistic._whole, squares, partial)
    exact = to_share(statistic.values(rows, signs, np.arange(1500)), *statistic.form)
    known = ~np.isnan(found)
    assert_array_equal(partial, ~known.all(axis=1))
    assert known.mean() > 0.9
    assert known[:, 3].all()
    assert np.abs(found - exact)[known].max() <= statistic._error


@pytest.mark.parametrize("still", [True, False])
@pytest.mark.parametrize("kind", ["t", "F"])
@pytest.mark.parametrize("method", ["freedman_lane", "ter_braak", "manly", "dekker", "huh_jhun"])
def test_much_nuisance_is_scanned_as_each_location_is(method: str, kind: str, still: bool) -> None:
    statistic, (rows, signs) = prepared(method, kind, MANY, still), shuffles(still)
    if method == "huh_jhun":
        m = statistic.n_obs
        rows = np.argsort(rows[:, :m], axis=1).astype(np.int32)
        signs = None if signs is None else np.ascontiguousarray(signs[:, :m])
    scan = statistic.scan(rows, signs, alternative="two-sided", count=True, scale="t")
    values = statistic.values(rows, signs, np.arange(1500))
    assert_array_equal(scan.upper, values.max(axis=1))
    bar = np.abs(statistic.observed)
    assert_array_equal(scan.counts, (np.abs(values) >= bar - TIE * bar - NOUGHT).sum(axis=0))
    if kind == "t":
        assert_array_equal(scan.lower, (-values).max(axis=1))
