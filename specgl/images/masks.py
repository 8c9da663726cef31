"""What is analysed: a mask image, a threshold on every image, or wherever there are values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from specgl.images.grid import Grid
from specgl.images.headers import Header
from specgl.images.paths import ImageRef
from specgl.images.stream import VolumeReader
from specgl.images.transforms import Real, decode, resample_nearest

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class MaskImage:
    """A file that says where to analyse.

    Attributes
    ----------
    image
        The file.
    threshold
        Kept where the mask image is above it; where it is finite and not 0 when None.
    """

    image: ImageRef
    threshold: float | None = None

    def on(self, values: Real) -> Bits:
        """Tell which of the mask image's values keep a voxel."""
        above: Bits = values > self.threshold if self.threshold is not None else values != 0
        above &= np.isfinite(values)
        return above


@dataclass(frozen=True)
class MaskThreshold:
    """Analyse where every image, as it will be analysed (resampled, smoothed), is above a value."""

    absolute_threshold: float


Mask = MaskImage | MaskThreshold | None


@dataclass(frozen=True)
class InputFile:
    """A file that was read.

    Attributes
    ----------
    path
        The file, links followed.
    bytes
        Its size on disk.
    sha256
        Digest of its bytes as stored, lower-case hex.
    role
        ``image``, ``variance``, ``covariate``, ``mask``, ``observation mask``, ``map``, ``label image`` or
        ``label table``.
    name
        The file as the spec or the table names it.
    """

    path: Path
    bytes: int
    sha256: str
    role: str
    name: str


def read_mask(mask: MaskImage, header: Header, grid: Grid, role: str = "mask") -> tuple[Bits, InputFile]:
    """Read a mask onto a grid.

    Parameters
    ----------
    mask
        What is read, and how its values are judged.
    header
        Its header.
    grid
        The grid wanted; where the mask's own is another, its nearest voxel decides.
    role
        What the file is for.

    Returns
    -------
    bits : ndarray
        ``(n_voxels,)`` bool in the order of files (i fastest).
    file : InputFile
        Its size and digest.

    Raises
    ------
    ImageError
        E311 when the file is damaged.
    """
    reader = VolumeReader(header)
    volume = mask.image.volume or 0
    bits = np.zeros(0, dtype=np.bool_)
    for _, stored in reader.volumes(frozenset({volume})):
        bits = mask.on(decode(stored, header, np.dtype(np.float64)))
    file = InputFile(header.path, header.size, reader.sha256, role, header.name)
    if not header.grid.same_as(grid):
        bits = resample_nearest(bits, header.grid, grid)
    assert bits.shape == (grid.n_voxels,)
    return bits, file
