"""Maps to files and back, so that equal maps are equal bytes."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Literal

import nibabel as nib
import numpy as np
import numpy.typing as npt

from specgl.images.grid import Grid
from specgl.images.headers import Header, read_header
from specgl.images.paths import ImageRef
from specgl.images.space import Space
from specgl.images.stream import VolumeReader
from specgl.images.transforms import Real, decode

_Nifti1Header: Any = nib.Nifti1Header

MapType = Literal["float32", "float64", "int32", "uint8"]

Intent = tuple[str, tuple[float, ...]]
"""What the values are, one of ``INTENTS``, and its parameters: ``("t", (28.0,))``, ``("F", (2.0, 27.0))``."""

INTENTS: dict[str, str] = {
    "t": "t test",
    "F": "f test",
    "z": "z score",
    "p": "p value",
    "logp": "log10 p value",
    "effect": "estimate",
}
"""Short names to those of the NIfTI standard. ``logp`` is for -log10(p), as the standard has it."""

_LEVEL = 1
"""Smooth maps of noise hardly compress: level 1 takes 24 ms for a 2 mm brain and level 6 30 ms, for 2 % less
bytes; what is gained is the background, which every level finds."""


def write_map(
    target: BinaryIO,
    values: npt.NDArray[Any],
    space: Space,
    *,
    fill: float,
    dtype: MapType = "float32",
    intent: Intent | None = None,
    description: str = "",
) -> str:
    """Write a map as a gzipped NIfTI-1 file without a time stamp or a name in it.

    Parameters
    ----------
    target
        An open file; it is left open.
    values
        ``(n_loc,)``, or ``(n, n_loc)`` for a file of n volumes.
    space
        The locations of the values.
    fill
        Value of all other voxels.
    dtype
        Type in the file.
    intent
        What the values are.
    description
        Up to 79 characters for the header's ``descrip``; more are cut off.

    Returns
    -------
    str
        `data_digest` of what was written.

    Raises
    ------
    KeyError
        When the intent is none of ``INTENTS``.
    ValueError
        When the values are not those of the space.
    OSError
        When the file cannot be written, such as on a full disk.
    """
    rows = np.atleast_2d(values)
    if rows.ndim != 2 or rows.shape[1] != space.n_locations:
        raise ValueError(f"values of shape {values.shape} do not fit {space.n_locations} locations")
    little = np.dtype(dtype).newbyteorder("<")
    voxels = np.full((len(rows), space.grid.n_voxels), fill, dtype=little)
    for volume, row in zip(voxels, rows, strict=True):
        volume[space.file_index] = row
    shape = space.grid.shape if values.ndim == 1 else (*space.grid.shape, len(rows))
    return _write(target, voxels, _header(space.grid, shape, little, intent, description))


def write_volume(
    target: BinaryIO, volume: npt.NDArray[Any], grid: Grid, *, dtype: MapType, description: str = ""
) -> str:
    """Write whole volumes, as `write_map` writes the values of locations.

    Parameters
    ----------
    target
        An open file; it is left open.
    volume
        ``(i, j, k)``, or ``(n, i, j, k)`` for a file of n volumes.
    grid
        Where its voxels lie.
    dtype
        Type in the file.
    description
        As for `write_map`.

    Returns
    -------
    str
        `data_digest` of what was written.

    Raises
    ------
    ValueError
        When the volume is not of the grid's shape.
    """
    if volume.shape[-3:] != grid.shape or volume.ndim not in (3, 4):
        raise ValueError(f"a volume of shape {volume.shape} does not fit a grid of {grid.shape}")
    stack = volume[None] if volume.ndim == 3 else volume
    little = np.dtype(dtype).newbyteorder("<")
    voxels = np.ascontiguousarray(stack.transpose(0, 3, 2, 1), dtype=little).reshape(len(stack), -1)
    shape = grid.shape if volume.ndim == 3 else (*grid.shape, len(stack))
    return _write(target, voxels, _header(grid, shape, little, None, description))


def _write(target: BinaryIO, voxels: npt.NDArray[Any], header: Any) -> str:
    """Write a header and voxels ``(n, n_voxels)`` in the order of files; return their digest."""
    squeeze = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    # Four zero bytes after the header: no extensions.
    target.write(squeeze.compress(header.binaryblock + bytes(4)))
    target.write(squeeze.compress(_bytes(voxels)))
    target.write(squeeze.flush())
    return _digest(voxels, header.get_best_affine())


def _header(
    grid: Grid, shape: tuple[int, ...], dtype: np.dtype[Any], intent: Intent | None, description: str
) -> Any:
    header = _Nifti1Header(endianness="<")
    header.set_data_dtype(dtype)
    header.set_data_shape(shape)
    header.set_qform(grid.affine, code=grid.qform_code)
    header.set_sform(grid.affine, code=grid.sform_code)
    header.set_xyzt_units("mm", "sec" if len(shape) == 4 else None)
    if intent is not None:
        header.set_intent(INTENTS[intent[0]], intent[1])
    header["descrip"] = description.encode("ascii", "replace")[:79]
    header["vox_offset"] = 352
    header["magic"] = b"n+1"
    header["scl_slope"], header["scl_inter"] = 1.0, 0.0
    return header


def data_digest(volume: npt.NDArray[Any], affine: npt.NDArray[np.float64]) -> str:
    """Return the digest that stands for a map whatever its compression and header.

    SHA-256, in hex, over the voxels as little-endian bytes in the order of the file (i fastest) and then the
    affine as 16 little-endian float64 (row by row).

    Parameters
    ----------
    volume
        ``(i, j, k)`` or ``(n, i, j, k)``, of the type in the file.
    affine
        The affine as read back from the file, ``(4, 4)``.
    """
    stack = volume[None] if volume.ndim == 3 else volume
    in_file = np.ascontiguousarray(stack.transpose(0, 3, 2, 1))
    return _digest(in_file.astype(in_file.dtype.newbyteorder("<"), copy=False), affine)


def _digest(voxels: npt.NDArray[Any], affine: npt.NDArray[np.float64]) -> str:
    digest = hashlib.sha256(_bytes(voxels))
    digest.update(np.ascontiguousarray(affine, dtype="<f8").tobytes())
    return digest.hexdigest()


def _bytes(voxels: npt.NDArray[Any]) -> memoryview:
    """Bytes of a C-contiguous array, without a copy."""
    return voxels.reshape(-1).view(np.uint8).data


def file_data_digest(path: Path) -> str:
    """Return `data_digest` of a map's file, as it is stored.

    Raises
    ------
    ImageError
        When the file is no readable image.
    """
    header = read_header(ImageRef(path))
    digest = hashlib.sha256()
    for _, stored in VolumeReader(header).volumes(frozenset(range(header.n_volumes))):
        digest.update(_bytes(stored.astype(stored.dtype.newbyteorder("<"), copy=False)))
    digest.update(header.grid.affine.astype("<f8").tobytes())
    return digest.hexdigest()


def open_map(path: Path) -> tuple[Grid, Callable[[], Real]]:
    """Open a map without reading its voxels.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    grid : Grid
        Its grid, with the label in its name.
    read : callable
        Reads the voxels when called: ``(i, j, k)``, or ``(n, i, j, k)`` for n volumes; float32 where that
        holds the file's values exactly, else float64.

    Raises
    ------
    ImageError
        When the file is no readable image; also when calling ``read`` on a damaged one.
    """
    header = read_header(ImageRef(path))
    return header.grid, lambda: _read(header)


def _read(header: Header) -> Real:
    numbers = frozenset(range(header.n_volumes))
    shape = header.grid.shape[::-1]
    volumes = [
        decode(stored, header, header.held_dtype).reshape(shape).transpose()
        for _, stored in VolumeReader(header).volumes(numbers)
    ]
    return volumes[0] if header.n_volumes == 1 else np.stack(volumes)
