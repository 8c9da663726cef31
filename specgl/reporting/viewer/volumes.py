"""Volumes as few bytes: NIfTI-1 for what NiiVue opens, and maps as rounded values of the mask's voxels.

Everything is in Fortran order, the first axis fastest, as NIfTI has it.
"""

from __future__ import annotations

import base64
import gzip
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Codes = NDArray[np.int16]
Mask = NDArray[np.bool_]

_DATATYPES = {"uint8": (2, 8), "int16": (4, 16), "float32": (16, 32)}
"""Code and bits of a voxel, as the header says them."""

_HEADER = 348
_DATA_FROM = 352
"""After the header stand four bytes that say that no extension follows."""

_LEVEL = 7
"""Of gzip: the next levels take twice as long for a thousandth of the size."""


def nifti(values: NDArray[Any], affine: Floats, *, calibration: tuple[float, float] = (0.0, 0.0)) -> bytes:
    """A volume as an uncompressed NIfTI-1 file.

    Parameters
    ----------
    values
        ``(i, j, k)``, uint8, int16 or float32.
    affine
        4 x 4, voxel indices to mm.
    calibration
        Values that are darkest and lightest; 0 and 0 say nothing.

    Returns
    -------
    file
        Little endian, with the affine as sform.

    Raises
    ------
    ValueError
        When the type is another, or there are not three axes.
    """
    if values.ndim != 3 or values.dtype.name not in _DATATYPES:
        raise ValueError(f"a volume of {values.ndim} axes and {values.dtype.name} is not written")
    code, bits = _DATATYPES[values.dtype.name]
    zooms = np.linalg.norm(affine[:3, :3], axis=0)
    head = bytearray(_DATA_FROM)
    struct.pack_into("<i", head, 0, _HEADER)
    struct.pack_into("<8h", head, 40, 3, *values.shape, 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, code, bits)
    struct.pack_into("<8f", head, 76, 1.0, *zooms, 0.0, 0.0, 0.0, 0.0)
    struct.pack_into("<3f", head, 108, _DATA_FROM, 1.0, 0.0)  # then scl_slope and scl_inter
    struct.pack_into("<B", head, 123, 2)  # mm
    struct.pack_into("<2f", head, 124, calibration[1], calibration[0])
    struct.pack_into("<2h", head, 252, 0, 2)  # no qform; sform to aligned coordinates
    struct.pack_into("<12f", head, 280, *affine[:3].ravel())
    struct.pack_into("<4s", head, 344, b"n+1\0")
    return bytes(head) + values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes(order="F")


@dataclass(frozen=True, slots=True, eq=False)
class Rounded:
    """Values as multiples of a step.

    Attributes
    ----------
    codes
        ``(n,)``; a value is its code times the step, and `missing` is no value.
    step
        Difference of two neighbouring codes; no value is further than half of it from what it was.
    missing
        Code of NaN.
    """

    codes: Codes
    step: float
    missing: int


def quantise(values: Floats, bits: int) -> Rounded:
    """Round values to as many levels as a number of bits has.

    Parameters
    ----------
    values
        ``(n,)``; NaN is kept apart, infinite values become the largest finite one of their sign.
    bits
        2 to 16. The levels are symmetric about 0, and one is left for NaN.
    """
    most = 2 ** (bits - 1) - 1
    finite = np.isfinite(values)
    largest = float(np.abs(values[finite], dtype=np.float64).max(initial=0.0))
    step = largest / most
    if step == 0.0:  # all are 0, or so small that their step is none
        step = 1.0
    held = np.clip(np.nan_to_num(values, nan=0.0).astype(np.float64), -largest, largest)
    codes = np.where(np.isnan(values), -most - 1, np.rint(held / step)).astype(np.int16)
    return Rounded(codes, step, -most - 1)


def pack(codes: Codes, inside: Mask) -> bytes:
    """Codes of the mask's voxels, told by how they differ from what their neighbours let one expect.

    A voxel is expected to lie on the plane through three neighbours (0 outside the mask): as far from the
    voxel before it as the one beside it is from its own. Differences are small where maps are smooth; they
    are folded so that small ones of either sign are small numbers, and low and high bytes stand apart, since
    the high ones are mostly 0. That takes 15 to 40 % less than gzip of the values.

    Parameters
    ----------
    codes
        ``(n,)``, in Fortran order of the voxels inside.
    inside
        ``(i, j, k)``, n of them True.

    Returns
    -------
    packed
        n low bytes, n high bytes, compressed by gzip.
    """
    volume = np.zeros(inside.shape, dtype=np.int16, order="F")
    volume.T[inside.T] = codes
    expected = np.zeros_like(volume)
    # Sums of int16 wrap around; so do those of whoever adds them again.
    expected[1:] += volume[:-1]
    expected[:, 1:] += volume[:, :-1]
    expected[1:, 1:] -= volume[:-1, :-1]
    left = (volume - expected).T[inside.T]
    folded = ((left << 1) ^ (left >> 15)).view(np.uint16)
    return compress((folded & 0xFF).astype(np.uint8).tobytes() + (folded >> 8).astype(np.uint8).tobytes())


def pack_bits(held: Mask) -> bytes:
    """Flags ``(n,)``, eight a byte, the first in the lowest bit, compressed by gzip."""
    return compress(np.packbits(held, bitorder="little").tobytes())


def compress(data: bytes) -> bytes:
    """Bytes by gzip, without the time: the same bytes give the same bytes."""
    return gzip.compress(data, _LEVEL, mtime=0)


def as_text(data: bytes) -> str:
    """Bytes as base64, which can stand in a page as it is."""
    return base64.b64encode(data).decode("ascii")
