"""True discoveries in sets of locations, at least, by a template of straight lines.

Closed testing with Simes' local tests bounds the true discoveries of every set S of hypotheses at once
(Goeman, Meijer, Krebs and Solari 2019, doi:10.1093/biomet/asz041): with confidence 1 − alpha,

    d(S) = max(0, max_u (1 − u + #{i in S: h p_i <= u alpha})),  u = 1 ... |S|,

h being Hommel's value. A template calibrated by shuffles has the same form (Blanchard, Neuvial and Roquain
2020, doi:10.1214/19-AOS1847), with ``m p_i < u lambda``. Either way all that matters of a location is the
least u at which it counts: its category.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TIE = 1e-12
"""Relative difference up to which two products of a p-value count as equal: more than their rounding."""

_LAST = 2**53
"""Category of what never counts: beyond any number of locations, and exact as float64."""


def hommel_h(p: ArrayLike, alpha: float) -> int:
    """Hommel's value: the size of the largest set of hypotheses that Simes' test does not reject.

    ``h = max{i: i p_(m - i + j) > j alpha for all j = 1 ... i}``, 0 where there is none (Hommel 1988,
    doi:10.1093/biomet/75.2.383; Meijer, Krebs and Goeman 2019, doi:10.1002/bimj.201700316). It is read from
    the i largest p-values, the hardest i to reject. Their Simes p-value never rises with i, so that the i
    that are not rejected are 1 ... h, and a bisection finds the last of them: O(m log m).

    Parameters
    ----------
    p
        p-values of the family, (m,), each in [0, 1].
    alpha
        Level of the tests, above 0. Where both sides are equal but for rounding (`TIE`), Simes rejects.

    Returns
    -------
    h
        From 0 to m: at most so many hypotheses are true, with confidence 1 − alpha.

    Raises
    ------
    ValueError
        When `p` is not one-dimensional, or holds NaN or a value outside [0, 1]; or when `alpha` is not
        above 0.
    """
    ascending = np.sort(_p_values(p))
    if not alpha > 0.0:
        raise ValueError(f"alpha is {alpha}, and must lie above 0")
    m = ascending.size
    lines = np.arange(1, m + 1) * (alpha * (1.0 + TIE))
    low, high = 0, m  # low is not rejected, and whatever lies above high is
    while low < high:
        i = (low + high + 1) // 2
        if np.all(i * ascending[m - i :] > lines[:i]):
            low = i
        else:
            high = i - 1
    return low


def categories(p: ArrayLike, factor: float, *, strict: bool = False) -> Integers:
    """Least u at which each location counts: the least with ``factor p <= u``, or ``factor p < u``.

    Parameters
    ----------
    p
        p-values, (n,), each in [0, 1].
    factor
        h / alpha for closed testing; m / lambda for a template calibrated by shuffles. It may be infinite.
    strict
        Whether a location counts only below the line, as a calibrated template wants it.

    Returns
    -------
    categories
        Whole numbers from 1, (n,). Equality is decided up to `TIE`.

    Raises
    ------
    ValueError
        When `p` is not one-dimensional, or holds NaN or a value outside [0, 1]; or when `factor` is NaN or
        negative.
    """
    values = _p_values(p)
    if not factor >= 0.0:
        raise ValueError(f"the factor is {factor}, and must not lie below 0")
    if np.isinf(factor):  # no line rises above 0, where nothing lies strictly below it
        return np.where((values > 0.0) | strict, _LAST, 1).astype(np.int64)
    with np.errstate(over="ignore"):  # beyond float64 is beyond the last as well
        scaled = values * factor
        least = np.floor(scaled * (1.0 + TIE)) + 1.0 if strict else np.ceil(scaled * (1.0 - TIE))
    return np.clip(least, 1.0, float(_LAST)).astype(np.int64)


def bound(categories: Integers) -> int:
    """Least number of true discoveries in one set.

    Parameters
    ----------
    categories
        Category of each location of the set, (n,), from 1.

    Returns
    -------
    discoveries
        ``max(0, max_u (1 - u + #{categories <= u}))``; 0 for an empty set.
    """
    return int(bounds(categories, np.zeros(categories.size, dtype=np.int64), 1)[0])


def bounds(categories: Integers, labels: Integers, count: int) -> Integers:
    """Least number of true discoveries in each of several sets that do not overlap.

    Parameters
    ----------
    categories
        Category of each location, (n,), from 1.
    labels
        Set of each location, counted from 0, (n,); negative outside all sets.
    count
        Number of sets.

    Returns
    -------
    discoveries
        (count,); 0 for a set without locations. It costs a few passes over the locations.
    """
    inside = labels >= 0
    which, least = labels[inside], categories[inside]
    sizes = np.bincount(which, minlength=count)
    start = np.concatenate([[0], np.cumsum(sizes)])
    # Each set has a place for u = 1 ... |S|; what counts at no such u is left out.
    counts = least <= sizes[which]
    which, least = which[counts], least[counts]
    reached = np.cumsum(np.bincount(start[which] + least - 1, minlength=start[-1]))
    before = np.append(0, reached)[start[:-1]]
    owner = np.repeat(np.arange(count), sizes)
    u = np.arange(start[-1]) - start[owner] + 1
    found = np.zeros(count, dtype=np.int64)
    some = sizes > 0
    if some.any():
        each = reached - before[owner] - u + 1
        found[some] = np.maximum(np.maximum.reduceat(each, start[:-1][some]), 0)
    return found


def _p_values(p: ArrayLike) -> Floats:
    """The p-values as float64, refused when they are none."""
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"p-values have one dimension, not {values.ndim}")
    if not np.all((values >= 0.0) & (values <= 1.0)):  # NaN fails both
        raise ValueError("p-values must lie in [0, 1]; NaN must be left out")
    return values
