"""Shuffles of a model that differs among locations: a tile at a time, one shuffle after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.statistics.exact import CLOSE, NOTHING, PERFECT, reaches
from specgl.kernels.statistics.local_kernels import (
    HC0,
    KNOWN,
    Local,
    Readings,
    Tile,
    make_orthonormal,
    make_room,
    prepare_tile,
    read_tile,
    score,
    take_out,
)
from specgl.kernels.statistics.protocol import Rows, Signs

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_SINGULAR = 1e-12
"""Share of a score's variance below which what the other scores leave of it is rounding."""


@compiled
def fill_local(readings: Readings, local: Local, rows: Rows, signs: Signs, out: NDArray[np.floating]) -> None:
    """Write statistics ``(B, m)`` of shuffles at all locations that are read, kept in `out`'s type.

    Parameters
    ----------
    readings, local
        The data and the model.
    rows, signs
        ``(B, n)`` shuffles; signs may have no rows.
    out
        Written to.
    """
    tile = make_room(local, readings.columns.size)
    values = np.empty((rows.shape[0], tile.total.size))
    for start in range(0, readings.columns.size, values.shape[1]):
        width = min(values.shape[1], readings.columns.size - start)
        read_tile(readings, local, start, width, tile)
        shuffle_tile(local, tile, rows, signs, width, values)
        for b in range(rows.shape[0]):
            for v in range(width):
                out[b, start + v] = values[b, v]


@compiled
def scan_local(
    readings: Readings,
    local: Local,
    rows: Rows,
    signs: Signs,
    group: Integers,
    observed: Floats,
    direction: int,
    maxima: Floats,
    totals: NDArray[np.int32],
) -> None:
    """Maxima of statistics and of their negatives, and counts.

    Parameters
    ----------
    readings, local
        The data and the model.
    rows, signs
        ``(B, n)`` shuffles; signs may have no rows.
    group
        ``(m,)`` group of each location: those of one number of degrees of freedom.
    observed, direction
        ``(m,)`` what a count is compared with, and its direction.
    maxima
        ``(n_groups, B, 2)``, updated.
    totals
        ``(m,)`` counts, added to; without elements where nothing is counted.
    """
    tile = make_room(local, readings.columns.size)
    values = np.empty((rows.shape[0], tile.total.size))
    for start in range(0, readings.columns.size, values.shape[1]):
        width = min(values.shape[1], readings.columns.size - start)
        read_tile(readings, local, start, width, tile)
        shuffle_tile(local, tile, rows, signs, width, values)
        for b in range(rows.shape[0]):
            for v in range(width):
                g, value = group[start + v], values[b, v]
                maxima[g, b, 0] = max(maxima[g, b, 0], value)
                maxima[g, b, 1] = max(maxima[g, b, 1], -value)
            if totals.size > 0:
                for v in range(width):
                    totals[start + v] += np.int32(reaches(values[b, v], observed[start + v], direction))


@compiled
def shuffle_tile(local: Local, tile: Tile, rows: Rows, signs: Signs, width: int, values: Floats) -> None:
    """Statistics ``(B, w)`` of shuffles at the locations of a tile that was read."""
    prepare_tile(local, width, tile)
    for b in range(rows.shape[0]):
        for v in range(width):
            tile.kept[v] = tile.total[v] > 0.0
        if local.labels:
            _move_labels(local, tile, rows, signs, b, width)
        else:
            _move_residuals(tile, rows, signs, b, width)
        if local.scale < HC0:
            _by_one_variance(local, tile, width, values[b])
        else:
            _by_sandwich(local, tile, width, values[b])
        for v in range(width):
            if not tile.kept[v]:
                values[b, v] = 0.0


@compiled
def _move_residuals(tile: Tile, rows: Rows, signs: Signs, b: int, width: int) -> None:
    """The data as the transpose of a shuffle moves them: the model's rows would move the other way."""
    for i in range(rows.shape[1]):
        to = rows[b, i]
        sign = 1.0 if signs.shape[0] == 0 else float(signs[b, i])
        for v in range(width):
            tile.rest[to, v] = sign * tile.data[i, v]


@compiled
def _move_labels(local: Local, tile: Tile, rows: Rows, signs: Signs, b: int, width: int) -> None:
    """The moved tested part, whitened by each place's own weights, orthonormal beside the nuisance."""
    for j in range(tile.along.shape[0]):
        tile.size[:] = 0.0
        for i in range(rows.shape[1]):
            of = rows[b, i]
            sign = 1.0 if signs.shape[0] == 0 else float(signs[b, i])
            for v in range(width):
                value = sign * tile.along[j, of, v] * tile.weight[i, v]
                tile.basis[local.q + j, i, v] = value
                tile.size[v] += value * value
        make_orthonormal(local, local.q + j, width, tile)
        for v in range(width):
            tile.kept[v] &= tile.size[v] > 0.0
    for i in range(tile.data.shape[0]):
        for v in range(width):
            tile.rest[i, v] = tile.data[i, v]


