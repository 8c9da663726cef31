"""Peaks: local maxima in a neighbourhood, and which of them stand far enough apart to be named."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DECIMALS = 6
"""Distances are compared to a millionth of a mm: coordinates have passed through an affine, and neither a
symmetric plateau nor a gap of exactly the least distance may hang on their last bit."""


def local_maxima(heights: Floats, adjacency: csr_array, coordinates: Floats) -> Integers:
    """Locations that no neighbour surpasses.

    Neighbours of equal height form a plateau, which is one peak when no location next to it is higher. Its
    peak is the member nearest to the plateau's centre, and the first of these where several are as near.

    Parameters
    ----------
    heights
        Height of each location, (n_loc,), without NaN.
    adjacency
        Symmetric neighbourhood of the locations, (n_loc, n_loc).
    coordinates
        Place of each location, (n_loc, 3), in mm.

    Returns
    -------
    peaks
        Locations of the maxima by descending height, of equals the first in the map first, (n_peaks,).
    """
    links = adjacency.tocoo()
    one, other = links.coords
    apart = one != other
    one, other = one[apart], other[apart]
    surpassed = np.zeros(heights.size, dtype=bool)
    surpassed[one[heights[other] > heights[one]]] = True
    level = heights[one] == heights[other]
    peaks = ~surpassed
    peaks[one[level]] = False
    plateaus = _plateau_peaks(one[level], other[level], surpassed, coordinates)
    found = np.concatenate([np.flatnonzero(peaks), plateaus]).astype(np.int64)
    return found[np.lexsort((found, -heights[found]))]


def separate(peaks: Integers, coordinates: Floats, *, distance: float, at_most: int) -> Integers:
    """The highest peaks that stand apart: each is kept when it is far enough from all kept before.

    Parameters
    ----------
    peaks
        Locations in descending order of importance, (n_peaks,).
    coordinates
        Place of each location, (n_loc, 3), in mm.
    distance
        Least distance between two kept peaks, in mm; a pair exactly this far apart is kept.
    at_most
        How many are kept at most.

    Returns
    -------
    kept
        The first of `peaks` and those after it that stand apart, in the same order.
    """
    places = np.asarray(coordinates, dtype=np.float64)[peaks]
    candidates = np.arange(peaks.size)
    kept: list[int] = []
    while candidates.size and len(kept) < at_most:
        first = int(candidates[0])
        kept.append(first)
        gaps = np.linalg.norm(places[candidates] - places[first], axis=1)
        far = np.round(gaps, DECIMALS) >= distance
        far[0] = False
        candidates = candidates[far]
    return peaks[kept]


def _plateau_peaks(
    one: Integers, other: Integers, surpassed: NDArray[np.bool_], coordinates: Floats
) -> Integers:
    """One location for each plateau, of those linked by ``one[k] ~ other[k]``, that nothing surpasses."""
    members = np.unique(one)
    if members.size == 0:
        return members.astype(np.int64)
    rows, columns = np.searchsorted(members, one), np.searchsorted(members, other)
    links = csr_array((np.ones(rows.size, dtype=bool), (rows, columns)), shape=(members.size, members.size))
    count, plateau = connected_components(links, directed=False)
    standing = np.ones(count, dtype=bool)
    standing[plateau[surpassed[members]]] = False
    chosen = standing[plateau]
    if not chosen.any():
        return members[:0].astype(np.int64)
    members, plateau = members[chosen], plateau[chosen]
    places = np.asarray(coordinates, dtype=np.float64)[members]
    size = np.maximum(np.bincount(plateau, minlength=count), 1)
    centers = np.stack([np.bincount(plateau, axis, count) / size for axis in places.T], axis=1)
    gaps = np.round(np.linalg.norm(places - centers[plateau], axis=1), DECIMALS)
    order = np.lexsort((members, gaps, plateau))
    _, first = np.unique(plateau[order], return_index=True)
    return members[order[first]].astype(np.int64)
