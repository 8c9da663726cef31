"""What each inference says of each contrast, once the null distributions are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specgl.inference.asked import Permutation
from specgl.inference.contrasts import ContrastMaps
from specgl.inference.families import correct_family, families
from specgl.inference.permutation.measures import Measure, Sizes, column_name
from specgl.inference.permutation.nulls import ContrastNull, over_contrasts
from specgl.inference.permutation.observed import Observed, SideClusters
from specgl.inference.permutation.pvalues import PValues, Strictest, make_null, slack_of
from specgl.inference.records import Inferred, Neighbourhood, Shuffled
from specgl.inference.surviving import Rule, surviving_clusters, surviving_locations
from specgl.kernels.multiplicity import ADJUST
from specgl.kernels.statistics import TIE

if TYPE_CHECKING:
    from specgl.models.schemes import Scheme

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Case:
    """One inference about one contrast, with all that answers it.

    Attributes
    ----------
    maps
        The contrast's maps.
    measure
        What the inference measures.
    observed
        The contrast as observed.
    null
        The contrast under shuffles.
    uncorrected
        Each location's own p-values, where they are counted, (n_loc,).
    scheme
        How the contrast was shuffled.
    others
        Of a conjunction: the null distributions of its further members, the first being `null`.
    """

    maps: ContrastMaps
    measure: Measure
    observed: Observed
    null: ContrastNull
    uncorrected: PValues | None
    scheme: Scheme
    others: tuple[ContrastNull, ...] = ()

    @property
    def nulls(self) -> tuple[ContrastNull, ...]:
        """The contrast under shuffles, or a conjunction's members."""
        return (self.null, *self.others)


def conclude(asked: Permutation, cases: Sequence[Case], space: Neighbourhood) -> tuple[Inferred, ...]:
    """One inference about every contrast.

    Parameters
    ----------
    asked
        The inference.
    cases
        Every contrast, in order.
    space
        What makes the locations neighbours.

    Returns
    -------
    inferred
        A record for each contrast.
    """
    return tuple(
        one for family in families(list(cases), asked.across) for one in _family(asked, family, space)
    )


def _family(asked: Permutation, family: list[Case], space: Neighbourhood) -> list[Inferred]:
    """The contrasts of a family, which share a null distribution of maxima or a false discovery rate."""
    name = column_name(asked)
    by_maximum = asked.correction == "fwe"
    tail = asked.tail if by_maximum else "counts"
    nulls = [over_contrasts(several) for several in compared(family, asked)]
    null = Strictest(tuple(make_null(values, tail) for values in nulls))
    if not by_maximum:
        inferred = _by_locations(asked, family, space)
    elif name in ("height", "enhanced"):
        inferred = [_by_maximum(asked, case, null, space) for case in family]
    else:
        inferred = [_by_clusters(asked, case, null, space) for case in family]
    told = asked.tail if null.tail is not None or not by_maximum else "counts"
    critical = null.critical(asked.alpha) if by_maximum else None
    return [
        replace(
            one,
            null=None if case.others else nulls[0],
            enhanced=_signed(case) if name == "enhanced" else None,
            uncorrected_logp=None if case.uncorrected is None else case.uncorrected.logp,
            shuffling=shuffled_record(case.scheme, told, critical),
        )
        for one, case in zip(inferred, family, strict=True)
    ]


def compared(family: Sequence[Case], asked: Permutation) -> list[list[Floats]]:
    """The nulls that a family is compared with, each the maximum over several.

    Over all contrasts there is one: a conjunction surpasses it only where the member that has no effect does.
    A conjunction by itself is compared with each member's.
    """
    name = column_name(asked)
    several = [null.of(case.measure, name) for case in family for null in case.nulls]
    return [several] if asked.across == "contrasts" else [[values] for values in several]


def _by_maximum(asked: Permutation, case: Case, null: Strictest, space: Neighbourhood) -> Inferred:
    """Each location against the maxima over all of them."""
    analysed = case.maps.analysed
    evidence = case.observed.evidence(case.measure)[analysed]
    found = null.p_values(evidence, slack_of(evidence, TIE))
    p, logp = case.maps.spread(found.p), case.maps.spread(found.logp)
    inferred = surviving_locations(case.maps, p, logp, logp, space, _rule(asked))
    extrapolated = np.zeros(analysed.size, dtype=bool)
    extrapolated[analysed] = found.extrapolated
    return replace(inferred, extrapolated=None if asked.tail == "counts" else extrapolated)


def _by_locations(asked: Permutation, family: list[Case], space: Neighbourhood) -> list[Inferred]:
    """Each location against its own shuffles, corrected or not over all of the family."""
    uncorrected = [case.uncorrected for case in family]
    told = [one for one in uncorrected if one is not None]
    corrected = correct_family(
        [case.maps for case in family],
        [one.p for one in told],
        [one.logp for one in told],
        ADJUST[asked.correction],
    )
    return [
        replace(
            surviving_locations(case.maps, p, logp, one.logp, space, _rule(asked)),
            extrapolated=None if asked.tail == "counts" else one.extrapolated,
        )
        for case, one, (p, logp) in zip(family, told, corrected, strict=True)
    ]


def _by_clusters(asked: Permutation, case: Case, null: Strictest, space: Neighbourhood) -> Inferred:
    """Each cluster against the greatest of each shuffle; a cluster's p is that of all its locations."""
    maps, name = case.maps, column_name(asked)
    assert isinstance(case.measure, Sizes)  # no other measure has clusters
    threshold = case.measure.threshold
    over = threshold if name == "excess" else 0.0
    several = case.observed.clusters[case.measure]
    found = [null.p_values(one.sizes[name], _slack(one, name)) for one in several]
    inferred = surviving_clusters(
        maps,
        [replace(one.side, over=over) for one in several],
        [(of_side.p, of_side.logp) for of_side in found],
        space,
        _rule(asked),
        threshold,
    )
    extrapolated = np.zeros(maps.p.size, dtype=bool)
    for one, of_side in zip(several, found, strict=True):
        extrapolated[one.side.members] = of_side.extrapolated[one.side.clusters.labels]
    return replace(inferred, extrapolated=None if asked.tail == "counts" else extrapolated)


def bars(asked: Permutation, case: Case) -> Floats:
    """What null values must reach to count against any of the observed ones, (m,)."""
    name = column_name(asked)
    if name in ("height", "enhanced"):
        evidence = case.observed.evidence(case.measure)[case.maps.analysed]
        return evidence - slack_of(evidence, TIE)
    sides = case.observed.clusters[case.measure]
    return np.concatenate([side.sizes[name] - _slack(side, name) for side in sides])


def _slack(side: SideClusters, name: str) -> Floats:
    # What exceeds the threshold is a difference of sums: it is as exact as the sums are.
    return slack_of(side.sizes["total" if name == "excess" else name], TIE)


def _rule(asked: Permutation) -> Rule:
    # With TFCE no height of the statistic tells what survives.
    return Rule(asked.name, asked.alpha, asked.connectivity, has_height=asked.statistic == "voxel")


def _signed(case: Case) -> Floats:
    """The enhanced map, negative on the negative side, NaN where nothing was analysed, (n_loc,)."""
    upper, lower = case.observed.enhanced[case.measure]
    return np.where(case.maps.analysed, upper - lower, np.nan)


def shuffled_record(scheme: Scheme, tail: str, critical: float | None) -> Shuffled:
    """What a null distribution was made from."""
    return Shuffled(
        n=scheme.n,
        possible=scheme.possible,
        exhaustive=scheme.exhaustive,
        exchange=scheme.exchange,
        tail=tail,
        critical=critical,
    )
