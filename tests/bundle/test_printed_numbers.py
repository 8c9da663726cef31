"""Numbers as papers print them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specgl.bundle.printed import numbers

NAN = np.nan


@pytest.mark.parametrize(
    ("p", "told"),
    [
        (0.0, "<.001"),
        (0.000999, "<.001"),
        (0.001, ".001"),
        (0.0124, ".012"),
        (0.05, ".050"),
        (0.5, ".500"),
        (0.9994, ".999"),
        (0.9995, ">.999"),
        (1.0, ">.999"),
        (NAN, ""),
    ],
)
def test_p_values_as_papers_have_them(p, told):
    assert numbers.p_value(p) == told


@given(st.floats(0, 1))
def test_a_lower_bound_is_never_rounded_up(share):
    assert float(numbers.at_least(share)) <= share + 1e-11  # a hundredth's own rounding
    assert float(numbers.at_least(share)) > share - 0.01


def test_a_small_bound_is_not_nothing():
    assert numbers.at_least(0.0042) == "0.0042"
    assert numbers.at_least(0.00999) == "0.0099"
    assert numbers.at_least(0.0) == "0.00"


@pytest.mark.parametrize("hundredth", range(101))
def test_a_hundredth_is_told_as_it_is(hundredth):
    assert numbers.at_least(hundredth / 100) == f"{hundredth / 100:.2f}"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([566.055, 39.27, NAN], ["566.1", "39.3", ""]),
        ([0.012344, -0.1], ["0.0123", "-0.1000"]),
        ([12345.6, 1.0], ["12346", "1"]),
        ([1.5e-9, NAN], ["1.5e-09", ""]),
        ([2.5e9], ["2.5e+09"]),
        ([0.0, -0.00001, 5.0], ["0.000", "0.000", "5.000"]),
        ([NAN], [""]),
    ],
)
def test_digits_that_say_something(values, told):
    assert numbers.alike(np.array(values), 4) == told


def test_coordinates_are_integers_where_they_are():
    told = numbers.millimetres([np.array([1.0, -2.0001]), np.array([0.0, -0.0])])
    assert told == [["1", "-2"], ["0", "0"]]
    assert numbers.millimetres([np.array([1.0]), np.array([0.5])]) == [["1.0"], ["0.5"]]
