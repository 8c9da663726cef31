"""Clusters of one sign of a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from specgl.inference.sides import make_side, sides_above

MAPS = st.lists(st.one_of(st.integers(-5, 5).map(float), st.just(float("nan"))), min_size=1, max_size=20).map(
    np.array
)


@dataclass(frozen=True)
class Line:
    """Locations in a row; each measures `measure`."""

    n: int
    measure: float | np.ndarray = 8.0

    @property
    def coordinates(self) -> np.ndarray:
        return np.column_stack([np.arange(self.n), np.zeros((self.n, 2))])

    def adjacency(self, connectivity: int, within: np.ndarray | None = None) -> csr_array:
        places = np.arange(self.n) if within is None else np.flatnonzero(within)
        return csr_array(np.abs(places[:, None] - places) == 1)


def runs(inside: np.ndarray) -> list[list[int]]:
    """Stretches of neighbours, as a child would find them."""
    found: list[list[int]] = []
    for place in np.flatnonzero(inside).tolist():
        if found and found[-1][-1] == place - 1:
            found[-1].append(place)
        else:
            found.append([place])
    return found


@given(MAPS, st.sampled_from([1.0, 2.0, 2.5]))
def test_clusters_are_stretches_above_the_threshold(values, threshold):
    sides = sides_above((1, -1), values, threshold, 6, Line(values.size))
    for side, sign in zip(sides, (1, -1), strict=True):
        with np.errstate(invalid="ignore"):
            expected = runs(sign * values >= threshold)
        found = [side.members[side.clusters.labels == n].tolist() for n in range(side.clusters.count)]
        assert sorted(found) == expected
        assert side.sign == sign
        np.testing.assert_array_equal(side.heights, sign * values[side.members])
        tops = [max(sign * values[several]) for several in found]
        assert tops == sorted(tops, reverse=True)
        np.testing.assert_array_equal(side.kept, side.members)


@given(MAPS)
def test_the_other_way_up_the_signs_change_places(values):
    up = sides_above((1, -1), values, 2.0, 6, Line(values.size))
    down = sides_above((1, -1), -values, 2.0, 6, Line(values.size))
    for one, other in zip(up, down[::-1], strict=True):
        np.testing.assert_array_equal(one.members, other.members)
        np.testing.assert_array_equal(one.heights, other.heights)
        np.testing.assert_array_equal(one.clusters.labels, other.clusters.labels)


def test_measures_by_hand():
    values = np.array([3.0, 4, 0, 5, 0, np.nan, 2, -3])
    (side,) = sides_above((1,), values, 2.0, 6, Line(8))
    # By falling peak: 5; 4 + 3; 2.
    assert side.extents(Line(8)).tolist() == [1, 2, 1]
    assert side.masses().tolist() == [5, 7, 2]
    assert side.masses(2.0).tolist() == [3, 3, 0]
    assert side.members.tolist() == [0, 1, 3, 6]
    # Where locations differ in size, the extent is their sum.
    areas = np.arange(1.0, 9)
    assert side.extents(Line(8, areas)).tolist() == [4, 1 + 2, 7]


def test_clusters_that_are_kept():
    values = np.array([3.0, 4, 0, 5, 0, 0, 2])
    (side,) = sides_above((1,), values, 2.0, 6, Line(7))
    kept = side.keep(np.array([False, True, True]))
    assert kept.kept.tolist() == [0, 1, 6]
    assert kept.masses().tolist() == [7, 2]
    assert kept.members is side.members
    assert side.kept.tolist() == [0, 1, 3, 6]
    assert side.keep(np.zeros(3, dtype=bool)).kept.size == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_any_set_of_locations_forms_clusters(sign):
    values = np.array([1.0, -2, 3, 0.5])
    side = make_side(sign, values, np.array([True, True, False, True]), 6, Line(4), over=0.25)
    assert side.over == 0.25
    assert side.members.tolist() == [0, 1, 3]
    assert side.heights.tolist() == [sign * value for value in (1, -2, 0.5)]
    assert sorted(side.clusters.sizes.tolist()) == [1, 2]


def test_nothing_above_the_threshold():
    up, down = sides_above((1, -1), np.zeros(4), 1.0, 6, Line(4))
    for side in (up, down):
        assert (side.clusters.count, side.members.size, side.masses().size) == (0, 0, 0)
        assert side.extents(Line(4)).size == 0
