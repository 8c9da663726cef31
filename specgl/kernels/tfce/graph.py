"""Which locations touch: a lattice of voxels, or a network such as a mesh."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Long = NDArray[np.int64]
Index = NDArray[np.uint32]
Links = NDArray[np.int32]
Whole = int | np.integer[Any]
"""A whole number; in compiled code numpy's, whose width and sign are known."""

_REACH = {6: 1, 18: 2, 26: 3}
"""Connectivity to the number of axes along which a neighbour may lie apart: faces, edges, corners."""

LONGEST = 1024
"""Most places of a stretch. What a kernel keeps for each of them then stays in the nearest cache."""

_GAP = 64
"""Empty places that a stretch rather includes than ends at: longer stretches are quicker, place by place."""

_LARGEST = 2**31 - 1
"""Most places a box may have: steps between them are 32-bit numbers."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """Voxels in their bounding box, laid out in a line with empty places between the rows.

    A step to a neighbour is then one and the same difference of places for every voxel, and a step across
    the border meets an empty place, so that no border is ever tested for.

    Attributes
    ----------
    n_places
        Number of places of the box, empty ones among them.
    steps
        Differences between the place of a voxel and those of its neighbours, rising, (connectivity,).
    first
        First location of each run of voxels that lie side by side along the last axis, and at the end the
        number of locations, (n_runs + 1,).
    at
        Place of the first voxel of each run, (n_runs,).
    stretches
        First place and one past the last of stretches of at most `LONGEST` places that together hold all
        voxels and some of the empty places between them, rising, (n_stretches, 2).
    """

    n_places: int
    steps: Long
    first: Long
    at: Long
    stretches: Long


@dataclass(frozen=True, eq=False)
class Graph:
    """Locations, their sizes, and which of them touch.

    Attributes
    ----------
    places
        Place of each location, (n_loc,): in the box of a lattice; in a network its own number.
    size
        Size of each location, (n_loc,), such as a vertex's area; None where each counts as 1.
    start, neighbour
        Neighbours of location i are ``neighbour[start[i]:start[i + 1]]``, (n_loc + 1,) and (n_links,). Both
        are empty for a lattice, whose neighbours follow from places.
    lattice
        The lattice, when there is one.
    """

    places: Index
    size: Floats | None
    start: Long
    neighbour: Links
    lattice: Lattice | None

    @property
    def n_locations(self) -> int:
        """Number of locations."""
        return int(self.places.size)

    @property
    def n_places(self) -> int:
        """Number of places that locations may take."""
        return self.n_locations if self.lattice is None else self.lattice.n_places

    @classmethod
    def from_adjacency(cls, adjacency: csr_array, measure: ArrayLike | None = None) -> Graph:
        """Make the graph of a neighbourhood.

        Parameters
        ----------
        adjacency
            Symmetric neighbourhood, (n_loc, n_loc), non-zero between neighbours. Its diagonal is ignored.
        measure
            Size of each location, (n_loc,), such as a vertex's area in mm²; 1 each when None.

        Returns
        -------
        graph
            The same neighbourhood.

        Raises
        ------
        ValueError
            When the matrix is not square or not symmetric, or a size is not a positive number.
        """
        n = adjacency.shape[0]
        if adjacency.shape != (n, n):
            raise ValueError(f"a neighbourhood {adjacency.shape} is not square")
        entries = adjacency.tocoo()
        linked = (entries.data != 0) & (entries.row != entries.col)
        ends = (entries.row[linked], entries.col[linked])
        links = csr_array((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(n, n))
        if (links - links.T).count_nonzero():
            raise ValueError("the neighbourhood is not symmetric")
        return cls(
            places=np.arange(n, dtype=np.uint32),
            size=_sizes(measure, n),
            start=links.indptr.astype(np.int64),
            neighbour=links.indices.astype(np.int32),
            lattice=None,
        )

    @classmethod
    def of_grid(cls, voxels: ArrayLike, connectivity: int) -> Graph:
        """Make the graph of some voxels of a grid.

        Parameters
        ----------
        voxels
            Indices i, j, k of each location, (n_loc, 3), in C order.
        connectivity
            6 for shared faces, 18 for edges as well, 26 for corners as well.

        Returns
        -------
        graph
            The voxels, each of size 1.

        Raises
        ------
        KeyError
            When ``connectivity`` is none of 6, 18 and 26.
        ValueError
            When the voxels are not in C order, or one comes twice, or their bounding box is too large.
        """
        reach = _REACH[connectivity]
        indices = np.asarray(voxels, dtype=np.int64).reshape(-1, 3)
        if not len(indices):
            return cls.from_adjacency(csr_array((0, 0), dtype=np.bool_))
        indices = indices - indices.min(axis=0)
        _, nj, nk = (int(m) + 1 for m in indices.max(axis=0))
        # One empty place behind each row and one empty row behind each plane part what does not touch.
        row, plane = nk + 1, (nj + 1) * (nk + 1)
        margin = plane + row + 1
        places = margin + indices @ np.array([plane, row, 1])
        n_places = int(places.max()) + margin + 1
        if n_places > _LARGEST:
            raise ValueError(f"a bounding box of {n_places} voxels is too large")
        if np.any(np.diff(places) <= 0):
            raise ValueError("the voxels are not in C order, each once")
        steps = [s for s in product((-1, 0, 1), repeat=3) if 0 < sum(map(abs, s)) <= reach]
        first = np.concatenate([[0], np.flatnonzero(np.diff(places) != 1) + 1, [places.size]])
        return cls(
            places=places.astype(np.uint32),
            size=None,
            start=np.zeros(0, dtype=np.int64),
            neighbour=np.zeros(0, dtype=np.int32),
            lattice=Lattice(
                n_places=n_places,
                steps=np.array(steps, dtype=np.int64) @ np.array([plane, row, 1]),
                first=first,
                at=places[first[:-1]],
                stretches=_stretches(places),
            ),
        )


def _sizes(measure: ArrayLike | None, n: int) -> Floats | None:
    """The sizes as float64, once they have been looked at."""
    if measure is None:
        return None
    sizes = np.array(measure, dtype=np.float64)
    if sizes.shape != (n,) or not np.all((sizes > 0) & (sizes < np.inf)):
        raise ValueError(f"sizes {sizes.shape} are not one positive number for each of {n} locations")
    return sizes


def _stretches(places: Long) -> Long:
    """Stretches that hold all places, and gaps of up to `_GAP` between them, as equal as they can be cut."""
    breaks = np.flatnonzero(np.diff(places) > _GAP + 1)
    starts = places[np.concatenate([[0], breaks + 1])]
    stops = places[np.concatenate([breaks, [places.size - 1]])] + 1
    parts = []
    for start, stop in zip(starts, stops, strict=True):
        cuts = np.linspace(start, stop, -((start - stop) // LONGEST) + 1).astype(np.int64)
        parts.append(np.stack([cuts[:-1], cuts[1:]], axis=1))
    return np.concatenate(parts)
