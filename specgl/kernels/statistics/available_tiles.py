"""All tiles of an available-case statistic under several shuffles, in one call that holds no lock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.statistics.available_kernels import (
    Presence,
    correlate_patterns,
    evaluate_available,
    make_model,
    settle_available,
)
from specgl.kernels.statistics.exact import Form
from specgl.kernels.statistics.pooled_kernels import statistics_of
from specgl.kernels.statistics.survey import (
    Bars,
    Found,
    survey_counts,
    survey_maxima,
    survey_partial,
)
from specgl.kernels.statistics.tiles import TILE

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Integers = NDArray[np.int64]


@compiled
def scan_available(
    flat: Singles,
    first: Integers,
    group: Integers,
    dofs: Floats,
    singles: Singles,
    shapes: Singles,
    presence: Presence,
    moved: Floats,
    signed: bool,
    band: float,
    counted: bool,
    bars: Bars,
    observed: Floats,
    found: Found,
    totals: NDArray[np.int32],
) -> Floats:
    """Maxima ``(n_groups, B, 2)`` of statistics and of their negatives; counts are added to `totals`.

    Parameters
    ----------
    flat, first, group
        The tiles, each of one group of equal degrees of freedom.
    dofs
        ``(n_groups,)`` degrees of freedom.
    singles
        ``(B * r, n)`` moved rows in float32.
    shapes
        What patterns make of scores.
    presence, moved, signed
        What float64 needs.
    band, counted, bars, observed, found, totals
        As for `scan_tiles`.
    """
    n_shuffles, r, n = moved.shape
    room = np.empty(n_shuffles * r * TILE, dtype=np.float32)
    partial = np.zeros(n_shuffles, dtype=np.bool_)
    best = np.full((dofs.size, n_shuffles, 2), -np.inf, dtype=np.float32)
    maxima = np.full((dofs.size, n_shuffles, 2), -np.inf)
    for tile in range(first.size - 1):
        start, stop, g = first[tile], first[tile + 1], group[tile]
        width = stop - start
        data = flat[n * start : n * stop].reshape(n, width)
        products = room[: n_shuffles * r * width].reshape(n_shuffles * r, width)
        np.dot(singles, data, products)
        values = correlate_patterns(products, shapes, presence.pattern[start:stop], signed, partial)
        found.size[0] = 0
        here = Bars(bars.sure[start:stop], bars.possible[start:stop], bars.direction)
        survey_maxima(values, partial, signed, band, best[g], found)
        if counted:
            survey_counts(values, partial, here, totals[start:stop], found)
        if partial.any():
            survey_partial(values, partial, signed, band, best[g], counted, here, totals[start:stop], found)
        form = Form(r, signed, dofs[g])
        settle_available(found, start, presence, moved, form, bars.direction, observed, maxima[g], totals)
    return maxima


@compiled
def fill_available(
    presence: Presence,
    squares: Floats,
    dof: Floats,
    moved: Floats,
    n_padded: int,
    signed: bool,
    out: NDArray[np.floating],
) -> None:
    """Maps ``(B, m)`` of the statistic (not its z), in float64 and pattern by pattern, kept in `out`'s type.

    Parameters
    ----------
    presence, moved, signed
        As for `scan_available`.
    squares, dof
        ``(m,)`` squared length of each location's data beside its nuisance, and its degrees of freedom.
    n_padded
        Shuffles of a product, at least B and the same in all calls of one type.
    out
        Written to.
    """
    n_shuffles, r, n = moved.shape
    start, m = 0, presence.columns.size
    model = np.zeros((n_padded * r, n))
    products_room, data_room = np.empty(n_padded * r * TILE), np.empty(n * TILE)
    while start < m:
        stop = _end_of_run(presence.pattern, start)
        width, pattern = stop - start, presence.pattern[start]
        if start == 0 or pattern != presence.pattern[start - 1]:
            _make_models(presence, pattern, moved, model)
        data = data_room[: n * width].reshape(n, width)
        _read_run(presence, start, data)
        products = products_room[: n_padded * r * width].reshape(n_padded * r, width)
        np.dot(model, data, products)
        form = Form(r, signed, dof[start])
        for b in range(n_shuffles):
            row = out[b, start:stop]
            if statistics_of(products[b * r : (b + 1) * r], squares[start:stop], form, row):
                for v in range(width):
                    if np.isnan(row[v]):
                        row[v] = evaluate_available(presence, moved[b], form, start + v)
        start = stop


@compiled
def _end_of_run(pattern: Integers, start: int) -> int:
    """End of the locations of one pattern from `start` on, a tile of them at most."""
    stop = start + 1
    while stop < pattern.size and stop < start + TILE and pattern[stop] == pattern[start]:
        stop += 1
    return stop


@compiled
def _make_models(presence: Presence, pattern: int, moved: Floats, model: Floats) -> None:
    """Orthonormal rows ``(B * r, n)`` of each shuffle under a pattern; zeros for a lost one."""
    r = moved.shape[1]
    for b in range(moved.shape[0]):
        rows = model[b * r : (b + 1) * r]
        rows[:] = moved[b]
        if not make_model(presence, pattern, rows):
            rows[:] = 0.0


@compiled
def _read_run(presence: Presence, start: int, data: Floats) -> None:
    """Read the data ``(n, width)`` of locations of one pattern, 0 where there is no value."""
    pattern = presence.pattern[start]
    for i in range(data.shape[0]):
        row, here = presence.row_of[i], presence.here[pattern, i] > 0.0
        for v in range(data.shape[1]):
            data[i, v] = float(presence.data[row, presence.columns[start + v]]) if here else 0.0
