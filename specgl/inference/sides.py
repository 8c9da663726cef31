"""One sign of a map: the locations that stand out, and the clusters they form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from specgl.inference.records import Neighbourhood
from specgl.kernels.clusters import Clusters, find_clusters

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Side:
    """Clusters of one sign.

    Attributes
    ----------
    sign
        1 or -1.
    members
        Locations that form clusters, (n,).
    heights
        What makes one stand above another, greater being more, (n,).
    adjacency
        Their neighbourhood, (n, n).
    clusters
        Clusters among the members.
    over
        Height from which mass is summed.
    """

    sign: int
    members: NDArray[np.int64]
    heights: Floats
    adjacency: csr_array
    clusters: Clusters
    over: float = 0.0

    def keep(self, chosen: Booleans) -> Side:
        """The chosen clusters alone, (n_clusters,), in the same order."""
        return replace(self, clusters=self.clusters.keep(chosen))

    @property
    def kept(self) -> NDArray[np.int64]:
        """Locations that are in a cluster, (n_kept,)."""
        return self.members[self.clusters.labels >= 0]

    def extents(self, space: Neighbourhood) -> Floats:
        """Number of locations in each cluster; where locations differ in size, the sum of theirs."""
        size = np.asarray(space.measure, dtype=np.float64)
        if size.ndim:
            return self.clusters.sums(size[self.members])
        return self.clusters.sizes.astype(np.float64)

    def masses(self, over: float = 0.0) -> Floats:
        """Sum of the heights of each cluster above `over`, (n_clusters,)."""
        return self.clusters.masses(self.heights, over)


def make_side(
    sign: int, values: Floats, within: Booleans, connectivity: int, space: Neighbourhood, over: float = 0.0
) -> Side:
    """Gather the locations of one sign into clusters.

    Parameters
    ----------
    sign
        1 or -1.
    values
        A signed map, (n_loc,).
    within
        Locations that form clusters, (n_loc,).
    connectivity
        What makes voxels neighbours.
    space
        What knows the neighbours.
    over
        Height from which mass is summed.

    Returns
    -------
    side
        Its heights are ``sign * values``.
    """
    members = np.flatnonzero(within)
    heights = sign * values[members]
    adjacency = space.adjacency(connectivity, within)
    clusters = find_clusters(heights, np.ones(members.size, dtype=bool), adjacency)
    return Side(sign, members, heights, adjacency, clusters, over)


def sides_above(
    signs: Sequence[int], values: Floats, threshold: float, connectivity: int, space: Neighbourhood
) -> list[Side]:
    """Clusters of ``sign * values >= threshold`` for each sign; NaN forms none.

    Parameters
    ----------
    signs
        Signs that may survive, the positive one first.
    values
        A signed map, (n_loc,).
    threshold
        Cluster-forming threshold, above 0.
    connectivity
        What makes voxels neighbours.
    space
        What knows the neighbours.
    """
    return [make_side(sign, values, sign * values >= threshold, connectivity, space) for sign in signs]
