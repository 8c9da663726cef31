"""Tail probabilities of t, F, chi-square and z in logarithms, and what follows from them: p and z.

Every probability is the smaller tail's, computed as a logarithm from the start, so that a z exists and is
exact to the last few bits where the probability itself is far below the smallest float64, and so that a
statistic and its negative give opposite z to the last bit.

The tails of t and F are those of a beta distribution (Abramowitz and Stegun 1964, 26.5.27 and 26.6.2). Where
the library's incomplete beta function would underflow or lose digits, its continued fraction is evaluated
(DiDonato and Morris 1992, doi:10.1145/131766.131776) beside the logarithm of its leading factor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]
Alternative = Literal["two-sided", "greater", "less"]

_LOG_2 = float(np.log(2.0))
_LOG_10 = float(np.log(10.0))
_UNDERFLOW = 1e-280  # below it the library's incomplete beta function loses digits, then everything
_CANCELS = 1e-3  # below it 1 - P has lost three of its sixteen digits
_HUGE = 1e150  # its square, over any degrees of freedom, is still a float64
_SMALLEST = float(np.nextafter(0.0, 1.0))
_MAX_TERMS = 5000  # the slowest case (dof 1e8, p 1e-3) takes some tens


@dataclass(frozen=True, eq=False)
class Tails:
    """Both tails of a statistic under its null distribution.

    Attributes
    ----------
    log_upper
        ``(n_loc,)`` natural logarithm of the probability of a larger value.
    log_lower
        ``(n_loc,)`` natural logarithm of the probability of a smaller value.
    """

    log_upper: Floats
    log_lower: Floats

    def z(self) -> Floats:
        """Standard normal deviate with the same tails: negative below the median.

        Returns
        -------
        ndarray
            ``(n_loc,)``.
        """
        deviate = np.maximum(-special.ndtri_exp(np.minimum(self.log_upper, self.log_lower)), 0.0)
        return np.where(self.log_upper > self.log_lower, -deviate, deviate)

    def log_p(self, alternative: Alternative) -> Floats:
        """Natural logarithm of the p-value.

        Parameters
        ----------
        alternative
            ``two-sided`` doubles the smaller tail, ``greater`` is the upper and ``less`` the lower one.

        Returns
        -------
        ndarray
            ``(n_loc,)``, at most 0.
        """
        return _LOG_P[alternative](self)

    def p(self, alternative: Alternative) -> Floats:
        """The p-value ``(n_loc,)``; 0 where it is below the smallest float64 (see `neg_log10_p`)."""
        return np.exp(self.log_p(alternative))

    def neg_log10_p(self, alternative: Alternative) -> Floats:
        """``-log10`` of the p-value ``(n_loc,)``, finite where the p-value underflows."""
        return -self.log_p(alternative) / _LOG_10 + 0.0  # no negative zeros in a map


_LOG_P: dict[str, Callable[[Tails], Floats]] = {
    "two-sided": lambda tails: np.minimum(np.minimum(tails.log_upper, tails.log_lower) + _LOG_2, 0.0),
    "greater": lambda tails: tails.log_upper,
    "less": lambda tails: tails.log_lower,
}
ALTERNATIVES: tuple[str, ...] = tuple(_LOG_P)
"""Directions in which a signed statistic can be tested."""


def t_tails(t: ArrayLike, dof: ArrayLike) -> Tails:
    """Tails of Student's t.

    Parameters
    ----------
    t
        ``(n_loc,)`` statistics; NaN stays NaN.
    dof
        Degrees of freedom, a number or ``(n_loc,)``; NaN where not positive. Infinite: a normal deviate.

    Returns
    -------
    Tails
        ``Tails(-t)`` has the same numbers with the tails exchanged.
    """
    stat, nu = _aligned(t, dof)
    size = np.minimum(np.abs(stat), _HUGE)
    with np.errstate(all="ignore"):
        outer = _log_beta_cdf(nu / 2, np.full_like(nu, 0.5), size * size / nu) - _LOG_2
        outer = np.where(np.isinf(stat), -np.inf, outer)
        inner = np.log1p(-np.exp(outer))
    upper, lower = np.where(stat > 0, outer, inner), np.where(stat > 0, inner, outer)
    normal = np.isposinf(nu)
    if normal.any():
        limit = z_tails(stat[normal])
        upper[normal], lower[normal] = limit.log_upper, limit.log_lower
    return Tails(upper, lower)


def f_tails(f: ArrayLike, dof1: ArrayLike, dof2: ArrayLike) -> Tails:
    """Tails of F.

    Parameters
    ----------
    f
        ``(n_loc,)`` statistics; NaN stays NaN, and a negative one gives NaN.
    dof1, dof2
        Degrees of freedom of the tested part and of the residuals, numbers or ``(n_loc,)``. Infinite ones of
        the residuals: a chi-square divided by its degrees of freedom.

    Returns
    -------
    Tails
        The p-value of an F test is the upper tail, ``greater``.
    """
    stat, q, nu = _aligned(f, dof1, dof2)
    with np.errstate(all="ignore"):
        ratio = np.clip(np.where(stat >= 0, stat, np.nan) * (q / nu), _HUGE**-2, _HUGE**2)
        upper = _log_beta_cdf(nu / 2, q / 2, ratio)
        lower = np.log1p(-np.exp(upper))
        # Below the median the lower tail is the small one: it is computed, and the upper is its complement.
        below = upper > -_LOG_2
        lower[below] = _log_beta_cdf(q[below] / 2, nu[below] / 2, 1 / ratio[below])
        upper[below] = np.log1p(-np.exp(lower[below]))
        known = np.isposinf(nu)
        if known.any():
            limit = chi2_tails(np.where(stat >= 0, stat, np.nan)[known] * q[known], q[known])
            upper[known], lower[known] = limit.log_upper, limit.log_lower
        upper = np.where(np.isinf(stat) & (stat > 0), -np.inf, upper)
    return Tails(upper, lower)


def chi2_tails(chi2: ArrayLike, dof: ArrayLike) -> Tails:
    """Tails of chi-square.

    Parameters
    ----------
    chi2
        ``(n_loc,)`` statistics; NaN stays NaN, and a negative one gives NaN.
    dof
        Degrees of freedom, a number or ``(n_loc,)``.

    Returns
    -------
    Tails
        The p-value of a chi-square test is the upper tail, ``greater``.
    """
    stat, nu = _aligned(chi2, dof)
    lower = special.gammainc(nu / 2, stat / 2)
    # The lower tail decides z below the median only, where nothing survives: that it underflows there, as
    # at 0, makes z -38.5 and no infinity.
    lower[lower == 0] = _SMALLEST
    return Tails(chi2_log_sf(stat, nu), np.log(lower))


def z_tails(z: ArrayLike) -> Tails:
    """Tails of a standard normal deviate.

    Parameters
    ----------
    z
        ``(n_loc,)``.

    Returns
    -------
    Tails
        Both tails from ``log_ndtr``.
    """
    deviate = np.asarray(z, dtype=np.float64)
    return Tails(special.log_ndtr(-deviate), special.log_ndtr(deviate))


def p_to_z(p: ArrayLike, alternative: Alternative) -> Floats:
    """Standard normal deviates of ready-made p-values.

    Parameters
    ----------
    p
        ``(n_loc,)`` p-values between 0 and 1; others give NaN. A p of 0 gives an infinite z: what was
        underneath is lost.
    alternative
        How the p-values were made. A two-sided p has lost its sign, and its z is not negative.

    Returns
    -------
    ndarray
        ``(n_loc,)``.
    """
    return _Z_OF_P[alternative](np.asarray(p, dtype=np.float64)) + 0.0


_Z_OF_P: dict[str, Callable[[Floats], Floats]] = {
    "two-sided": lambda p: -special.ndtri(p / 2),
    "greater": lambda p: -special.ndtri(p),
    "less": lambda p: special.ndtri(p),
}


def height_at(kind: str, p: float, *, dof1: float = 1.0, dof: float = np.inf) -> float:
    """Height that a statistic exceeds with a probability: its upper quantile.

    Parameters
    ----------
    kind
        ``z``, ``t``, ``F`` or ``chi2``.
    p
        A probability above 0 and below 1.
    dof1
        Degrees of freedom of chi-square, and of the numerator of F.
    dof
        Degrees of freedom of t, and of the denominator of F.

    Returns
    -------
    height
        Through the lower tail of the mirrored (F: inverted) variable, which loses no digit of a small ``p``.
    """
    return _HEIGHT[kind](p, dof1, dof)


_HEIGHT: dict[str, Callable[[float, float, float], float]] = {
    "z": lambda p, dof1, dof: -float(special.ndtri(p)),
    "t": lambda p, dof1, dof: -float(special.stdtrit(dof, p)),
    "F": lambda p, dof1, dof: 1.0 / float(special.fdtri(dof, dof1, p)),
    "chi2": lambda p, dof1, dof: float(special.chdtri(dof1, p)),
}


def t_log_sf(t: ArrayLike, dof: ArrayLike) -> Floats:
    """Natural logarithm of the probability that Student's t exceeds ``t``, ``(n_loc,)``."""
    return t_tails(t, dof).log_upper


