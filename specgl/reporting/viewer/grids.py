"""Where a viewer looks: the box around the mask, and what lies beneath the maps there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

Floats = NDArray[np.float64]
Grey = NDArray[np.uint8]

_MARGIN = 8.0
"""mm beneath that are shown around the mask."""

_PERCENTILES = (1.0, 99.5)
"""Of the underlay's values that are not 0: what is darkest, what is lightest."""

_DARKEST, _LIGHTEST = 8, 215
"""Of 255: 0 is outside, and white would outshine the colours."""

_FLAT = 70
"""Grey of the mask where there is no underlay."""

_ROUNDING = 1.02
"""A voxel that is larger than another by no more is as large: headers keep affines in float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """The smallest box of voxels that holds the mask.

    Attributes
    ----------
    slices
        Where it lies in the grid.
    inside
        ``(i, j, k)`` of the box: the mask.
    affine
        4 x 4, indices in the box to mm.
    """

    slices: tuple[slice, slice, slice]
    inside: NDArray[np.bool_]
    affine: Floats

    def vector(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values ``(i, j, k)`` on the whole grid as those of the mask's voxels ``(n,)``, in Fortran order."""
        # The transpose of a volume in C order runs through its voxels in Fortran order.
        return np.asarray(values[self.slices].T[self.inside.T])


def box_around(mask: xr.DataArray) -> Box | None:
    """The box around a mask; None where the mask is empty."""
    held = np.asarray(mask.values, dtype=bool)
    if not held.any():
        return None
    sides = []
    for axis in range(3):
        along = np.flatnonzero(held.any(axis=tuple({0, 1, 2} - {axis})))
        sides.append(slice(int(along[0]), int(along[-1]) + 1))
    slices = (sides[0], sides[1], sides[2])
    affine = affine_of(mask)
    return Box(slices, held[slices], shifted(affine, [side.start for side in slices]))


def affine_of(array: xr.DataArray) -> Floats:
    """Voxel indices to mm, 4 x 4, as a map's attribute has it."""
    return np.asarray(array.attrs["affine"], dtype=np.float64)


def shifted(affine: Floats, start: Any) -> Floats:
    """The affine of a part that begins at a voxel."""
    made = affine.copy()
    made[:3, 3] = (affine @ [*start, 1.0])[:3]
    return made


def beneath(box: Box, underlay: xr.DataArray | None, most: int) -> tuple[Grey, Floats]:
    """What lies beneath the maps: the underlay around the mask, or else the mask, in greys.

    NiiVue draws maps on the grid of what lies beneath them, so that it is never coarser than the maps' own: a
    coarser underlay is resampled to their grid.

    Parameters
    ----------
    box
        The box around the mask.
    underlay
        ``(i, j, k)`` on a grid of its own, or None.
    most
        Voxels it may have; a finer one is averaged over blocks, unless that made it coarser than the maps.

    Returns
    -------
    greys
        ``(i, j, k)``, 0 outside and where there is no value.
    affine
        4 x 4, its indices to mm.
    """
    if underlay is None:
        margin = [0 if length == 1 else 1 for length in box.inside.shape]
        grey = np.pad(np.where(box.inside, _FLAT, 0).astype(np.uint8), [(edge, edge) for edge in margin])
        return grey, shifted(box.affine, [-edge for edge in margin])
    values = np.asarray(underlay.values, dtype=np.float32)
    window = _window(values)
    affine = affine_of(underlay)
    if abs(np.linalg.det(affine[:3, :3])) > _ROUNDING * abs(np.linalg.det(box.affine[:3, :3])):
        values, affine = _resampled(values, affine, box)
    else:
        values, affine = _cropped(values, affine, box)
        values, affine = _averaged(values, affine, box, most)
    return _greys(values, window), affine


