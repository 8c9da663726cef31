"""The voxel grid that images share: shape, affine, and what the header says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]

_axes: Any = nib.orientations.aff2axcodes

AFFINE_ATOL = 1e-4
"""Two affines are equal where no entry differs by more than this (mm a voxel, and mm).

Headers hold float32: positions of some hundred mm are rounded to about 1e-5 mm, and tools that recompute an
affine from a quaternion move the last digits further. A tenth of a micrometre is far below any voxel."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the voxels of a volume lie.

    Attributes
    ----------
    shape
        Number of voxels along i, j and k.
    affine
        Voxel indices to mm in the scanner's or the template's space, ``(4, 4)`` float64, read-only.
    qform_code, sform_code
        The codes of the header (0 unknown, 1 scanner, 2 aligned, 3 Talairach, 4 MNI), written back as they
        came.
    space
        Label of the template when the file names tell it (``space-MNI152NLin2009cAsym``), else None.
    """

    shape: tuple[int, int, int]
    affine: Float
    qform_code: int = 0
    sform_code: int = 2
    space: str | None = None

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        affine.flags.writeable = False
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @property
    def n_voxels(self) -> int:
        """Number of voxels of the whole grid."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    @property
    def zooms(self) -> Float:
        """Edge lengths of a voxel in mm, ``(3,)``."""
        lengths: Float = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))
        return lengths

    @property
    def measure(self) -> float:
        """Volume of a voxel in mm³."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    @property
    def orientation(self) -> str:
        """Directions of growing i, j and k, such as ``RAS``; ``L`` first: x is stored right to left."""
        return "".join(code or "?" for code in _axes(self.affine))

    def same_as(self, other: Grid) -> bool:
        """Whether both have the same shape and, within ``AFFINE_ATOL``, the same affine."""
        return self.shape == other.shape and bool(
            np.allclose(self.affine, other.affine, rtol=0.0, atol=AFFINE_ATOL)
        )

    def with_space(self, label: str | None) -> Grid:
        """Return the same grid under another template's label."""
        return replace(self, space=label)

    def describe(self) -> str:
        """Say the grid in one line for messages."""
        size = " x ".join(str(n) for n in self.shape)
        zooms = " x ".join(f"{z:.4g}" for z in self.zooms)
        origin = ", ".join(f"{x:.4g}" for x in self.affine[:3, 3])
        return f"{size} voxels of {zooms} mm, {self.orientation}, first voxel at ({origin})"


def group_by_grid(grids: Mapping[str, Grid]) -> list[tuple[Grid, list[str]]]:
    """Put names together whose grids are the same, the largest group first.

    Parameters
    ----------
    grids
        Grid of each name.

    Returns
    -------
    list
        Of (the grid of the group's first member, the names), by falling size and then by first appearance.
    """
    groups: list[tuple[Grid, list[str]]] = []
    for name, grid in grids.items():
        for known, names in groups:
            if known.same_as(grid):
                names.append(name)
                break
        else:
            groups.append((grid, [name]))
    return sorted(groups, key=lambda group: -len(group[1]))
