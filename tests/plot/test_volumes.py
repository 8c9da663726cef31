"""Any grid comes into mm as it lies there: however it is stored, the same places have the same values."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
import xarray as xr

from specgl.errors import UsageError
from specgl.plot.volumes import Volume, volume, volume_of

SHAPE = (4, 5, 6)
ALIGNED = np.array([[2.0, 0, 0, -3], [0, 3, 0, 10], [0, 0, 4, 5], [0, 0, 0, 1]])


def turned(degrees: float) -> np.ndarray[Any, Any]:
    """An affine turned about two axes."""
    angle = np.deg2rad(degrees)
    c, s = np.cos(angle), np.sin(angle)
    about_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    affine = ALIGNED.copy()
    affine[:3, :3] = about_z @ about_x @ ALIGNED[:3, :3]
    return affine


def stored(
    values: np.ndarray[Any, Any], affine: np.ndarray[Any, Any], order: tuple[int, ...], flips: tuple[int, ...]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The same map with its axes in another order and direction."""
    affine = affine.copy()
    for axis, flip in enumerate(flips):
        if flip < 0:
            affine[:3, 3] += affine[:3, axis] * (values.shape[axis] - 1)
            affine[:3, axis] *= -1
            values = np.flip(values, axis)
    moved = affine.copy()
    moved[:3, :3] = affine[:3, list(order)]
    return values.transpose(order), moved


STORAGES = list(product(permutations(range(3)), product((1, -1), repeat=3)))


def same(one: Volume, other: Volume) -> None:
    np.testing.assert_array_equal(one.values, other.values)
    # A corner and back again loses some last bits.
    np.testing.assert_allclose(one.low, other.low, rtol=0, atol=1e-9)
    np.testing.assert_allclose(one.step, other.step, rtol=1e-12)


@pytest.mark.parametrize("degrees", [0.0, 17.3])
@pytest.mark.parametrize(("order", "flips"), STORAGES)
def test_storage_changes_nothing(degrees: float, order: tuple[int, ...], flips: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=SHAPE)
    affine = turned(degrees)
    same(volume(*stored(values, affine, order, flips)), volume(values, affine))


def test_an_aligned_grid_is_kept_voxel_by_voxel() -> None:
    values = np.arange(120.0).reshape(SHAPE)
    held = volume(values, ALIGNED)
    np.testing.assert_array_equal(held.values, values)
    for index in ((0, 0, 0), (3, 4, 5), (1, 2, 3)):
        place = ALIGNED[:3, :3] @ np.array(index) + ALIGNED[:3, 3]
        assert tuple(held.index(axis, place[axis]) for axis in range(3)) == index


def test_an_oblique_grid_takes_the_nearest_voxel() -> None:
    """By brute force: the centre of each new voxel, looked up among the old ones."""
    values = np.random.default_rng(1).normal(size=SHAPE)
    affine = turned(23.0)
    held = volume(values, affine)
    back = np.linalg.inv(affine)
    seen = 0
    for place in np.ndindex(*held.values.shape):
        mm = held.low + held.step * np.array(place)
        at = back[:3, :3] @ mm + back[:3, 3]
        index = np.rint(at).astype(int)
        if (np.abs(np.abs(at - index) - 0.5) < 1e-3).any():
            continue  # halfway between two voxels, either is the nearest
        if ((index >= 0) & (index < SHAPE)).all():
            assert held.values[place] == values[tuple(index)]
            seen += 1
        else:
            assert np.isnan(held.values[place])
    assert seen > values.size / 2


def test_a_mask_on_an_oblique_grid_stays_a_mask() -> None:
    held = volume(np.ones(SHAPE, dtype=bool), turned(30.0))
    assert held.values.dtype == bool
    assert not held.values.all()


def test_an_oblique_grid_is_held_whole() -> None:
    affine = turned(31.0)
    held = volume(np.zeros(SHAPE), affine)
    for corner in product(*([0, length - 1] for length in SHAPE)):
        mm = affine[:3, :3] @ np.array(corner) + affine[:3, 3]
        assert all(held.index(axis, mm[axis]) is not None for axis in range(3))


def test_a_sheared_grid_does_not_ask_for_any_number_of_voxels() -> None:
    affine = np.diag([0.01, 0.01, 0.01, 1.0])
    affine[0, 1] = affine[1, 2] = affine[2, 0] = 80.0
    assert volume(np.zeros((9, 9, 9)), affine).values.size < 80_000_000


def test_a_part_of_a_grid_lies_where_it_lay() -> None:
    whole = xr.DataArray(
        np.arange(120.0).reshape(SHAPE),
        dims=("i", "j", "k"),
        coords={dim: np.arange(length) for dim, length in zip("ijk", SHAPE, strict=True)},
        attrs={"affine": ALIGNED.tolist()},
    )
    part = volume_of(whole.isel(i=slice(1, 4, 2), j=[3], k=slice(None, None, -1)))
    for x, y, z in ((-1.0, 19.0, 5.0), (3.0, 19.0, 25.0)):
        index = tuple(part.index(axis, mm) for axis, mm in enumerate((x, y, z)))
        before = tuple(volume_of(whole).index(axis, mm) for axis, mm in enumerate((x, y, z)))
        assert part.values[index] == whole.values[before]  # type: ignore[index]


def test_edges_are_those_of_voxels() -> None:
    held = volume(np.zeros(SHAPE), ALIGNED)
    assert held.edges(0) == (-4.0, 4.0)
    assert held.index(0, 4.0) is None
    assert held.index(0, -4.0) == 0
    assert held.index(0, -4.001) is None


def test_a_cut_shows_rising_mm() -> None:
    values = np.arange(120.0).reshape(SHAPE)
    cut = volume(values, ALIGNED).cut(2, 9.0)
    assert cut is not None
    np.testing.assert_array_equal(cut.values, values[:, :, 1].T)
    assert cut.extent == (-4.0, 4.0, 8.5, 23.5)
    assert volume(values, ALIGNED).cut(2, 500.0) is None


@pytest.mark.parametrize(
    ("values", "affine"),
    [
        (np.zeros((2, 2)), np.eye(4)),
        (np.zeros((0, 2, 2)), np.eye(4)),
        (np.zeros((2, 2, 2)), np.zeros((4, 4))),
        (np.zeros((2, 2, 2)), np.full((4, 4), np.nan)),
        (np.zeros((2, 2, 2)), np.eye(3)),
    ],
)
def test_what_is_no_map_is_refused(values: np.ndarray[Any, Any], affine: np.ndarray[Any, Any]) -> None:
    with pytest.raises(UsageError):
        volume(values, affine)


def test_a_map_says_what_it_lacks() -> None:
    with pytest.raises(UsageError, match=r'attrs\["affine"\]'):
        volume_of(xr.DataArray(np.zeros((2, 2, 2)), dims=("i", "j", "k")))
    with pytest.raises(UsageError, match=r"not \(i, j\)"):
        volume_of(xr.DataArray(np.zeros((2, 2)), dims=("i", "j")))
