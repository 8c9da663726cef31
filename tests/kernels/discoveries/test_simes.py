"""Bounds on true discoveries against closed testing itself, test by test, and by their laws."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.kernels.discoveries import bound, bounds, categories, hommel_h
from specgl.kernels.multiplicity import hommel

EXAMPLE = np.array([1e-8, 0.01, 0.08, 0.1, 0.5, 0.7, 0.9])

# Sixty-fourths and levels that are powers of 2: ties are many, and every product is exact.
sixty_fourths = st.lists(st.integers(0, 64).map(lambda k: k / 64), min_size=1, max_size=7).map(np.array)
powers = st.sampled_from([1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2])
families = st.lists(st.floats(0, 1) | st.floats(0, 0.1), min_size=1, max_size=40).map(np.array)
levels = st.floats(0.001, 0.5)


def subsets(of):
    return [chosen for size in range(1, len(of) + 1) for chosen in combinations(of, size)]


class ClosedTesting:
    """The procedure itself: Simes' test of every intersection, and what is rejected at all above it."""

    def __init__(self, p: np.ndarray, alpha: float) -> None:
        m = len(p)
        self.every = subsets(range(m))
        self.local = {
            these: any(len(these) * q <= j * alpha for j, q in enumerate(sorted(p[list(these)]), start=1))
            for these in self.every
        }
        self.rejected = {
            these: all(self.local[above] for above in self.every if set(these) <= set(above))
            for these in self.every
        }

    def h(self) -> int:
        return max((len(these) for these in self.every if not self.local[these]), default=0)

    def discoveries(self, these: tuple[int, ...]) -> int:
        """Members less the most that may all be true: the largest subset that is not rejected."""
        return len(these) - max((len(s) for s in subsets(these) if not self.rejected[s]), default=0)


def check(p: np.ndarray, alpha: float) -> None:
    truth = ClosedTesting(p, alpha)
    h = hommel_h(p, alpha)
    assert h == truth.h()
    of_each = categories(p, h / alpha)
    for these in truth.every:
        assert bound(of_each[list(these)]) == truth.discoveries(these)


@settings(max_examples=60, deadline=None)
@given(p=sixty_fourths, alpha=powers)
def test_closed_testing_with_ties_and_on_the_very_lines(p, alpha):
    check(p, alpha)


