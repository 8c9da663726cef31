"""v and G of shuffles, tile by tile: what `specgl.kernels.welch` computes once, computed many times.

Residuals are formed and squared for each shuffle; every sum runs in one fixed order, in float64, so that a
value is a function of its shuffle and its location alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.statistics.exact import NOTHING
from specgl.kernels.welch import FLOOR

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LANES = 128
"""Locations worked on together: with a hundred observations they stay in a processor's nearest caches."""

_PERFECT = 1e-30  # the least variance of a group, of data of length 1: no statistic is infinite
_NO_PIVOT = 1e-300  # rounding must not make a matrix indefinite


class Shape(NamedTuple):
    """What v or G needs of a design, as `GroupGeometry` has it.

    Attributes
    ----------
    gram, axes, loads, residual, sizes
        As there.
    scale
        What turns the sum of Welch and Satterthwaite into the reciprocal of dof.
    single
        The reciprocal of dof where there is one group.
    signed
        Whether the statistic is v, or its square's generalisation G.
    """

    gram: Floats
    axes: Floats
    loads: Floats
    residual: Floats
    sizes: Floats
    scale: float
    single: float
    signed: bool


class Room(NamedTuple):
    """Memory of a thread, each array with ``LANES`` last: scores, sums of groups, rows, matrices.

    ``whole`` is what moved nuisance leaves of the data.
    """

    scores: Floats
    sums: Floats
    whole: Floats
    largest: Floats
    other: Floats
    stat: Floats
    inverse_dof: Floats
    square: Floats
    vectors: Floats
    matrices: Floats


@compiled
def make_room(n_rows: int, shape: Shape) -> Room:
    """Memory for shuffles whose moved rows are ``n_rows``."""
    n_groups, k = shape.gram.shape[:2]
    r = shape.loads.shape[1]
    size = k if shape.axes.shape[1] == 0 else r
    return Room(
        np.empty((n_rows, LANES)),
        np.empty((n_groups, LANES)),
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES),
        np.empty((r, LANES)),
        np.empty((size, size, LANES)),
    )


@compiled
def tile_statistics(data: Floats, moved: Floats, group: Integers, shape: Shape, room: Room) -> None:
    """Statistic and reciprocal of its dof at each location of a tile, into `room`.

    Parameters
    ----------
    data
        ``(n, LANES)`` of length 1 each, without the nuisance that stays.
    moved
        ``(n_rows, n)`` orthonormal rows as the shuffle moves them, the tested ones first.
    group
        ``(n,)`` group of the design row that each observation carries.
    shape, room
        The design, and memory.
    """
    _sum_residuals(data, moved, group, room)
    _sum_whole(shape, room)
    _weigh(shape, room)
    if shape.signed and shape.axes.shape[1] > 0:
        _v_along_axes(shape, room)
    else:
        _quadratic(shape, room)
    for lane in range(LANES):
        if room.whole[lane] <= NOTHING:  # rounding: moved nuisance fits the data, and nothing is tested
            room.stat[lane] = 0.0


@compiled
def _quadratic(shape: Shape, room: Room) -> None:
    """G, or v by its square."""
    if shape.axes.shape[1] > 0:
        _along_axes(shape, room)
    else:
        _by_cholesky(shape, room)
    r = shape.loads.shape[1]
    bend = 2.0 * (r - 1) / (r * (r + 2))
    for lane in range(LANES):
        square = room.square[lane] / room.largest[lane]
        if shape.signed:
            room.stat[lane] = np.sign(room.scores[0, lane]) * np.sqrt(square)
        else:
            room.stat[lane] = square / (r * (1.0 + bend * room.other[lane]))


@compiled
def _sum_residuals(data: Floats, moved: Floats, group: Integers, room: Room) -> None:
    n_rows, n = moved.shape
    room.scores[:] = 0.0
    room.sums[:] = 0.0
    rest = room.other
    for i in range(n):
        row = data[i]
        for j in range(n_rows):
            weight, score = moved[j, i], room.scores[j]
            for lane in range(LANES):
                score[lane] += weight * row[lane]
    for i in range(n):
        row = data[i]
        for lane in range(LANES):
            rest[lane] = row[lane]
        for j in range(n_rows):
            weight, score = moved[j, i], room.scores[j]
            for lane in range(LANES):
                rest[lane] -= weight * score[lane]
        total = room.sums[group[i]]
        for lane in range(LANES):
            total[lane] += rest[lane] * rest[lane]


@compiled
def _sum_whole(shape: Shape, room: Room) -> None:
    room.whole[:] = 0.0
    for g in range(shape.residual.size):
        for lane in range(LANES):
            room.whole[lane] += room.sums[g, lane]
    for j in range(shape.loads.shape[1]):
        for lane in range(LANES):
            room.whole[lane] += room.scores[j, lane] * room.scores[j, lane]


