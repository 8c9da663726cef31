"""A tile of locations, each with columns, weights and a nuisance of its own, made ready for shuffles.

Nothing of it is kept: data, variances and covariates are read again by every call, and whitened, made
orthogonal and measured in float64. All loops run over the locations of a tile inside, each of which has its
sums in the order of its observations: how a tile is cut changes no bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.rank import RANK_TOLERANCE
from specgl.kernels.statistics.tiles import ROUNDING

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

KNOWN, RESIDUAL, HC0, HC1, HC2, HC3, HC4 = range(7)
"""How scores become statistics, as the kernels read it."""

WIDTH = 64
"""Locations of a tile at most."""

_CELLS = 8192  # observations times locations of a tile: 64 KiB of each array


class Local(NamedTuple):
    """A model that differs among locations. Read by compiled functions.

    Attributes
    ----------
    data
        ``(n_data, n_loc)`` as given; values that are not finite are missing.
    row_of
        ``(n,)`` row of `data`, `variances` and `covariates` of each observation.
    columns
        ``(m,)`` column of each location.
    matrix
        ``(n, p)`` design, multipliers of the covariates included.
    covariates, used
        ``(c, n_data, n_loc)`` covariates, and ``(p, c)`` which of them multiply a column; none is an array
        without elements.
    variances, tau2, groups
        ``(n_data, n_loc)`` variances, ``(G, n_loc)`` what is added to them, ``(n,)`` whose of the ``G``; none
        is an array without rows.
    blocks, n_blocks
        ``(n,)`` codes from 0 on, and the number of blocks whose means are nuisance.
    tested, nuisance
        ``(p, r)`` and ``(p, q)`` coefficients of the tested part and of the nuisance.
    scale
        One of the constants above.
    labels
        Whether labels move, or residuals.
    signed
        Whether the statistic is a t.
    """

    data: NDArray[np.floating]
    row_of: Integers
    columns: Integers
    matrix: Floats
    covariates: NDArray[np.floating]
    used: NDArray[np.bool_]
    variances: NDArray[np.floating]
    tau2: Floats
    groups: Integers
    blocks: Integers
    n_blocks: int
    tested: Floats
    nuisance: Floats
    scale: int
    labels: bool
    signed: bool


class Tile(NamedTuple):
    """A tile of ``w`` locations, and room to shuffle it.

    Attributes
    ----------
    weight
        ``(n, w)`` roots of the weights, 0 where a value is missing.
    data
        ``(n, w)`` whitened data without their nuisance.
    total
        ``(w,)`` their squared lengths; 0 where that is rounding, or where the contrast is lost.
    columns, lengths
        ``(p, n, w)`` whitened columns of the model, and their squared lengths ``(p, w)``.
    dummies
        ``(n, w)`` whitened block dummies of length 1: each observation's entry in its own block's.
    nuisance, tested
        ``(q, n, w)`` and ``(r, n, w)`` orthonormal together and beside the dummies; zero past their rank.
    along
        ``(r, n, w)`` the tested part as it is, not whitened, where labels move.
    factors
        ``(n, w)`` of squared residuals, for HC scales.
    present, rank
        ``(w,)`` observations, and rank of the model.
    moved, rest, size, kept
        Room: ``(r, n, w)``, ``(n, w)``, ``(w,)``, ``(w,)``.
    by_block, by_nuisance, by_tested, meat
        Room for scores: ``(n_blocks, w)``, ``(q, w)``, ``(r, w)``, and ``(r, r, w)``.
    """

    weight: Floats
    data: Floats
    total: Floats
    columns: Floats
    lengths: Floats
    dummies: Floats
    nuisance: Floats
    tested: Floats
    along: Floats
    factors: Floats
    present: Floats
    rank: Floats
    moved: Floats
    rest: Floats
    size: Floats
    kept: NDArray[np.bool_]
    by_block: Floats
    by_nuisance: Floats
    by_tested: Floats
    meat: Floats


@compiled
def make_room(local: Local) -> Tile:
    """An empty tile, as wide as suits the number of observations."""
    n, p = local.matrix.shape
    r, q = local.tested.shape[1], local.nuisance.shape[1]
    w = min(WIDTH, max(8, _CELLS // n), max(1, local.columns.size))
    return Tile(
        np.zeros((n, w)),
        np.zeros((n, w)),
        np.zeros(w),
        np.zeros((p, n, w)),
        np.zeros((p, w)),
        np.zeros((n, w)),
        np.zeros((q, n, w)),
        np.zeros((r, n, w)),
        np.zeros((r if local.labels else 0, n, w)),
        np.zeros((n, w)),
        np.zeros(w),
        np.zeros(w),
        np.zeros((r, n, w)),
        np.zeros((n, w)),
        np.zeros(w),
        np.zeros(w, dtype=np.bool_),
        np.zeros((local.n_blocks, w)),
        np.zeros((q, w)),
        np.zeros((r, w)),
        np.zeros((r, r, w)),
    )


@compiled
def read_tile(local: Local, start: int, width: int, tile: Tile) -> None:
    """Read the locations from `start` on, whiten them and find their bases."""
    _read_data(local, start, width, tile)
    _read_columns(local, start, width, tile)
    if local.n_blocks > 0:
        _make_dummies(local, width, tile)
    for v in range(width):
        tile.kept[v] = True
    _make_bases(local, width, tile)
    if local.labels:
        _read_along(local, start, width, tile)
    _take_out_nuisance(local, width, tile)
    if local.scale >= HC0:
        _make_factors(local, width, tile)


@compiled
def _read_data(local: Local, start: int, width: int, tile: Tile) -> None:
    """Roots of the weights, and whitened data with the nuisance still in them."""
    tile.present[:] = 0.0
    weighted, spread = local.variances.shape[0] > 0, local.tau2.shape[0] > 0
    for i in range(local.row_of.size):
        row = local.row_of[i]
        for v in range(width):
            column = local.columns[start + v]
            value, weight = float(local.data[row, column]), 1.0
            if not np.isfinite(value):
                value, weight = 0.0, 0.0
            elif weighted:
                variance = float(local.variances[row, column])
                if spread:
                    variance += local.tau2[local.groups[i], column]
                weight = np.sqrt(1.0 / variance)
            tile.weight[i, v] = weight
            tile.data[i, v] = weight * value
            tile.present[v] += 1.0 if weight > 0.0 else 0.0


@compiled
def _read_columns(local: Local, start: int, width: int, tile: Tile) -> None:
    """Whitened columns of the model, and their squared lengths."""
    n, p = local.matrix.shape
    tile.lengths[:] = 0.0
    for j in range(p):
        for i in range(n):
            for v in range(width):
                tile.columns[j, i, v] = tile.weight[i, v] * local.matrix[i, j]
            for c in range(local.covariates.shape[0]):
                if local.used[j, c]:
                    for v in range(width):
                        # What stands where a value is missing is not looked at.
                        if tile.weight[i, v] > 0.0:
                            tile.columns[j, i, v] *= local.covariates[
                                c, local.row_of[i], local.columns[start + v]
                            ]
            for v in range(width):
                tile.lengths[j, v] += tile.columns[j, i, v] * tile.columns[j, i, v]


@compiled
def _make_dummies(local: Local, width: int, tile: Tile) -> None:
    sizes = tile.by_block
    sizes[:] = 0.0
    for i in range(local.blocks.size):
        for v in range(width):
            sizes[local.blocks[i], v] += tile.weight[i, v] * tile.weight[i, v]
    for i in range(local.blocks.size):
        for v in range(width):
            size = sizes[local.blocks[i], v]
            tile.dummies[i, v] = tile.weight[i, v] / np.sqrt(size) if size > 0.0 else 0.0


@compiled
def _make_bases(local: Local, width: int, tile: Tile) -> None:
    """Orthonormal nuisance, then tested part, by Gram-Schmidt, twice; `kept` falls where one is lost.

    A remainder is nothing beside the lengths of what was combined, not beside the combination's own: where
    columns depend on one another, a combination of them may be rounding throughout.
    """
    for v in range(width):
        tile.rank[v] = 0.0
        for block in range(local.n_blocks):
            tile.rank[v] += 1.0 if tile.by_block[block, v] > 0.0 else 0.0
    for c in range(local.nuisance.shape[1]):
        row = tile.nuisance[c]
        _combine(local.nuisance, c, width, tile, row)
        for _ in range(2):
            take_out_blocks(local, width, tile, row)
            take_out(tile.nuisance, c, row, tile.by_nuisance, width)
        normalise(row, tile.size, width)
        for v in range(width):
            tile.rank[v] += 1.0 if tile.size[v] > 0.0 else 0.0
    for j in range(local.tested.shape[1]):
        row = tile.tested[j]
        _combine(local.tested, j, width, tile, row)
        for _ in range(2):
            take_out_blocks(local, width, tile, row)
            take_out(tile.nuisance, tile.nuisance.shape[0], row, tile.by_nuisance, width)
            take_out(tile.tested, j, row, tile.by_tested, width)
        normalise(row, tile.size, width)
        for v in range(width):
            tile.rank[v] += 1.0 if tile.size[v] > 0.0 else 0.0
            tile.kept[v] &= tile.size[v] > 0.0


@compiled
def _combine(coefficients: Floats, which: int, width: int, tile: Tile, row: Floats) -> None:
    """A combination of the columns, and in `size` the squared length of what was combined."""
    tile.size[:] = 0.0
    row[:] = 0.0
    for j in range(coefficients.shape[0]):
        factor = coefficients[j, which]
        if factor == 0.0:
            continue
        for v in range(width):
            tile.size[v] += factor * factor * tile.lengths[j, v]
        for i in range(row.shape[0]):
            for v in range(width):
                row[i, v] += factor * tile.columns[j, i, v]


@compiled
def _read_along(local: Local, start: int, width: int, tile: Tile) -> None:
    """The tested part as labels carry it: a row's own, whatever the weight of the place that it comes to."""
    tile.along[:] = 0.0
    for j in range(local.tested.shape[1]):
        for k in range(local.matrix.shape[1]):
            if local.tested[k, j] == 0.0:
                continue
            for i in range(local.matrix.shape[0]):
                part = local.tested[k, j] * local.matrix[i, k]
                for v in range(width):
                    value = part
                    for c in range(local.covariates.shape[0]):
                        if local.used[k, c]:
                            value *= local.covariates[c, local.row_of[i], local.columns[start + v]]
                    tile.along[j, i, v] += value


