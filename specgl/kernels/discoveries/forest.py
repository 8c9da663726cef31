"""The forest of all clusters of a map, above whatever height, and the true discoveries in each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Forest:
    """Components of ``{height >= t}`` for all t at once.

    Locations join in the order of descending height (of equals, the earlier first). A location stands for the
    component that it has just joined; each cluster is one of these components, that of its lowest location.

    Attributes
    ----------
    order
        Locations in the order in which they join, (n,).
    parent
        The location that joins each component next, -1 where none does, (n,).
    sizes
        Number of locations of each component, (n,).
    begin
        Where its stretch of `layout` begins, (n,).
    layout
        Locations in line: the component of location i is ``layout[begin[i]:begin[i] + sizes[i]]``, (n,).
    is_cluster
        Whether the component holds all that its lowest height lets in: its parent is lower, (n,).
    """

    order: Integers
    parent: Integers
    sizes: Integers
    begin: Integers
    layout: Integers
    is_cluster: Booleans

    def members(self, location: int) -> Integers:
        """Locations of one location's component, (n_members,)."""
        first = self.begin[location]
        return self.layout[first : first + self.sizes[location]]

    def discoveries(self, categories: Integers) -> Integers:
        """True discoveries in every component, at least, in O(n log n).

        Heavy paths part the forest; along each of them locations are added one by one, and the bound of
        every component of the path is read on the way (Chen et al. 2022, arXiv:2206.13587).

        Parameters
        ----------
        categories
            Category of each location, (n,), from 1, as from `specgl.kernels.discoveries.categories`.

        Returns
        -------
        discoveries
            Of the component of each location, (n,).
        """
        from specgl.kernels.discoveries.growth import count_discoveries

        found = np.zeros(self.order.size, dtype=np.int64)
        count_discoveries(
            np.ascontiguousarray(categories, dtype=np.int64),
            self.parent,
            self.sizes,
            self.begin,
            self.layout,
            found,
        )
        return found

    def within_largest(self, share: float, discoveries: Integers) -> Booleans:
        """Which locations lie in a cluster with a share of true discoveries, at least.

        The largest of these clusters are the components of these locations: of two clusters one holds the
        other, or they do not touch.

        Parameters
        ----------
        share
            The share, above 0.
        discoveries
            As from `discoveries`, (n,).

        Returns
        -------
        within
            (n,).
        """
        from specgl.kernels.discoveries.growth import inside_chosen

        # A quotient and a share written in decimals are rounded alike where they are equal.
        chosen = self.is_cluster & (discoveries / self.sizes >= share)
        within = np.zeros(chosen.size, dtype=np.bool_)
        inside_chosen(self.order, self.parent, chosen, within)
        return within


def grow_forest(heights: Floats, adjacency: csr_array) -> Forest:
    """Grow the forest of a map.

    Parameters
    ----------
    heights
        Height of each location, (n,).
    adjacency
        Symmetric neighbourhood of the locations, (n, n), without explicit zeros.

    Returns
    -------
    forest
        All components.

    Raises
    ------
    ValueError
        When the shapes do not fit one another, or a height is NaN.
    """
    from specgl.kernels.discoveries.growth import grow, lay_out

    n = heights.size
    if heights.ndim != 1 or adjacency.shape != (n, n):
        raise ValueError(f"heights {heights.shape} and neighbourhood {adjacency.shape} do not fit")
    if np.isnan(heights).any():
        raise ValueError("a location has no height (NaN)")
    order = np.argsort(-heights, kind="stable").astype(np.int64, copy=False)
    rank = np.empty(n, dtype=np.int64)
    rank[order] = np.arange(n)
    parent, sizes, begin, layout = np.empty((4, n), dtype=np.int64)
    start, neighbour = (part.astype(np.int32, copy=False) for part in (adjacency.indptr, adjacency.indices))
    grow(rank, order, start, neighbour, parent)
    lay_out(order, parent, sizes, begin, layout)
    is_cluster = (parent < 0) | (heights[parent] < heights)
    return Forest(order, parent, sizes, begin, layout, is_cluster)
