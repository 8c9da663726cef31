"""Voxels as points of a lattice: its edges, faces and cubes are counted one by one."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np


def cells(voxels: np.ndarray) -> dict[tuple[int, ...], int]:
    """How many cells lie along each set of axes with all their corners among the voxels (n, 3).

    The keys are the axes: ``()`` points, ``(0,)`` edges along the first axis, ``(0, 1, 2)`` cubes.
    """
    there = {tuple(int(i) for i in voxel) for voxel in voxels}
    found = {}
    for n in range(4):
        for axes in combinations(range(3), n):
            corners = [
                tuple(int(axis in chosen) for axis in range(3))
                for m in range(n + 1)
                for chosen in combinations(axes, m)
            ]
            found[axes] = sum(
                all(tuple(a + b for a, b in zip(voxel, corner, strict=True)) in there for corner in corners)
                for voxel in there
            )
    return found


def euler(voxels: np.ndarray) -> int:
    """Euler characteristic of the union of all cells: points less edges, plus faces, less cubes."""
    return sum((-1) ** len(axes) * n for axes, n in cells(voxels).items())


def resels(voxels: np.ndarray, fwhm: tuple[float, float, float]) -> np.ndarray:
    """Resel counts of dimension 0 to 3, (4,): what a set of boxes that fills the lattice would give.

    A box with sides a, b, c (in FWHM) has 1, a + b + c, ab + bc + ca, abc: the coefficients of
    ``(1 + a t)(1 + b t)(1 + c t)``. Counts are additive, so that a cell without its boundary has the product
    over its axes of ``a t − 1``, an edge with its ends less two points.
    """
    total = np.zeros(4)
    for axes, n in cells(voxels).items():
        # polynomial in a formal variable t: an open edge is (r t − 1), a point is 1
        of_cell = np.array([1.0, 0, 0, 0])
        for axis in axes:
            r = 0.0 if np.isnan(fwhm[axis]) else 1 / fwhm[axis]
            of_cell = np.array([-of_cell[d] + (r * of_cell[d - 1] if d else 0.0) for d in range(4)])
        total += n * of_cell
    return total


def dimension(voxels: np.ndarray) -> int:
    """Number of axes along which the voxels are not all in one plane."""
    return int(sum(len(set(column)) > 1 for column in np.asarray(voxels).T))


def components(voxels: np.ndarray, connectivity: int) -> list[list[int]]:
    """Clusters of voxels (n, 3), each a list of their numbers, found by walking to neighbours."""
    reach = {6: 1, 18: 2, 26: 3}[connectivity]
    steps = [s for s in product((-1, 0, 1), repeat=3) if 0 < sum(map(abs, s)) <= reach]
    number = {tuple(int(i) for i in voxel): n for n, voxel in enumerate(voxels)}
    left, found = dict(number), []
    while left:
        start, n = next(iter(left.items()))
        del left[start]
        walk, cluster = [start], [n]
        while walk:
            here = walk.pop()
            for step in steps:
                there = tuple(a + b for a, b in zip(here, step, strict=True))
                if there in left:
                    cluster.append(left.pop(there))
                    walk.append(there)
        found.append(sorted(cluster))
    return sorted(found)