@compiled
def _take_out_nuisance(local: Local, width: int, tile: Tile) -> None:
    """Take the nuisance out of the whitened data and measure what is left."""
    raw = tile.size
    raw[:] = 0.0
    tile.total[:] = 0.0
    for i in range(tile.data.shape[0]):
        for v in range(width):
            raw[v] += tile.data[i, v] * tile.data[i, v]
    for _ in range(2):  # what rounding leaves of a large nuisance goes the second time
        take_out_blocks(local, width, tile, tile.data)
        take_out(tile.nuisance, tile.nuisance.shape[0], tile.data, tile.by_nuisance, width)
    for i in range(tile.data.shape[0]):
        for v in range(width):
            tile.total[v] += tile.data[i, v] * tile.data[i, v]
    for v in range(width):
        if not tile.kept[v] or tile.total[v] <= ROUNDING * ROUNDING * raw[v]:
            tile.total[v] = 0.0


@compiled
def _make_factors(local: Local, width: int, tile: Tile) -> None:
    """Factors of squared residuals from the model's leverages (MacKinnon and White 1985; Cribari-Neto 2004).

    doi:10.1016/0304-4076(85)90158-7 and doi:10.1016/S0167-9473(02)00366-3. An observation of leverage 1 has
    no residual, and a factor of 0.
    """
    for i in range(tile.data.shape[0]):
        for v in range(width):
            leverage = tile.dummies[i, v] * tile.dummies[i, v]
            for c in range(tile.nuisance.shape[0]):
                leverage += tile.nuisance[c, i, v] * tile.nuisance[c, i, v]
            for j in range(tile.tested.shape[0]):
                leverage += tile.tested[j, i, v] * tile.tested[j, i, v]
            left = 1.0 - leverage
            factor = 1.0
            if local.scale == HC1:
                factor = tile.present[v] / (tile.present[v] - tile.rank[v])
            elif local.scale > HC1 and left <= RANK_TOLERANCE:
                factor = 0.0
            elif local.scale == HC2:
                factor = 1.0 / left
            elif local.scale == HC3:
                factor = 1.0 / (left * left)
            elif local.scale == HC4:
                factor = left ** -min(4.0, leverage * tile.present[v] / tile.rank[v])
            tile.factors[i, v] = factor


