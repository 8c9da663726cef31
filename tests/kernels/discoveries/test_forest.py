"""The forest of clusters against components found anew at every height."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from specgl.kernels.discoveries import bound, grow_forest

SHAPES = [(1, 1, 1), (9, 1, 1), (4, 3, 1), (3, 3, 3)]


def neighbours(shape, reach: int) -> csr_array:
    voxels = np.argwhere(np.ones(shape))
    apart = np.abs(voxels[:, None] - voxels[None])
    return csr_array((apart.max(axis=2) == 1) & (apart.sum(axis=2) <= reach))


def components(within: np.ndarray, adjacency: csr_array) -> list[frozenset[int]]:
    members = np.flatnonzero(within)
    count, labels = connected_components(adjacency[members][:, members], directed=False)
    return [frozenset(members[labels == k].tolist()) for k in range(count)]


def clusters_at_all_heights(heights: np.ndarray, adjacency: csr_array) -> set[frozenset[int]]:
    return {one for t in np.unique(heights) for one in components(heights >= t, adjacency)}


@st.composite
def maps(draw):
    shape = draw(st.sampled_from(SHAPES))
    n = int(np.prod(shape))
    few = draw(st.booleans())  # few heights: ties and plateaus
    height = st.integers(1, 4).map(float) if few else st.floats(0.1, 9)
    heights = np.array(draw(st.lists(height, min_size=n, max_size=n)))
    of_each = np.array(draw(st.lists(st.integers(1, n + 2), min_size=n, max_size=n)), dtype=np.int64)
    return heights, neighbours(shape, draw(st.sampled_from([1, 2, 3]))), of_each


@settings(max_examples=150, deadline=None)
@given(given_map=maps())
def test_the_forest_holds_all_clusters_and_no_other(given_map):
    heights, adjacency, _ = given_map
    forest = grow_forest(heights, adjacency)
    nodes = [frozenset(forest.members(i).tolist()) for i in range(heights.size)]
    found = [node for node, whole in zip(nodes, forest.is_cluster, strict=True) if whole]
    assert len(found) == len(set(found))
    assert set(found) == clusters_at_all_heights(heights, adjacency)
    assert sorted(forest.layout.tolist()) == list(range(heights.size))
    assert [len(node) for node in nodes] == forest.sizes.tolist()


@settings(max_examples=150, deadline=None)
@given(given_map=maps())
def test_the_bound_of_every_node_is_that_of_its_locations(given_map):
    heights, adjacency, of_each = given_map
    forest = grow_forest(heights, adjacency)
    expected = [bound(of_each[forest.members(i)]) for i in range(heights.size)]
    assert forest.discoveries(of_each).tolist() == expected


@settings(max_examples=150, deadline=None)
@given(given_map=maps(), share=st.sampled_from([0.1, 1 / 3, 0.5, 0.7, 1.0]))
def test_the_largest_clusters_with_a_share(given_map, share):
    heights, adjacency, of_each = given_map
    enough = [
        cluster
        for cluster in clusters_at_all_heights(heights, adjacency)
        if bound(of_each[list(cluster)]) / len(cluster) >= share
    ]
    largest = {one for one in enough if not any(one < other for other in enough)}
    forest = grow_forest(heights, adjacency)
    within = forest.within_largest(share, forest.discoveries(of_each))
    assert set(components(within, adjacency)) == largest  # they never touch one another


def test_a_long_path_and_a_comb():
    """Deep trees: a slope, on which each location joins the last; and teeth that meet one by one."""
    n = 3000
    line = csr_array(np.eye(n, k=1) + np.eye(n, k=-1) > 0)
    of_each = np.random.default_rng(0).integers(1, 60, n)
    for heights in (
        np.arange(1.0, n + 1),
        np.where(np.arange(n) % 2, 2 * n - np.arange(n), n - np.arange(n)),
    ):
        forest = grow_forest(heights.astype(float), line)
        found = forest.discoveries(of_each)
        for location in range(0, n, 131):
            assert found[location] == bound(of_each[forest.members(location)])
        assert found[forest.order[-1]] == bound(of_each) > 0


def test_names_of_locations_do_not_matter():
    rng = np.random.default_rng(1)
    adjacency = neighbours((5, 4, 3), 3)
    heights, of_each = rng.random(60) + 0.1, rng.integers(1, 30, 60)
    new = rng.permutation(60)
    one, other = grow_forest(heights, adjacency), grow_forest(heights[new], adjacency[new][:, new])
    np.testing.assert_array_equal(one.discoveries(of_each)[new], other.discoveries(of_each[new]))
    np.testing.assert_array_equal(one.sizes[new], other.sizes)


def test_an_empty_map():
    forest = grow_forest(np.empty(0), csr_array((0, 0), dtype=np.bool_))
    found = forest.discoveries(np.empty(0, dtype=np.int64))
    assert found.size == forest.within_largest(0.5, found).size == 0


def test_what_is_no_map_is_refused():
    line = csr_array(np.eye(3, k=1) + np.eye(3, k=-1) > 0)
    with pytest.raises(ValueError, match="NaN"):
        grow_forest(np.array([1.0, np.nan, 2.0]), line)
    with pytest.raises(ValueError, match="do not fit"):
        grow_forest(np.ones(4), line)
