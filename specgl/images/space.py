"""The space of an analysis: which voxels it has, where they lie, and which are neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import sparse

from specgl.images.grid import Float, Grid

Scalar = TypeVar("Scalar", bound=np.generic)

_REACH = {6: 1, 18: 2, 26: 3}
"""Connectivity to the number of axes along which a neighbour may lie apart: faces, edges, corners."""

CONNECTIVITIES: tuple[int, ...] = tuple(_REACH)


@dataclass(frozen=True, eq=False)
class Space:
    """The analysed voxels of a grid, in C order (k runs fastest).

    Attributes
    ----------
    grid
        The voxel grid.
    voxels
        Indices i, j, k of each location, ``(n_loc, 3)`` int32, read-only.
    """

    grid: Grid
    voxels: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        voxels = np.array(self.voxels, dtype=np.int32).reshape(-1, 3)
        voxels.flags.writeable = False
        object.__setattr__(self, "voxels", voxels)

    @classmethod
    def from_mask(cls, mask: npt.NDArray[np.bool_], grid: Grid) -> Space:
        """Make the space of the voxels that are on in ``mask`` ``(i, j, k)``."""
        return cls(grid, np.argwhere(mask).astype(np.int32))

    @classmethod
    def from_index(cls, index: npt.NDArray[np.intp], grid: Grid) -> Space:
        """Make the space of the voxels with these flat C-order indices ``(n_loc,)``, which must rise."""
        return cls(grid, np.stack(np.unravel_index(index, grid.shape), axis=1).astype(np.int32))

    @property
    def n_locations(self) -> int:
        """Number of analysed voxels."""
        return len(self.voxels)

    @property
    def label(self) -> str | None:
        """Label of the template, as in ``space-<label>``, when known."""
        return self.grid.space

    @property
    def measure(self) -> float:
        """Size of a location in mm³."""
        return self.grid.measure

    @property
    def unit(self) -> str:
        """Unit of `measure`."""
        return "mm3"

    @cached_property
    def index(self) -> npt.NDArray[np.intp]:
        """Flat C-order index of each location in the grid, ``(n_loc,)``."""
        index: npt.NDArray[np.intp] = np.ravel_multi_index(tuple(self.voxels.T), self.grid.shape)
        return index

    @cached_property
    def file_index(self) -> npt.NDArray[np.intp]:
        """Flat index of each location in a file, where i runs fastest, ``(n_loc,)``."""
        index: npt.NDArray[np.intp] = np.ravel_multi_index(tuple(self.voxels.T), self.grid.shape, order="F")
        return index

    @cached_property
    def coordinates(self) -> Float:
        """Centre of each location in mm, ``(n_loc, 3)``."""
        return self.voxels @ self.grid.affine[:3, :3].T + self.grid.affine[:3, 3]

    @cached_property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Volume that is True at the locations, ``(i, j, k)``."""
        return self.to_volume(np.ones(self.n_locations, dtype=np.bool_), fill=False)

    def to_volume(self, values: npt.NDArray[Scalar], fill: Any) -> npt.NDArray[Scalar]:
        """Put the values of locations back into a volume.

        Parameters
        ----------
        values
            One value a location, ``(n_loc,)``.
        fill
            Value of every voxel that is no location.

        Returns
        -------
        ndarray
            ``(i, j, k)``, of the type of ``values``.
        """
        volume = np.full(self.grid.n_voxels, fill, dtype=values.dtype)
        volume[self.index] = values
        return volume.reshape(self.grid.shape)

    def from_volume(self, volume: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Take the values of the locations ``(n_loc,)`` out of a volume ``(i, j, k)``."""
        i, j, k = self.voxels.T
        values: npt.NDArray[Scalar] = volume[i, j, k]
        return values

    def adjacency(
        self, connectivity: int, within: npt.NDArray[np.bool_] | None = None
    ) -> sparse.csr_array[np.bool_, tuple[int, int]]:
        """Tell which locations touch.

        Parameters
        ----------
        connectivity
            6 for shared faces, 18 for edges as well, 26 for corners as well.
        within
            Restrict to these locations, ``(n_loc,)`` bool; all when None. The cost follows their bounding
            box, so that a few clusters in a large brain are quick.

        Returns
        -------
        scipy.sparse.csr_array
            Symmetric ``(m, m)`` without a diagonal, m the number of locations (that are within), rows sorted.

        Raises
        ------
        KeyError
            When ``connectivity`` is none of 6, 18 and 26.
        """
        voxels = self.voxels if within is None else self.voxels[within]
        n = len(voxels)
        reach = _REACH[connectivity]
        if n == 0:
            return sparse.csr_array((0, 0), dtype=np.bool_)
        # One empty layer all around, so that a step over the border finds no voxel.
        low = voxels.min(axis=0) - 1
        box = tuple(int(m) for m in voxels.max(axis=0) - low + 2)
        place = np.ravel_multi_index(tuple((voxels - low).T), box)
        at = np.full(int(np.prod(box)), -1, dtype=np.int32)
        at[place] = np.arange(n, dtype=np.int32)
        # Steps in C order and voxels in C order: each row's neighbours come out sorted.
        steps = [s for s in product((-1, 0, 1), repeat=3) if 0 < sum(map(abs, s)) <= reach]
        offsets = np.array([(a * box[1] + b) * box[2] + c for a, b, c in steps])
        neighbours = at[place[:, None] + offsets]
        assert neighbours.shape == (n, connectivity)
        touching = neighbours >= 0
        indptr = np.zeros(n + 1, dtype=np.int32)
        np.cumsum(touching.sum(axis=1), out=indptr[1:])
        indices = neighbours[touching]
        return sparse.csr_array((np.ones(len(indices), dtype=np.bool_), indices, indptr), shape=(n, n))
