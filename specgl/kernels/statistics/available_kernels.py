"""Draper-Stoneman's shuffles where locations lack observations, each pattern with its own nuisance.

At a location with rows O the model is ``[(P X)_O, Z_O]``: the labels move, the data stay. Since the data are
made orthogonal to ``Z_O`` beforehand, a score is ``(P X)_O'y`` whatever the pattern, one product for all
locations; a pattern enters by the length (for F: the inner products) of what is left of ``(P X)_O`` beside
``Z_O``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.rank import RANK_TOLERANCE
from specgl.kernels.statistics.exact import CLOSE, PERFECT, Form, reaches, statistic
from specgl.kernels.statistics.survey import COUNT, LOWER, UPPER, Flags, Found

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Integers = NDArray[np.int64]

AMPLIFIED = 4.0
"""How much longer a moved row may be than what the nuisance leaves of it: beyond, float32 has lost digits."""

_ROUNDING = 1e-26  # squared share of the data below which a remainder is rounding


class Presence(NamedTuple):
    """Patterns of presence. Read by compiled functions.

    Attributes
    ----------
    data
        ``(n_data, n_loc)`` as given.
    row_of
        ``(n,)`` row of `data` of each observation.
    columns
        ``(m,)`` column of each analysed location, sorted by degrees of freedom, then by pattern.
    pattern
        ``(m,)`` its pattern.
    here
        ``(n_pat, n)`` 1 where there is a value, else 0.
    nuisance
        ``(n_pat, q, n)`` orthonormal rows, zero where there is no value, and zero rows past their rank.
    blocks
        ``(n,)`` codes from 0 on, all 0 without blocks.
    n_blocks
        Number of blocks whose means are taken out.
    """

    data: NDArray[np.floating]
    row_of: Integers
    columns: Integers
    pattern: Integers
    here: Floats
    nuisance: Floats
    blocks: Integers
    n_blocks: int


@compiled
def residual(presence: Presence, pattern: int, row: Floats) -> None:
    """Take a pattern's nuisance out of a row ``(n,)`` in place; zero where there is no value."""
    here, nuisance = presence.here[pattern], presence.nuisance[pattern]
    n = row.size
    for i in range(n):
        if here[i] == 0.0:
            row[i] = 0.0
    for _ in range(2):  # what rounding leaves of a large nuisance goes the second time
        if presence.n_blocks > 0:
            sums, sizes = np.zeros(presence.n_blocks), np.zeros(presence.n_blocks)
            for i in range(n):
                sums[presence.blocks[i]] += row[i]
                sizes[presence.blocks[i]] += here[i]
            for i in range(n):
                if here[i] > 0.0:
                    row[i] -= sums[presence.blocks[i]] / sizes[presence.blocks[i]]
        for c in range(nuisance.shape[0]):
            score = 0.0
            for i in range(n):
                score += nuisance[c, i] * row[i]
            for i in range(n):
                row[i] -= score * nuisance[c, i]


@compiled
def read_residual(presence: Presence, location: int, y: Floats) -> float:
    """Read one location's data without its nuisance ``(n,)``; return their sum of squares, 0 for rounding."""
    column, pattern = presence.columns[location], presence.pattern[location]
    raw = 0.0
    for i in range(y.size):
        y[i] = 0.0
        if presence.here[pattern, i] > 0.0:
            y[i] = float(presence.data[presence.row_of[i], column])
        raw += y[i] * y[i]
    residual(presence, pattern, y)
    total = 0.0
    for i in range(y.size):
        total += y[i] * y[i]
    return total if total > _ROUNDING * raw else 0.0


@compiled
def make_model(presence: Presence, pattern: int, moved: Floats) -> bool:
    """Make moved rows ``(r, n)`` orthonormal beside the nuisance, in place; whether none is lost."""
    r, n = moved.shape
    for j in range(r):
        row = moved[j]
        before = 0.0
        for i in range(n):
            before += presence.here[pattern, i] * row[i] * row[i]
        residual(presence, pattern, row)
        for _ in range(2):
            for other in range(j):
                score = 0.0
                for i in range(n):
                    score += moved[other, i] * row[i]
                for i in range(n):
                    row[i] -= score * moved[other, i]
        after = 0.0
        for i in range(n):
            after += row[i] * row[i]
        if not after > RANK_TOLERANCE * RANK_TOLERANCE * before:
            return False
        for i in range(n):
            row[i] /= np.sqrt(after)
    return True


@compiled
def evaluate_available(presence: Presence, moved: Floats, form: Form, location: int) -> float:
    """Statistic of one shuffle, ``moved (r, n)``, at one analysed location, in float64."""
    r, n = moved.shape
    y, model, s = np.empty(n), moved.copy(), np.zeros(r)
    total = read_residual(presence, location, y)
    if total == 0.0 or not make_model(presence, presence.pattern[location], model):
        return 0.0
    left = total
    for j in range(r):
        for i in range(n):
            s[j] += model[j, i] * y[i]
        left -= s[j] * s[j]
    if left < CLOSE * total:
        left = 0.0
        for i in range(n):
            rest = y[i]
            for j in range(r):
                rest -= s[j] * model[j, i]
            left += rest * rest
    if left > PERFECT * total:
        return float(statistic(s, form, left))
    return float(statistic(s, form, PERFECT * total))


@compiled
def evaluate_places(
    presence: Presence, moved: Floats, r: int, signed: bool, dofs: Floats, chosen: Integers
) -> Floats:
    """Statistics ``(B, m)`` of shuffles ``(B, r, n)`` at chosen locations; ``dofs`` of all."""
    found = np.empty((moved.shape[0], chosen.size))
    for b in range(moved.shape[0]):
        for i in range(chosen.size):
            form = Form(r, signed, dofs[chosen[i]])
            found[b, i] = evaluate_available(presence, moved[b], form, chosen[i])
    return found