@compiled
def _weigh(shape: Shape, room: Room) -> None:
    """Sums to weights relative to the smallest, and the sum of Welch and Satterthwaite into ``other``."""
    n_groups = shape.residual.size
    sums, largest, total = room.sums, room.largest, room.other
    largest[:] = _PERFECT
    for g in range(n_groups):
        share = 1.0 / shape.residual[g]
        for lane in range(LANES):
            sums[g, lane] *= share
            largest[lane] = max(largest[lane], sums[g, lane])
    whole = room.stat  # not needed yet
    whole[:] = 0.0
    for g in range(n_groups):
        size = shape.sizes[g]
        for lane in range(LANES):
            sums[g, lane] = 1.0 / max(sums[g, lane] / largest[lane], FLOOR)
            whole[lane] += size * sums[g, lane]
    total[:] = 0.0
    for g in range(n_groups):
        size, free = shape.sizes[g], 1.0 / shape.residual[g]
        for lane in range(LANES):
            left = 1.0 - size * sums[g, lane] / whole[lane]
            total[lane] += left * left * free
    for lane in range(LANES):
        room.inverse_dof[lane] = shape.single if n_groups == 1 else shape.scale * total[lane]


@compiled
def _v_along_axes(shape: Shape, room: Room) -> None:
    n_groups, k = shape.axes.shape
    variance, inner = room.stat, room.other
    variance[:] = 0.0
    for a in range(k):
        load = shape.loads[a, 0] * shape.loads[a, 0]
        inner[:] = 0.0
        for g in range(n_groups):
            along = shape.axes[g, a]
            for lane in range(LANES):
                inner[lane] += along * room.sums[g, lane]
        for lane in range(LANES):
            variance[lane] += load / inner[lane]
    for lane in range(LANES):
        room.stat[lane] = room.scores[0, lane] / np.sqrt(variance[lane] * room.largest[lane])


@compiled
def _along_axes(shape: Shape, room: Room) -> None:
    """Squared lengths of the scores in the metric of G, where groups have common axes."""
    n_groups, k = shape.axes.shape
    r = shape.loads.shape[1]
    matrices, vectors, square, inner = room.matrices, room.vectors, room.square, room.stat
    matrices[:] = 0.0
    for a in range(k):
        inner[:] = 0.0
        for g in range(n_groups):
            along = shape.axes[g, a]
            for lane in range(LANES):
                inner[lane] += along * room.sums[g, lane]
        for i in range(r):
            for j in range(i + 1):
                load = shape.loads[a, i] * shape.loads[a, j]
                for lane in range(LANES):
                    matrices[i, j, lane] += load / inner[lane]
    _factorise(matrices)
    square[:] = 0.0
    for i in range(r):
        vector = vectors[i]
        for lane in range(LANES):
            vector[lane] = room.scores[i, lane]
        for j in range(i):
            for lane in range(LANES):
                vector[lane] -= matrices[i, j, lane] * vectors[j, lane]
        for lane in range(LANES):
            vector[lane] /= matrices[i, i, lane]
            square[lane] += vector[lane] * vector[lane]


@compiled
def _by_cholesky(shape: Shape, room: Room) -> None:
    """The same, where they have none: the tested part is last in the weighted products' factor."""
    n_groups, k = shape.gram.shape[:2]
    r = shape.loads.shape[1]
    matrices, square, along = room.matrices, room.square, room.vectors[0]
    matrices[:] = 0.0
    for i in range(k):
        for j in range(i + 1):
            entry = matrices[i, j]
            for g in range(n_groups):
                product = shape.gram[g, i, j]
                for lane in range(LANES):
                    entry[lane] += product * room.sums[g, lane]
    _factorise(matrices)
    square[:] = 0.0
    for j in range(r):
        along[:] = 0.0
        for i in range(j, r):
            for lane in range(LANES):
                along[lane] += matrices[k - r + i, k - r + j, lane] * room.scores[i, lane]
        for lane in range(LANES):
            square[lane] += along[lane] * along[lane]


@compiled
def _factorise(matrices: Floats) -> None:
    """Cholesky factors of lower triangles ``(k, k, LANES)``, in place."""
    k = matrices.shape[0]
    for j in range(k):
        pivot = matrices[j, j]
        for c in range(j):
            for lane in range(LANES):
                pivot[lane] -= matrices[j, c, lane] * matrices[j, c, lane]
        for lane in range(LANES):
            pivot[lane] = np.sqrt(max(pivot[lane], _NO_PIVOT))
        for i in range(j + 1, k):
            entry = matrices[i, j]
            for c in range(j):
                for lane in range(LANES):
                    entry[lane] -= matrices[i, c, lane] * matrices[j, c, lane]
            for lane in range(LANES):
                entry[lane] /= pivot[lane]


@compiled
def all_statistics(
    tiles: Floats, moved: Floats, group: Integers, shape: Shape, stat: Floats, inverse_dof: Floats
) -> None:
    """Statistics and reciprocals of dof ``(m,)`` of one shuffle at the locations of the tiles."""
    room = make_room(moved.shape[0], shape)
    for tile in range(tiles.shape[0]):
        tile_statistics(tiles[tile], moved, group, shape, room)
        start = tile * LANES
        for lane in range(min(LANES, stat.size - start)):
            stat[start + lane] = room.stat[lane]
            inverse_dof[start + lane] = room.inverse_dof[lane]
