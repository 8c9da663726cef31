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


class Readings(NamedTuple):
    """What is read anew of each location. Read by compiled functions.

    Attributes
    ----------
    data
        ``(n_data, n_loc)`` as given; values that are not finite are missing.
    variances
        ``(n_data, n_loc)``; without rows where weights are 1.
    covariates
        ``(c, n_data, n_loc)``; none is an array without elements.
    row_of
        ``(n,)`` row of all three of each observation.
    columns
        ``(m,)`` column of each location.
    """

    data: NDArray[np.floating]
    variances: NDArray[np.floating]
    covariates: NDArray[np.floating]
    row_of: Integers
    columns: Integers


class Local(NamedTuple):
    """A model that differs among locations. Read by compiled functions.

    Attributes
    ----------
    matrix
        ``(n, p)`` design, multipliers of the covariates included.
    used
        ``(p, c)`` which covariates multiply a column.
    tau2, groups
        ``(G, n_loc)`` what is added to variances, ``(n,)`` whose of the ``G``; none is an array without rows.
    blocks, n_blocks
        ``(n,)`` codes from 0 on, and the number of blocks whose means are nuisance.
    coefficients, q
        ``(p, q + r)``: those of the nuisance, then those of the tested part; and how many are nuisance.
    scale
        One of the constants above.
    labels
        Whether labels move, or residuals.
    signed
        Whether the statistic is a t.
    """

    matrix: Floats
    used: NDArray[np.bool_]
    tau2: Floats
    groups: Integers
    blocks: Integers
    n_blocks: int
    coefficients: Floats
    q: int
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
    basis
        ``(q + r, n, w)`` nuisance, then tested part, orthonormal together and beside the dummies; a nuisance
        past its rank is zero. Where labels move, the tested part is the moved one.
    along
        ``(r, n, w)`` the tested part as it is, not whitened, where labels move.
    factors
        ``(n, w)`` of squared residuals, for HC scales.
    present, rank
        ``(w,)`` observations, and rank of the model.
    rest, size, kept
        Room: ``(n, w)``, ``(w,)``, ``(w,)``.
    by_block, scores, meat
        Room for scores: ``(n_blocks, w)``, ``(q + r, w)``, and ``(r, r, w)``.
    """

    weight: Floats
    data: Floats
    total: Floats
    columns: Floats
    lengths: Floats
    dummies: Floats
    basis: Floats
    along: Floats
    factors: Floats
    present: Floats
    rank: Floats
    rest: Floats
    size: Floats
    kept: NDArray[np.bool_]
    by_block: Floats
    scores: Floats
    meat: Floats


@compiled
def make_room(local: Local, n_places: int) -> Tile:
    """An empty tile, as wide as suits the number of observations and of locations."""
    n, p = local.matrix.shape
    k = local.coefficients.shape[1]
    r = k - local.q
    w = min(WIDTH, max(8, _CELLS // n), max(1, n_places))
    # In the order of the fields: more names than the compiler takes in a call.
    return Tile(
        np.zeros((n, w)),
        np.zeros((n, w)),
        np.zeros(w),
        np.zeros((p, n, w)),
        np.zeros((p, w)),
        np.zeros((n, w)),
        np.zeros((k, n, w)),
        np.zeros((r if local.labels else 0, n, w)),
        np.zeros((n, w)),
        np.zeros(w),
        np.zeros(w),
        np.zeros((n, w)),
        np.zeros(w),
        np.zeros(w, dtype=np.bool_),
        np.zeros((local.n_blocks, w)),
        np.zeros((k, w)),
        np.zeros((r, r, w)),
    )


@compiled
def read_tile(readings: Readings, local: Local, start: int, width: int, tile: Tile) -> None:
    """Read the locations from `start` on, whitened: data, columns, and what labels carry."""
    tile.present[:] = 0.0
    weighted, spread = readings.variances.shape[0] > 0, local.tau2.shape[0] > 0
    for i in range(readings.row_of.size):
        row = readings.row_of[i]
        for v in range(width):
            column = readings.columns[start + v]
            value, weight = float(readings.data[row, column]), 1.0
            if not np.isfinite(value):
                value, weight = 0.0, 0.0
            elif weighted:
                variance = float(readings.variances[row, column])
                if spread:
                    variance += local.tau2[local.groups[i], column]
                weight = np.sqrt(1.0 / variance)
            tile.weight[i, v] = weight
            tile.data[i, v] = weight * value
            tile.present[v] += 1.0 if weight > 0.0 else 0.0
    tile.along[:] = 0.0
    for j in range(local.matrix.shape[1]):
        _read_column(readings, local, start, width, tile, j)


@compiled
def _read_column(readings: Readings, local: Local, start: int, width: int, tile: Tile, j: int) -> None:
    """One column of the model, whitened, and its share of what labels carry: a row's own, not whitened."""
    for v in range(width):
        tile.lengths[j, v] = 0.0
    for i in range(local.matrix.shape[0]):
        row = readings.row_of[i]
        for v in range(width):
            value = local.matrix[i, j]
            for c in range(readings.covariates.shape[0]):
                if local.used[j, c]:
                    value *= float(readings.covariates[c, row, readings.columns[start + v]])
            for k in range(tile.along.shape[0]):
                factor = local.coefficients[j, local.q + k]
                if factor != 0.0:
                    tile.along[k, i, v] += factor * value
            # What stands where a value is missing is not looked at.
            value = tile.weight[i, v] * value if tile.weight[i, v] > 0.0 else 0.0
            tile.columns[j, i, v] = value
            tile.lengths[j, v] += value * value


