"""The anatomical image that figures are drawn on: read for the eye alone, no number depends on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from specgl.errors import Finding, ImageError
from specgl.images.grid import Grid
from specgl.images.headers import Header, read_header
from specgl.images.labels import other_space
from specgl.images.masks import InputFile
from specgl.images.paths import ImageRef, Roots, Where, locate_file
from specgl.images.stream import VolumeReader
from specgl.images.transforms import decode

DARK, BRIGHT = 0.5, 99.5
"""Percentiles of the values above 0 that become black and white."""

_WHITE = 255


@dataclass(frozen=True, eq=False)
class Underlay:
    """An image in shades of grey.

    Attributes
    ----------
    grid
        Its own grid.
    shades
        ``(i, j, k)`` uint8: 0 black or no value, 255 white.
    input
        The file that was read.
    """

    grid: Grid
    shades: npt.NDArray[np.uint8]
    input: InputFile


def locate_underlay(
    text: str, *, roots: Roots, where: Where, grid: Grid | None = None
) -> tuple[ImageRef | None, tuple[Finding, ...]]:
    """Find the underlay of a spec, and look at its header.

    Parameters
    ----------
    text
        The image as written in the spec, relative to its folder.
    roots
        Folders that the path may not leave.
    where
        Keys of the spec for findings.
    grid
        The grid of the analysis, when known, for its template.

    Returns
    -------
    image : ImageRef or None
        None where the file is missing or cannot be read.
    findings : tuple of Finding
        E302, E303, E309 to E316 (the file), W300, W301, or W303 where it is of another template.
    """
    found = locate_file(text, roots=roots, where=where)
    if found.ref is None:
        return None, found.findings
    try:
        header = _checked(found.ref, where)
    except ImageError as error:
        return None, (*found.findings, *error.findings)
    return found.ref, (*found.findings, *header.findings, *other_space(header, grid))


def read_underlay(ref: ImageRef, where: Where = ()) -> Underlay:
    """Read an image as shades of grey.

    Parameters
    ----------
    ref
        The image, of one volume, on any grid.
    where
        Keys of the spec for findings.

    Raises
    ------
    ImageError
        E309 to E316: the file is no readable image of one volume.
    """
    header = _checked(ref, where)
    reader = VolumeReader(header)
    values = np.zeros(0)
    for _, stored in reader.volumes(frozenset({0})):
        values = decode(stored, header, np.dtype(np.float32)).astype(np.float32, copy=False)
    shades = shades_of(values).reshape(header.grid.shape[::-1]).transpose()
    file = InputFile(header.path, header.size, reader.sha256, "underlay", header.name)
    return Underlay(header.grid, shades, file)


def shades_of(values: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Values as shades of grey, from the `DARK` to the `BRIGHT` percentile of those above 0.

    What is not finite, or not above 0 where anything is, becomes 0; of what is, the darkest shade is 1.
    """
    finite = np.isfinite(values)
    shown = finite & (values > 0)
    if not shown.any():
        shown = finite
    shades = np.zeros(values.shape, dtype=np.uint8)
    if not shown.any():
        return shades
    low, high = np.percentile(values[shown], (DARK, BRIGHT))
    spread = high - low if high > low else 1.0
    scaled = 1 + (_WHITE - 1) * np.clip((values[shown] - low) / spread, 0, 1)
    shades[shown] = np.rint(scaled).astype(np.uint8)
    return shades


def _checked(ref: ImageRef, where: Where) -> Header:
    header = read_header(ref, where=where)
    if header.n_volumes > 1:
        message = f"'{header.name}' has {header.n_volumes} volumes; an underlay has one"
        raise ImageError(Finding("E312", message, where, help="give an image of one volume, such as a T1"))
    return header