def f_log_sf(f: ArrayLike, dof1: ArrayLike, dof2: ArrayLike) -> Floats:
    """Natural logarithm of the probability that F exceeds ``f``, ``(n_loc,)``."""
    return f_tails(f, dof1, dof2).log_upper


def chi2_log_sf(chi2: ArrayLike, dof: ArrayLike) -> Floats:
    """Natural logarithm of the probability that chi-square exceeds a value, ``(n_loc,)``.

    Where it underflows, by its continued fraction (Abramowitz and Stegun 1964, 6.5.31 in its contracted
    form), evaluated from its end: so far out, more than 1000 above `dof`, forty terms are many more than it
    takes.
    """
    stat, nu = _aligned(chi2, dof)
    a, x = nu / 2, stat / 2
    tail = special.gammaincc(a, x)
    far = tail < _UNDERFLOW
    a_far, x_far = a[far], x[far]
    below = x_far + 81.0 - a_far
    for n in range(40, 0, -1):
        below = x_far + 2 * n - 1 - a_far - n * (n - a_far) / below
    logs: Floats = np.empty_like(x)
    logs[~far] = np.log(tail[~far])
    logs[far] = a_far * np.log(x_far) - x_far - special.gammaln(a_far) - np.log(below)
    return logs


def _aligned(*values: ArrayLike) -> list[Floats]:
    arrays = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in values))
    statistic, *dofs = (np.atleast_1d(array) for array in arrays)
    return [statistic, *(np.where(dof > 0, dof, np.nan) for dof in dofs)]


