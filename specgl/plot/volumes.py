"""Arrays of any grid as volumes whose axes are x, y, z in mm, each rising."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from specgl.errors import UsageError

Floats = NDArray[np.float64]

AXES = "xyz"
_VOXEL = ("i", "j", "k")

_ALIGNED = 1e-6
"""Relative to the longest edge of a voxel: headers keep affines in float32, whose digits end at 1e-7."""

_HAIR = (3e-5, 2e-5, 1e-5)
"""Share of a voxel by which places are looked up beside their centres: what lies halfway between two voxels
goes to the same one however the grid is stored."""

_MOST_VOXELS = 60_000_000
"""Of a resampled volume; a sheared grid would otherwise ask for any number."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One cut or projection of a volume, ready to be shown.

    Attributes
    ----------
    values
        (vertical, horizontal): both in rising mm.
    extent
        Left, right, bottom, top edge in mm.
    """

    values: NDArray[Any]
    extent: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """An array along x, y, z.

    Attributes
    ----------
    values
        (x, y, z), each axis in rising mm.
    low
        Centre of the first voxel, mm.
    step
        Distance of neighbouring voxels along each axis, mm.
    """

    values: NDArray[Any]
    low: Floats
    step: Floats

    def edges(self, axis: int) -> tuple[float, float]:
        """Outer edges along an axis, mm."""
        first = float(self.low[axis] - self.step[axis] / 2)
        return first, first + self.values.shape[axis] * float(self.step[axis])

    def centres(self, axis: int) -> Floats:
        """Centres of the voxels along an axis, mm."""
        return np.asarray(self.low[axis] + self.step[axis] * np.arange(self.values.shape[axis]))

    def index(self, axis: int, at: float) -> int | None:
        """The voxel along an axis in which a place lies; None beyond the edges."""
        place = round((at - float(self.low[axis])) / float(self.step[axis]), 6)  # an edge belongs to one side
        index = int(np.floor(place + 0.5))
        return index if 0 <= index < self.values.shape[axis] else None

    def cut(self, axis: int, at: float) -> Plane | None:
        """The plane of voxels in which a place along an axis lies; None beyond the edges."""
        index = self.index(axis, at)
        return None if index is None else self.plane(axis, self.values.take(index, axis=axis))

    def plane(self, axis: int, values: NDArray[Any]) -> Plane:
        """Values along the two other axes, (horizontal, vertical), as a plane."""
        across, up = (other for other in range(3) if other != axis)
        return Plane(values.T, (*self.edges(across), *self.edges(up)))

    def with_values(self, values: NDArray[Any]) -> Volume:
        """Other values in the same places."""
        return Volume(values, self.low, self.step)


def volume_of(array: xr.DataArray) -> Volume:
    """A labelled map as a volume.

    Parameters
    ----------
    array
        ``(i, j, k)``, with ``attrs["affine"]``, 4 x 4, which leads from voxels to mm. Where its coordinates
        ``i``, ``j``, ``k`` say that it is a part of the grid, it is put into its place.

    Raises
    ------
    UsageError
        When it has other dimensions, or no affine.
    """
    array = array.squeeze(
        [dim for dim in array.dims if dim not in _VOXEL and array.sizes[dim] == 1], drop=True
    )
    if set(array.dims) != set(_VOXEL):
        dims = ", ".join(str(dim) for dim in array.dims)
        raise UsageError(
            f"a map to show has the dimensions i, j, k, not ({dims}); choose one contrast with "
            "`.sel(contrast=...)`, and keep a single plane's axis, as `.isel(k=[10])` does"
        )
    array = array.transpose(*_VOXEL)
    if "affine" not in array.attrs:
        raise UsageError('a map to show needs `attrs["affine"]`, 4 x 4, which leads from voxels to mm')
    return volume(array.values, _part_affine(array))


def _part_affine(array: xr.DataArray) -> Floats:
    """The affine of what was chosen from a grid, by the indices that remain."""
    affine = np.array(array.attrs["affine"], dtype=np.float64)
    for axis, dim in enumerate(_VOXEL):
        if dim not in array.coords or array.sizes[dim] == 0:
            continue
        index = np.asarray(array.coords[dim].values, dtype=np.float64)
        step = index[1] - index[0] if index.size > 1 else 1.0
        affine[:3, 3] += affine[:3, axis] * index[0]
        affine[:3, axis] *= step
    return affine


def volume(values: NDArray[Any], affine: ArrayLike) -> Volume:
    """An array and its affine as a volume.

    A grid whose axes are those of its space is turned and flipped; any other is resampled to a grid that is,
    each place taking the value of the nearest voxel, and NaN (False, 0) beyond the edges.

    Parameters
    ----------
    values
        (i, j, k).
    affine
        4 x 4, voxel to mm.

    Raises
    ------
    UsageError
        When the array is empty or the affine cannot be inverted.
    """
    matrix = np.asarray(affine, dtype=np.float64)
    values = np.asarray(values)
    if matrix.shape != (4, 4) or values.ndim != 3 or values.size == 0:
        raise UsageError(
            f"a map has three axes and an affine of 4 x 4, not {values.shape} and {matrix.shape}"
        )
    turn = matrix[:3, :3]
    if not np.isfinite(matrix).all() or abs(np.linalg.det(turn)) == 0:
        raise UsageError("the affine of a map cannot be inverted")
    order = _order(turn)
    turn = turn[:, order]
    values = values.transpose(order)
    off = turn - np.diag(np.diag(turn))
    if np.abs(off).max() > _ALIGNED * np.abs(turn).max():
        return _resampled(values, turn, matrix[:3, 3])
    signs = np.diag(turn)
    far = matrix[:3, 3] + signs * (np.array(values.shape) - 1)
    flips: Sequence[Any] = [slice(None, None, -1) if sign < 0 else slice(None) for sign in signs]
    return Volume(values[tuple(flips)], np.where(signs < 0, far, matrix[:3, 3]), np.abs(signs))


def _order(turn: Floats) -> list[int]:
    """Which axis of storage goes along x, which along y, which along z."""
    cosines = np.abs(turn) / np.linalg.norm(turn, axis=0)
    return list(max(permutations(range(3)), key=lambda order: float(cosines[range(3), order].prod())))


def _resampled(values: NDArray[Any], turn: Floats, origin: Floats) -> Volume:
    """The nearest voxel at each place of a grid along x, y, z that holds the whole of another."""
    shape = np.array(values.shape)
    corners = np.stack(np.meshgrid(*([-0.5, length - 0.5] for length in shape), indexing="ij"), axis=-1)
    places = corners.reshape(-1, 3) @ turn.T + origin
    low, high = places.min(axis=0), places.max(axis=0)
    step = np.linalg.norm(turn, axis=0)
    step = step * max(1.0, float(np.prod((high - low) / step)) / _MOST_VOXELS) ** (1 / 3)
    counts = np.maximum(np.ceil((high - low) / step - 1e-6), 1).astype(int)
    first = (low + high) / 2 - step * (counts - 1) / 2
    back = np.linalg.inv(turn)
    grids = np.ogrid[tuple(slice(count) for count in counts)]
    along = [first[axis] + step[axis] * (grids[axis] + _HAIR[axis]) - origin[axis] for axis in range(3)]
    inside = np.ones(tuple(counts), dtype=bool)
    at = np.zeros(tuple(counts), dtype=np.int64)
    for axis in range(3):
        index = np.rint(sum(back[axis, other] * along[other] for other in range(3))).astype(np.int64)
        inside &= (index >= 0) & (index < shape[axis])
        at = at * shape[axis] + np.clip(index, 0, shape[axis] - 1)
    beyond = np.nan if values.dtype.kind == "f" else 0
    taken = np.ascontiguousarray(values).ravel()[at]
    return Volume(np.where(inside, taken, np.array(beyond, dtype=values.dtype)), first, step)
