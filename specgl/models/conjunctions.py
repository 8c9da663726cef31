"""Conjunctions of contrasts: the least of several statistics, all of which must hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.minimum import least, mixed
from specgl.kernels.tails import Alternative, t_tails
from specgl.models.tested import Floats, Outcome

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Conjunction


def join_outcomes(
    conjunction: Conjunction, outcomes: Mapping[str, Outcome], dof: Floats | float, usable: NDArray[np.bool_]
) -> Outcome:
    """Statistic of a conjunction: the minimum, compared as each of its members would be.

    The hypothesis that at least one member has no effect is rejected where each member alone would be
    (Nichols 2005, doi:10.1016/j.neuroimage.2004.12.005): ``p = max p_i``, and not a p-value of the minimum
    where no member at all has an effect. ``greater`` takes the smallest z and ``less`` the largest;
    ``two-sided`` the z nearest to 0 where all have one sign, and 0, with p = 1, where they have not.

    Parameters
    ----------
    conjunction
        Which contrasts, in which direction.
    outcomes
        These contrasts by their names, with the maps ``(n_loc,)`` that they have.
    dof
        Degrees of freedom of the fit, for contrasts that have none of their own: a number or ``(n_loc,)``.
    usable
        ``(n_loc,)``, where all of the members have a statistic.

    Returns
    -------
    Outcome
        ``t`` where all members are t with the same degrees of freedom; otherwise ``z``, whose statistic is
        its z, with degrees of freedom of NaN where its members have their own. It has no effect and no
        variance.
    """
    members = [outcomes[name] for name in conjunction.members]
    z = np.stack([np.where(usable, member.z, np.nan) for member in members])
    with np.errstate(invalid="ignore"):  # NaN stays NaN
        p = np.max([_p(member, dof, conjunction.alternative) for member in members], axis=0)
        p = np.where(np.isnan(z).any(axis=0), np.nan, p)
        p[mixed(z, conjunction.alternative)] = 1.0
    lowest = least(z, conjunction.alternative)
    alike = all(member.dof is None for member in members)
    if alike and all(member.kind == "t" for member in members):
        stat = np.stack([member.stat for member in members])
        return Outcome("t", least(stat, conjunction.alternative, order=z), lowest, p, dof1=1)
    return Outcome("z", lowest, lowest, p, dof1=1, dof=None if alike else np.full(lowest.size, np.nan))


def _p(member: Outcome, dof: Floats | float, alternative: Alternative) -> Floats:
    """p-values of a member in the conjunction's direction, which need not be its own, (n_loc,)."""
    return t_tails(member.stat, dof if member.dof is None else member.dof).p(alternative)
