"""Maxima and counts of z without the z of every location.

z rises with the statistic, and with the degrees of freedom. Two columns of numbers, z at the fewest and at
the most degrees of freedom that can occur, settle nearly all locations by a comparison; a table whose error
is known settles nearly all others; what is left goes to exact tails.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.statistics.exact import LESS, TWO_SIDED
from specgl.kernels.statistics.separate_kernels import (
    LANES,
    Floats,
    Integers,
    Shape,
    make_room,
    tile_statistics,
)
from specgl.kernels.statistics.zscale import z_at

MOST = 64
"""Candidates for one maximum that are kept; more are not met but in made-up data."""

_SAME = 1e-11  # relative difference of two ways to one number; it moves z by no more
_UPPER_Z = 2.0  # from here on z of G rises with dof


class Table(NamedTuple):
    """z by table, and bounds of it.

    Attributes
    ----------
    signed, dof1, start, middle, half, coefficients, error
        Of a `ZSurface`.
    stats
        ``(2, n)`` rising statistics, at the fewest and at the most degrees of freedom.
    z
        ``(2, n)`` their z.
    """

    signed: bool
    dof1: float
    start: float
    middle: float
    half: float
    coefficients: Floats
    error: float
    stats: Floats
    z: Floats


class Counted(NamedTuple):
    """What is to be reached at each location ``(m,)``, turned in the direction of the count.

    Attributes
    ----------
    sure, possible
        Statistics reached for certain from here on, and missed for certain below.
    least
        The smallest z that counts.
    stat, inverse_dof
        The observed statistic (turned) and the reciprocal of its dof.
    direction
        Of the count.
    """

    sure: Floats
    possible: Floats
    least: Floats
    stat: Floats
    inverse_dof: Floats
    direction: int


class Found(NamedTuple):
    """What exact tails have to settle.

    Attributes
    ----------
    stat, inverse_dof, upper
        ``(B, 2, MOST)`` candidates for the maximum and for that of the negative (negated), with a bound of z.
    size
        ``(B, 2)`` how many; -1 where there was no room.
    shuffle, place, open_stat, open_inverse
        ``(room,)`` locations that may or may not count.
    n_open
        ``(1,)`` how many there are, also where there was no room.
    """

    stat: Floats
    inverse_dof: Floats
    upper: Floats
    size: Integers
    shuffle: Integers
    place: Integers
    open_stat: Floats
    open_inverse: Floats
    n_open: Integers


def no_candidates(n_shuffles: int, room: int) -> Found:
    """An empty list with room for so many undecided counts."""
    lists = [np.empty((n_shuffles, 2, MOST)) for _ in range(3)]
    size = np.zeros((n_shuffles, 2), dtype=np.int64)
    places = [np.empty(room, dtype=np.int64) for _ in range(2)]
    return Found(
        lists[0],
        lists[1],
        lists[2],
        size,
        places[0],
        places[1],
        np.empty(room),
        np.empty(room),
        np.zeros(1, dtype=np.int64),
    )


@compiled
def scan_tiles(
    tiles: Floats,
    width: int,
    moved: Floats,
    groups: Integers,
    shape: Shape,
    table: Table,
    counting: bool,
    counted: Counted,
    totals: NDArray[np.int32],
    found: Found,
) -> None:
    """Scan shuffles ``moved (B, n_rows, n)``, ``groups (B, n)`` over the tiles' first `width` locations."""
    n_shuffles = moved.shape[0]
    room = make_room(moved.shape[1], shape)
    best = np.full((n_shuffles, 2), -np.inf)
    bars = np.full((n_shuffles, 2), -np.inf)
    for tile in range(tiles.shape[0]):
        start = tile * LANES
        lanes = min(LANES, width - start)
        for b in range(n_shuffles):
            tile_statistics(tiles[tile], moved[b], groups[b], shape, room)
            for side in range(2 if shape.signed else 1):
                turn = 1.0 - 2.0 * side
                for lane in range(lanes):
                    value = turn * room.stat[lane]
                    if value >= bars[b, side]:
                        _offer(b, side, value, room.inverse_dof[lane], table, best, bars, found)
            if counting:
                _count(b, start, lanes, room.stat, room.inverse_dof, table, counted, totals, found)


