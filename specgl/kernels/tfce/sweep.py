"""The sweep from the greatest height to 0: components grow and meet, and with them the integral.

The enhanced value of a location is ∫ e(h)^E h^H dh from 0 to its own height, e(h) the extent of its component
among the locations of height h or more. Write G for the integral of h^H alone. Summed by parts, the value is
the sum over all events at which the component grows, from the location's own height downwards, of
(e_after^E − e_before^E) G(h), with e_before = 0 at its own. All terms are positive, so that nothing cancels,
and no component ever has to be brought down to another's height before the two meet: it is enough to keep the
greatest sum of each. Events at one height add up to the same in any order.
"""

from __future__ import annotations

import math

import numpy as np

from specgl.kernels.compiled import compiled
from specgl.kernels.tfce.graph import Floats, Index
from specgl.kernels.tfce.lattice import Heights

EXTENT, POWER, VALUE = 0, 1, 2
"""What is kept of a component: its extent, that to the power E, and the greatest sum of its locations."""


@compiled
def to_levels(order: Index, height: Heights, H: float, dh: float, table: Floats, levels: Floats) -> None:
    """Write G of each record, in order; exactly, without the factor 1/(H + 1), where `dh` is 0.

    Otherwise G is the sum of dh h^H over the heights h = dh, 2 dh, ... up to the record's, out of a table.
    """
    if dh > 0:
        for i in range(order.size):
            h = np.float64(height[order[i]])
            k = np.int64(h / dh)
            # The quotient is rounded; the definition compares h with k·dh.
            while (k + 1) * dh <= h:
                k += 1
            while k * dh > h:
                k -= 1
            levels[i] = table[k]
    elif H == 2.0:
        for i in range(order.size):
            h = np.float64(height[order[i]])
            levels[i] = h * h * h
    else:
        for i in range(order.size):
            levels[i] = np.float64(height[order[i]]) ** (H + 1.0)


@compiled
def _power(extent: float, E: float) -> float:
    """The extent to the power E."""
    if E == 0.5:
        return math.sqrt(extent)
    if E == 1.0:
        return extent
    return math.pow(extent, E)


@compiled
def _join(root: Index, after: Index, count: Index, a: int, b: int) -> None:
    """Let component `a` take the basins of component `b`, which come after one another in a ring.

    Every basin knows its component without a search, since that is asked for every location; it is told a
    new one at most log2(number of basins) times where the larger always takes the smaller.
    """
    basin = b
    while True:
        root[basin] = a
        basin = after[basin]
        if basin == b:
            break
    after[a], after[b] = after[b], after[a]
    count[a] += count[b]


@compiled
def sweep_max(
    order: Index,
    levels: Floats,
    own: Index,
    other: Index,
    weight: Floats,
    n_positive: int,
    n_basins: int,
    E: float,
) -> float:
    """Find the greatest sum of any location.

    Parameters
    ----------
    order
        Records, highest first, (n_records,).
    levels
        G of each, in that order, (n_records,).
    own, other
        Basin of each record and another that it touches (or the same), by record, (n_records,).
    weight
        Size of each positive location, (n_positive,); empty when 1 each.
    n_positive, n_basins
        Number of positive locations, which are the first records, and of basins.
    E
        Power of the extent.

    Returns
    -------
    value
        The maximum; 0 when no location is positive.
    """
    root = np.arange(n_basins).astype(np.uint32)
    after, count = root.copy(), np.ones(n_basins, dtype=np.uint32)
    node = np.zeros((n_basins, 3))
    for i in range(order.size):
        record = order[i]
        level = levels[i]
        a, b = root[own[record]], root[other[record]]
        if a != b:
            if count[a] < count[b]:
                a, b = b, a
            _join(root, after, count, a, b)
            extent = node[a, EXTENT] + node[b, EXTENT]
            power = _power(extent, E)
            node[a, VALUE] = max(
                node[a, VALUE] + (power - node[a, POWER]) * level,
                node[b, VALUE] + (power - node[b, POWER]) * level,
            )
            node[a, EXTENT] = extent
            node[a, POWER] = power
        if record < n_positive:
            extent = node[a, EXTENT] + (weight[record] if weight.size else 1.0)
            power = _power(extent, E)
            node[a, VALUE] += (power - node[a, POWER]) * level
            node[a, EXTENT] = extent
            node[a, POWER] = power
    best = 0.0
    for i in range(n_basins):
        best = max(best, node[root[i], VALUE])
    return best


@compiled
def sweep_down(
    order: Index,
    own: Index,
    other: Index,
    weight: Floats,
    n_positive: int,
    n_basins: int,
    E: float,
    grown: Index,
    powers: Floats,
    merges: Floats,
    merged: Index,
) -> int:
    """Record how components grow, for `sweep_up`; parameters as in `sweep_max` and below.

    Parameters
    ----------
    grown
        Where to write the component (its root at that time) of each record, (n_records,).
    powers
        And its power of the extent before and after, (n_records, 2); equal where no location joined.
    merges
        Where to write, for each meeting, the powers of the component that stays, of the one that ends, and
        of both together, (n_basins, 3).
    merged
        And at which position in the order it was, and which component ended, (n_basins, 2).

    Returns
    -------
    meetings
        Number of meetings.
    """
    root = np.arange(n_basins).astype(np.uint32)
    after, count = root.copy(), np.ones(n_basins, dtype=np.uint32)
    node = np.zeros((n_basins, 2))
    meetings = 0
    for i in range(order.size):
        record = order[i]
        a, b = root[own[record]], root[other[record]]
        if a != b:
            if count[a] < count[b]:
                a, b = b, a
            _join(root, after, count, a, b)
            extent = node[a, EXTENT] + node[b, EXTENT]
            power = _power(extent, E)
            merges[meetings, 0] = node[a, POWER]
            merges[meetings, 1] = node[b, POWER]
            merges[meetings, 2] = power
            merged[meetings, 0] = i
            merged[meetings, 1] = b
            meetings += 1
            node[a, EXTENT] = extent
            node[a, POWER] = power
        grown[i] = a
        powers[i, 0] = node[a, POWER]
        if record < n_positive:
            node[a, EXTENT] += weight[record] if weight.size else 1.0
            node[a, POWER] = _power(node[a, EXTENT], E)
        powers[i, 1] = node[a, POWER]
    return meetings


@compiled
def sweep_up(
    order: Index,
    levels: Floats,
    n_positive: int,
    n_basins: int,
    grown: Index,
    powers: Floats,
    merges: Floats,
    merged: Index,
    count: int,
    values: Floats,
) -> None:
    """Undo what `sweep_down` recorded, from the least height upwards, and write each location's sum.

    Parameters
    ----------
    order, levels, n_positive, n_basins, grown, powers, merges, merged
        As in `sweep_down` and `sweep_max`.
    count
        Number of meetings.
    values
        Where to write the sum of each positive location, (n_positive,).
    """
    below = np.zeros(n_basins)  # the events below, of the component as it then stands
    for back in range(order.size):
        i = order.size - 1 - back
        a, level = grown[i], levels[i]
        if order[i] < n_positive:
            values[order[i]] = below[a] + powers[i, 1] * level
            below[a] += (powers[i, 1] - powers[i, 0]) * level
        if count > 0 and merged[count - 1, 0] == i:
            count -= 1
            b = merged[count, 1]
            below[b] = below[a] + (merges[count, 2] - merges[count, 1]) * level
            below[a] += (merges[count, 2] - merges[count, 0]) * level