@pytest.mark.parametrize("m", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("power", [1, 3])
def test_closed_testing_of_random_values(m, power):
    rng = np.random.default_rng(m)
    for alpha in (0.05, 0.3):
        check(rng.random(m) ** power, alpha)


def test_lines_are_met_in_decimals_too():
    """0.15 is three times 0.05, whatever binary fractions make of it; Simes rejects on the line."""
    third = np.array([0.05, 0.1, 0.15, 0.2, 0.25])  # j alpha / m for alpha = 0.25
    assert hommel_h(third, 0.25) == 0
    assert hommel_h(third * (1 + 1e-9), 0.25) > 0
    for m in range(1, 40):
        for alpha in (0.05, 0.1, 0.3):
            assert hommel_h([k * alpha / m for k in range(1, m + 1)], alpha) == 0
    for h in range(1, 40):
        on = np.arange(1, h + 1) * 0.05 / h
        np.testing.assert_array_equal(categories(on, h / 0.05), np.arange(1, h + 1))
        np.testing.assert_array_equal(categories(on, h / 0.05, strict=True), np.arange(2, h + 2))


@pytest.mark.parametrize(
    ("alpha", "h"),
    [
        (1e-9, 7),
        (1e-7, 6),
        (0.059, 6),
        (0.061, 5),
        (0.249, 5),
        (0.251, 4),
        (0.399, 4),
        (0.401, 3),
        (0.899, 3),
        (0.901, 0),
    ],
)
def test_hommels_value_as_published(alpha, h):
    """Seven p-values of Meijer, Krebs and Goeman 2019 (arXiv:1710.08273), as nilearn's tests give them."""
    assert hommel_h(EXAMPLE, alpha) == h
    check(EXAMPLE, alpha)


def test_all_of_1_and_all_of_0_and_none():
    for m in (1, 6):
        assert hommel_h(np.ones(m), 0.05) == m
        assert bound(categories(np.ones(m), m / 0.05)) == 0
        assert hommel_h(np.zeros(m), 0.05) == 0
        assert bound(categories(np.zeros(m), 0.0)) == m
        assert bound(categories(np.zeros(m), m / 0.05)) == m
    assert hommel_h(np.empty(0), 0.05) == 0
    assert bound(np.empty(0, dtype=np.int64)) == 0


@settings(max_examples=100, deadline=None)
@given(p=families, alpha=levels)
def test_one_location_is_a_discovery_where_hommels_adjusted_p_is_small_enough(p, alpha):
    adjusted = hommel(p)
    clear = np.abs(adjusted - alpha) > 1e-9 * alpha  # on the line itself rounding decides either
    of_each = categories(p, hommel_h(p, alpha) / alpha)
    np.testing.assert_array_equal((of_each == 1)[clear], (adjusted <= alpha)[clear])


@settings(max_examples=100, deadline=None)
@given(p=families, alpha=levels, seed=st.integers(0, 99))
def test_h_falls_with_alpha_and_knows_no_order(p, alpha, seed):
    h = hommel_h(p, alpha)
    assert hommel_h(p, alpha * 1.3) <= h
    assert hommel_h(np.random.default_rng(seed).permutation(p), alpha) == h
    assert hommel_h(p / 2, alpha) <= h
    assert hommel_h(np.append(p, 1.0), alpha) >= h


def literal(of_set: np.ndarray) -> int:
    return max([0, *(1 - u + np.count_nonzero(of_set <= u) for u in range(1, of_set.size + 1))])


partitions = st.lists(st.tuples(st.integers(1, 12), st.integers(-1, 4)), min_size=1, max_size=60)


@settings(max_examples=200, deadline=None)
@given(members=partitions)
def test_sets_side_by_side_are_the_formula(members):
    of_each, labels = np.array(members, dtype=np.int64).T
    expected = [literal(of_each[labels == k]) for k in range(6)]  # the sixth set is empty
    assert bounds(of_each, labels, 6).tolist() == expected
    assert [bound(of_each[labels == k]) for k in range(6)] == expected


@settings(max_examples=200, deadline=None)
@given(members=partitions, other=st.integers(1, 12))
def test_a_set_has_no_fewer_than_its_parts_and_no_more_than_its_locations(members, other):
    of_each, labels = np.array(members, dtype=np.int64).T
    whole = bound(of_each)
    assert 0 <= whole <= of_each.size
    parts = bounds(of_each, labels + 1, 6)
    assert parts.sum() <= whole  # the bound is superadditive: what is left over in each part is so in all
    assert whole <= bound(np.append(of_each, other)) <= whole + 1


@settings(max_examples=100, deadline=None)
@given(p=families, factor=st.floats(0, 1e6))
def test_categories_are_the_first_line_that_a_value_reaches(p, factor):
    loose, strict = categories(p, factor), categories(p, factor, strict=True)
    slack = 1e-11 * np.maximum(p * factor, 1e-300)
    assert np.all(p * factor <= loose + slack)
    assert np.all((loose == 1) | (p * factor > loose - 1 - slack))
    assert np.all(p * factor < strict + slack)
    assert np.all(p * factor >= strict - 1 - slack)
    assert np.all((strict - loose == 0) | (strict - loose == 1))


def test_a_factor_beyond_all_lines():
    values = np.array([0.0, 5e-324, 1.0])
    loose, strict = categories(values, np.inf), categories(values, np.inf, strict=True)
    assert loose[0] == 1
    assert np.all(loose[1:] > 10**15)
    assert np.all(strict > 10**15)
    assert np.all(categories(values[1:], 1e308) >= 1)
    assert categories(np.array([1.0]), 1e308)[0] > 10**15


@pytest.mark.parametrize("p", [[0.5, np.nan], [-0.1], [1.1], [[0.1, 0.2]]])
def test_what_is_no_p_value_is_refused(p):
    with pytest.raises(ValueError, match="p-values"):
        hommel_h(p, 0.05)
    with pytest.raises(ValueError, match="p-values"):
        categories(p, 3.0)


@pytest.mark.parametrize("number", [-1.0, np.nan])
def test_what_is_no_level_or_factor_is_refused(number):
    with pytest.raises(ValueError, match="alpha"):
        hommel_h([0.1], number)
    with pytest.raises(ValueError, match="factor"):
        categories([0.1], number)


def test_numba_is_not_loaded_for_clusters_above_a_height():
    code = "import sys, json, specgl.kernels.discoveries; print(json.dumps('numba' in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) is False
