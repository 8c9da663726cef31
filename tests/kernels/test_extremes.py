"""Greatest extents and masses against scipy.ndimage and the description of single clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from scipy.sparse import csr_array

from specgl.kernels.clusters import find_clusters
from specgl.kernels.extremes import cluster_extremes
from specgl.kernels.tfce import Graph


def by_labelling(volume: np.ndarray, connectivity: int, threshold: float) -> tuple[float, float, float]:
    """The three maxima by scipy.ndimage; voxels out of the mask are below any threshold."""
    structure = ndimage.generate_binary_structure(3, {6: 1, 18: 2, 26: 3}[connectivity])
    labels, count = ndimage.label(volume >= threshold, structure)
    if count == 0:
        return 0.0, 0.0, 0.0
    sizes = np.bincount(labels.ravel())[1:]
    masses = ndimage.sum_labels(volume, labels, np.arange(1, count + 1))
    return sizes.max(), masses.max(), (masses - threshold * sizes).max()


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_volumes(connectivity, dtype):
    rng = np.random.default_rng(1)
    mask = rng.random((12, 13, 14)) < 0.8
    volume = np.where(mask, ndimage.gaussian_filter(rng.standard_normal(mask.shape), 1) * 5, -9).astype(dtype)
    graph = Graph.of_grid(np.argwhere(mask), connectivity)
    thresholds = [0.5, 2.0, 1.0, 99.0]
    found = cluster_extremes(volume[mask], graph, thresholds)
    expected = np.array([by_labelling(volume.astype(float), connectivity, u) for u in thresholds])
    np.testing.assert_array_equal(found.extent, expected[:, 0])
    # Sums of some hundred terms in another order.
    np.testing.assert_allclose(found.mass, expected[:, 1], rtol=1e-12)
    np.testing.assert_allclose(found.excess, expected[:, 2], rtol=1e-11)
    for k, threshold in enumerate(thresholds):
        alone = cluster_extremes(volume[mask], graph, threshold)
        assert (alone.extent, alone.mass, alone.excess) == (found.extent[k], found.mass[k], found.excess[k])


@given(
    pairs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20),
    heights=st.lists(st.sampled_from([-1.0, 0.5, 1.0, 2.0, 2.5]), min_size=10, max_size=10),
    sized=st.booleans(),
)
def test_networks_as_their_clusters_are_described(pairs, heights, sized):
    links = np.zeros((10, 10), dtype=bool)
    links[tuple(np.array(pairs).T)] = True
    adjacency = csr_array((links | links.T) & ~np.eye(10, dtype=bool))
    sizes = np.arange(1.0, 11.0) if sized else np.ones(10)
    map_ = np.array(heights)
    clusters = find_clusters(map_, map_ >= 1.0, adjacency)
    found = cluster_extremes(map_, Graph.from_adjacency(adjacency, sizes if sized else None), 1.0)
    # The order of sums is the same, so that an observed cluster never differs from its own shuffle by a bit.
    assert found.extent == clusters.sums(sizes).max(initial=0.0)
    assert found.mass == clusters.masses(map_).max(initial=0.0)
    assert found.excess == clusters.masses(map_, 1.0).max(initial=0.0)


def test_a_height_at_the_threshold_counts():
    graph = Graph.of_grid(np.argwhere(np.ones((1, 1, 3))), 6)
    found = cluster_extremes(np.array([2.0, 1.0, 0.5]), graph, 1.0)
    assert (found.extent, found.mass, found.excess) == (2, 3, 1)


def test_no_cluster_and_no_location():
    for n in (0, 3):
        graph = Graph.of_grid(np.argwhere(np.ones((1, 1, n))), 6)
        found = cluster_extremes(np.full(n, -1.0), graph, [1.0, 2.0])
        np.testing.assert_array_equal([found.extent, found.mass, found.excess], np.zeros((3, 2)))


def test_refusals():
    graph = Graph.of_grid(np.argwhere(np.ones((1, 1, 3))), 6)
    with pytest.raises(ValueError, match="NaN"):
        cluster_extremes(np.array([1.0, np.nan, 0.0]), graph, 2.0)
    with pytest.raises(ValueError, match="one float for each"):
        cluster_extremes(np.zeros(2), graph, 2.0)
    with pytest.raises(ValueError, match="one float for each"):
        cluster_extremes(np.zeros(3, dtype=int), graph, 2.0)
    for thresholds in (0.0, [1.0, -1.0], np.nan, np.inf, [], [[1.0]]):
        with pytest.raises(ValueError, match="thresholds"):
            cluster_extremes(np.zeros(3), graph, thresholds)
