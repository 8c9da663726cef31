"""Conjunctions under shuffles: the observed minimum, and the contrasts whose nulls it is compared with.

The null hypothesis of a conjunction is that some member has no effect, whichever it is (Nichols 2005,
doi:10.1016/j.neuroimage.2004.12.005). Clusters, masses and enhanced values of the minimum of several maps are
never greater than those of any of the maps alone. Compared with each member's own null distribution, the
largest p-value is therefore valid whichever member has no effect. The uncorrected p-value of a location is
the largest of its members'.

A member may be tested in another direction by itself than together with others. Its *partner* is the same
statistic once more, in the conjunction's direction; where the directions agree it is the member itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.inference.asked import Permutation
from specgl.inference.contrasts import SIDES, ContrastMaps
from specgl.inference.permutation.observed import Minimum, Observed, observe
from specgl.inference.permutation.pvalues import PValues, strictest
from specgl.inference.permutation.wanted import Wanted, want
from specgl.inference.records import Neighbourhood
from specgl.kernels.minimum import least
from specgl.kernels.statistics import ShuffledStatistic
from specgl.kernels.tfce import Graph

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Joined:
    """A conjunction with what it is compared with.

    Attributes
    ----------
    wanted
        What inferences want of it.
    minimum
        Its statistics.
    members
        Names of its members.
    partners
        Names under which these are shuffled in the conjunction's direction.
    """

    wanted: Wanted
    minimum: Minimum
    members: tuple[str, ...]
    partners: tuple[str, ...]

    def observe(self, space: Neighbourhood, graphs: Mapping[int, Graph]) -> Observed:
        """The minimum as observed, in float64."""
        wanted = self.wanted
        return observe(self.minimum, wanted.alternative, wanted.measures, wanted.maps.analysed, space, graphs)

    def uncorrected(self, of_partners: Sequence[PValues | None]) -> PValues | None:
        """The largest of the members' own p-values at each location, NaN where there is no conjunction."""
        told = [one for one in of_partners if one is not None]
        if not told:
            return None
        found = strictest(told)
        # Members of opposite signs may each be certain; no direction is then common to them.
        maps = self.wanted.maps
        apart = (maps.stat == 0.0) & (maps.tail == "two-sided")
        p, logp = np.where(apart, 1.0, found.p), np.where(apart, 0.0, found.logp)
        here = maps.analysed
        return PValues(
            np.where(here, p, np.nan), np.where(here, logp, np.nan), found.extrapolated & ~apart & here
        )


def join(
    maps: ContrastMaps,
    members: tuple[str, ...],
    asked: Sequence[Permutation],
    stats: xr.Dataset,
    statistics: Mapping[str, ShuffledStatistic],
    gathered: dict[str, Wanted],
) -> Joined:
    """Gather what a conjunction needs; its partners are put among what is gathered.

    Parameters
    ----------
    maps
        The conjunction's maps.
    members
        Names of its members.
    asked
        The inferences.
    stats
        Statistics, for cluster-forming thresholds.
    statistics
        The members' statistics, ready to be shuffled.
    gathered
        What is wanted of each contrast by its name; partners are added, and measures to those there are.
    """
    several = [statistics[name] for name in members]
    varying = maps.kind == "z" or any(statistic.varying for statistic in several)
    wanted = want(maps, maps.tail, asked, stats, varying=varying)
    partners = []
    for name in members:
        own = gathered[name]
        key = name if own.alternative == maps.tail else f"{name}-{maps.tail}"
        partners.append(key)
        before = gathered.get(key) or replace(
            own,
            maps=replace(own.maps, name=key, tail=maps.tail, sides=SIDES[maps.tail]),
            alternative=maps.tail,
            by_inference=(),
            measures=(),
            counted=frozenset(),
        )
        gathered[key] = replace(
            before,
            measures=tuple(dict.fromkeys((*before.measures, *wanted.measures))),
            counted=before.counted | wanted.counted,
        )
    order = np.stack([statistic.observed_z for statistic in several])
    minimum = Minimum(
        least(np.stack([statistic.observed for statistic in several]), maps.tail, order=order),
        least(order, maps.tail),
    )
    return Joined(wanted, minimum, members, tuple(partners))


def partners_among(contrasts: Sequence[str], joined: Iterable[Joined]) -> dict[str, str]:
    """Members of conjunctions that are shuffled once more, in another direction.

    Parameters
    ----------
    contrasts
        Names of contrasts that are shuffled alike.
    joined
        The conjunctions.

    Returns
    -------
    partners
        The member's name by the partner's.
    """
    return {
        partner: member
        for one in joined
        for partner, member in zip(one.partners, one.members, strict=True)
        if partner != member and member in contrasts
    }
