"""Bayes factors of a t statistic: how much likelier the data are with an effect than with none.

The prior of the standardised effect is Cauchy, the Jeffreys-Zellner-Siow prior of Rouder et al. 2009
(doi:10.3758/PBR.16.2.225, equation 1; with a scale r, their N becomes ``N r^2``). A Cauchy variable is a
normal one over the root of a chi-square ``v`` of one degree of freedom, and the one integral left, over
``v = 1/g``, is

    ``I = int_0^inf v^(1/2) (v + M)^(-1/2) (1 + t^2 v / ((v + M) nu))^(-(nu+1)/2) p(v) dv``,  ``M = N r^2``

with ``p`` the density of ``v``, and ``BF10 = I / (1 + t^2 / nu)^(-(nu+1)/2)``.

The double exponential rule (Takahasi and Mori 1974, doi:10.2977/prims/1195192451), with
``v = exp(x - exp(-x))``, needs so few nodes that each location is integrated by
itself, whatever its N and degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_LogTail = Callable[[Floats, Floats], Floats]

CAUCHY_SCALE = float(np.sqrt(0.5))
"""Scale of the prior: half of all standardised effects are expected to be within it."""

_STEP = 0.4  # with it the rule's error is 4e-10; it falls exponentially
_SHIFT = 16.0  # the nodes go down to v = exp(-16): enough for t^2 up to about that many M
_TOP = 4.6  # exp(-v/2) has vanished there
_TILE = 2**13


def jzs_log_bf10(stat: ArrayLike, n_eff: ArrayLike, dof: ArrayLike, scale: float = CAUCHY_SCALE) -> Floats:
    """Natural logarithm of the Bayes factor for an effect against none, two-sided.

    Parameters
    ----------
    stat
        ``(n_loc,)`` t statistics up to about 1000 in size; NaN stays NaN.
    n_eff
        Effective sample size, ``1 / (c (X'X)^- c')``, a number or ``(n_loc,)``: n for one sample,
        ``n1 n2 / (n1 + n2)`` for two. NaN where not positive.
    dof
        Degrees of freedom, a number or ``(n_loc,)``, or infinite; NaN where not positive.
    scale
        Of the Cauchy prior, in standard deviations.

    Returns
    -------
    ndarray
        ``(n_loc,)``: above 0 the data speak for an effect, below 0 for none.

    Raises
    ------
    ValueError
        For a scale that isn't a positive number.
    """
    if not (scale > 0 and np.isfinite(scale)):
        raise ValueError(f"the scale of a Cauchy prior is a positive number, not {scale}")
    arrays = (np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in (stat, n_eff, dof))
    t, n, nu = np.broadcast_arrays(*arrays)
    found = np.full(t.shape, np.nan)
    possible = ~np.isnan(t) & (n > 0) & np.isfinite(n) & (nu > 0)
    for chosen, log_tail in ((np.isfinite(nu), _t_log), (np.isposinf(nu), _normal_log)):
        places = np.flatnonzero(possible & chosen)
        for start in range(0, places.size, _TILE):
            here = places[start : start + _TILE]
            square = t[here] * t[here]
            averaged = _average(square, n[here] * scale**2, nu[here], log_tail)
            found[here] = np.log(averaged) - log_tail(square, nu[here])
    return found


def jzs_bf10(stat: ArrayLike, n_eff: ArrayLike, dof: ArrayLike, scale: float = CAUCHY_SCALE) -> Floats:
    """The Bayes factor itself, `jzs_log_bf10` exponentiated: infinite above 1e308."""
    with np.errstate(over="ignore"):
        return np.exp(jzs_log_bf10(stat, n_eff, dof, scale))


def _nodes() -> tuple[Floats, Floats]:
    """Values of ``v``, and weights that hold the density of v, the step and the substitution."""
    x = np.arange(-_SHIFT - 3.0, _TOP, _STEP)
    fall = np.exp(-(x + _SHIFT))
    v = np.exp(x - fall)
    return v, _STEP * (1 + fall) * v * np.exp(-v / 2) / np.sqrt(2 * np.pi)


_V, _WEIGHTS = _nodes()


def _average(square: Floats, m: Floats, nu: Floats, log_tail: _LogTail) -> Floats:
    """The integral ``I`` at each location ``(n_loc,)``, ``square`` being that of t."""
    total = np.zeros_like(square)
    for v, weight in zip(_V, _WEIGHTS, strict=True):
        share = 1 / (v + m)
        total += weight * np.sqrt(share) * np.exp(log_tail(square * (v * share), nu))
    return total


def _t_log(square: Floats, nu: Floats) -> Floats:
    """Logarithm of t's density without its constant; ``log(1 + x)`` is four times faster than ``log1p``,
    and what it loses of a small x, times nu, is below 1e-10 up to 1e6 degrees of freedom.
    """
    value: Floats = (-(nu + 1) / 2) * np.log(1 + square / nu)
    return value


def _normal_log(square: Floats, nu: Floats) -> Floats:
    return -square / 2
