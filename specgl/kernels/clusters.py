"""Clusters: components of a set of locations in a neighbourhood, and what is said of each.

Heights are what makes one location stand above another: the statistic for positive clusters, its negative
for negative ones. The neighbourhood is a symmetric sparse matrix that is non-zero between neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

OUTSIDE = -1
"""Label of a location that is in no cluster."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """Clusters of a map, the one with the highest peak first (of equal peaks, the one met first).

    Attributes
    ----------
    labels
        Cluster of each location, counted from 0, or `OUTSIDE`, (n_loc,).
    sizes
        Number of locations of each cluster, (n_clusters,).
    peaks
        Location of each cluster's greatest height, the first where several are equal, (n_clusters,).
    heights
        Height there, (n_clusters,).
    """

    labels: Integers
    sizes: Integers
    peaks: Integers
    heights: Floats

    @property
    def count(self) -> int:
        """Number of clusters."""
        return self.sizes.size

    def sums(self, values: Floats) -> Floats:
        """Sum of a map's values over each cluster.

        Parameters
        ----------
        values
            A value for each location, (n_loc,).

        Returns
        -------
        sums
            A sum for each cluster, (n_clusters,).
        """
        inside = self.labels != OUTSIDE
        weights = np.asarray(values, dtype=np.float64)[inside]
        return np.bincount(self.labels[inside], weights, self.count).astype(np.float64, copy=False)

    def masses(self, heights: Floats, over: float = 0.0) -> Floats:
        """Mass of each cluster: the sum of its heights above `over`.

        Parameters
        ----------
        heights
            Height of each location, (n_loc,).
        over
            0 for the total mass; the height that formed the clusters for the excess mass
            (doi:10.1109/42.750253).

        Returns
        -------
        masses
            A mass for each cluster, (n_clusters,).
        """
        return self.sums(heights - over)

    def centers(self, coordinates: Floats, weights: Floats) -> Floats:
        """Centre of mass of each cluster.

        Parameters
        ----------
        coordinates
            Place of each location, (n_loc, 3), in mm.
        weights
            Positive weight of each location, (n_loc,).

        Returns
        -------
        centers
            Weighted mean place, (n_clusters, 3), in mm.
        """
        moments = [self.sums(weights * axis) for axis in np.asarray(coordinates, dtype=np.float64).T]
        return np.stack(moments, axis=1) / self.sums(weights)[:, None]

    def keep(self, chosen: Booleans) -> Clusters:
        """The chosen clusters alone, in the same order.

        Parameters
        ----------
        chosen
            Which to keep, (n_clusters,).

        Returns
        -------
        clusters
            Clusters counted anew from 0; locations of the others have the label `OUTSIDE`.
        """
        renumbered = np.append(np.where(chosen, np.cumsum(chosen) - 1, OUTSIDE), OUTSIDE)  # [-1]: OUTSIDE
        return Clusters(renumbered[self.labels], self.sizes[chosen], self.peaks[chosen], self.heights[chosen])


def find_clusters(heights: Floats, inside: Booleans, adjacency: csr_array) -> Clusters:
    """Components of a set of locations, ordered by their peaks.

    Parameters
    ----------
    heights
        Height of each location, (n_loc,).
    inside
        The set whose components are sought, (n_loc,).
    adjacency
        Symmetric neighbourhood of the locations, (n_loc, n_loc).

    Returns
    -------
    clusters
        The components by descending peak height, then by the peak's place in the map.

    Raises
    ------
    ValueError
        When the shapes do not fit one another, or a height inside the set is NaN.
    """
    if heights.ndim != 1 or inside.shape != heights.shape or adjacency.shape != heights.shape * 2:
        raise ValueError(
            f"heights {heights.shape}, set {inside.shape} and neighbourhood {adjacency.shape} do not fit"
        )
    members = np.flatnonzero(inside)
    if np.isnan(heights[members]).any():
        raise ValueError("a location in the set has no height (NaN)")
    within = adjacency if members.size == heights.size else adjacency[members][:, members]
    count, found = connected_components(within, directed=False)
    # Members by component, then descending height; lexsort is stable, so the first of equals leads.
    order = np.lexsort((-heights[members], found))
    starts = np.searchsorted(found[order], np.arange(count))
    peaks = members[order[starts]].astype(np.int64)
    rank = np.lexsort((peaks, -heights[peaks]))
    new_label = np.empty(count, dtype=np.int64)
    new_label[rank] = np.arange(count)
    labels = np.full(heights.size, OUTSIDE, dtype=np.int64)
    labels[members] = new_label[found]
    sizes = np.bincount(found, minlength=count).astype(np.int64)
    return Clusters(labels, sizes[rank], peaks[rank], heights[peaks[rank]])
