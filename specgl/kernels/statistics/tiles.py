"""Data of all analysed locations, brought to length 1 and laid out in tiles that fit a processor's cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.rank import RANK_TOLERANCE
from specgl.kernels.statistics.methods import Recipe

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

TILE = 1024
"""Locations in a tile. A constant: bits must depend neither on threads nor on memory."""

PREPARED = 8192
"""Locations whose nuisance is taken out together: 16 MiB for 256 observations."""

ROUNDING = 1e-13
"""Share of the data below which the length of a remainder is rounding, as for a fit."""


@dataclass(frozen=True, eq=False)
class Tiles:
    """Normalised data.

    Attributes
    ----------
    flat
        Tiles one after the other, each ``(n, width)``.
    first
        ``(n_tiles + 1,)`` first location of each tile.
    group
        ``(n_tiles,)`` group of each tile; a tile's locations share one.
    n
        Rows.
    """

    flat: Singles
    first: NDArray[np.int64]
    group: NDArray[np.int64]
    n: int

    @property
    def n_loc(self) -> int:
        """Number of locations."""
        return int(self.first[-1])


class Source(NamedTuple):
    """Where float64 data of a location come from. Read by compiled functions.

    Attributes
    ----------
    data
        ``(n_data, n_loc)`` as given, not copied.
    row_of
        ``(n,)`` row of `data` of each observation.
    columns
        ``(m,)`` column of each analysed location.
    anchored
        Whether a location may be hung on its first value, because a constant is taken out anyway.
    remove, reduce
        The recipe's.
    squares
        ``(m,)`` squared length of what is left of the data; 0 where that is rounding.
    """

    data: NDArray[np.floating]
    row_of: NDArray[np.int64]
    columns: NDArray[np.int64]
    anchored: bool
    remove: Floats
    reduce: Floats
    squares: Floats


def lay_out(groups: NDArray[np.integer], n: int) -> Tiles:
    """Empty tiles for sorted locations, none of which reaches over two groups.

    Parameters
    ----------
    groups
        ``(m,)`` group of each location, ascending.
    n
        Rows.

    Returns
    -------
    Tiles
        Filled with zeros.
    """
    edges = np.concatenate([[0], np.flatnonzero(np.diff(groups)) + 1, [groups.size]])
    pairs = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    starts = np.concatenate([np.arange(start, stop, TILE) for start, stop in pairs])
    first = np.append(starts, groups.size).astype(np.int64)
    group = groups[starts].astype(np.int64) if groups.size else np.empty(0, dtype=np.int64)
    return Tiles(np.zeros(n * groups.size, dtype=np.float32), first, group, n)


def prepare(
    data: NDArray[np.floating], row_of: NDArray[np.int64], columns: NDArray[np.int64], recipe: Recipe
) -> tuple[Tiles, Source]:
    """Take the nuisance out of the data, in float64, and keep what is left in float32.

    Parameters
    ----------
    data
        ``(n_data, n_loc)`` without missing values.
    row_of
        ``(n,)`` row of each observation.
    columns
        ``(m,)`` which locations.
    recipe
        What is taken out.

    Returns
    -------
    tuple
        The normalised data, and where to read them again.
    """
    basis = recipe.remove
    anchored = _holds_constant(_whole_nuisance(recipe))
    n_kept = recipe.reduce.shape[1] or len(row_of)
    tiles = lay_out(np.zeros(columns.size, dtype=np.int64), len(row_of))
    squares = np.zeros(columns.size)
    for start in range(0, columns.size, PREPARED):
        here = slice(start, start + PREPARED)
        y = data[row_of[:, None], columns[here]].astype(np.float64)
        raw = np.einsum("ij,ij->j", y, y)
        if anchored:
            y -= y[0].copy()
        y -= basis @ (basis.T @ y)
        kept = recipe.reduce.T @ y if n_kept < len(row_of) else y
        squares[here] = _lengths(kept, raw)
        if recipe.reduce.shape[1]:
            y = recipe.reduce @ kept
        write_tiles(tiles, start, y, squares[here])
    source = Source(data, row_of, columns, anchored, recipe.remove, recipe.reduce, squares)
    return tiles, source


def write_tiles(tiles: Tiles, start: int, y: Floats, squares: Floats) -> None:
    """Write normalised data of locations from ``start`` on; zeros where nothing is left of them.

    Parameters
    ----------
    tiles
        Written to.
    start
        First location.
    y
        ``(n, m)`` data.
    squares
        ``(m,)`` their squared lengths.
    """
    lengths = np.sqrt(squares)
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    unit = (y * scale).astype(np.float32)
    stop = start + y.shape[1]
    begin = int(np.searchsorted(tiles.first, start, side="right")) - 1
    for tile in range(begin, len(tiles.first) - 1):
        low, high = int(tiles.first[tile]), int(tiles.first[tile + 1])
        if low >= stop:
            break
        block = tiles.flat[tiles.n * low : tiles.n * high].reshape(tiles.n, high - low)
        left, right = max(low, start), min(high, stop)
        block[:, left - low : right - low] = unit[:, left - start : right - start]


def _holds_constant(basis: Floats) -> bool:
    """Whether a constant is among the combinations of an orthonormal basis ``(n, k)``."""
    ones = np.ones(len(basis))
    return bool(np.abs(ones - basis @ (basis.T @ ones)).max(initial=0.0) <= RANK_TOLERANCE)


def _whole_nuisance(recipe: Recipe) -> Floats:
    """What the recipe takes out of the data: the removed part, or all that is not in the reduction."""
    if not recipe.reduce.shape[1]:
        return recipe.remove
    basis, _ = np.linalg.qr(recipe.reduce, mode="complete")
    return basis[:, recipe.reduce.shape[1] :]


def _lengths(kept: Floats, raw: Floats) -> Floats:
    squares: Floats = np.einsum("ij,ij->j", kept, kept)
    return np.where(squares > ROUNDING**2 * raw, squares, 0.0)
