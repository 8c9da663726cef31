"""Resel counts: what a set of voxels measures, in each dimension, in units of smoothness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LatticeCounts:
    """What the graph of neighbouring voxels is made of.

    Attributes
    ----------
    points
        Voxels.
    edges
        Pairs of neighbours along each axis: x, y, z.
    faces
        Squares of four voxels in each plane: xy, xz, yz.
    cubes
        Cubes of eight.
    """

    points: int
    edges: tuple[int, int, int]
    faces: tuple[int, int, int]
    cubes: int

    @property
    def euler_characteristic(self) -> int:
        """Components minus handles plus hollows, by the alternating sum."""
        return self.points - sum(self.edges) + sum(self.faces) - self.cubes


def count_lattice(voxels: NDArray[Any]) -> LatticeCounts:
    """Count points, edges, faces and cubes of a set of voxels.

    Parameters
    ----------
    voxels
        Indices of the voxels, each once, in any order, ``(n, 3)``.

    Returns
    -------
    counts
        An edge, a face and a cube count where all of their voxels are in the set.
    """
    if len(voxels) == 0:
        return LatticeCounts(0, (0, 0, 0), (0, 0, 0), 0)
    inside = np.asarray(voxels) - np.min(voxels, axis=0)
    points = np.zeros(tuple(inside.max(axis=0) + 1), dtype=np.bool_)
    points[tuple(inside.T)] = True
    edges = [_pairs(points, axis) for axis in range(3)]
    faces = [_pairs(edges[first], second) for first, second in ((0, 1), (0, 2), (1, 2))]
    x, y, z = (int(np.count_nonzero(found)) for found in edges)
    xy, xz, yz = (int(np.count_nonzero(found)) for found in faces)
    cubes = int(np.count_nonzero(_pairs(faces[0], 2)))
    return LatticeCounts(int(np.count_nonzero(points)), (x, y, z), (xy, xz, yz), cubes)


def _pairs(volume: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Where an element and the next one along an axis are both on."""
    along = np.moveaxis(volume, axis, 0)
    return np.moveaxis(along[1:] & along[:-1], 0, axis)


def resels(counts: LatticeCounts, fwhm_voxels: ArrayLike) -> Floats:
    """Resel counts of the dimensions 0 to 3 (Worsley 1996).

    The intrinsic volumes of the body whose corners are the voxels' centres, with each axis measured in its
    FWHM: 0 the Euler characteristic, 1 the calibre, 2 half the surface, 3 the volume.
    For ``a x b x c`` voxels they are those of the box with the sides ``a - 1``, ``b - 1`` and ``c - 1``.

    Parameters
    ----------
    counts
        The set of voxels.
    fwhm_voxels
        Full width at half maximum along each axis, in voxels, ``(3,)``; not looked at, and possibly NaN,
        along an axis without a pair of neighbours.

    Returns
    -------
    resels
        ``(4,)``.
    """
    width = np.asarray(fwhm_voxels, dtype=np.float64)
    edges, cubes = np.asarray(counts.edges), counts.cubes
    r = np.divide(1.0, width, out=np.zeros(3), where=edges > 0)
    xy, xz, yz = counts.faces
    sides = edges - np.array([xy + xz, xy + yz, xz + yz]) + cubes
    planes = np.array([xy, xz, yz]) - cubes
    areas = np.array([r[0] * r[1], r[0] * r[2], r[1] * r[2]])
    return np.array([counts.euler_characteristic, sides @ r, planes @ areas, cubes * np.prod(r)])


def dimension(voxels: NDArray[Any]) -> int:
    """Number of axes along which a set of voxels ``(n, 3)`` is thicker than one voxel; 0 without any."""
    return int(np.count_nonzero(thick_axes(voxels)))


def thick_axes(voxels: NDArray[Any]) -> NDArray[np.bool_]:
    """Along which axes a set of voxels ``(n, 3)`` is thicker than one voxel, ``(3,)``."""
    if len(voxels) == 0:
        return np.zeros(3, dtype=np.bool_)
    thick: NDArray[np.bool_] = np.max(voxels, axis=0) > np.min(voxels, axis=0)
    return thick
