"""Noncentral t, inverted: the noncentrality at which a statistic has a given probability to be exceeded.

Limits of a standardised effect are limits of the noncentrality (Steiger and Fouladi 1997; Cumming and Finch
2001, doi:10.1177/0013164401614002): the largest ``delta`` with ``P(T <= t) = alpha``. They are wanted at some
100,000 locations, each with a statistic and perhaps with degrees of freedom of its own, so that they are
solved at a few hundred nodes and interpolated.

What is interpolated is ``h = (t - delta) / sqrt(1 + t^2 / (2 nu))``, which the normal approximation of
noncentral t (Johnson and Welch 1940, doi:10.1093/biomet/31.3-4.362) makes nearly constant: the normal
quantile for many degrees of freedom. It is bounded and smooth in ``u = t / sqrt(c + t^2)``, which takes
all statistics into -1 to 1, and in ``1 / sqrt(nu)``, which does so with all degrees of freedom from 1 up: a
sum of products of Chebyshev polynomials in both.

The distribution function is no library's, since those lose their digits where t is large: with
``s = sqrt(chi2_nu / nu)`` and a normal ``Z``, ``P(T <= t) = P(Z + delta <= t s)`` is one integral, over
``log s`` or over ``Z``, whichever has the smoother integrand.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]

LEAST_DOF = 1.0
"""Degrees of freedom below which no noncentrality is given."""

_EDGES = (0.0, 0.35, 0.7, 1.0)  # of pieces in 1/sqrt(nu): those of few degrees of freedom need more nodes
_NODES_DOF = 18
_NODES_STAT = (32, 64, 128, 256)
_SETTLED = 1e-9  # the last coefficients, where h itself is some units
_LARGEST = 1e100  # its square is a float64
_TILE = 2**10  # times 256 nodes: 2 MiB at a time
_DROP = 34.0  # exp(-34) is 2e-15: what of the density of log s is left out
_SURE = 12.0  # a noncentrality above it is far from 0, in standard deviations of Z
_REACH = 9.0  # of Z: beyond it lies 2e-19


def upper_noncentrality(stat: ArrayLike, dof: ArrayLike, alpha: float) -> Floats:
    """Noncentrality ``delta`` with ``P(T(dof, delta) <= stat) = alpha``.

    Parameters
    ----------
    stat
        ``(n_loc,)`` t statistics of any size; NaN stays NaN.
    dof
        Degrees of freedom, of shape ``()`` or ``(n_loc,)``; infinite ones are those of a normal deviate.
        Below `LEAST_DOF`: NaN. One number has a table of its own, which is the faster one.
    alpha
        A probability, 1e-4 to 0.5. The lower limit is minus the upper one of ``-stat``.

    Returns
    -------
    ndarray
        ``(n_loc,)``. For statistics up to 40 the error is below 1e-7 of the width of the limits, and from
        five degrees of freedom on below 1e-9; up to 3000 it is below 1e-6, even with one degree of freedom.
    """
    stat, dof = np.asarray(stat, dtype=np.float64), np.asarray(dof, dtype=np.float64)
    found = np.full(stat.shape, np.nan)
    one = dof.ndim == 0  # by form, not by value: a part of a map must get the bits that the whole map gets
    dof = np.broadcast_to(dof, stat.shape)
    normal = np.isposinf(dof)
    found[normal] = stat[normal] - special.ndtri(alpha)
    known = ~normal & (dof >= LEAST_DOF) & ~np.isnan(stat)
    root = np.zeros(stat.shape)
    root[known] = 1 / np.sqrt(dof[known])
    for low, high in pairwise(_EDGES):
        here = known & (root > low) & (root <= high)
        if here.any():
            piece = (float(root[here][0]),) * 2 if one else (low, high)
            found[here] = _interpolate(stat[here], root[here], _table(alpha, *piece), alpha)
    infinite = known & np.isinf(stat)
    found[infinite] = stat[infinite]
    return found


class _Table(NamedTuple):
    coefficients: Floats  # (nodes in u, nodes in 1/sqrt(nu))
    middle: float
    half: float  # 0 where there is one number of degrees of freedom


def _interpolate(stat: Floats, root: Floats, table: _Table, alpha: float) -> Floats:
    found = np.empty(stat.shape)
    for start in range(0, stat.size, _TILE):
        here = slice(start, start + _TILE)
        t, w = np.clip(stat[here], -_LARGEST, _LARGEST), root[here]
        nu = 1 / (w * w)
        terms = table.coefficients  # (nodes, 1) of one number of degrees of freedom
        if table.half:
            terms = _clenshaw((w - table.middle) / table.half, terms.T[:, :, None])
        h = _clenshaw(t / np.sqrt(_scale(nu, alpha) + t * t), terms)
        found[here] = t - h * np.sqrt(1 + t * t / (2 * nu))
    return found


def _clenshaw(x: Floats, terms: Floats) -> Floats:
    """Chebyshev series ``(..., m)`` at ``x`` ``(m,)`` with terms ``(k, ..., m)`` of each, or ``(k, ..., 1)``.

    Number by number: a matrix product would round a location differently in another company.
    """
    double = 2 * x
    last, now = np.zeros_like(terms[0]), np.zeros_like(terms[0])
    for term in terms[:0:-1]:
        last, now = now, term + double * now - last
    value: Floats = terms[0] + x * now - last
    return value


@lru_cache(maxsize=64)  # a map comes in tiles, and each asks for the same
def _table(alpha: float, low: float, high: float) -> _Table:
    middle, half = (low + high) / 2, (high - low) / 2
    across = chebyshev.chebpts1(_NODES_DOF) if half else np.zeros(1)
    nu = (middle + half * across) ** -2.0
    coefficients: Floats | None = None
    for size in _NODES_STAT:
        along = chebyshev.chebpts1(size)
        stat = (along / np.sqrt(1 - along * along))[:, None] * np.sqrt(_scale(nu, alpha))
        root = np.sqrt(1 + stat * stat / (2 * nu))
        start = None
        if coefficients is not None:  # the table with half the nodes: a step or two from here
            across_terms = chebyshev.chebvander(across, coefficients.shape[1] - 1)
            start = stat - root * chebyshev.chebval(along, coefficients @ across_terms.T).T
        h = (stat - _solve(stat, nu, alpha, start)) / root
        coefficients = _transform(_transform(h).T).T
        if np.abs(coefficients[-4:]).max() < _SETTLED:
            break
    assert coefficients is not None
    return _Table(coefficients, middle, half)


def _transform(values: Floats) -> Floats:
    """Chebyshev coefficients of the values at nodes of the first kind, along the first axis."""
    size = values.shape[0]
    if size == 1:
        return values
    basis = chebyshev.chebvander(chebyshev.chebpts1(size), size - 1)
    coefficients: Floats = basis.T @ values * (2 / size)
    coefficients[0] /= 2
    return coefficients


def _scale(nu: Floats, alpha: float) -> Floats:
    """The ``c`` of ``u``, a squared statistic.

    Large ones begin at ``sqrt(2 nu)``, and h has reached its limit beyond the reciprocal of the quantile of
    ``s``: this lies between the two, which few degrees of freedom hold far apart.
    """
    scale: Floats = 2 * nu + np.sqrt(2 * nu) * alpha ** (-0.7 / nu)
    return scale


def _solve(stat: Floats, nu: Floats, alpha: float, start: Floats | None) -> Floats:
    """Noncentralities ``(a, b)`` of statistics ``(a, b)`` with degrees of freedom ``(b,)``."""
    lower = np.sqrt(2 * special.gammaincinv(nu / 2, alpha) / nu)
    upper = np.sqrt(2 * special.gammainccinv(nu / 2, alpha) / nu)
    # t s is above this with probability alpha, and so is -Z above the quantile: together they give a
    # probability between alpha^2 and 2 alpha, from where Newton's steps cannot get lost.
    centre = stat * np.where(stat > 0, upper, lower)
    found = centre - special.ndtri(alpha)
    if start is not None:
        found = start
    steep = (np.abs(centre) > _SURE) & (np.abs(stat) > 1.5 * np.sqrt(2 * nu))
    grid = np.broadcast_to(nu, stat.shape)
    found[steep] = _newton(_OverNormal(stat[steep], grid[steep]), found[steep], alpha)
    support = np.stack(_support(nu))
    for row in range(stat.shape[0]):
        here = ~steep[row]
        if here.any():
            over = _OverChi(stat[row, here], nu[here], np.abs(found[row, here]), support[:, here])
            found[row, here] = _newton(over, found[row, here], alpha)
    return found


class _OverChi:
    """``P(T <= t)`` as the mean over ``y = log s`` of the normal ``P(Z <= t s - delta)``.

    By the trapezoidal rule, whose error falls exponentially: all is smooth and vanishes at both ends.
    """

    def __init__(self, stat: Floats, nu: Floats, delta: Floats, support: Floats) -> None:
        low, high = support
        # In units of the spread of log s, 1 / sqrt(2 nu), the normal rises with this slope.
        slope = np.maximum(1.0, delta / np.sqrt(2 * nu))
        size = int(np.max(3.5 * (high - low) * np.sqrt(2 * nu) * slope)) + 40
        y = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, size)
        density = np.exp(nu[:, None] * (y - np.expm1(2 * y) / 2))
        self.density = density / density.sum(axis=1, keepdims=True)
        self.mean = stat[:, None] * np.exp(y)

    def __call__(self, delta: Floats) -> tuple[Floats, Floats]:
        z = self.mean - delta[:, None]
        probability: Floats = np.einsum("ij,ij->i", self.density, special.ndtr(z))
        slope: Floats = np.einsum("ij,ij->i", self.density, np.exp(-z * z / 2)) / np.sqrt(2 * np.pi)
        return probability, slope


class _OverNormal:
    """The same as the mean over ``Z`` of the chi distribution of ``s``, for a noncentrality far from 0."""

    def __init__(self, stat: Floats, nu: Floats) -> None:
        nodes, weights = np.polynomial.legendre.leggauss(100)
        self.z = _REACH * nodes
        self.weights = _REACH * weights * np.exp(-self.z * self.z / 2) / np.sqrt(2 * np.pi)
        self.stat, self.half = stat[:, None], nu[:, None] / 2

    def __call__(self, delta: Floats) -> tuple[Floats, Floats]:
        s = np.maximum((self.z + delta[:, None]) / self.stat, 1e-100)
        part = self.half * s * s
        tail = np.where(self.stat > 0, special.gammaincc(self.half, part), special.gammainc(self.half, part))
        log = special.xlogy(self.half, part) - part - special.gammaln(self.half)
        return tail @ self.weights, (2 * np.exp(log) / (s * np.abs(self.stat))) @ self.weights


def _newton(distribution: _OverChi | _OverNormal, delta: Floats, alpha: float) -> Floats:
    """Newton's method on the logarithm of the probability, which is concave in the noncentrality."""
    for _ in range(40):
        probability, slope = distribution(delta)
        step = probability / slope * np.log(probability / alpha)
        delta = delta + step
        if (np.abs(step) <= 1e-11 * (1 + np.abs(delta))).all():
            break
    return delta


def _support(nu: Floats) -> tuple[Floats, Floats]:
    """Where the logarithm of the density of ``log s``, ``nu (y - (exp(2 y) - 1) / 2)``, is above -34."""
    depth = _DROP / nu
    low = -depth - 0.5
    high = 0.5 * np.log1p(2 * depth + 2 * np.sqrt(depth) + 1)
    for _ in range(60):
        low, high = (y - (y - np.expm1(2 * y) / 2 + depth) / -np.expm1(2 * y) for y in (low, high))
    return low, high
