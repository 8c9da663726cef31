"""All tiles of a pooled statistic under several shuffles, in one call that holds no lock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.statistics.exact import CLOSE, Form, evaluate, reaches
from specgl.kernels.statistics.survey import (
    COUNT,
    LOWER,
    UPPER,
    Bars,
    Flags,
    Found,
    Whole,
    survey_counts,
    survey_maxima,
    survey_partial,
)
from specgl.kernels.statistics.tiles import TILE, Source

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Integers = NDArray[np.int64]

_TINY = 1e-300  # not zero, and its reciprocal is finite


@compiled
def _correlate(
    products: Singles, n_shuffles: int, form: Form, how: Whole, squares: Floats, partial: Flags
) -> Singles:
    """``(B, width)`` correlation or share of variance from products ``(B * k, width)``, which it overwrites.

    NaN, and a mark in `partial`, where moving nuisance leaves too little of the data, of squared lengths
    `squares` ``(width,)``.
    """
    k = products.shape[0] // n_shuffles
    width = products.shape[1]
    # Written over rows of shuffles that are done with, and over the first one's own.
    if k == 1 and form.signed:
        partial[:] = False
        return products
    result = products[:n_shuffles]
    whole = np.empty(width, dtype=np.float32)
    least = np.float32(how.least)
    for b in range(n_shuffles):
        first = b * k
        row = result[b]
        if k > form.r:
            if how.remaining:
                _add_up(products[first : first + k], squares, whole)
            else:
                _take_away(products[first + form.r : first + k], whole)
            partial[b] = _any_below(whole, least)
        else:
            whole[:] = np.float32(1.0)
            partial[b] = False
        if form.signed:
            _over_root(products[first], whole, least, row)
        else:
            _shares(products[first : first + form.r], whole, least, row)
        if partial[b]:
            for v in range(width):
                if whole[v] < least:
                    row[v] = np.nan
    return result


@compiled
def _add_up(kept: Singles, squares: Floats, whole: Singles) -> None:
    for v in range(whole.size):
        # Where there are no data the statistic is 0, which their scores of 0 say: nothing is in doubt.
        whole[v] = np.float32(1.0) if squares[v] == 0.0 else np.float32(0.0)
    for j in range(kept.shape[0]):
        for v in range(whole.size):
            whole[v] += kept[j, v] * kept[j, v]


@compiled
def _take_away(moving: Singles, whole: Singles) -> None:
    whole[:] = np.float32(1.0)
    for j in range(moving.shape[0]):
        for v in range(whole.size):
            whole[v] -= moving[j, v] * moving[j, v]


@compiled
def _any_below(whole: Singles, least: np.float32) -> bool:
    below = np.int32(0)
    for v in range(whole.size):
        below += np.int32(whole[v] < least)
    return bool(below > 0)


@compiled
def _over_root(scores: Singles, whole: Singles, least: np.float32, row: Singles) -> None:
    for v in range(row.size):
        row[v] = scores[v] / np.sqrt(max(whole[v], least))


@compiled
def _shares(scores: Singles, whole: Singles, least: np.float32, row: Singles) -> None:
    for v in range(row.size):
        row[v] = scores[0, v] * scores[0, v]
    for j in range(1, scores.shape[0]):
        for v in range(row.size):
            row[v] += scores[j, v] * scores[j, v]
    for v in range(row.size):
        row[v] /= max(whole[v], least)


@compiled
def scan_tiles(
    flat: Singles,
    first: Integers,
    singles: Singles,
    how: Whole,
    source: Source,
    lifted: Floats,
    raw: Floats,
    form: Form,
    band: float,
    counted: bool,
    bars: Bars,
    observed: Floats,
    found: Found,
    totals: NDArray[np.int32],
) -> Floats:
    """Maxima ``(B, 2)`` of statistics and of their negatives over all tiles; counts are added to `totals`.

    Parameters
    ----------
    flat, first
        The tiles.
    singles
        ``(B * k', n)`` rows to survey in float32.
    how
        What their rows after the tested ones are.
    source, lifted, raw, form
        What float64 needs.
    band
        Twice the bound of a float32 value's error.
    counted, bars, observed
        Whether to count, what to reach in float32, and the observed statistics.
    found
        Room for the candidates of a tile.
    totals
        ``(m,)``, added to.
    """
    n_shuffles = len(lifted)
    n_rows, n = singles.shape
    room = np.empty(n_rows * TILE, dtype=np.float32)
    partial = np.zeros(n_shuffles, dtype=np.bool_)
    best = np.full((n_shuffles, 2), -np.inf, dtype=np.float32)
    maxima = np.full((n_shuffles, 2), -np.inf)
    for tile in range(first.size - 1):
        start, stop = first[tile], first[tile + 1]
        width = stop - start
        data = flat[n * start : n * stop].reshape(n, width)
        products = room[: n_rows * width].reshape(n_rows, width)
        np.dot(singles, data, products)
        values = _correlate(products, n_shuffles, form, how, source.squares[start:stop], partial)
        found.size[0] = 0
        here = Bars(bars.sure[start:stop], bars.possible[start:stop], bars.direction)
        survey_maxima(values, partial, form.signed, band, best, found)
        if counted:
            survey_counts(values, partial, here, totals[start:stop], found)
        if partial.any():
            survey_partial(values, partial, form.signed, band, best, counted, here, totals[start:stop], found)
        _settle(found, start, source, lifted, raw, form, bars.direction, observed, maxima, totals)
    return maxima


@compiled
def _settle(
    found: Found,
    start: int,
    source: Source,
    lifted: Floats,
    raw: Floats,
    form: Form,
    direction: int,
    observed: Floats,
    maxima: Floats,
    totals: NDArray[np.int32],
) -> None:
    """Decide a tile's candidates in float64."""
    value = 0.0
    for i in range(found.size[0]):
        b, location = found.shuffle[i], start + found.place[i]
        # One that is a candidate for several things comes several times in a row.
        if i == 0 or found.shuffle[i - 1] != b or found.place[i - 1] != found.place[i]:
            value = evaluate(source, lifted[b], raw[b], form, location)
        if found.purpose[i] == UPPER:
            maxima[b, 0] = max(maxima[b, 0], value)
        elif found.purpose[i] == LOWER:
            maxima[b, 1] = max(maxima[b, 1], -value)
        elif found.purpose[i] == COUNT and reaches(value, observed[location], direction):
            totals[location] += 1


@compiled
def fill_tiles(
    source: Source,
    first: Integers,
    padded: Floats,
    lifted: Floats,
    raw: Floats,
    form: Form,
    out: NDArray[np.floating],
) -> None:
    """Maps ``(B, m)`` of the statistic, computed in float64 and kept in whatever type `out` has.

    Parameters
    ----------
    source, lifted, raw, form
        As for `scan_tiles`.
    first
        First location of each tile.
    padded
        ``(B' * k, n)`` lifted weights, then zeros, with ``B' >= B`` the same in all calls of one type.
    out
        Written to.
    """
    n_shuffles, k, n = lifted.shape
    products_room, data_room = np.empty(padded.shape[0] * TILE), np.empty(n * TILE)
    for tile in range(first.size - 1):
        start, stop = first[tile], first[tile + 1]
        width = stop - start
        data = data_room[: n * width].reshape(n, width)
        _read_tile(source, start, data)
        products = products_room[: padded.shape[0] * width].reshape(padded.shape[0], width)
        np.dot(padded, data, products)
        for b in range(n_shuffles):
            scores, row = products[b * k : (b + 1) * k], out[b, start:stop]
            if statistics_of(scores, source.squares[start:stop], form, row):
                for v in range(width):
                    if np.isnan(row[v]):
                        row[v] = evaluate(source, lifted[b], raw[b], form, start + v)


@compiled
def _read_tile(source: Source, start: int, data: Floats) -> None:
    n, width = data.shape
    first, last = source.columns[start], source.columns[start + width - 1]
    together = last - first == width - 1
    for i in range(n):
        given = source.data[source.row_of[i]]
        if together:
            part = given[first : last + 1]
            for v in range(width):
                data[i, v] = float(part[v])
        else:
            for v in range(width):
                data[i, v] = float(given[source.columns[start + v]])
    if source.anchored:
        for i in range(n - 1, -1, -1):
            for v in range(width):
                data[i, v] -= data[0, v]


@compiled
def statistics_of(scores: Floats, squares: Floats, form: Form, row: NDArray[np.floating]) -> bool:
    """Statistics ``(width,)`` from scores ``(k, width)`` and the data's squared lengths.

    NaN where little is left as residual, to be computed from the residuals; returns whether there is any.
    """
    k, width = scores.shape
    left = squares.copy()
    for j in range(k):
        for v in range(width):
            left[v] -= scores[j, v] * scores[j, v]
    if form.signed:
        _write_t(scores[0], left, form.dof, row)
    else:
        explained = np.zeros(width)
        for j in range(form.r):
            for v in range(width):
                explained[v] += scores[j, v] * scores[j, v]
        _write_f(explained, left, form.dof / form.r, row)
    close = 0
    for v in range(width):
        close += 1 if left[v] <= CLOSE * squares[v] else 0
    steep = False
    if close > 0:
        for v in range(width):
            if squares[v] == 0.0:
                row[v] = 0.0
            elif left[v] <= CLOSE * squares[v]:
                row[v] = np.nan
                steep = True
    return steep


@compiled
def _write_t(scores: Floats, left: Floats, dof: float, row: NDArray[np.floating]) -> None:
    for v in range(row.size):
        row[v] = scores[v] * np.sqrt(dof / (left[v] if left[v] > _TINY else _TINY))


@compiled
def _write_f(explained: Floats, left: Floats, ratio: float, row: NDArray[np.floating]) -> None:
    for v in range(row.size):
        row[v] = explained[v] * ratio / (left[v] if left[v] > _TINY else _TINY)
