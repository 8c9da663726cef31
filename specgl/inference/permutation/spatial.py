"""The spatial kernels, as inference calls them: the only place that knows their forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from specgl.inference.permutation.measures import Enhancement, Measure
from specgl.inference.records import Neighbourhood
from specgl.kernels.extremes import cluster_extremes
from specgl.kernels.tfce import Graph, Work, tfce_map, tfce_max

Floats = NDArray[np.float64]
Heights = NDArray[np.float32] | NDArray[np.float64]


def graph_of(space: Neighbourhood, connectivity: int) -> Graph:
    """The neighbourhood of all locations; where they differ in size, the size of each."""
    measure = np.asarray(space.measure)
    voxels = getattr(space, "voxels", None)
    if voxels is not None and measure.ndim == 0:
        return Graph.of_grid(voxels, connectivity)
    return Graph.from_adjacency(space.adjacency(connectivity), measure if measure.ndim else None)


def cluster_maxima(heights: Heights, graph: Graph, threshold: float) -> tuple[float, float, float]:
    """Greatest extent, total mass and excess mass of the clusters of a map; 0 where there is none."""
    found = cluster_extremes(heights, graph, [threshold])
    return float(found.extent[0]), float(found.mass[0]), float(found.excess[0])


def enhanced_map(heights: Heights, graph: Graph, settings: Enhancement, room: Work | None = None) -> Floats:
    """The positive side of a map, enhanced, (n_loc,); 0 where it is not positive."""
    return tfce_map(heights, graph, settings.E, settings.H, settings.dh, room)


def enhanced_maximum(
    heights: Heights, graph: Graph, settings: Enhancement, room: Work | None = None
) -> float:
    """The greatest value of the enhanced map, without the map."""
    return tfce_max(heights, graph, settings.E, settings.H, settings.dh, room)


def rooms_for(
    measures: Iterable[Measure], graphs: Mapping[int, Graph], dtype: type[np.floating] = np.float32
) -> dict[int, Work]:
    """Memory to enhance maps of one type in, one after the other in one thread, by connectivity."""
    used = sorted({one.connectivity for one in measures if isinstance(one, Enhancement)})
    return {connectivity: Work(graphs[connectivity], dtype) for connectivity in used}
