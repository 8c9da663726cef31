"""Maps of estimation: standard errors, limits, standardised effects, shares of variance, equivalence.

Locations where the effect, its variance or the statistic is NaN, or the degrees of freedom aren't positive,
are NaN in every result. Infinite degrees of freedom are those of a known variance: normal limits and tails.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from specgl.kernels.noncentral import upper_noncentrality
from specgl.kernels.tails import Tails, log_gamma_step, t_tails

Floats = NDArray[np.float64]


class Limits(NamedTuple):
    """Two-sided limits at each location, each ``(n_loc,)``, ``lower <= upper``."""

    lower: Floats
    upper: Floats


def standard_error(variance: ArrayLike) -> Floats:
    """Standard error of an effect.

    Parameters
    ----------
    variance
        ``(n_loc,)`` sampling variance of the effect, in its squared units; NaN where negative.

    Returns
    -------
    ndarray
        ``(n_loc,)`` in units of the effect.
    """
    known = np.asarray(variance, dtype=np.float64)
    return np.sqrt(np.where(known >= 0, known, np.nan))


def confidence_limits(effect: ArrayLike, variance: ArrayLike, dof: ArrayLike, level: float) -> Limits:
    """Limits of an effect: ``effect -+ q * standard error`` with the quantile q of Student's t.

    Parameters
    ----------
    effect
        ``(n_loc,)``.
    variance
        ``(n_loc,)`` its sampling variance.
    dof
        Degrees of freedom, a number or ``(n_loc,)``; the normal quantile where infinite.
    level
        Share of intervals that hold the true effect, above 0 and below 1.

    Returns
    -------
    Limits
        In units of the effect. They leave out 0 exactly where the two-sided p is below ``1 - level``.

    Raises
    ------
    ValueError
        For a level that is no share.
    """
    middle = np.asarray(effect, dtype=np.float64)
    reach = _t_quantile(np.asarray(dof, dtype=np.float64), _outside(level)) * standard_error(variance)
    return Limits(middle - reach, middle + reach)


def hedges_factor(dof: ArrayLike) -> Floats:
    """Hedges' correction of a standardised effect for its bias upwards in small samples.

    ``J = Gamma(nu/2) / (sqrt(nu/2) Gamma((nu-1)/2))`` (Hedges 1981, doi:10.3102/10769986006002107).

    Parameters
    ----------
    dof
        Degrees of freedom of the standard deviation, a number or an array.

    Returns
    -------
    ndarray
        In the shape of ``dof``: below 1, and 1 where infinite. NaN up to 1, where a standardised effect has
        no mean that could be corrected.
    """
    nu = np.asarray(dof, dtype=np.float64)
    known = (nu > 1) & np.isfinite(nu)
    safe = np.where(known, nu, 2.0)
    factor = np.exp(log_gamma_step((safe - 1) / 2, np.full_like(safe, 0.5)) - np.log(safe / 2) / 2)
    return np.where(known, factor, np.where(np.isposinf(nu), 1.0, np.nan))


def hedges_g(d: ArrayLike, dof: ArrayLike) -> Floats:
    """Hedges' g: Cohen's d ``(n_loc,)`` times `hedges_factor`, free of bias for normal data."""
    return np.asarray(d, dtype=np.float64) * hedges_factor(dof)


def d_limits(stat: ArrayLike, dof: ArrayLike, per_d: ArrayLike, level: float) -> Limits:
    """Limits of Cohen's d, from noncentral t (Cumming and Finch 2001, doi:10.1177/0013164401614002).

    The statistic of a true standardised effect ``d`` has the noncentrality ``d / per_d``. The limits hold
    the effects with which a statistic as large, and one as small, is not rarer than ``(1 - level) / 2``.
    Limits of Hedges' g are these times `hedges_factor`.

    Parameters
    ----------
    stat
        ``(n_loc,)`` t statistics, of any size.
    dof
        Degrees of freedom of the standard deviation, a number or ``(n_loc,)``; NaN below 1.
    per_d
        What d is for a statistic of 1: ``sqrt(c (X'X)^- c')``, a positive number or ``(n_loc,)``.
    level
        Share of intervals that hold the true d: 0.001 to 0.999.

    Returns
    -------
    Limits
        In standard deviations. They leave out 0 where the two-sided p is below ``1 - level``.

    Raises
    ------
    ValueError
        For a level that is no share, or one further out than the table goes.
    """
    alpha = _outside(level)
    if not 0.0005 * (1 - 1e-9) <= alpha <= 0.4995 * (1 + 1e-9):
        raise ValueError(f"limits of d are made for levels from 0.001 to 0.999, not {level}")
    t = np.atleast_1d(np.asarray(stat, dtype=np.float64))
    nu, factor = np.asarray(dof, dtype=np.float64), np.asarray(per_d, dtype=np.float64)
    lower = -upper_noncentrality(-t, nu, alpha) + 0.0  # no negative zeros in a map
    return Limits(lower * factor, upper_noncentrality(t, nu, alpha) * factor)


def partial_r2(f: ArrayLike, dof1: ArrayLike, dof2: ArrayLike) -> Floats:
    """Share of the variance that the rest of the model leaves which the tested part explains.

    ``dof1 F / (dof1 F + dof2)`` (Cohen 1988, chapter 9); of a t statistic ``F = t^2`` and ``dof1 = 1``.

    Parameters
    ----------
    f
        ``(n_loc,)`` F statistics, not negative.
    dof1, dof2
        Degrees of freedom of the tested part and of the residuals, numbers or ``(n_loc,)``. Infinite
        ``dof2`` give NaN: there was no residual variance to have a share in.

    Returns
    -------
    ndarray
        ``(n_loc,)``, 0 to 1.
    """
    stat, q, nu = (np.asarray(value, dtype=np.float64) for value in (f, dof1, dof2))
    known = (stat >= 0) & (q > 0) & (nu > 0) & np.isfinite(nu)
    with np.errstate(all="ignore"):
        share = 1 / (1 + nu / (q * stat))
    return np.where(known, share, np.nan)


def equivalence_tails(effect: ArrayLike, variance: ArrayLike, dof: ArrayLike, margin: float) -> Tails:
    """Tails of the test whether an effect lies within a margin around 0.

    Two one-sided tests, against effects below ``-margin`` and above ``margin`` (Schuirmann 1987,
    doi:10.1007/BF01068419). The larger p of the two is that of the nearer end, so that it is one tail of
    ``(margin - |effect|) / standard error``: no difference of nearly equal numbers, and the same for an
    effect and its negative to the last bit.

    Parameters
    ----------
    effect
        ``(n_loc,)``.
    variance
        ``(n_loc,)`` its sampling variance; NaN where not positive.
    dof
        Degrees of freedom, a number or ``(n_loc,)``, or infinite.
    margin
        The largest effect that counts as none, positive, in units of the effect.

    Returns
    -------
    Tails
        The p of equivalence is ``greater``, as in ``equivalence_tails(...).neg_log10_p("greater")``.

    Raises
    ------
    ValueError
        For a margin that isn't a positive number.
    """
    if not (margin > 0 and np.isfinite(margin)):
        raise ValueError(f"a margin of equivalence is a positive number, not {margin}")
    error = standard_error(variance)
    error = np.where(error > 0, error, np.nan)
    return t_tails((margin - np.abs(np.asarray(effect, dtype=np.float64))) / error, dof)


def equivalence_p(effect: ArrayLike, variance: ArrayLike, dof: ArrayLike, margin: float) -> Floats:
    """P-value ``(n_loc,)`` of equivalence: small where the effect is surely within the margin.

    See `equivalence_tails`, which has it as a logarithm too. It is above one half where the effect is beyond
    the margin, and then says nothing for a difference.
    """
    return equivalence_tails(effect, variance, dof, margin).p("greater")


def _outside(level: float) -> float:
    """Probability beyond each limit."""
    if not 0 < level < 1:
        raise ValueError(f"a level is above 0 and below 1, not {level}")
    return (1 - level) / 2


def _t_quantile(dof: Floats, outside: float) -> Floats:
    """Upper quantile of t in the shape of ``dof``, found once for each of its values."""
    values, place = np.unique(dof, return_inverse=True)
    found = np.full(values.shape, np.nan)
    finite = (values > 0) & np.isfinite(values)
    found[finite] = -special.stdtrit(values[finite], outside)
    found[np.isposinf(values)] = -special.ndtri(outside)
    return found[place.reshape(dof.shape)]
