"""Patterns of missing values against a dictionary of tuples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from specgl.kernels.patterns import find_patterns, runs


@given(st.integers(1, 150), st.integers(1, 60), st.integers(1, 8), st.integers(0, 2**32 - 1))
@settings(max_examples=80)
def test_locations_of_a_pattern_are_those_that_miss_the_same(
    n_obs: int, n_loc: int, n_pat: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((n_obs, n_loc)).astype(np.float32)
    holes = rng.random((n_obs, n_pat)) < 0.3
    y[holes[:, rng.integers(0, n_pat, n_loc)]] = rng.choice([np.nan, np.inf, -np.inf])
    patterns = find_patterns(y)
    assert_array_equal(patterns.present[patterns.of_location].T, np.isfinite(y))
    assert len(np.unique(patterns.present, axis=0)) == len(patterns.present)
    assert_array_equal(np.sort(patterns.order), np.arange(n_loc))
    assert patterns.complete == bool(np.isfinite(y).all())


def test_complete_data_are_one_pattern() -> None:
    patterns = find_patterns(np.ones((70, 40000)))
    assert patterns.present.shape == (1, 70)
    assert patterns.complete
    assert not patterns.of_location.any()


@pytest.mark.parametrize("step", [1, 7, 100])
def test_runs_cover_every_location_once(step: int) -> None:
    rng = np.random.default_rng(3)
    y = np.where(rng.random((3, 50)) < 0.4, np.nan, 1.0)
    patterns = find_patterns(y)
    seen = [run for start in range(0, 50, step) for run in runs(patterns, start, start + step)]
    assert_array_equal(np.sort(np.concatenate([where for _, where in seen])), np.arange(50))
    for pattern, where in seen:
        assert (patterns.of_location[where] == pattern).all()
