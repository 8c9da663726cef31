"""The minimum of several statistics: laws, and the definition written out location by location."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from specgl.kernels.minimum import least, mixed

SOME = st.sampled_from([-3.0, -1.5, -1.0, 0.0, 0.5, 1.0, 2.5, np.nan])
VALUES = st.integers(1, 4).flatmap(lambda n: arrays(np.float64, (n, 7), elements=SOME))
ALTERNATIVES = ("two-sided", "greater", "less")


def one(values: list[float], alternative: str) -> float:
    """The definition at one location."""
    if any(np.isnan(value) for value in values):
        return float("nan")
    if alternative == "greater":
        return min(values)
    if alternative == "less":
        return max(values)
    if all(value > 0 for value in values) or all(value < 0 for value in values):
        return min(values, key=abs)
    return 0.0


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@given(values=VALUES)
def test_each_location_is_the_definition(alternative: str, values: np.ndarray) -> None:
    want = [one(list(column), alternative) for column in values.T]
    assert_array_equal(least(values, alternative), want)


@given(values=VALUES)
def test_signs_turn_directions_round(values: np.ndarray) -> None:
    assert_array_equal(least(-values, "greater"), -least(values, "less"))
    assert_array_equal(least(-values, "two-sided"), -least(values, "two-sided"))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@given(values=VALUES, seed=st.integers(0, 100))
def test_the_order_of_members_does_not_matter(alternative: str, values: np.ndarray, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(values))
    assert_array_equal(least(values[order], alternative), least(values, alternative))


@given(values=VALUES)
def test_two_sided_is_the_one_direction_that_all_share(values: np.ndarray) -> None:
    upper = np.maximum(least(values, "greater"), 0.0)
    lower = np.minimum(least(values, "less"), 0.0)
    assert_array_equal(least(values, "two-sided"), upper + lower)


@given(values=VALUES)
def test_mixed_signs_are_where_two_sided_is_nothing(values: np.ndarray) -> None:
    assert_array_equal(mixed(values, "two-sided"), least(values, "two-sided") == 0.0)
    assert not mixed(values, "greater").any()


def test_what_orders_may_be_something_else_than_what_is_told() -> None:
    t, z = np.array([[2.0, 5.0, -2.0], [3.0, 4.0, 4.0]]), np.array([[1.0, 2.0, -1.0], [0.5, 3.0, 2.0]])
    assert_array_equal(least(t, "greater", order=z), [3.0, 5.0, -2.0])
    assert_array_equal(least(t, "two-sided", order=z), [3.0, 5.0, 0.0])