@compiled
def residuals(presence: Presence, start: int, stop: int) -> tuple[Floats, Floats]:
    """Data of a stretch of locations without their nuisance ``(n, m)``, and their sums of squares."""
    n = presence.row_of.size
    result, squares, y = np.empty((n, stop - start)), np.empty(stop - start), np.empty(n)
    for location in range(start, stop):
        squares[location - start] = read_residual(presence, location, y)
        for i in range(n):
            result[i, location - start] = y[i]
    return result, squares


@compiled(fastmath={"reassoc", "nsz", "contract"})
def _product(a: Floats, b: Floats) -> float:
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@compiled
def shape_patterns(presence: Presence, moved: Floats) -> Singles:
    """How each pattern turns scores into correlations, near enough to find candidates: ``(B, n_pat, r, r)``.

    Lower triangular: the inverse Cholesky factor of the inner products of what is left of the moved rows. NaN
    where little is left.
    """
    n_shuffles, r, n = moved.shape
    n_pat = presence.here.shape[0]
    result = np.zeros((n_shuffles, n_pat, r, r), dtype=np.float32)
    rows, inner, lengths = np.empty((r, n)), np.empty((r, r)), np.empty(r)
    for b in range(n_shuffles):
        for p in range(n_pat):
            for j in range(r):
                for i in range(n):
                    rows[j, i] = moved[b, j, i] * presence.here[p, i]
                lengths[j] = _product(rows[j], rows[j])
            _inner_products(presence, p, rows, inner)
            if not _invert_root(inner, lengths, result[b, p]):
                result[b, p] = np.nan
    return result


@compiled
def _inner_products(presence: Presence, pattern: int, rows: Floats, inner: Floats) -> None:
    """Inner products of rows ``(r, n)`` after the nuisance, as differences."""
    r, n = rows.shape
    q = presence.nuisance.shape[1]
    if presence.n_blocks > 0:
        for j in range(r):
            sums, sizes = np.zeros(presence.n_blocks), np.zeros(presence.n_blocks)
            for i in range(n):
                sums[presence.blocks[i]] += rows[j, i]
                sizes[presence.blocks[i]] += presence.here[pattern, i]
            for i in range(n):
                if presence.here[pattern, i] > 0.0:
                    rows[j, i] -= sums[presence.blocks[i]] / sizes[presence.blocks[i]]
    scores = np.empty((r, q))
    for j in range(r):
        for c in range(q):
            scores[j, c] = _product(presence.nuisance[pattern, c], rows[j])
        for other in range(j + 1):
            inner[j, other] = _product(rows[j], rows[other])
            for c in range(q):
                inner[j, other] -= scores[j, c] * scores[other, c]


@compiled
def _invert_root(inner: Floats, lengths: Floats, result: Singles) -> bool:
    """Inverse Cholesky factor; false where a row is shorter than `AMPLIFIED` allows."""
    r = inner.shape[0]
    root, inverse = np.zeros((r, r)), np.zeros((r, r))
    for j in range(r):
        for other in range(j + 1):
            total = inner[j, other]
            for c in range(other):
                total -= root[j, c] * root[other, c]
            if other < j:
                root[j, other] = total / root[other, other]
            elif total * AMPLIFIED * AMPLIFIED <= lengths[j]:
                return False
            else:
                root[j, j] = np.sqrt(total)
    for j in range(r):
        inverse[j, j] = 1.0 / root[j, j]
        reach = inverse[j, j] * np.sqrt(lengths[j])
        for other in range(j):
            total = 0.0
            for c in range(other, j):
                total -= root[j, c] * inverse[c, other]
            inverse[j, other] = total / root[j, j]
            reach += abs(inverse[j, other]) * np.sqrt(lengths[other])
        if reach > AMPLIFIED:
            return False
    for j in range(r):
        for other in range(j + 1):
            result[j, other] = inverse[j, other]
    return True


@compiled
def correlate_patterns(
    products: Singles, shapes: Singles, pattern: Integers, signed: bool, partial: Flags
) -> Singles:
    """``(B, width)`` correlation or share of variance from scores ``(B * r, width)``, which it overwrites."""
    n_shuffles, _, r, _ = shapes.shape
    width = products.shape[1]
    for b in range(n_shuffles):
        row, unknown = products[b], False
        for v in range(width):
            shape = shapes[b, pattern[v]]
            if signed:
                value = shape[0, 0] * products[b * r, v]
            else:
                value = np.float32(0.0)
                for j in range(r):
                    score = np.float32(0.0)
                    for other in range(j + 1):
                        score += shape[j, other] * products[b * r + other, v]
                    value += score * score
            unknown = unknown or np.isnan(value)
            row[v] = value
        partial[b] = unknown
    return products[:n_shuffles]


@compiled
def settle_available(
    found: Found,
    start: int,
    presence: Presence,
    moved: Floats,
    form: Form,
    direction: int,
    observed: Floats,
    maxima: Floats,
    totals: NDArray[np.int32],
) -> None:
    """Decide a tile's candidates in float64: maxima ``(B, 2)`` of the tile's group, and counts."""
    for i in range(found.size[0]):
        b, location = found.shuffle[i], start + found.place[i]
        value = evaluate_available(presence, moved[b], form, location)
        if found.purpose[i] == UPPER:
            maxima[b, 0] = max(maxima[b, 0], value)
        elif found.purpose[i] == LOWER:
            maxima[b, 1] = max(maxima[b, 1], -value)
        elif found.purpose[i] == COUNT and reaches(value, observed[location], direction):
            totals[location] += 1
