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
    Tile,
    make_room,
    normalise,
    read_tile,
    score_one,
    take_out,
    take_out_blocks,
)
from specgl.kernels.statistics.protocol import Rows, Signs

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_SINGULAR = 1e-12
"""Share of a score's variance below which what the other scores leave of it is rounding."""


@compiled
def fill_local(local: Local, rows: Rows, signs: Signs, out: NDArray[np.floating]) -> None:
    """Write statistics ``(B, m)`` of shuffles at all locations of a model, kept in `out`'s type.

    Parameters
    ----------
    local
        The model.
    rows, signs
        ``(B, n)`` shuffles; signs may have no rows.
    out
        Written to.
    """
    tile = make_room(local)
    values = np.empty(tile.total.size)
    for start in range(0, local.columns.size, values.size):
        width = min(values.size, local.columns.size - start)
        read_tile(local, start, width, tile)
        for b in range(rows.shape[0]):
            _shuffle(local, tile, rows, signs, b, width, values)
            for v in range(width):
                out[b, start + v] = values[v]


@compiled
def scan_local(
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
    local
        The model.
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
    tile = make_room(local)
    values = np.empty(tile.total.size)
    for start in range(0, local.columns.size, values.size):
        width = min(values.size, local.columns.size - start)
        read_tile(local, start, width, tile)
        for b in range(rows.shape[0]):
            _shuffle(local, tile, rows, signs, b, width, values)
            for v in range(width):
                g, value = group[start + v], values[v]
                maxima[g, b, 0] = max(maxima[g, b, 0], value)
                maxima[g, b, 1] = max(maxima[g, b, 1], -value)
            if totals.size > 0:
                for v in range(width):
                    totals[start + v] += np.int32(reaches(values[v], observed[start + v], direction))


@compiled
def _shuffle(local: Local, tile: Tile, rows: Rows, signs: Signs, b: int, width: int, values: Floats) -> None:
    """Statistics ``(w,)`` of one shuffle at the locations of a tile."""
    for v in range(width):
        tile.kept[v] = tile.total[v] > 0.0
    if local.labels:
        _move_labels(local, tile, rows, signs, b, width)
        if local.scale != KNOWN:
            for i in range(tile.data.shape[0]):
                for v in range(width):
                    tile.rest[i, v] = tile.data[i, v]
    else:
        _move_residuals(tile, rows, signs, b, width)
    if local.scale == KNOWN:
        _by_known(local, tile, width, values)
    elif local.scale < HC0:
        _by_residual(local, tile, width, values)
    else:
        _by_sandwich(local, tile, width, values)
    for v in range(width):
        if not tile.kept[v]:
            values[v] = 0.0


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
    for j in range(tile.moved.shape[0]):
        row = tile.moved[j]
        tile.size[:] = 0.0
        for i in range(rows.shape[1]):
            of = rows[b, i]
            sign = 1.0 if signs.shape[0] == 0 else float(signs[b, i])
            for v in range(width):
                value = sign * tile.along[j, of, v] * tile.weight[i, v]
                row[i, v] = value
                tile.size[v] += value * value
        for _ in range(2):
            take_out_blocks(local, width, tile, row)
            take_out(tile.nuisance, tile.nuisance.shape[0], row, tile.by_nuisance, width)
            take_out(tile.moved, j, row, tile.by_tested, width)
        normalise(row, tile.size, width)
        for v in range(width):
            tile.kept[v] &= tile.size[v] > 0.0


@compiled
def _score(local: Local, tile: Tile, width: int) -> None:
    """Scores of the tested part: on moved residuals, or of moved labels on the data as they are."""
    for j in range(tile.tested.shape[0]):
        if local.labels:
            score_one(tile.moved, j, tile.data, tile.by_tested, width)
        else:
            score_one(tile.tested, j, tile.rest, tile.by_tested, width)


@compiled
def _by_known(local: Local, tile: Tile, width: int, values: Floats) -> None:
    """Weights are the reciprocals of variances: scores have a variance of 1."""
    _score(local, tile, width)
    _explained(tile, width, values)
    for v in range(width):
        values[v] = tile.by_tested[0, v] if local.signed else values[v] / tile.by_tested.shape[0]


@compiled
def _explained(tile: Tile, width: int, values: Floats) -> None:
    """Sum of the squared scores ``(w,)``."""
    for v in range(width):
        values[v] = 0.0
    for j in range(tile.by_tested.shape[0]):
        for v in range(width):
            values[v] += tile.by_tested[j, v] * tile.by_tested[j, v]


@compiled
def _by_residual(local: Local, tile: Tile, width: int, values: Floats) -> None:
    """The variance is estimated from the residual sum of squares, as a difference where that is safe."""
    left, close = tile.size, False
    _score(local, tile, width)
    _explained(tile, width, values)
    for v in range(width):
        left[v] = tile.total[v] - values[v]
    if not local.labels:  # where labels move, the data are without their nuisance
        _less_nuisance(local, tile, width, left)
    for v in range(width):
        close |= left[v] < CLOSE * tile.total[v]
    if close:
        _by_residuals_themselves(local, tile, width, left)
        _explained(tile, width, values)
    r = tile.by_tested.shape[0]
    for v in range(width):
        dof = tile.present[v] - tile.rank[v]
        denominator = max(left[v], PERFECT * tile.total[v])
        if local.signed:
            values[v] = tile.by_tested[0, v] * np.sqrt(dof / denominator)
        else:
            values[v] = values[v] / r * (dof / denominator)


@compiled
def _less_nuisance(local: Local, tile: Tile, width: int, left: Floats) -> None:
    """Take from sums of squares ``(w,)`` what moved nuisance fits of the moved residuals `rest`."""
    if local.n_blocks > 0:
        tile.by_block[:] = 0.0
        for i in range(tile.rest.shape[0]):
            for v in range(width):
                tile.by_block[local.blocks[i], v] += tile.dummies[i, v] * tile.rest[i, v]
        for block in range(local.n_blocks):
            for v in range(width):
                left[v] -= tile.by_block[block, v] * tile.by_block[block, v]
    for c in range(tile.nuisance.shape[0]):
        score_one(tile.nuisance, c, tile.rest, tile.by_nuisance, width)
        for v in range(width):
            left[v] -= tile.by_nuisance[c, v] * tile.by_nuisance[c, v]


@compiled
def _by_residuals_themselves(local: Local, tile: Tile, width: int, left: Floats) -> None:
    """Sums of squared residuals where little is left as a difference; the others stay as they are."""
    scores = tile.by_tested.copy()
    tested = tile.moved if local.labels else tile.tested
    _leave_residuals(local, tile, tested, width)
    for v in range(width):
        if left[v] < CLOSE * tile.total[v]:
            left[v] = 0.0
            for i in range(tile.rest.shape[0]):
                left[v] += tile.rest[i, v] * tile.rest[i, v]
            _forget_nothing(tile, v, left[v])
        else:
            for j in range(scores.shape[0]):
                tile.by_tested[j, v] = scores[j, v]


@compiled
def _leave_residuals(local: Local, tile: Tile, tested: Floats, width: int) -> None:
    """Leave in `rest` the residuals of the whole model, and in `by_tested` the scores."""
    if not local.labels:
        take_out_blocks(local, width, tile, tile.rest)
        take_out(tile.nuisance, tile.nuisance.shape[0], tile.rest, tile.by_nuisance, width)
    take_out(tested, tested.shape[0], tile.rest, tile.by_tested, width)


@compiled
def _forget_nothing(tile: Tile, v: int, left: float) -> None:
    """Give up a location where moved nuisance fits the moved data: what is tested there is rounding."""
    whole = left
    for j in range(tile.by_tested.shape[0]):
        whole += tile.by_tested[j, v] * tile.by_tested[j, v]
    if whole <= NOTHING * tile.total[v]:
        tile.kept[v] = False


@compiled
def _by_sandwich(local: Local, tile: Tile, width: int, values: Floats) -> None:
    """Each squared residual of the whole model stands for its observation's variance (White 1980).

    doi:10.2307/1912934. With scores s and M = sum of x x' times factors times squared residuals, F is
    s' M^-1 s over the number of scores, and t the score over the root of M.
    """
    r = tile.tested.shape[0]
    _leave_residuals(local, tile, tile.tested, width)
    for v in range(width):
        values[v] = 0.0
    for i in range(tile.rest.shape[0]):
        for v in range(width):
            square = tile.rest[i, v] * tile.rest[i, v]
            values[v] += square
            tile.rest[i, v] = square * tile.factors[i, v]
    for v in range(width):
        _forget_nothing(tile, v, values[v])
    for j in range(r):
        for k in range(j + 1):
            for v in range(width):
                tile.meat[j, k, v] = 0.0
            for i in range(tile.rest.shape[0]):
                for v in range(width):
                    tile.meat[j, k, v] += tile.tested[j, i, v] * tile.tested[k, i, v] * tile.rest[i, v]
    for v in range(width):
        total = _studentise(tile, v)
        values[v] = tile.by_tested[0, v] if local.signed else total / r


@compiled
def _studentise(tile: Tile, v: int) -> float:
    """Divide the scores of one location by the Cholesky factor of M; their squared length is s' M^-1 s.

    It is 0 where M is singular, as with fewer residuals than scores.
    """
    meat, scores = tile.meat, tile.by_tested
    total = 0.0
    for j in range(scores.shape[0]):
        rest, diagonal = scores[j, v], meat[j, j, v]
        pivot = diagonal
        for k in range(j):
            for other in range(k):
                meat[j, k, v] -= meat[j, other, v] * meat[k, other, v]
            meat[j, k, v] /= meat[k, k, v]
            pivot -= meat[j, k, v] * meat[j, k, v]
            rest -= meat[j, k, v] * scores[k, v]
        if j > 0 and not pivot > _SINGULAR * diagonal:
            return 0.0
        meat[j, j, v] = np.sqrt(max(pivot, PERFECT * tile.total[v]))
        scores[j, v] = rest / meat[j, j, v]
        total += scores[j, v] * scores[j, v]
    return total