@compiled
def _by_one_variance(local: Local, tile: Tile, width: int, values: Floats) -> None:
    """Weights are reciprocals of variances, or of what is proportional to them.

    Where the factor is estimated, the residual sum of squares is a difference where that is safe.
    """
    r = tile.basis.shape[0] - local.q
    left, close = tile.size, False
    for c in range(local.q, local.q + r):
        score(tile, c, tile.rest, width)
    if local.scale != KNOWN:
        _subtract(local, tile, width, left)
        for v in range(width):
            close |= left[v] < CLOSE * tile.total[v]
        if close:
            _sum_residuals(local, tile, width, left)
    for v in range(width):
        factor = 1.0
        if local.scale != KNOWN:
            factor = (tile.present[v] - tile.rank[v]) / max(left[v], PERFECT * tile.total[v])
        if local.signed:
            values[v] = tile.scores[local.q, v] * np.sqrt(factor)
        else:
            values[v] = _explained(local, tile, v) / r * factor


@compiled
def _explained(local: Local, tile: Tile, v: int) -> float:
    """Sum of a location's squared scores."""
    total = 0.0
    for c in range(local.q, tile.basis.shape[0]):
        total += tile.scores[c, v] * tile.scores[c, v]
    return total


@compiled
def _subtract(local: Local, tile: Tile, width: int, left: Floats) -> None:
    """Residual sums of squares ``(w,)``: those of the data less what moved nuisance and tested part fit.

    Where labels move, the data are without their nuisance.
    """
    for v in range(width):
        left[v] = tile.total[v] - _explained(local, tile, v)
    if local.labels:
        return
    if local.n_blocks > 0:
        tile.by_block[:] = 0.0
        for i in range(tile.rest.shape[0]):
            for v in range(width):
                tile.by_block[local.blocks[i], v] += tile.dummies[i, v] * tile.rest[i, v]
        for block in range(local.n_blocks):
            for v in range(width):
                left[v] -= tile.by_block[block, v] * tile.by_block[block, v]
    for c in range(local.q):
        score(tile, c, tile.rest, width)
        for v in range(width):
            left[v] -= tile.scores[c, v] * tile.scores[c, v]


@compiled
def _sum_residuals(local: Local, tile: Tile, width: int, left: Floats) -> None:
    """Sums of squared residuals where little is left as a difference; the others stay as they are."""
    scores = tile.scores.copy()
    take_out(local, tile.basis.shape[0], tile.rest, width, tile)
    for v in range(width):
        if left[v] < CLOSE * tile.total[v]:
            left[v] = 0.0
            for i in range(tile.rest.shape[0]):
                left[v] += tile.rest[i, v] * tile.rest[i, v]
            _forget_nothing(local, tile, v, left[v])
        else:
            for c in range(local.q, tile.basis.shape[0]):
                tile.scores[c, v] = scores[c, v]


@compiled
def _forget_nothing(local: Local, tile: Tile, v: int, left: float) -> None:
    """Give up a location where moved nuisance fits the moved data: what is tested there is rounding."""
    if left + _explained(local, tile, v) <= NOTHING * tile.total[v]:
        tile.kept[v] = False


@compiled
def _by_sandwich(local: Local, tile: Tile, width: int, values: Floats) -> None:
    """Each squared residual of the whole model stands for its observation's variance (White 1980).

    doi:10.2307/1912934. With scores s and M = sum of x x' times factors times squared residuals, F is
    s' M^-1 s over the number of scores, and t the score over the root of M.
    """
    q, r = local.q, tile.basis.shape[0] - local.q
    left = tile.size
    left[:] = 0.0
    take_out(local, q + r, tile.rest, width, tile)
    for i in range(tile.rest.shape[0]):
        for v in range(width):
            square = tile.rest[i, v] * tile.rest[i, v]
            left[v] += square
            tile.rest[i, v] = square * tile.factors[i, v]
    tile.meat[:] = 0.0
    for j in range(r):
        for k in range(j + 1):
            for i in range(tile.rest.shape[0]):
                for v in range(width):
                    tile.meat[j, k, v] += tile.basis[q + j, i, v] * tile.basis[q + k, i, v] * tile.rest[i, v]
    for v in range(width):
        _forget_nothing(local, tile, v, left[v])
        total = _studentise(local, tile, v)
        values[v] = tile.scores[q, v] if local.signed else total / r


@compiled
def _studentise(local: Local, tile: Tile, v: int) -> float:
    """Divide the scores of one location by the Cholesky factor of M; their squared length is s' M^-1 s.

    It is 0 where M is singular, as with fewer residuals than scores.
    """
    meat, q = tile.meat, local.q
    total = 0.0
    for j in range(meat.shape[0]):
        rest, diagonal = tile.scores[q + j, v], meat[j, j, v]
        pivot = diagonal
        for k in range(j):
            for other in range(k):
                meat[j, k, v] -= meat[j, other, v] * meat[k, other, v]
            meat[j, k, v] /= meat[k, k, v]
            pivot -= meat[j, k, v] * meat[j, k, v]
            rest -= meat[j, k, v] * tile.scores[q + k, v]
        if j > 0 and not pivot > _SINGULAR * diagonal:
            return 0.0
        meat[j, j, v] = np.sqrt(max(pivot, PERFECT * tile.total[v]))
        tile.scores[q + j, v] = rest / meat[j, j, v]
        total += tile.scores[q + j, v] * tile.scores[q + j, v]
    return total
