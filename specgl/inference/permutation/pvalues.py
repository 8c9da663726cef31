"""p-values from null distributions: counted, or told by a fitted tail where counts run out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specgl.inference.corrected import SMALLEST
from specgl.inference.permutation.nulls import critical_value, reach
from specgl.kernels.statistics import NOUGHT
from specgl.kernels.tail_models import Tail, gamma_tail, gpd_tail

Floats = NDArray[np.float64]

TAIL_BELOW = 0.1
"""Counted p-values from here on stay as they are: a fitted tail has nothing to add to many counts."""

_LOG_10 = float(np.log(10.0))
_LOG_SMALLEST = float(np.log(SMALLEST))


@dataclass(frozen=True, eq=False)
class PValues:
    """p-values of some observed values.

    Attributes
    ----------
    p
        Never 0, (m,).
    logp
        Their −log10, (m,).
    extrapolated
        Whether a fitted tail told it, (m,).
    """

    p: Floats
    logp: Floats
    extrapolated: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Null:
    """A null distribution of maxima with what p-values are read from.

    Attributes
    ----------
    values
        The observed labelling's first, (J,).
    tail
        Its fitted tail, if one is asked for and fits.
    """

    values: Floats
    tail: Tail | None

    def p_values(self, observed: Floats, slack: Floats) -> PValues:
        """p-values of observed values, each up to its `slack` of ties, (m,)."""
        return told_by(self.tail, observed, reach(self.values, observed, slack) / self.values.size)

    def critical(self, alpha: float) -> float:
        """The value that what survives at a level surpasses, or reaches where a tail tells."""
        counted = critical_value(self.values, alpha)
        if self.tail is None or alpha >= TAIL_BELOW or alpha > self.tail.share:
            return counted
        first = critical_value(self.values, float(np.nextafter(TAIL_BELOW, 0.0)))  # where the tail is asked
        return max(self.tail.isf(alpha), first, self.tail.start)


@dataclass(frozen=True, eq=False)
class Strictest:
    """Several null distributions, with each of which observed values are compared: the largest p counts.

    Attributes
    ----------
    nulls
        At least one.
    """

    nulls: tuple[Null, ...]

    @property
    def tail(self) -> Tail | None:
        """A fitted tail among theirs, if there is one."""
        return next((null.tail for null in self.nulls if null.tail is not None), None)

    def p_values(self, observed: Floats, slack: Floats) -> PValues:
        """As `Null.p_values`, the largest of them."""
        return strictest([null.p_values(observed, slack) for null in self.nulls])

    def critical(self, alpha: float) -> float:
        """As `Null.critical`: what survives passes all of them."""
        return max(null.critical(alpha) for null in self.nulls)


def make_null(values: Floats, tail: str) -> Null:
    """A null distribution, its tail fitted where one is asked for.

    Parameters
    ----------
    values
        The observed labelling's first, (J,).
    tail
        ``counts``, ``gpd`` or ``gamma``.
    """
    return Null(values, None if tail == "counts" else FITS[tail](values))


FITS = {"gpd": gpd_tail, "gamma": gamma_tail}
"""How a tail is fitted, by its name in a spec."""


def slack_of(observed: Floats, relative: float) -> Floats:
    """How far below an observed value a null value counts as its equal, (m,)."""
    return np.maximum(relative * np.abs(observed), NOUGHT)


def counted(p: Floats) -> PValues:
    """Counted p-values as they are."""
    return PValues(p, 0.0 - np.log10(p), np.zeros(p.shape, dtype=bool))


def told_by(tail: Tail | None, observed: Floats, p: Floats) -> PValues:
    """Counted p-values, the small ones replaced by those of a fitted tail.

    Parameters
    ----------
    tail
        The fit, or None.
    observed
        Observed values, (m,).
    p
        Their counted p-values, (m,).

    Returns
    -------
    p_values
        A tail's are kept below `TAIL_BELOW`, so that p never rises with the statistic.
    """
    values = counted(p)
    if tail is None:
        return values
    here = (p < TAIL_BELOW) & (observed > tail.start)
    logs = np.clip(tail.log_sf(observed[here]), _LOG_SMALLEST, np.log(TAIL_BELOW))
    return replaced(values, here, logs)


def replaced(values: PValues, here: NDArray[np.bool_], logs: Floats) -> PValues:
    """p-values with some of them replaced by those with these natural logarithms, (n_here,)."""
    p, logp = values.p.copy(), values.logp.copy()
    p[here], logp[here] = np.maximum(np.exp(logs), SMALLEST), -logs / _LOG_10
    return PValues(p, logp, values.extrapolated | here)


def strictest(several: Sequence[PValues]) -> PValues:
    """The largest of several p-values of each observed value, NaN where one is NaN."""
    p = np.stack([one.p for one in several])
    # By the logarithms, which still differ where p-values underflow.
    chosen = np.argmin(np.stack([one.logp for one in several]), axis=0)[None]
    pick = [np.stack([getattr(one, name) for one in several]) for name in ("logp", "extrapolated")]
    logp, extrapolated = (np.take_along_axis(values, chosen, axis=0)[0] for values in pick)
    return PValues(p.max(axis=0), logp, extrapolated)
