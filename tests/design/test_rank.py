"""Rank, dependencies and their words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from specgl.design.rank import dependencies, plain_name, say_combination, say_sum, within_blocks


@settings(max_examples=80)
@example(seed=0, rank=5, extra=5, exponent=5)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(0, 5), st.integers(0, 6))
def test_rank_and_null_space_are_those_of_the_svd(seed: int, rank: int, extra: int, exponent: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(20, rank))
    matrix = np.hstack([base, base @ rng.integers(-2, 3, size=(rank, extra))])
    matrix = matrix[:, rng.permutation(matrix.shape[1])]
    # Units of columns must not matter, however far apart.
    units = 10.0 ** rng.uniform(-exponent, exponent, matrix.shape[1])
    found = dependencies(matrix * units)
    assert found.rank == np.linalg.matrix_rank(matrix)
    assert found.null.shape == (matrix.shape[1] - found.rank, matrix.shape[1])
    for vector in found.null:
        parts = matrix * units * vector
        assert np.abs(parts.sum(axis=1)).max() <= 1e-7 * max(np.abs(parts).max(), 1e-300)
    assert np.linalg.matrix_rank(found.null / np.maximum(1.0, np.abs(found.null))) == len(found.null)


def test_a_column_of_zeros_is_its_own_combination() -> None:
    found = dependencies(np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]))
    np.testing.assert_array_equal(found.null, [[0.0, 1.0]])


def test_combinations_come_out_in_whole_numbers() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(100.0, 15.0, 30), rng.normal(2.0, 0.1, 30)
    found = dependencies(np.column_stack([np.ones(30), a, b, 2 * a - b / 3 + 7]))
    # 2a − b/3 + 7 is exact up to rounding of values near 200, which is far below a seventh of 1e-7.
    np.testing.assert_array_equal(found.null[0][[1, 3]], [-2.0, 1.0])
    np.testing.assert_allclose(found.null[0], [-7.0, -2.0, 1 / 3, 1.0], rtol=1e-7)


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_within_blocks_is_the_residual_of_block_indicators(seed: int, n_blocks: int) -> None:
    rng = np.random.default_rng(seed)
    codes = np.concatenate([np.arange(n_blocks), rng.integers(0, n_blocks, 12)])
    matrix = rng.normal(50.0, 3.0, size=(len(codes), 3))
    dummies = np.eye(n_blocks)[codes]
    expected = matrix - dummies @ np.linalg.lstsq(dummies, matrix, rcond=None)[0]
    np.testing.assert_allclose(within_blocks(matrix, codes), expected, atol=1e-11)


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        ([0, 1, 0, -1], "site[C] = group[patient]"),
        ([0, 1, -1, -1], "site[C] + site[B] = group[patient]"),
        ([1, -1, -1, 0], "site[B] + group[patient] = Intercept"),
        ([0, 0, 0, 1], "site[C] = 0"),
        ([0, 2, 0, -4], "site[C] = 0.5*group[patient]"),
        ([0, 1, 0, -3], "site[C] = 1/3*group[patient]"),
        ([0, 0.1234567891, 0, -1], "site[C] = 0.123457*group[patient]"),
    ],
)
def test_words_of_combinations(vector: list[float], words: str) -> None:
    names = ["Intercept", "group[T.patient]", "site[T.B]", "site[T.C]"]
    assert say_combination(np.array(vector, dtype=float), names) == words


def test_words_of_sums() -> None:
    assert say_sum(np.array([-1.0, 0.0, 2.0]), ["a", "b", "c"]) == "2*c - a"
    assert say_sum(np.zeros(2), ["a", "b"]) == "0"
    assert say_sum(np.ones(12), [f"x{i}" for i in range(12)]).endswith("... (4 more)")


def test_only_treatment_marks_are_dropped() -> None:
    # group[S.a] is +1 for a and -1 for the last level: it is not the indicator of a.
    assert plain_name("group[T.a]:site[T.b]") == "group[a]:site[b]"
    assert plain_name("group[S.a]") == "group[S.a]"
