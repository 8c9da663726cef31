"""Greatest extents and masses of a map's clusters, as the null distribution of cluster inference needs them.

Unlike `specgl.kernels.clusters`, which says everything about the clusters of one map, this says three numbers
and says them quickly: after one pass through the map, only the locations above the threshold are touched.
Importing this module imports numba.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from specgl.kernels.compiled import compiled
from specgl.kernels.tfce.graph import Floats, Graph, Index, Links, Long
from specgl.kernels.tfce.lattice import Heights

_NONE: Floats = np.zeros(0)
_NOWHERE: Long = np.zeros(0, dtype=np.int64)
_STEP = 128  # locations looked at together when high ones are listed


@dataclass(frozen=True, eq=False)
class Extremes:
    """What is greatest of any cluster, for each threshold; not always of one and the same cluster.

    Attributes
    ----------
    extent
        Size: number of locations, or sum of their sizes where the graph has sizes, (n_thresholds,).
    mass
        Sum of the heights over the cluster, (n_thresholds,); locations count alike whatever their sizes.
    excess
        Sum of the heights less the threshold, (n_thresholds,).

    All are 0 where there is no cluster.
    """

    extent: Floats
    mass: Floats
    excess: Floats


def cluster_extremes(heights: ArrayLike, graph: Graph, thresholds: float | Sequence[float]) -> Extremes:
    """Greatest extent, mass and excess mass of the clusters of a map at one or several thresholds.

    Parameters
    ----------
    heights
        Height of each location, (n_loc,), float32 or float64: the statistic for positive clusters, its
        negative for negative ones.
    graph
        The neighbourhood.
    thresholds
        Clusters are the components of {height >= threshold}. Thresholds are above 0.

    Returns
    -------
    extremes
        One value for each threshold, in their order, (n_thresholds,); of no dimension for a number.

    Raises
    ------
    ValueError
        When shapes do not fit, a threshold is not above 0, or a height is NaN.
    """
    given = np.ascontiguousarray(heights)
    if given.shape != (graph.n_locations,) or given.dtype not in (np.float32, np.float64):
        raise ValueError(
            f"heights {given.shape} of type {given.dtype} are not one float for each of {graph.n_locations}"
        )
    shape = np.shape(thresholds)
    over = np.asarray(thresholds, dtype=np.float64).ravel()
    if len(shape) > 1 or not over.size or not np.all((over > 0) & (over < np.inf)):
        raise ValueError(f"thresholds {thresholds} are not positive numbers")
    lowest = over.min()
    chosen = np.empty(given.size + 1, dtype=np.uint32)
    count = _list_high(given, lowest, chosen)
    if count < 0:
        raise ValueError("a height is NaN")
    found = np.zeros((3, over.size))
    if count:
        # Fresh zeros cost nothing where they are never touched: the system hands out pages when written to.
        rank = np.zeros(graph.n_places, dtype=np.uint32)
        steps = _NOWHERE if graph.lattice is None else graph.lattice.steps
        size = _NONE if graph.size is None else graph.size
        for k, threshold in enumerate(over):
            _measure(
                given,
                chosen[:count],
                threshold,
                size,
                graph.places,
                steps,
                graph.start,
                graph.neighbour,
                rank,
                found[:, k],
            )
    return Extremes(*found.reshape(3, *shape))


@compiled
def comes_near(heights: Heights, level: np.float32, margin: np.float32) -> bool:
    """Whether a height is no further than a margin from a level, without a map of distances.

    Parameters
    ----------
    heights
        Height of each location, (n_loc,).
    level, margin
        float32 numbers, so that maps in float32 are compared in float32.

    Returns
    -------
    near
        Whether there is one.
    """
    near = 0
    for i in range(heights.size):
        near += 1 if abs(heights[i] - level) <= margin else 0
    return near > 0


@compiled
def _list_high(heights: Heights, threshold: float, chosen: Index) -> int:
    """List the locations of at least this height; return their number, or −1 when a height is NaN."""
    count = np.uint64(0)  # unsigned: numba then leaves out the test for indices from the end
    for start in range(0, heights.size, _STEP):
        part = heights[start : start + _STEP]
        # Most stretches hold nothing. This loop has no branch and runs on vectors; NaN is not below either.
        high = 0
        for i in range(part.size):
            high += 0 if part[i] < threshold else 1
        if high == 0:
            continue
        for i in range(part.size):
            if part[i] != part[i]:
                return -1
            chosen[count] = np.uint32(start + i)
            count += np.uint64(part[i] >= threshold)
    return int(np.int64(count))


@compiled
def _find(parent: Index, node: int) -> int:
    """The root above a node; every node on the way skips one."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@compiled
def _link(parent: Index, a: int, b: int) -> None:
    """Make one component of two nodes'; its root is the earlier of their roots."""
    a, b = _find(parent, a), _find(parent, b)
    if a < b:
        parent[b] = a
    else:
        parent[a] = b


@compiled
def _measure(
    heights: Heights,
    chosen: Index,
    threshold: float,
    size: Floats,
    places: Index,
    steps: Long,
    start: Long,
    neighbour: Links,
    rank: Index,
    found: Floats,
) -> None:
    """Write the greatest extent, mass and excess mass of the clusters among chosen locations.

    `rank` (n_places,) is 0 everywhere, and is so again afterwards.
    """
    parent = np.arange(chosen.size).astype(np.uint32)
    for k in range(chosen.size):
        i = chosen[k]
        if heights[i] < threshold:
            continue
        place = np.int64(places[i])
        rank[place] = k + 1
        # Every pair of neighbours is met once: when the later of the two is reached.
        for step in steps[: steps.size // 2]:
            other = rank[place + step]
            if other:
                _link(parent, k, other - 1)
        if start.size:
            for link in range(start[i], start[i + 1]):
                other = rank[neighbour[link]]
                if other:
                    _link(parent, k, other - 1)
    # Sums run in the order of locations, as they do where the clusters of one map are described.
    sums = np.zeros((chosen.size, 3))
    for k in range(chosen.size):
        i = chosen[k]
        if heights[i] < threshold:
            continue
        rank[places[i]] = 0
        height = np.float64(heights[i])
        cluster = sums[_find(parent, k)]
        cluster[0] += size[i] if size.size else 1.0
        cluster[1] += height
        cluster[2] += height - threshold
    for k in range(chosen.size):
        for measure in range(3):
            found[measure] = max(found[measure], sums[k, measure])
