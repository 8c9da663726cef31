"""Enhancement on networks, with and without sizes, against the definition."""

from __future__ import annotations

import pickle
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.spatial import Delaunay

from specgl.kernels.tfce import Graph, tfce_map, tfce_max

# Sums of a few hundred positive float64 terms, in two orders.
CLOSE = {"rtol": 1e-11, "atol": 1e-14}


def links(pairs: np.ndarray, n: int) -> csr_array:
    """The symmetric neighbourhood of pairs of neighbours (n_pairs, 2)."""
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    matrix = csr_array((np.ones(len(ends), dtype=bool), tuple(ends.T)), shape=(n, n))
    matrix.setdiag(False)
    matrix.eliminate_zeros()
    return matrix


def mesh(n: int, seed: int) -> tuple[csr_array, np.ndarray]:
    """A triangulation of random points, and a third of the area of the faces around each."""
    points = np.random.default_rng(seed).random((n, 2))
    faces = Delaunay(points).simplices
    a, b, c = (points[faces[:, k]] for k in range(3))
    area = np.abs(np.cross(np.pad(b - a, ((0, 0), (0, 1))), np.pad(c - a, ((0, 0), (0, 1))))[:, 2]) / 2
    sizes = np.bincount(faces.ravel(), np.repeat(area / 3, 3), n)
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return links(pairs, n), sizes


@pytest.mark.parametrize(("E", "H"), [(1.0, 2.0), (0.5, 2.0), (0.7, 1.5)])
@pytest.mark.parametrize("digits", [0, 1, 12])
def test_a_mesh(definition, E, H, digits):
    adjacency, sizes = mesh(200, 1)
    heights = np.round(np.random.default_rng(2).standard_normal(200), digits)
    graph = Graph.from_adjacency(adjacency, sizes)
    label = definition.network_label(adjacency, sizes)
    enhanced = tfce_map(heights, graph, E, H)
    np.testing.assert_allclose(enhanced, definition.integral(heights, label, E, H), **CLOSE)
    assert tfce_max(heights, graph, E, H) == pytest.approx(enhanced.max(), rel=1e-12)
    stepped = tfce_map(heights, graph, E, H, 0.1)
    np.testing.assert_allclose(stepped, definition.steps(heights, label, E, H, 0.1), **CLOSE)


@given(
    pairs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30),
    heights=st.lists(
        st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0]) | st.floats(0.1, 5.0), min_size=10, max_size=10
    ),
    sized=st.booleans(),
)
def test_any_small_network(definition, pairs, heights, sized):
    adjacency = links(np.array(pairs), 10)
    sizes = np.arange(1.0, 11.0) if sized else np.ones(10)
    graph = Graph.from_adjacency(adjacency, sizes if sized else None)
    map_ = np.array(heights)
    enhanced = tfce_map(map_, graph)
    np.testing.assert_allclose(
        enhanced, definition.integral(map_, definition.network_label(adjacency, sizes), 0.5, 2.0), **CLOSE
    )
    assert tfce_max(map_, graph) == pytest.approx(enhanced.max(), rel=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
def test_numbering_locations_otherwise_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    adjacency, sizes = mesh(40, 3)
    heights, order = np.round(rng.standard_normal(40), 1), rng.permutation(40)
    one = tfce_map(heights, Graph.from_adjacency(adjacency, sizes), E=1.0)
    other = tfce_map(heights[order], Graph.from_adjacency(adjacency[order][:, order], sizes[order]), E=1.0)
    np.testing.assert_allclose(one[order], other, **CLOSE)


def test_a_location_like_one_voxel_more():
    """Sizes are extents: a location of size 3 counts as three neighbours of one height."""
    chain = links(np.array([[0, 1], [1, 2]]), 3)
    sized = tfce_map(np.array([1.0, 3.0, 2.0]), Graph.from_adjacency(chain, [1, 3, 1]))
    longer = links(np.array([[0, 1], [1, 2], [2, 3], [3, 4]]), 5)
    plain = tfce_map(np.array([1.0, 3.0, 3.0, 3.0, 2.0]), Graph.from_adjacency(longer))
    np.testing.assert_allclose(sized, plain[[0, 1, 4]], **CLOSE)


def test_a_lattice_is_a_network(connectivity):
    """Both ways through the kernels, to the last bit."""
    shape = (6, 7, 8)
    voxels = np.argwhere(np.random.default_rng(4).random(shape) < 0.8)
    number = np.full(np.array(shape) + 2, -1)
    number[tuple(voxels.T + 1)] = np.arange(len(voxels))
    reach = {6: 1, 18: 2, 26: 3}[connectivity]
    pairs = []
    for step in product((-1, 0, 1), repeat=3):
        if 0 < sum(map(abs, step)) <= reach:
            there = number[tuple((voxels + 1 + step).T)]
            pairs.append(np.stack([np.arange(len(voxels)), there], axis=1)[there >= 0])
    network = Graph.from_adjacency(links(np.concatenate(pairs), len(voxels)))
    lattice = Graph.of_grid(voxels, connectivity)
    for digits in (0, 6):
        heights = np.round(np.random.default_rng(5).standard_normal(len(voxels)), digits).astype(np.float32)
        np.testing.assert_array_equal(tfce_map(heights, network) > 0, tfce_map(heights, lattice) > 0)
        np.testing.assert_allclose(tfce_map(heights, network), tfce_map(heights, lattice), **CLOSE)
        assert tfce_max(heights, network) == pytest.approx(tfce_max(heights, lattice), rel=1e-12)


def test_no_neighbours_at_all():
    graph = Graph.from_adjacency(csr_array((3, 3), dtype=bool))
    np.testing.assert_allclose(tfce_map(np.array([1.0, -1.0, 3.0]), graph), [1 / 3, 0, 9])


def test_memory_grows_when_there_is_no_room():
    """A star: its centre, the lowest, touches every other basin."""
    n = 60_000
    pairs = np.stack([np.zeros(n, dtype=int), np.arange(1, n + 1)], axis=1)
    heights = np.append(1.0, np.full(n, 2.0))
    graph = Graph.from_adjacency(links(pairs, n + 1))
    assert tfce_max(heights, graph) == pytest.approx(np.sqrt(n + 1) / 3 + 7 / 3)


def test_a_graph_travels():
    adjacency, sizes = mesh(30, 6)
    heights = np.random.default_rng(7).random(30)
    for graph in (Graph.from_adjacency(adjacency, sizes), Graph.of_grid(np.argwhere(np.ones((5, 3, 2))), 6)):
        assert tfce_max(heights, pickle.loads(pickle.dumps(graph))) == tfce_max(heights, graph)


def test_refusals():
    with pytest.raises(ValueError, match="symmetric"):
        Graph.from_adjacency(csr_array(np.array([[0, 1], [0, 0]])))
    with pytest.raises(ValueError, match="square"):
        Graph.from_adjacency(csr_array((2, 3)))
    for sizes in ([1.0], [1.0, 0.0], [1.0, np.nan], [1.0, np.inf]):
        with pytest.raises(ValueError, match="sizes"):
            Graph.from_adjacency(csr_array((2, 2)), sizes)
    with pytest.raises(ValueError, match="NaN"):
        tfce_max(np.array([1.0, np.nan]), Graph.from_adjacency(csr_array((2, 2))))