@compiled
def prepare_tile(local: Local, width: int, tile: Tile) -> None:
    """Find the bases of a tile that was read, and take the nuisance out of its data."""
    if local.n_blocks > 0:
        _make_dummies(local, width, tile)
    for v in range(width):
        tile.kept[v] = True
        tile.rank[v] = 0.0
        for block in range(local.n_blocks):
            tile.rank[v] += 1.0 if tile.by_block[block, v] > 0.0 else 0.0
    for k in range(tile.basis.shape[0]):
        _combine(local.coefficients, k, width, tile)
        make_orthonormal(local, k, width, tile)
        for v in range(width):
            tile.rank[v] += 1.0 if tile.size[v] > 0.0 else 0.0
            tile.kept[v] &= k < local.q or tile.size[v] > 0.0
    _take_out_nuisance(local, width, tile)
    if local.scale >= HC0:
        _make_factors(local, width, tile)


@compiled
def _make_dummies(local: Local, width: int, tile: Tile) -> None:
    """Dummies of length 1; their squared lengths before are left in `by_block`."""
    tile.by_block[:] = 0.0
    for i in range(local.blocks.size):
        for v in range(width):
            tile.by_block[local.blocks[i], v] += tile.weight[i, v] * tile.weight[i, v]
    for i in range(local.blocks.size):
        for v in range(width):
            size = tile.by_block[local.blocks[i], v]
            tile.dummies[i, v] = tile.weight[i, v] / np.sqrt(size) if size > 0.0 else 0.0


@compiled
def _combine(coefficients: Floats, k: int, width: int, tile: Tile) -> None:
    """A combination of the columns, and in `size` the squared length of what was combined.

    Beside that a remainder is nothing, not beside the combination's own length: where columns depend on one
    another, a combination of them may be rounding throughout.
    """
    tile.size[:] = 0.0
    tile.basis[k] = 0.0
    for j in range(coefficients.shape[0]):
        factor = coefficients[j, k]
        if factor == 0.0:
            continue
        for v in range(width):
            tile.size[v] += factor * factor * tile.lengths[j, v]
        for i in range(tile.basis.shape[1]):
            for v in range(width):
                tile.basis[k, i, v] += factor * tile.columns[j, i, v]


@compiled
def make_orthonormal(local: Local, k: int, width: int, tile: Tile) -> None:
    """Make one row of the basis orthogonal to the dummies and the rows before it, and of length 1.

    It becomes zero where what is left is nothing beside the squared lengths in `size`, which then are 0, and
    its own squared length elsewhere. Gram-Schmidt, twice (Giraud, Langou and Rozložník 2005,
    doi:10.1007/s00211-005-0615-4).
    """
    row = tile.basis[k]
    for _ in range(2):
        take_out(local, k, row, width, tile)
    for v in range(width):
        after = 0.0
        for i in range(row.shape[0]):
            after += row[i, v] * row[i, v]
        lost = not after > RANK_TOLERANCE * RANK_TOLERANCE * tile.size[v]
        tile.size[v] = 0.0 if lost else after
        length = 0.0 if lost else np.sqrt(after)
        for i in range(row.shape[0]):
            row[i, v] = row[i, v] / length if length > 0.0 else 0.0


@compiled
def take_out(local: Local, first: int, row: Floats, width: int, tile: Tile) -> None:
    """Make ``row (n, w)`` orthogonal to the dummies and to the first rows of the basis, in place.

    What was taken out is left in `by_block` and `scores`.
    """
    n = row.shape[0]
    if local.n_blocks > 0:
        tile.by_block[:] = 0.0
        for i in range(n):
            for v in range(width):
                tile.by_block[local.blocks[i], v] += tile.dummies[i, v] * row[i, v]
        for i in range(n):
            for v in range(width):
                row[i, v] -= tile.by_block[local.blocks[i], v] * tile.dummies[i, v]
    for c in range(first):
        score(tile, c, row, width)
        for i in range(n):
            for v in range(width):
                row[i, v] -= tile.scores[c, v] * tile.basis[c, i, v]


@compiled
def score(tile: Tile, c: int, row: Floats, width: int) -> None:
    """Scores ``(w,)`` of ``row (n, w)`` on one row of the basis."""
    for v in range(width):
        tile.scores[c, v] = 0.0
    for i in range(row.shape[0]):
        for v in range(width):
            tile.scores[c, v] += tile.basis[c, i, v] * row[i, v]


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
        take_out(local, local.q, tile.data, width, tile)
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
            for c in range(tile.basis.shape[0]):
                leverage += tile.basis[c, i, v] * tile.basis[c, i, v]
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
