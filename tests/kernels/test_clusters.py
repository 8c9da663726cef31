"""Clusters against hand-made cases and an independent labelling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.sparse import csr_array

from specgl.kernels.clusters import OUTSIDE, find_clusters


def chain(n: int) -> csr_array:
    """Locations in a row, each a neighbour of the next."""
    links = np.zeros((n, n), dtype=bool)
    links[np.arange(n - 1), np.arange(1, n)] = True
    return csr_array(links | links.T)


def cube(shape: tuple[int, int, int], reach: int) -> csr_array:
    """Voxels of a box that differ by at most 1 along at most `reach` axes."""
    voxels = np.argwhere(np.ones(shape))
    steps = np.abs(voxels[:, None] - voxels[None])
    return csr_array((steps.max(axis=2) == 1) & (steps.sum(axis=2) <= reach))


def clusters_of(heights, over, adjacency):
    heights = np.asarray(heights, dtype=float)
    return find_clusters(heights, heights > over, adjacency)


def test_two_clusters_the_higher_first():
    found = clusters_of([2, 3, 0, 5, 1.5], 1, chain(5))
    assert found.count == 2
    np.testing.assert_array_equal(found.labels, [1, 1, OUTSIDE, 0, 0])
    np.testing.assert_array_equal(found.sizes, [2, 2])
    np.testing.assert_array_equal(found.peaks, [3, 1])
    np.testing.assert_array_equal(found.heights, [5, 3])


def test_equal_peaks_come_in_the_order_of_the_map():
    found = clusters_of([4, 0, 4, 4, 0, 4], 1, chain(6))
    np.testing.assert_array_equal(found.peaks, [0, 2, 5])


def test_none():
    found = clusters_of([0, 0, 0], 1, chain(3))
    assert found.count == 0
    np.testing.assert_array_equal(found.labels, [OUTSIDE] * 3)
    assert found.masses(np.zeros(3)).shape == (0,)
    assert found.centers(np.zeros((3, 3)), np.ones(3)).shape == (0, 3)
    assert found.keep(np.zeros(0, dtype=bool)).count == 0


def test_no_location_at_all():
    found = clusters_of([], 1, csr_array((0, 0), dtype=bool))
    assert found.count == 0
    assert found.labels.shape == (0,)


def test_one_voxel():
    found = clusters_of([3.0], 1, csr_array((1, 1), dtype=bool))
    np.testing.assert_array_equal(found.labels, [0])
    np.testing.assert_array_equal(found.sizes, [1])


def test_a_ring_is_one_cluster_and_its_hole_is_none():
    ring = np.array([[3, 3, 3], [3, 0, 3], [3, 3, 4]], dtype=float).ravel()
    found = clusters_of(ring, 1, cube((3, 3, 1), 1))
    np.testing.assert_array_equal(found.sizes, [8])
    assert found.labels[4] == OUTSIDE
    coordinates = np.argwhere(np.ones((3, 3, 1))).astype(float)
    center = found.centers(coordinates, ring)[0]
    np.testing.assert_allclose(center, [1.04, 1.04, 0])  # sum of 25, an excess of 1 at (2, 2, 0)


@pytest.mark.parametrize(("reach", "count"), [(1, 2), (2, 1), (3, 1)])
def test_edges_join_at_18_not_at_6(reach, count):
    volume = np.zeros((3, 3, 3))
    volume[0, 0, 0] = volume[0, 1, 1] = 5
    assert clusters_of(volume.ravel(), 1, cube((3, 3, 3), reach)).count == count


def test_masses():
    heights = np.array([2, 3, 0, 5.0])
    found = clusters_of(heights, 1, chain(4))
    np.testing.assert_array_equal(found.masses(heights), [5, 5])
    np.testing.assert_array_equal(found.masses(heights, over=1.0), [4, 3])
    np.testing.assert_array_equal(found.sums(np.full(4, 8.0)), [8, 16])


def test_keeping_some():
    found = clusters_of([2, 3, 0, 5, 0, 4, 4], 1, chain(7))
    large = found.keep(found.sizes >= 2)
    np.testing.assert_array_equal(large.labels, [1, 1, OUTSIDE, OUTSIDE, OUTSIDE, 0, 0])
    np.testing.assert_array_equal(large.heights, [4, 3])
    assert found.keep(np.zeros(3, dtype=bool)).count == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        find_clusters(np.ones(3), np.ones(3, dtype=bool), chain(4))
    with pytest.raises(ValueError, match="NaN"):
        find_clusters(np.array([1, np.nan]), np.ones(2, dtype=bool), chain(2))


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), reach=st.sampled_from([1, 2, 3]), over=st.floats(-1.0, 1.5))
def test_same_components_as_another_labelling(seed, reach, over):
    shape = (5, 4, 3)
    # Few distinct heights, so that peaks tie.
    volume = np.round(np.random.default_rng(seed).standard_normal(shape), 1)
    heights = volume.ravel()
    found = clusters_of(heights, over, cube(shape, reach))
    labelled, count = ndimage.label(volume > over, ndimage.generate_binary_structure(3, reach))
    truth = labelled.ravel()
    assert found.count == count
    pairs = {(a, b) for a, b in zip(found.labels.tolist(), truth.tolist(), strict=True)}
    assert len(pairs) == count + bool((truth == 0).any())  # one label for one
    for cluster in range(count):
        here = found.labels == cluster
        assert found.sizes[cluster] == here.sum()
        assert found.heights[cluster] == heights[here].max()
        assert found.peaks[cluster] == np.flatnonzero(here & (heights == heights[here].max()))[0]
    assert sorted(zip(-found.heights, found.peaks, strict=True)) == list(
        zip(-found.heights, found.peaks, strict=True)
    )
