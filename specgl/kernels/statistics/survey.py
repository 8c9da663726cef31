"""What can be said of a tile of shuffled statistics from float32, and what is left for float64 to decide.

A tile holds a correlation (t) or a share of variance (F) for each shuffle and location, wrong by less than a
known amount. Locations that may hold a shuffle's maximum, and those that may or may not reach the observed
statistic, become candidates; all others are settled here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.statistics.exact import GREATER, LESS, TWO_SIDED

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

UPPER, LOWER, COUNT = 0, 1, 2
"""What a candidate is a candidate for: the maximum, the maximum of the negative, being counted."""

_STEP = 64  # locations looked at together when a row is searched
_SIGN = np.uint32(1 << 31)  # the bit of negative numbers
_HALF_UNIT = 2.0**-24  # rounding of float32


class Bars(NamedTuple):
    """Float32 values between which a count is left to float64.

    Attributes
    ----------
    sure
        ``(m,)`` reached for certain from here on.
    possible
        ``(m,)`` missed for certain below.
    direction
        Of the count.
    """

    sure: Singles
    possible: Singles
    direction: int


class Found(NamedTuple):
    """Candidates of a tile: shuffle, location in the tile, and purpose; the first ``size[0]`` are valid."""

    shuffle: NDArray[np.int32]
    place: NDArray[np.int32]
    purpose: NDArray[np.int8]
    size: Integers


class Whole(NamedTuple):
    """How a survey learns what moving nuisance leaves of the data, all of which is 1.

    Attributes
    ----------
    least
        What it may leave: below it float32 has lost too much, and float64 decides.
    remaining
        Whether the rows after the tested ones are what remains beside the nuisance, not the nuisance: then
        all squares add up to what is left, else those of the nuisance are taken from 1.
    """

    least: float
    remaining: bool


def whole_of(n: int, n_moving: int, n_remaining: int) -> Whole:
    """Choose the least that moving nuisance may leave of ``n`` observations.

    A small one makes a wide band of doubt around every value, a large one leaves many values to float64. Of
    data that point nowhere in particular the nuisance leaves a share with a beta distribution: almost all of
    them leave more than its mean less three standard deviations.

    Parameters
    ----------
    n
        Observations.
    n_moving, n_remaining
        Rows of moving nuisance, and of what remains in its place, or 0.

    Returns
    -------
    Whole
        Any would be right: only the time differs.
    """
    mean = 1 - n_moving / n
    spread = np.sqrt(2 * mean * (1 - mean) / (n + 2))
    return Whole(float(np.clip(mean - 3 * spread, 1 / 64, 1 / 4)), n_remaining > 0)


def error_bound(n: int, r: int, n_others: int, signed: bool, whole: Whole | None = None) -> float:
    """Bound of the error of a float32 correlation or share of variance.

    A score is a product of two vectors of length 1, each rounded once, summed over ``n`` terms in any order:
    its error is below ``(n + 2) u`` with ``u = 2**-24`` (Higham 2002, section 3.1). What nuisance leaves of
    the data divides the scores, and multiplies their errors.

    Parameters
    ----------
    n
        Observations.
    r, n_others
        Rows of the tested part, and others: moving nuisance, or what remains beside it.
    signed
        Whether it is a correlation.
    whole
        How what is left of the data is learnt; ``None`` without other rows.

    Returns
    -------
    float
        Absolute error.
    """
    score = (n + 8) * _HALF_UNIT
    share = 2 * np.sqrt(r) * score + r * score**2 + (r + 2) * _HALF_UNIT
    if whole is None or not n_others:
        return float(score if signed else share)
    root = np.sqrt(whole.least)
    if whole.remaining:
        # Both are ratios of lengths of vectors of scores, of which that below is at least the root: the
        # length of a vector of m scores is wrong by sqrt(m) times a score's error at most.
        size = (np.sqrt(r) + np.sqrt(r + n_others)) * score / root + (r + n_others + 8) * _HALF_UNIT
        return float(size if signed else 2 * size + size**2)
    lost = 2 * np.sqrt(n_others) * score + n_others * score**2 + (n_others + 2) * _HALF_UNIT
    if signed:
        # The root of what is left is wrong by this share of itself.
        steep = lost / (whole.least * (1 + np.sqrt(max(0.0, 1 - lost / whole.least))))
        return float(score / root + steep + 8 * _HALF_UNIT)
    return float((share + lost) / whole.least + 8 * _HALF_UNIT)


def make_bars(bar: Floats, direction: int, error: float) -> Bars:
    """Round the values that a count must reach ``(m,)`` outwards to float32.

    Parameters
    ----------
    bar
        In float64, turned in the direction of the count.
    direction
        Of the count.
    error
        Bound of a float32 value's error.

    Returns
    -------
    Bars
        One more unit in the last place apart than they need be.
    """
    up, down = np.float32(np.inf), np.float32(-np.inf)
    sure = np.nextafter((bar + error).astype(np.float32), up)
    possible = np.nextafter((bar - error).astype(np.float32), down)
    return Bars(sure, possible, direction)


def no_candidates(capacity: int) -> Found:
    """Room for candidates."""
    return Found(
        np.empty(capacity, dtype=np.int32),
        np.empty(capacity, dtype=np.int32),
        np.empty(capacity, dtype=np.int8),
        np.zeros(1, dtype=np.int64),
    )


@compiled
def _extremes(row: Singles) -> tuple[float, float]:
    """Largest and least value of a row without NaN.

    Compilers run maxima of whole numbers on vectors, and those of floating point numbers one by one. The bits
    of numbers that are not negative, read as signed integers, are in their order and above those of all
    negative ones; the bits of negative numbers, read as unsigned integers, are in the order of their sizes
    and above all others.
    """
    signed, unsigned = row.view(np.int32), row.view(np.uint32)
    most, least = signed[0], unsigned[0]
    for v in range(row.size):
        most = max(most, signed[v])
        least = max(least, unsigned[v])
    if most >= 0 and least >= _SIGN:
        ends = np.empty(2, dtype=np.float32)
        ends.view(np.int32)[0], ends.view(np.uint32)[1] = most, least
        return float(ends[0]), float(ends[1])
    return float(np.max(row)), float(np.min(row))  # all values are of one sign


@compiled
def _add(found: Found, shuffle: int, place: int, purpose: int) -> None:
    i = found.size[0]
    found.shuffle[i], found.place[i], found.purpose[i] = shuffle, place, purpose
    found.size[0] = i + 1


@compiled
def _search(row: Singles, level: float, shuffle: int, purpose: int, found: Found) -> None:
    """Candidates whose value, or whose negative for `LOWER`, is at least `level`."""
    for start in range(0, row.size, _STEP):
        part = row[start : start + _STEP]
        high, low = _extremes(part)
        if (high if purpose == UPPER else -low) < level:
            continue
        for i in range(part.size):
            if (part[i] if purpose == UPPER else -part[i]) >= level:
                _add(found, shuffle, start + i, purpose)


@compiled
def survey_maxima(
    values: Singles, partial: Flags, signed: bool, band: float, best: Singles, found: Found
) -> None:
    """Look for maxima in a tile.

    Parameters
    ----------
    values
        ``(B, width)``.
    partial
        ``(B,)`` whether a row has NaN in it, and is left to `survey_partial`.
    signed
        Whether to look for the maximum of the negative too.
    band
        Twice the bound of a value's error.
    best
        ``(B, 2)`` largest float32 values so far, updated.
    found
        Candidates, added to.
    """
    for b in range(values.shape[0]):
        if partial[b]:
            continue
        row = values[b]
        high, low = _extremes(row)
        if high > best[b, 0] - band:
            best[b, 0] = max(best[b, 0], high)
            _search(row, best[b, 0] - band, b, UPPER, found)
        if signed and -low > best[b, 1] - band:
            best[b, 1] = max(best[b, 1], -low)
            _search(row, best[b, 1] - band, b, LOWER, found)


@compiled
def _count_up(row: Singles, sure: Singles, possible: Singles, totals: NDArray[np.int32]) -> int:
    open_ = np.int32(0)
    for v in range(row.size):
        totals[v] += np.int32(row[v] >= sure[v])
        open_ += np.int32(row[v] >= possible[v]) - np.int32(row[v] >= sure[v])
    return int(open_)


@compiled
def _count_down(row: Singles, sure: Singles, possible: Singles, totals: NDArray[np.int32]) -> int:
    open_ = np.int32(0)
    for v in range(row.size):
        totals[v] += np.int32(-row[v] >= sure[v])
        open_ += np.int32(-row[v] >= possible[v]) - np.int32(-row[v] >= sure[v])
    return int(open_)


@compiled
def _count_both(row: Singles, sure: Singles, possible: Singles, totals: NDArray[np.int32]) -> int:
    open_ = np.int32(0)
    for v in range(row.size):
        size = abs(row[v])
        totals[v] += np.int32(size >= sure[v])
        open_ += np.int32(size >= possible[v]) - np.int32(size >= sure[v])
    return int(open_)


@compiled
def survey_counts(
    values: Singles, partial: Flags, bars: Bars, totals: NDArray[np.int32], found: Found
) -> None:
    """Count what reaches the observed statistics of a tile.

    Parameters
    ----------
    values
        ``(B, width)``.
    partial
        ``(B,)`` as for `survey_maxima`.
    bars
        Those of the tile.
    totals
        ``(width,)`` counts, added to.
    found
        Candidates, added to.
    """
    for b in range(values.shape[0]):
        if partial[b]:
            continue
        row = values[b]
        if bars.direction == TWO_SIDED:
            open_ = _count_both(row, bars.sure, bars.possible, totals)
        elif bars.direction == LESS:
            open_ = _count_down(row, bars.sure, bars.possible, totals)
        else:
            open_ = _count_up(row, bars.sure, bars.possible, totals)
        if open_:
            for v in range(row.size):
                value = _turned(row[v], bars.direction)
                if bars.possible[v] <= value < bars.sure[v]:
                    _add(found, b, v, COUNT)


@compiled
def _turned(value: float, direction: int) -> float:
    if direction == GREATER:
        return value
    return abs(value) if direction == TWO_SIDED else -value


@compiled
def survey_partial(
    values: Singles,
    partial: Flags,
    signed: bool,
    band: float,
    best: Singles,
    counted: bool,
    bars: Bars,
    totals: NDArray[np.int32],
    found: Found,
) -> None:
    """Both surveys for the rows with NaN, which stands where float32 knows nothing.

    Parameters
    ----------
    values, partial, signed, band, best, bars, totals, found
        As for `survey_maxima` and `survey_counts`.
    counted
        Whether anything is counted.
    """
    for b in range(values.shape[0]):
        if not partial[b]:
            continue
        for v in range(values.shape[1]):
            value = values[b, v]
            if not np.isnan(value):
                best[b, 0] = max(best[b, 0], value)
                best[b, 1] = max(best[b, 1], -value)
        for v in range(values.shape[1]):
            value = values[b, v]
            unknown = np.isnan(value)
            if unknown or value >= best[b, 0] - band:
                _add(found, b, v, UPPER)
            if signed and (unknown or -value >= best[b, 1] - band):
                _add(found, b, v, LOWER)
            if counted:
                turned = _turned(value, bars.direction)
                if unknown or bars.possible[v] <= turned < bars.sure[v]:
                    _add(found, b, v, COUNT)
                elif turned >= bars.sure[v]:
                    totals[v] += 1
