"""Threshold-free cluster enhancement, exactly and in steps, of a map or its maximum alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from specgl.kernels.tfce.basins import climb, number_basins
from specgl.kernels.tfce.graph import Floats, Graph, Index
from specgl.kernels.tfce.lattice import Heights, ascend, list_borders, list_positive, spread
from specgl.kernels.tfce.network import ascend_network, list_network_borders, list_positive_nodes
from specgl.kernels.tfce.order import sort_records
from specgl.kernels.tfce.sweep import sweep_down, sweep_max, sweep_up, to_levels

MAX_STEPS = 1_000_000
"""Most steps that the summed form may take."""

_NO_SIZES: Floats = np.zeros(0)


class Work:
    """Memory to work in, made once and used for one map after another of one graph, by one thread at a time.

    Parameters
    ----------
    graph
        The graph of the maps.
    dtype
        Type of their heights, float32 or float64.
    """

    def __init__(self, graph: Graph, dtype: Any = np.float32) -> None:
        self.graph = graph
        self.dtype = np.dtype(dtype)
        n, places = graph.n_locations, graph.n_places
        self.box = np.zeros(places if graph.lattice else 0, dtype=self.dtype)
        self.above = np.empty(places, dtype=np.uint32)
        self.basin = np.empty(places, dtype=np.uint32)
        self.positive = np.empty(n + 1, dtype=np.uint32)
        self.grow(n + n // 4 + 32_768)

    def grow(self, capacity: int) -> None:
        """Make room for this many records."""
        self.height = np.empty(capacity, dtype=self.dtype)
        self.own, self.other, self.order = (np.empty(capacity, dtype=np.uint32) for _ in range(3))
        self.words, self.spare = (np.empty(capacity, dtype=np.uint64) for _ in range(2))
        self.levels = np.empty(capacity)

    @property
    def capacity(self) -> int:
        """Number of records there is room for."""
        return int(self.height.size)


@dataclass(frozen=True, eq=False)
class _Records:
    """What happens from the greatest height downwards; arrays are parts of the work memory."""

    n_positive: int
    n_basins: int
    order: Index
    levels: Floats
    own: Index
    other: Index
    weight: Floats
    scale: float


def tfce_map(
    heights: ArrayLike,
    graph: Graph,
    E: float = 0.5,
    H: float = 2.0,
    dh: float | None = None,
    work: Work | None = None,
) -> Floats:
    """Enhance the positive part of a map (doi:10.1016/j.neuroimage.2008.03.061).

    Parameters
    ----------
    heights
        Height of each location, (n_loc,), float32 or float64. Only what is above 0 counts: the negative side
        of a statistic is enhanced as the positive side of its negative.
    graph
        The neighbourhood.
    E, H
        Powers of the extent (above 0) and of the height (0 or more).
    dh
        None for the integral ∫ e(h)^E h^H dh from 0 to the height, exact. A step for the sum of
        e(h)^E h^H dh over the heights dh, 2 dh, ... up to the height, extents being of {height >= h}.
    work
        Memory to work in, of this graph and this type of heights; its own when None.

    Returns
    -------
    enhanced
        Enhanced value of each location, (n_loc,); 0 where the height is not positive.

    Raises
    ------
    ValueError
        When shapes do not fit, a height is NaN, a power is out of its range, or there are more than
        `MAX_STEPS` steps.
    """
    given: Heights = np.ascontiguousarray(heights)
    records = _records(given, _work(given, graph, work), E, H, dh)
    n, basins = records.order.size, records.n_basins
    grown, powers = np.empty(n, dtype=np.uint32), np.empty((n, 2))
    merges, merged = np.empty((basins, 3)), np.empty((basins, 2), dtype=np.uint32)
    count = sweep_down(
        records.order,
        records.own,
        records.other,
        records.weight,
        records.n_positive,
        basins,
        E,
        grown,
        powers,
        merges,
        merged,
    )
    values = np.empty(records.n_positive)
    sweep_up(
        records.order,
        records.levels,
        records.n_positive,
        basins,
        grown,
        powers,
        merges,
        merged,
        count,
        values,
    )
    enhanced = np.zeros(graph.n_locations)
    enhanced[given > 0] = values * records.scale
    return enhanced


def tfce_max(
    heights: ArrayLike,
    graph: Graph,
    E: float = 0.5,
    H: float = 2.0,
    dh: float | None = None,
    work: Work | None = None,
) -> float:
    """The maximum of `tfce_map`, which is quicker to find than the map.

    Parameters
    ----------
    heights, graph, E, H, dh, work
        As in `tfce_map`.

    Returns
    -------
    maximum
        Greatest enhanced value, 0 when no height is positive. It agrees with the maximum of the map within
        1e-12 of itself (the same terms are summed in another order) and depends on nothing but the map.

    Raises
    ------
    ValueError
        As `tfce_map` does.
    """
    given: Heights = np.ascontiguousarray(heights)
    records = _records(given, _work(given, graph, work), E, H, dh)
    best = sweep_max(
        records.order,
        records.levels,
        records.own,
        records.other,
        records.weight,
        records.n_positive,
        records.n_basins,
        E,
    )
    return float(best * records.scale)


def _work(given: Heights, graph: Graph, work: Work | None) -> Work:
    """Memory that fits the map and the graph."""
    if given.shape != (graph.n_locations,) or given.dtype not in (np.float32, np.float64):
        raise ValueError(
            f"heights {given.shape} of type {given.dtype} are not one float for each of {graph.n_locations}"
        )
    if work is None:
        return Work(graph, given.dtype)
    if work.graph is not graph or work.dtype != given.dtype:
        raise ValueError("the memory to work in was made for another graph or another type of heights")
    return work


def _records(heights: Heights, work: Work, E: float, H: float, dh: float | None) -> _Records:
    """All that happens on the way down, in order."""
    if not (0 < E < np.inf and 0 <= H < np.inf):
        raise ValueError(f"powers {E} of the extent and {H} of the height are not E > 0 and H >= 0")
    n_positive, n_basins, n = _find_records(heights, work)
    order, levels = work.order[:n], work.levels[:n]
    bits: Any = work.height[:n].view(np.uint32 if work.dtype == np.float32 else np.uint64)
    sort_records(bits, order, work.words[:n], work.spare[:n])
    top = float(work.height[order[0]]) if n else 0.0
    table = _NO_SIZES if dh is None else _steps(top, H, dh)
    to_levels(order, work.height, H, 0.0 if dh is None else dh, table, levels)
    size = work.graph.size
    return _Records(
        n_positive=n_positive,
        n_basins=n_basins,
        order=order,
        levels=levels,
        own=work.own,
        other=work.other,
        weight=_NO_SIZES if size is None else size[work.positive[:n_positive]],
        scale=1 / (H + 1) if dh is None else 1.0,
    )


def _find_records(heights: Heights, work: Work) -> tuple[int, int, int]:
    """Write the records into the work memory; return how many locations, basins and records there are."""
    graph, lattice = work.graph, work.graph.lattice
    if lattice is None:
        count = list_positive_nodes(heights, work.positive)
        missing = count < 0
    else:
        missing = spread(heights, lattice.first, lattice.at, work.box)
        count = list_positive(work.box, lattice.stretches, work.positive)
    if missing:
        raise ValueError("a height is NaN")
    positive = work.positive[:count]
    if lattice is None:
        ascend_network(heights, positive, graph.start, graph.neighbour, work.above)
    else:
        ascend(work.box, lattice.stretches, lattice.steps, work.above)
    climb(positive, work.above)
    basins = number_basins(positive, work.above, work.basin)
    while True:
        records = (work.height, work.own, work.other)
        if lattice is None:
            n = list_network_borders(heights, work.basin, positive, graph.start, graph.neighbour, records)
        else:
            n = list_borders(work.box, work.basin, lattice.stretches, lattice.steps, positive, records)
        if n >= 0:
            return count, basins, n
        work.grow(2 * work.capacity)


def _steps(top: float, H: float, dh: float) -> Floats:
    """Sum of dh h^H over h = dh, 2 dh, ..., k dh, for every k that a height up to `top` may need."""
    if not 0 < dh < np.inf or not top / dh <= MAX_STEPS:
        raise ValueError(f"steps of {dh} up to a height of {top} are not 1 to {MAX_STEPS} steps")
    heights = dh * np.arange(int(top / dh) + 3)
    return np.cumsum(dh * heights**H) - (dh if H == 0 else 0.0)
