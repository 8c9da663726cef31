"""The statistic of one shuffle at one location, in float64, each sum in one fixed order.

What float32 cannot decide is decided here, and so is the observed statistic: equal shuffles meet the very
same operations, whatever they were computed with.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.statistics.protocol import NOUGHT, TIE
from specgl.kernels.statistics.tiles import Source

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TWO_SIDED, GREATER, LESS = 0, 1, 2
"""Directions of a count, as the kernels read them."""
DIRECTIONS = {"two-sided": TWO_SIDED, "greater": GREATER, "less": LESS}

CLOSE = 0.1  # share of the data left as residual below which the residual is summed by itself
PERFECT = 1e-30  # the least such share: no statistic is infinite
NOTHING = 1e-26  # share of the data that is rounding: nuisance that moved fits them, and nothing is tested


class Form(NamedTuple):
    """What kind of statistic it is.

    Attributes
    ----------
    r
        How many of the weights' rows are tested.
    signed
        Whether it is a t, with a sign, or an F.
    dof
        Residual degrees of freedom.
    """

    r: int
    signed: bool
    dof: float


@compiled
def statistic(s: Floats, form: Form, left: float) -> float:
    """Make t or F from scores ``(k,)`` and the residual sum of squares."""
    if form.signed:
        return float(s[0] * np.sqrt(form.dof / left))
    explained = 0.0
    for j in range(form.r):
        explained += s[j] * s[j]
    return float(explained / form.r * (form.dof / left))


@compiled
def evaluate(source: Source, lifted: Floats, raw: Floats, form: Form, location: int) -> float:
    """Statistic of one shuffle, ``lifted (k, n)`` and ``raw (k, m)``, at one analysed location."""
    total = source.squares[location]
    if total == 0.0:
        return 0.0
    k, n = lifted.shape
    y, s = np.empty(n), np.zeros(k)
    _read(source, location, y)
    for j in range(k):
        for i in range(n):
            s[j] += lifted[j, i] * y[i]
    whole = total
    for j in range(form.r, k):
        whole -= s[j] * s[j]
    left = whole
    for j in range(form.r):
        left -= s[j] * s[j]
    if left < CLOSE * total:
        left = _left_over(source, raw, y, s)
        whole = left
        for j in range(form.r):
            whole += s[j] * s[j]
        if whole <= NOTHING * total:
            return 0.0
    if left > PERFECT * total:
        return float(statistic(s, form, left))
    return float(statistic(s, form, PERFECT * total))


@compiled
def _read(source: Source, location: int, y: Floats) -> None:
    column = source.columns[location]
    base = 0.0
    if source.anchored:
        base = float(source.data[source.row_of[0], column])
    for i in range(y.size):
        y[i] = float(source.data[source.row_of[i], column]) - base


@compiled
def _left_over(source: Source, raw: Floats, y: Floats, s: Floats) -> float:
    """Residual sum of squares from the residuals, with the scores `s` found again."""
    d = _projected(source, y)
    k, m = raw.shape
    for j in range(k):
        s[j] = 0.0
        for i in range(m):
            s[j] += raw[j, i] * d[i]
    for j in range(k):
        for i in range(m):
            d[i] -= s[j] * raw[j, i]
    left = 0.0
    for i in range(m):
        left += d[i] * d[i]
    return left


@compiled
def _projected(source: Source, y: Floats) -> Floats:
    """The data without their nuisance, on the reduced basis where there is one."""
    n = y.size
    if source.reduce.shape[1] > 0:
        m = source.reduce.shape[1]
        reduced = np.zeros(m)
        for c in range(m):
            for i in range(n):
                reduced[c] += source.reduce[i, c] * y[i]
        return reduced
    d = y.copy()
    for _ in range(2):  # what rounding leaves of a large nuisance goes the second time
        for c in range(source.remove.shape[1]):
            score = 0.0
            for i in range(n):
                score += source.remove[i, c] * d[i]
            for i in range(n):
                d[i] -= score * source.remove[i, c]
    return d


@compiled
def evaluate_locations(source: Source, lifted: Floats, raw: Floats, form: Form, chosen: Integers) -> Floats:
    """Statistics ``(B, m)`` of shuffles ``(B, k, n)`` at chosen analysed locations."""
    n_shuffles = lifted.shape[0]
    found = np.empty((n_shuffles, chosen.size))
    for b in range(n_shuffles):
        for i in range(chosen.size):
            found[b, i] = evaluate(source, lifted[b], raw[b], form, chosen[i])
    return found


@compiled
def reaches(value: float, observed: float, direction: int) -> bool:
    """Whether a statistic counts against the observed one."""
    if direction == TWO_SIDED:
        value, observed = abs(value), abs(observed)
    elif direction == LESS:
        value, observed = -value, -observed
    return bool(value >= observed - TIE * abs(observed) - NOUGHT)


def least_counted(observed: Floats, direction: int) -> Floats:
    """The smallest statistic, turned in the direction of the count, that `reaches` each observed one."""
    bar = turned(observed, direction)
    return bar - TIE * np.abs(bar) - NOUGHT


def turned(values: Floats, direction: int) -> Floats:
    """Statistics in the direction of a count: what is larger counts."""
    if direction == TWO_SIDED:
        return np.abs(values)
    return -values if direction == LESS else values


def to_share(stat: Floats, r: int, signed: bool, dof: float | Floats) -> Floats:
    """The correlation behind a t, or the share of variance behind an F; it rises with the statistic.

    Parameters
    ----------
    stat
        ``(m,)`` statistics.
    r, signed, dof
        As `Form` has them; degrees of freedom may be ``(m,)``.
    """
    if signed:
        return stat / np.sqrt(dof + stat**2)
    scaled = stat * r
    return scaled / (dof + scaled)
