"""Adjusted p-values of a family of tests.

Every function takes the p-values of one family and gives, for each, the smallest level at which its
hypothesis is rejected: the hypotheses rejected at level ``alpha`` are those with ``adjusted <= alpha``.
All cost one sort and a few passes, so that a family may be a whole brain, or several.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

Floats = NDArray[np.float64]
Adjustment = Callable[[ArrayLike], Floats]


def unadjusted(p: ArrayLike) -> Floats:
    """The p-values themselves.

    Parameters
    ----------
    p
        p-values of the family, (m,), each in [0, 1].

    Returns
    -------
    adjusted
        A copy of `p`, (m,).

    Raises
    ------
    ValueError
        When `p` is not one-dimensional, or holds NaN or a value outside [0, 1].
    """
    return _family(p).copy()


def bonferroni(p: ArrayLike) -> Floats:
    """Bonferroni: m times p. Familywise error, under any dependence.

    Parameters
    ----------
    p
        p-values of the family, (m,), each in [0, 1].

    Returns
    -------
    adjusted
        Adjusted p-values, (m,), in the order of `p`.

    Raises
    ------
    ValueError
        When `p` is not one-dimensional, or holds NaN or a value outside [0, 1].
    """
    family = _family(p)
    return np.minimum(family * family.size, 1.0)


def holm(p: ArrayLike) -> Floats:
    """Holm's step-down: familywise error, under any dependence.

    ``adjusted_(i) = max_{j <= i} (m - j + 1) p_(j)``, Holm 1979, Scandinavian Journal of Statistics 6:65.

    Parameters
    ----------
    p
        p-values of the family, (m,), each in [0, 1].

    Returns
    -------
    adjusted
        Adjusted p-values, (m,), in the order of `p`.

    Raises
    ------
    ValueError
        When `p` is not one-dimensional, or holds NaN or a value outside [0, 1].
    """

    def of_sorted(ascending: Floats) -> Floats:
        m = ascending.size
        return np.maximum.accumulate(ascending * np.arange(m, 0, -1))

    return _through_sorting(p, of_sorted)


def hochberg(p: ArrayLike) -> Floats:
    """Hochberg's step-up: familywise error, under Simes' condition.

    ``adjusted_(i) = min_{k >= i} (m - k + 1) p_(k)``, doi:10.1093/biomet/75.4.800.

    Parameters
    ----------
    p
        p-values of the family, (m,), each in [0, 1].

    Returns
    -------
    adjusted
        Adjusted p-values, (m,), in the order of `p`.

    Raises
    ------
    ValueError
        When `p` is not one-dimensional, or holds NaN or a value outside [0, 1].
    """

    def of_sorted(ascending: Floats) -> Floats:
        m = ascending.size
        return _smallest_from_here(ascending * np.arange(m, 0, -1))

    return _through_sorting(p, of_sorted)


def hommel(p: ArrayLike) -> Floats:
    """Hommel's procedure, the closure of Simes' tests: familywise error, under Simes' condition.

    ``adjusted_(i)`` is the largest, over s, of the Simes p-values of hypothesis i together with the s - 1
    largest other p-values (Hommel 1988, doi:10.1093/biomet/75.2.383). With ``S_s`` the Simes p-value of the s
    largest p-values, which falls with s, a hypothesis is rejected at ``alpha`` when
    ``k p <= alpha`` for the ``k = max{s: S_s > alpha}`` (Meijer, Krebs and Goeman 2019,
    doi:10.1002/bimj.201700316); hence ``adjusted = min_k max(S_{k+1}, k p)``, where the first term falls
    with k and the second rises: one bisection each.

    Parameters
    ----------
    p
        p-values of the family, (m,), each in [0, 1].

    Returns
    -------
    adjusted
        Adjusted p-values, (m,), in the order of `p`.

    Raises
    ------
    ValueError
        When `p` is not one-dimensional, or holds NaN or a value outside [0, 1].
    """

    def of_sorted(ascending: Floats) -> Floats:
        m = ascending.size
        simes = np.append(simes_of_largest(ascending), 0.0)  # simes[k] = S_{k+1}; no test is left after S_m
        k = np.arange(1, m + 1)
        # The first k with k p >= S_{k+1}; S_{k+1} / k falls, searchsorted wants it to rise.
        falling = simes[1:] / k
        first = m + 1 - np.searchsorted(falling[::-1], ascending, side="right")
        first = np.minimum(first, m)
        adjusted: Floats = np.minimum(first * ascending, simes[first - 1])
        return adjusted

    return _through_sorting(p, of_sorted)


def fdr_bh(p: ArrayLike) -> Floats:
    """Benjamini and Hochberg's step-up: false discovery rate, under positive dependence.

    ``adjusted_(i) = min_{k >= i} m p_(k) / k``, doi:10.1111/j.2517-6161.1995.tb02031.x.

    Parameters
    ----------
    p
        p-values of the family, (m,), each in [0, 1].

    Returns
    -------
    adjusted
        Adjusted p-values, (m,), in the order of `p`.

    Raises
    ------
    ValueError
        When `p` is not one-dimensional, or holds NaN or a value outside [0, 1].
    """

    def of_sorted(ascending: Floats) -> Floats:
        m = ascending.size
        return _smallest_from_here(ascending * (m / np.arange(1, m + 1)))

    return _through_sorting(p, of_sorted)


def fdr_by(p: ArrayLike) -> Floats:
    """Benjamini and Yekutieli's step-up: false discovery rate, under any dependence.

    Benjamini and Hochberg's adjusted p-value before its cap at 1, times ``1 + 1/2 + ... + 1/m``,
    doi:10.1214/aos/1013699998.

    Parameters
    ----------
    p
        p-values of the family, (m,), each in [0, 1].

    Returns
    -------
    adjusted
        Adjusted p-values, (m,), in the order of `p`.

    Raises
    ------
    ValueError
        When `p` is not one-dimensional, or holds NaN or a value outside [0, 1].
    """

    def of_sorted(ascending: Floats) -> Floats:
        m = ascending.size
        rank = np.arange(1, m + 1)
        return _smallest_from_here(ascending * (m / rank)) * np.sum(1.0 / rank)

    return _through_sorting(p, of_sorted)


def fdr_bky(p: ArrayLike) -> Floats:
    """Adaptive step-down-up of Benjamini, Krieger and Yekutieli: false discovery rate, under independence.

    Definition 7 of their paper (doi:10.1093/biomet/93.3.491) rejects the i smallest p-values for the largest
    i such that for each j <= i some k >= j has ``p_(k) <= alpha k / (m + 1 - j (1 - alpha))``. Solved for
    alpha: ``adjusted_(i) = max_{j <= i} min_{k >= j} p_(k) (m + 1 - j) / (k - j p_(k))``, and since the
    fraction rises with ``p_(k) / k``, with r_j the smallest of these over k >= j,
    ``adjusted_(i) = max_{j <= i} (m + 1 - j) r_j / (1 - j r_j)``.

    The procedure learns from the data how many hypotheses are true; where few are, an adjusted p-value may
    be smaller than the p-value itself.

    Parameters
    ----------
    p
        p-values of the family, (m,), each in [0, 1].

    Returns
    -------
    adjusted
        Adjusted p-values, (m,), in the order of `p`.

    Raises
    ------
    ValueError
        When `p` is not one-dimensional, or holds NaN or a value outside [0, 1].
    """

    def of_sorted(ascending: Floats) -> Floats:
        m = ascending.size
        j = np.arange(1, m + 1)
        ratio = _smallest_from_here(ascending / j)
        with np.errstate(divide="ignore"):  # p_(m) = 1 at j = m is rejected at no level: inf, capped at 1
            adjusted = (m + 1 - j) * ratio / np.maximum(1.0 - j * ratio, 0.0)
        # Capped first, so that equal p-values, which meet only at 1 there, do not differ.
        return np.maximum.accumulate(np.minimum(adjusted, 1.0))

    return _through_sorting(p, of_sorted)


ADJUST: dict[str, Adjustment] = {
    "none": unadjusted,
    "bonferroni": bonferroni,
    "holm": holm,
    "hochberg": hochberg,
    "hommel": hommel,
    "fdr_bh": fdr_bh,
    "fdr_by": fdr_by,
    "fdr_bky": fdr_bky,
}
"""Every correction by its name in a spec."""


def simes_of_largest(ascending: Floats) -> Floats:
    """Simes p-values of the s largest p-values, for every s.

    ``S_s = s min_{k > m - s} p_(k) / (k - (m - s))``: s times the smallest slope from the point (m - s, 0) to
    the points (k, p_(k)) on its right. That point is a vertex of their lower convex hull, found by pooling
    adjacent violators among the increments, and it moves right as s falls, past a vertex where the hull's
    next edge, drawn on, meets the axis.

    Parameters
    ----------
    ascending
        p-values in ascending order, (m,).

    Returns
    -------
    simes
        Simes p-values, (m,): of the largest one, of the two largest, ..., of all. They never rise.
    """
    m = ascending.size
    x, height = _lower_hull(ascending)
    with np.errstate(divide="ignore", over="ignore"):  # a level edge never meets the axis: -inf
        meets = x[:-1] - np.diff(x) * (height[:-1] / np.diff(height))
    start = np.arange(m - 1, -1, -1)  # m - s
    vertex = np.searchsorted(meets, start, side="right")
    slope = np.full(m, np.inf)
    for step in (-1, 0, 1):  # rounding of `meets` may err by one vertex
        tried = np.clip(vertex + step, 0, x.size - 1)
        run = x[tried] - start
        usable = run > 0
        slope[usable] = np.minimum(slope[usable], height[tried][usable] / run[usable])
    return np.minimum.accumulate(np.arange(1, m + 1) * slope)


def _lower_hull(ascending: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Vertices (k, p_(k)), k from 1, of the lower convex hull, from the last p-value of 0 on."""
    zeros = int(np.searchsorted(ascending, 0.0, side="right"))
    begin = max(zeros - 1, 0)
    height = ascending[begin:]
    if height.size == 1:
        return np.array([begin + 1]), height
    blocks = isotonic_regression(np.diff(height)).blocks
    return begin + 1 + blocks.astype(np.int64), height[blocks]


def _smallest_from_here(values: Floats) -> Floats:
    """For each place the smallest value there or later."""
    return np.minimum.accumulate(values[::-1])[::-1]


def _through_sorting(p: ArrayLike, of_sorted: Callable[[Floats], Floats]) -> Floats:
    """Adjust in ascending order, cap at 1, and put back into the order given."""
    family = _family(p)
    if family.size == 0:
        return family.copy()
    order = np.argsort(family, kind="stable")
    adjusted = np.empty_like(family)
    adjusted[order] = np.minimum(of_sorted(family[order]), 1.0)
    return adjusted


def _family(p: ArrayLike) -> Floats:
    """The p-values as float64, refused when they are none."""
    family = np.asarray(p, dtype=np.float64)
    if family.ndim != 1:
        raise ValueError(f"a family of p-values has one dimension, not {family.ndim}")
    if not np.all((family >= 0.0) & (family <= 1.0)):  # NaN fails both
        raise ValueError(
            "p-values must lie in [0, 1]; NaN (locations that are not analysed) must be left out"
        )
    return family