def _span(box: Box, affine: Floats, margin: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last voxel of another grid, along each axis, that the box and some mm around it touch."""
    beyond = 0.5 + margin / np.linalg.norm(box.affine[:3, :3], axis=0)
    ends = zip(-beyond, np.array(box.inside.shape) - 1 + beyond, strict=True)
    corners = np.array([[*corner, 1.0] for corner in product(*ends)])
    # Rounded, since an edge upon an edge touches nothing.
    there = np.round((corners @ (np.linalg.inv(affine) @ box.affine).T)[:, :3], 3)
    return np.floor(there.min(0) + 0.5).astype(int), np.ceil(there.max(0) - 0.5).astype(int)


def _cropped(values: NDArray[Any], affine: Floats, box: Box) -> tuple[NDArray[Any], Floats]:
    """The part around the box, filled with 0 where the underlay ends within it, and what margin there is."""
    (first, last), wider = _span(box, affine, 0.0), _span(box, affine, _MARGIN)
    first = np.minimum(first, np.maximum(wider[0], 0))
    stop = np.maximum(last, np.minimum(wider[1], np.array(values.shape) - 1)) + 1
    made = np.zeros(stop - first, dtype=np.float32)
    low, high = np.maximum(first, 0), np.minimum(stop, values.shape)
    if (high > low).all():
        to = tuple(slice(a - start, b - start) for a, b, start in zip(low, high, first, strict=True))
        made[to] = values[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return made, shifted(affine, first)


def _averaged(values: NDArray[Any], affine: Floats, box: Box, most: int) -> tuple[NDArray[Any], Floats]:
    """Means over blocks, where there are too many voxels; no block is coarser than the maps' voxels."""
    target = np.linalg.norm(box.affine[:3, :3], axis=0).min()
    zooms = np.linalg.norm(affine[:3, :3], axis=0)
    factors = np.ones(3, dtype=int)
    while np.prod(np.ceil(values.shape / factors)) > most:
        next_zooms = zooms * (factors + 1)
        axis = int(np.argmin(next_zooms))
        if next_zooms[axis] > _ROUNDING * target:
            break
        factors[axis] += 1
    if (factors == 1).all():
        return values, affine
    short = [(0, int(-length % factor)) for length, factor in zip(values.shape, factors, strict=True)]
    padded = np.pad(np.nan_to_num(values, posinf=0.0, neginf=0.0), short, mode="edge")
    blocks = [
        part
        for length, factor in zip(padded.shape, factors, strict=True)
        for part in (length // factor, factor)
    ]
    made = padded.reshape(blocks).mean(axis=(1, 3, 5))
    scaled = affine @ np.diag([*factors, 1.0])
    scaled[:3, 3] = (affine @ [*(factors - 1) / 2, 1.0])[:3]
    return made, scaled


def _resampled(values: NDArray[Any], affine: Floats, box: Box) -> tuple[NDArray[Any], Floats]:
    """The underlay at the voxels of the box and of a margin, between its own by linear interpolation."""
    zooms = np.linalg.norm(box.affine[:3, :3], axis=0)
    margin = [
        0 if n == 1 else int(edge) for n, edge in zip(box.inside.shape, np.ceil(_MARGIN / zooms), strict=True)
    ]
    target = shifted(box.affine, [-edge for edge in margin])
    shape = tuple(n + 2 * edge for n, edge in zip(box.inside.shape, margin, strict=True))
    to = np.linalg.inv(affine) @ target
    filled = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    # A single slice is as thick as its voxels, which interpolation does not know.
    mode: Literal["nearest", "constant"] = "nearest" if 1 in values.shape else "constant"
    return affine_transform(filled, to[:3, :3], to[:3, 3], output_shape=shape, order=1, mode=mode), target


def _window(values: NDArray[Any]) -> tuple[float, float]:
    held = values[np.isfinite(values) & (values != 0)]
    if not held.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(held, _PERCENTILES))
    return (low, high) if high > low else (low - 1.0, high)


def _greys(values: NDArray[Any], window: tuple[float, float]) -> Grey:
    low, high = window
    share = np.clip((np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) / (high - low), 0.0, 1.0)
    greys = np.rint(_DARKEST + (_LIGHTEST - _DARKEST) * share)
    return np.where(np.isfinite(values) & (values != 0), greys, 0).astype(np.uint8)
