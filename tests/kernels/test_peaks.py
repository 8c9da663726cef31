"""Local maxima and their distances, against plain searches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from specgl.kernels.peaks import local_maxima, separate


def grid(shape: tuple[int, ...], reach: int = 3) -> tuple[csr_array, np.ndarray]:
    """Neighbourhood of a box's voxels and their places at 2 mm."""
    voxels = np.argwhere(np.ones((*shape, 1, 1)[:3]))
    steps = np.abs(voxels[:, None] - voxels[None])
    adjacency = (steps.max(axis=2) == 1) & (steps.sum(axis=2) <= reach)
    return csr_array(adjacency), voxels * 2.0


def maxima(values, reach: int = 3) -> list[int]:
    values = np.asarray(values, dtype=float)
    return local_maxima(values.ravel(), *grid(values.shape, reach)).tolist()


def maxima_by_search(heights, adjacency):
    """Sets of plateau members, one for each peak, by flooding."""
    links = adjacency.toarray()
    peaks, seen = [], set()
    for start in range(heights.size):
        if start in seen:
            continue
        plateau, ahead = {start}, [start]
        while ahead:
            here = ahead.pop()
            for near in np.flatnonzero(links[here]):
                if heights[near] == heights[start] and near not in plateau:
                    plateau.add(int(near))
                    ahead.append(int(near))
        seen |= plateau
        around = {int(near) for here in plateau for near in np.flatnonzero(links[here])} - plateau
        if all(heights[near] < heights[start] for near in around):
            peaks.append(plateau)
    return peaks


def test_two_peaks_the_higher_first():
    assert maxima([1, 3, 1, 5, 2]) == [3, 1]


def test_a_peak_at_the_edge():
    assert maxima([5, 3, 1, 2]) == [0, 3]


def test_a_plateau_is_one_peak_at_its_middle():
    assert maxima([1, 4, 4, 4, 1]) == [2]
    assert maxima([1, 4, 4, 1]) == [1], "of two as near, the first"


def test_a_plateau_with_a_higher_neighbour_is_no_peak():
    assert maxima([1, 4, 4, 5, 1]) == [3]


def test_a_flat_map_is_one_peak():
    assert maxima(np.ones((3, 3))) == [4]


def test_a_ring_is_one_peak_on_the_ring():
    ring = np.full((3, 3), 7.0)
    ring[1, 1] = 0
    # The middle is a hole; the four faces are as near to it, and the first is the upper.
    assert maxima(ring, reach=1) == [1]


def test_equal_peaks_in_the_order_of_the_map():
    assert maxima([4, 1, 4, 1, 4]) == [0, 2, 4]


def test_one_voxel_and_none():
    one = csr_array((1, 1), dtype=bool)
    assert local_maxima(np.array([3.0]), one, np.zeros((1, 3))).tolist() == [0]
    none = csr_array((0, 0), dtype=bool)
    assert local_maxima(np.empty(0), none, np.empty((0, 3))).tolist() == []


def test_a_diagonal_in_the_neighbourhood_does_no_harm():
    adjacency, places = grid((3,))
    with_diagonal = csr_array(adjacency.toarray() | np.eye(3, dtype=bool))
    assert local_maxima(np.array([1.0, 3, 2]), with_diagonal, places).tolist() == [1]


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    levels=st.sampled_from([2, 3, 8, 1000]),
    reach=st.sampled_from([1, 2, 3]),
)
def test_same_maxima_as_a_search(seed, levels, reach):
    shape = (4, 4, 2)
    heights = np.random.default_rng(seed).integers(0, levels, np.prod(shape)).astype(float)
    adjacency, places = grid(shape, reach)
    found = local_maxima(heights, adjacency, places).tolist()
    plateaus = maxima_by_search(heights, adjacency)
    assert len(found) == len(plateaus)
    for plateau in plateaus:
        (peak,) = plateau & set(found)
        center = places[sorted(plateau)].mean(axis=0)
        gap = {n: round(float(np.linalg.norm(places[n] - center)), 6) for n in plateau}
        assert peak == min(plateau, key=lambda n: (gap[n], n))
    assert [(-heights[n], n) for n in found] == sorted((-heights[n], n) for n in found)


# Distances ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap", "kept"), [(7.999, [0]), (8.0, [0, 1]), (8.001, [0, 1])])
def test_nearer_and_farther_than_the_least_distance(gap, kept):
    places = np.array([[0.0, 0, 0], [gap, 0, 0]])
    assert separate(np.array([0, 1]), places, distance=8.0, at_most=4).tolist() == kept


def test_exactly_the_least_distance_survives_an_affine():
    places = np.array([[0.2, 0, 0], [0.2 + 8.0, 0, 0]])
    assert places[1, 0] - places[0, 0] < 8.0, "the case this test is about"
    assert separate(np.array([0, 1]), places, distance=8.0, at_most=4).tolist() == [0, 1]


def test_a_dropped_peak_shadows_none():
    # 5 mm apart in a row: the second falls to the first, and the third stands on its own.
    places = np.array([[0.0, 0, 0], [5, 0, 0], [10, 0, 0]])
    assert separate(np.array([0, 1, 2]), places, distance=8.0, at_most=4).tolist() == [0, 2]


def test_no_more_than_asked_for():
    places = np.arange(6)[:, None] * np.array([10.0, 0, 0])
    assert separate(np.array([5, 0, 3, 1]), places, distance=8.0, at_most=2).tolist() == [5, 0]
    assert separate(np.array([], dtype=np.int64), places, distance=8.0, at_most=2).tolist() == []


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 30), at_most=st.integers(1, 6))
def test_same_as_a_plain_greedy_search(seed, n, at_most):
    random = np.random.default_rng(seed)
    places = random.uniform(0, 25, (40, 3))
    peaks = random.permutation(40)[:n]
    kept: list[int] = []
    for peak in peaks:
        if len(kept) < at_most and all(np.linalg.norm(places[peak] - places[k]) >= 8 for k in kept):
            kept.append(int(peak))
    assert separate(peaks, places, distance=8.0, at_most=at_most).tolist() == kept
