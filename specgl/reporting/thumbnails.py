"""Glass brains of a few hundred pixels, without a word in them, for a table of small multiples."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.errors import UsageError
from specgl.plot.colours import lut
from specgl.plot.volumes import volume_of
from specgl.reporting.album import Missing, Picture, Shown

WIDTH, HEIGHT = 208, 72
"""Pixels of CSS that a thumbnail may take."""

_FINE = 2
"""Pixels of the image for each pixel of CSS."""

_GAP = 6
"""Pixels between the views."""

_PAPER, _INSIDE, _EDGE = (255, 255, 255), (236, 237, 239), (150, 154, 160)

Pixels = NDArray[np.uint8]


def thumbnail(values: xr.DataArray, mask: xr.DataArray, *, most: float, alt: str) -> Shown:
    """A map from the left, from the front and from above, the strongest value along each line of sight.

    Parameters
    ----------
    values, mask
        The map and where it was analysed, ``(i, j, k)`` with the attribute ``affine``; 0 and NaN are not
        shown.
    most
        Magnitude with the last colour.
    alt
        What it shows, in words.
    """
    try:
        shown, within = volume_of(values), volume_of(mask.astype(np.uint8).assign_attrs(mask.attrs))
    except UsageError as error:
        return Missing(alt, str(error))
    held = np.nan_to_num(shown.values, nan=0.0, posinf=0.0, neginf=0.0)
    inside = within.values > 0.5
    bounds = [_bounds(_along(inside, axis)) for axis in range(3)]
    box = tuple(slice(low, high) for low, high in bounds)
    single = [axis for axis in range(3) if inside.shape[axis] == 1]
    axes = (single[-1],) if single else (0, 1, 2)
    scale = _scale([inside[box].shape[axis] * shown.step[axis] for axis in range(3)], axes)
    floor = float(np.abs(held[held != 0]).min(initial=most))
    views = []
    for axis in axes:
        across, up = (other for other in range(3) if other != axis)
        size = [max(1, round(inside[box].shape[a] * shown.step[a] * scale)) for a in (across, up)]
        strongest = _enlarged(_strongest(held[box], axis), size)
        views.append(
            _painted(strongest, _enlarged(np.asarray(inside[box].any(axis=axis)), size), floor, most)
        )
    image = _side_by_side(views)
    uri = f"data:image/png;base64,{base64.b64encode(_png(image)).decode()}"
    return Picture("", uri, round(image.shape[1] / _FINE), round(image.shape[0] / _FINE), alt)


def _along(inside: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Where along an axis there is something."""
    return np.asarray(inside.any(axis=tuple(other for other in range(3) if other != axis)))


def _bounds(some: NDArray[np.bool_]) -> tuple[int, int]:
    """First and one past the last place where something is; all places where nothing is."""
    at = np.flatnonzero(some)
    return (int(at[0]), int(at[-1]) + 1) if at.size else (0, some.size)


def _scale(lengths: list[float], axes: tuple[int, ...]) -> float:
    """Pixels a mm, so that the views fit beside each other."""
    sides = [[lengths[other] for other in range(3) if other != axis] for axis in axes]
    room = _FINE * WIDTH - _GAP * (len(sides) - 1)
    return min(room / sum(across for across, _ in sides), _FINE * HEIGHT / max(up for _, up in sides))


def _strongest(values: NDArray[np.floating], axis: int) -> NDArray[np.floating]:
    high, low = values.max(axis=axis), values.min(axis=axis)
    strongest: NDArray[np.floating] = np.where(high >= -low, high, low)
    return strongest


def _enlarged(plane: NDArray[np.generic], size: list[int]) -> NDArray[np.generic]:
    """A plane (across, up) as pixels (down, across), each of the nearest voxel."""
    across, up = (
        (np.arange(n) * length // n).astype(np.intp) for n, length in zip(size, plane.shape, strict=True)
    )
    return plane[np.ix_(across, up)].T[::-1]


def _painted(
    strongest: NDArray[np.generic], inside: NDArray[np.generic], floor: float, most: float
) -> Pixels:
    """Pixels of one view: the outline of the mask, and in it the map."""
    within = np.pad(inside.astype(bool), _FINE)
    core = within
    for _ in range(_FINE):
        core = core & np.logical_and.reduce(
            [np.roll(core, step, axis=axis) for axis in (0, 1) for step in (1, -1)]
        )
    pixels = np.full((*within.shape, 3), _PAPER, dtype=np.uint8)
    pixels[within] = _EDGE
    pixels[core] = _INSIDE
    value = np.pad(strongest.astype(np.float64), _FINE)
    share = np.clip((np.abs(value) - floor) / (most - floor), 0, 1) if most > floor else np.ones_like(value)
    index = np.rint(255 * share).astype(np.intp)
    for name, some in (("positive", value > 0), ("negative", value < 0)):
        pixels[some] = lut(name)[index[some]]
    return pixels


def _side_by_side(views: list[Pixels]) -> Pixels:
    """Views in one row, their middles at one height."""
    height = max(view.shape[0] for view in views)
    width = sum(view.shape[1] for view in views) + _GAP * (len(views) - 1)
    image = np.full((height, width, 3), _PAPER, dtype=np.uint8)
    left = 0
    for view in views:
        top = (height - view.shape[0]) // 2
        image[top : top + view.shape[0], left : left + view.shape[1]] = view
        left += view.shape[1] + _GAP
    return image


def _png(pixels: Pixels) -> bytes:
    """Pixels (down, across, 3) as PNG, without anything but them."""
    height, width, _ = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))
        for kind, held in chunks
    )