@compiled
def take_out_blocks(local: Local, width: int, tile: Tile, row: Floats) -> None:
    """Make ``row (n, w)`` orthogonal to the block dummies, in place; their scores are left in `by_block`."""
    if local.n_blocks == 0:
        return
    tile.by_block[:] = 0.0
    for i in range(row.shape[0]):
        for v in range(width):
            tile.by_block[local.blocks[i], v] += tile.dummies[i, v] * row[i, v]
    for i in range(row.shape[0]):
        for v in range(width):
            row[i, v] -= tile.by_block[local.blocks[i], v] * tile.dummies[i, v]


@compiled
def take_out(basis: Floats, first: int, row: Floats, scores: Floats, width: int) -> None:
    """Make ``row (n, w)`` orthogonal to the first rows of a basis ``(k, n, w)``, in place."""
    for c in range(first):
        score_one(basis, c, row, scores, width)
        for i in range(row.shape[0]):
            for v in range(width):
                row[i, v] -= scores[c, v] * basis[c, i, v]


@compiled
def score_one(basis: Floats, c: int, row: Floats, scores: Floats, width: int) -> None:
    """Scores ``(w,)`` of ``row (n, w)`` on one row of a basis ``(k, n, w)``."""
    for v in range(width):
        scores[c, v] = 0.0
    for i in range(row.shape[0]):
        for v in range(width):
            scores[c, v] += basis[c, i, v] * row[i, v]


@compiled
def normalise(row: Floats, size: Floats, width: int) -> None:
    """Bring ``row (n, w)`` to length 1, or to 0 where it is nothing beside squared lengths `size`.

    What it had is left in `size`: its squared length, 0 where it was nothing.
    """
    for v in range(width):
        after = 0.0
        for i in range(row.shape[0]):
            after += row[i, v] * row[i, v]
        lost = not after > RANK_TOLERANCE * RANK_TOLERANCE * size[v]
        size[v] = 0.0 if lost else after
        scale = 0.0 if lost else np.sqrt(after)
        for i in range(row.shape[0]):
            row[i, v] = row[i, v] / scale if scale > 0.0 else 0.0