@compiled
def _offer(
    b: int,
    side: int,
    value: float,
    inverse_dof: float,
    table: Table,
    best: Floats,
    bars: Floats,
    found: Found,
) -> None:
    """Take one location as a candidate for a maximum, unless others are larger for certain."""
    z = _read(value, inverse_dof, table)
    margin = table.error * max(1.0, abs(z))
    low, high = z - margin, z + margin
    if np.isnan(z):
        low, high = _bounds(value, table)
    if high < best[b, side]:
        return
    rising = (table.signed and value > 0.0) or low > _UPPER_Z
    if low > best[b, side]:
        best[b, side] = low
        if low > (0.0 if table.signed else _UPPER_Z):
            place = np.searchsorted(table.z[1], low, side="right") - 1
            if place >= 0:
                bars[b, side] = table.stats[1, place]
    size = found.size[b, side]
    stats, inverses = found.stat[b, side], found.inverse_dof[b, side]
    for i in range(size):
        same = stats[i] == value and inverses[i] == inverse_dof
        if same or (rising and stats[i] >= value and inverses[i] <= inverse_dof):
            return
    if size == MOST:
        size = _prune(found, b, side, best[b, side])
    if size < 0 or size == MOST:
        found.size[b, side] = -1
        return
    stats[size], inverses[size], found.upper[b, side, size] = value, inverse_dof, high
    found.size[b, side] = size + 1


@compiled
def _prune(found: Found, b: int, side: int, best: float) -> int:
    kept = 0
    for i in range(MOST):
        if found.upper[b, side, i] >= best:
            found.stat[b, side, kept] = found.stat[b, side, i]
            found.inverse_dof[b, side, kept] = found.inverse_dof[b, side, i]
            found.upper[b, side, kept] = found.upper[b, side, i]
            kept += 1
    return kept


@compiled
def _read(value: float, inverse_dof: float, table: Table) -> float:
    return z_at(
        value,
        inverse_dof,
        table.signed,
        table.dof1,
        table.start,
        table.middle,
        table.half,
        table.coefficients,
    )


@compiled
def _bounds(value: float, table: Table) -> tuple[float, float]:
    """What z can be at any degrees of freedom, for a statistic outside the table."""
    size = -value if value < 0.0 else value
    if not table.signed and size < table.stats[0, 0]:
        return -np.inf, max(table.z[0, 0], table.z[1, 0])
    place = np.searchsorted(table.stats[0], size, side="right") - 1
    low = table.z[0, place] if place >= 0 else 0.0
    above = np.searchsorted(table.stats[1], size, side="left")
    high = table.z[1, above] if above < table.stats.shape[1] else np.inf
    return (-high, -low) if value < 0.0 else (low, high)


@compiled
def _count(
    b: int,
    start: int,
    lanes: int,
    stat: Floats,
    inverse_dof: Floats,
    table: Table,
    counted: Counted,
    totals: NDArray[np.int32],
    found: Found,
) -> None:
    for lane in range(lanes):
        place = start + lane
        value = stat[lane]
        if counted.direction == TWO_SIDED:
            value = abs(value)
        elif counted.direction == LESS:
            value = -value
        if value >= counted.sure[place]:
            totals[place] += 1
        elif value >= counted.possible[place]:
            inverse = inverse_dof[lane]
            known, other = counted.stat[place], counted.inverse_dof[place]
            if abs(value - known) <= _SAME * abs(known) and abs(inverse - other) <= _SAME * other:
                totals[place] += 1
                continue
            z = _read(value, inverse, table)
            margin = table.error * max(1.0, abs(z))
            if z - margin >= counted.least[place]:
                totals[place] += 1
            elif not z + margin < counted.least[place]:  # or NaN
                n = found.n_open[0]
                if n < found.shuffle.size:
                    found.shuffle[n], found.place[n] = b, place
                    found.open_stat[n], found.open_inverse[n] = value, inverse
                found.n_open[0] = n + 1