def _log_beta_cdf(a: Floats, b: Floats, ratio: Floats) -> Floats:
    """Logarithm of the incomplete beta function ``I_x(a, b)`` at ``x = 1 / (1 + ratio)``.

    ``x`` is given by the ratio ``(1 - x) / x``, so that neither ``x`` near 0 nor ``x`` near 1 is rounded.
    All arguments ``(n,)``; accurate to about 1e-13 relative where the result is below log(1/2).
    """
    far = ratio >= 1.0
    x = 1 / (1 + ratio)
    # Of x and 1 - x the smaller is passed on: it carries all its digits.
    found = special.betainc(np.where(far, a, b), np.where(far, b, a), np.where(far, x, ratio * x))
    result = np.log(np.where(far, found, 1 - found))
    lost = np.where(far, found < _UNDERFLOW, found > 1 - _CANCELS)
    if lost.any():
        result[lost] = _log_beta_cdf_far(a[lost], b[lost], ratio[lost])
    return result


def _log_beta_cdf_far(a: Floats, b: Floats, ratio: Floats) -> Floats:
    """The same in the far tail: the leading factor in logarithms, times a continued fraction."""
    lead = -a * np.log1p(ratio) - b * np.log1p(1 / ratio) - _log_beta(a, b)
    return lead + np.log(_beta_fraction(a, b, ratio))


def _beta_fraction(a: Floats, b: Floats, ratio: Floats) -> Floats:
    """Continued fraction of the incomplete beta function, DiDonato and Morris 1992, equation 9.

    Their ``lambda = a - (a + b) x`` is written in the ratio, which keeps its digits as ``x`` nears 1.
    """
    result = np.empty_like(a)
    active = np.arange(a.size)
    x, y = 1 / (1 + ratio), ratio / (1 + ratio)
    shift = 1 + (a * ratio - b) / (1 + ratio)
    old_top, top, old_bottom = np.zeros_like(a), np.ones_like(a), np.ones_like(a)
    bottom = shift / (1 + 1 / a)
    value = top / bottom
    for n in range(1, _MAX_TERMS):
        step = n * (b - n) * x
        alpha = (1 + (n - 1) / a) * (1 + (n - 1) / a + b / a) * (a / (a + 2 * n - 1)) ** 2 * step * x
        beta = n + step / (a + 2 * n - 1) + (n / a + 1) / (1 + (2 * n + 1) / a) * (shift + n * (1 + y))
        old_top, top = top, alpha * old_top + beta * top
        old_bottom, bottom = bottom, alpha * old_bottom + beta * bottom
        # Kept near 1, since numerator and denominator grow as factorials.
        old_top, top, old_bottom = old_top / bottom, top / bottom, old_bottom / bottom
        bottom = np.ones_like(bottom)
        open_ = np.abs(top - value) > 1e-15 * top
        value = top
        if not open_.all():
            result[active] = value
            if not open_.any():
                return result
            active = active[open_]
            a, b, x, y, shift, value, old_top, top, old_bottom, bottom = (
                array[open_] for array in (a, b, x, y, shift, value, old_top, top, old_bottom, bottom)
            )
    result[active] = value
    return result


def _log_beta(a: Floats, b: Floats) -> Floats:
    """Logarithm of the beta function, without the cancellation of three large log gammas."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    return special.gammaln(low) - log_gamma_step(high, low)


def log_gamma_step(a: Floats, b: Floats) -> Floats:
    """``log(gamma(a + b) / gamma(a))`` for ``a >= b``, through Stirling's series where ``a`` is large."""
    large = np.maximum(a, 10.0)
    step = (large - 0.5) * np.log1p(b / large) + b * (np.log(large + b) - 1)
    step += _stirling(large + b) - _stirling(large)
    return np.where(a < 10.0, special.gammaln(a + b) - special.gammaln(a), step)


def _stirling(a: Floats) -> Floats:
    """What Stirling's formula for log gamma leaves out, for ``a >= 10`` (error below 1e-17)."""
    s = 1 / (a * a)
    series = 1 / 1188 - s * (691 / 360360 - s * (1 / 156 - s * 3617 / 122400))
    return (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * series)))) / a
