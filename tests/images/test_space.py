"""Laws of Grid and Space."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from scipy.sparse import csgraph

from specgl.images import AFFINE_ATOL, CONNECTIVITIES, Grid, Space
from specgl.images.grid import group_by_grid

AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3.0, 0, -40], [0, 0, 4.0, -20], [0, 0, 0, 1]])
masks = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=3, max_dims=3, max_side=6))
STRUCTURE = {6: 1, 18: 2, 26: 3}


def space_of(mask: np.ndarray) -> Space:
    return Space.from_mask(mask, Grid(mask.shape, AFFINE))


@settings(max_examples=50)
@given(masks)
def test_unmasking_and_masking_gives_the_values_back(mask: np.ndarray) -> None:
    space = space_of(mask)
    values = np.arange(space.n_locations, dtype=np.float64) + 1
    volume = space.to_volume(values, fill=np.nan)
    assert np.array_equal(space.from_volume(volume), values)
    assert np.array_equal(np.isfinite(volume), mask)
    # C order: what boolean indexing gives.
    assert np.array_equal(volume[mask], values)
    assert np.array_equal(volume.ravel(order="F")[space.file_index], values)
    assert np.array_equal(space.mask, mask)


@settings(max_examples=60)
@given(masks, st.sampled_from(CONNECTIVITIES), st.data())
def test_adjacency_is_symmetric_and_gives_the_components_of_ndimage(
    mask: np.ndarray, connectivity: int, data: st.DataObject
) -> None:
    space = space_of(mask)
    within = data.draw(st.none() | hnp.arrays(np.bool_, space.n_locations))
    graph = space.adjacency(connectivity, within)
    assert (graph != graph.T).nnz == 0
    assert graph.diagonal().sum() == 0
    assert graph.has_canonical_format
    part = space.to_volume(np.ones(space.n_locations, bool) if within is None else within, fill=False)
    expected, n = ndimage.label(part, ndimage.generate_binary_structure(3, STRUCTURE[connectivity]))
    assert graph.shape == (part.sum(), part.sum())
    if graph.shape[0]:
        found, labels = csgraph.connected_components(graph, directed=False)
        assert found == n
        assert len(set(zip(labels, expected[part], strict=True))) == n


@settings(max_examples=30)
@given(masks, st.sampled_from(CONNECTIVITIES))
def test_adjacency_is_every_pair_near_enough(mask: np.ndarray, connectivity: int) -> None:
    space = space_of(mask)
    apart = np.abs(space.voxels[:, None] - space.voxels[None])
    touching = (apart.max(axis=2) == 1) & (apart.sum(axis=2) <= STRUCTURE[connectivity])
    assert np.array_equal(space.adjacency(connectivity).toarray(), touching)


def test_an_unknown_connectivity_is_refused() -> None:
    with pytest.raises(KeyError):
        space_of(np.ones((2, 2, 2), bool)).adjacency(8)


def test_coordinates_and_measure_follow_the_affine() -> None:
    space = space_of(np.ones((2, 3, 4), bool))
    assert space.measure == pytest.approx(36.0)
    assert np.allclose(space.coordinates[0], [30, -40, -20])
    assert np.allclose(space.coordinates[-1], [27, -34, -8])
    assert space.grid.orientation == "LAS"
    assert np.allclose(space.grid.zooms, [3, 3, 4])


def test_grids_are_the_same_within_the_stated_tolerance_only() -> None:
    grid = Grid((2, 3, 4), AFFINE)
    near, far = AFFINE.copy(), AFFINE.copy()
    near[0, 3] += 0.9 * AFFINE_ATOL
    far[0, 3] += 1.1 * AFFINE_ATOL
    assert grid.same_as(Grid((2, 3, 4), near))
    assert not grid.same_as(Grid((2, 3, 4), far))
    assert not grid.same_as(Grid((2, 4, 3), AFFINE))
    far[0, 3] += 1
    groups = group_by_grid({"a": Grid((2, 3, 4), far), "b": grid, "c": Grid((2, 3, 4), near)})
    assert [names for _, names in groups] == [["b", "c"], ["a"]]


def test_grid_and_voxels_are_read_only() -> None:
    space = space_of(np.ones((2, 2, 2), bool))
    with pytest.raises(ValueError, match="read-only"):
        space.grid.affine[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        space.voxels[0, 0] = 1
