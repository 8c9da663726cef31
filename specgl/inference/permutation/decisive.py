"""Shuffles on which a count hangs, measured again in float64.

The measures of all shuffles come from float32 maps, each with the interval that its float64 value lies in
(`specgl.inference.permutation.certainty`). Nearly always an observed value lies outside that interval, and
float32 has decided the comparison. The few shuffles whose interval holds an observed value, be it by chance
or because they are the same labelling in another guise, are decisive: their maps are made once more in
float64, and what is measured there takes the place of what float32 gave. Every count is then the one that
float64 gives throughout, and ties may be as narrow as float64 allows.

Which shuffles are decisive follows from the merged results alone, and each is computed by itself: no bit
depends on threads, chunks, engines, a run being resumed, or on what else was asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specgl.engines import Engine, Threads, default_threads
from specgl.inference.asked import Permutation
from specgl.inference.permutation.calibrated import doubtful
from specgl.inference.permutation.measures import Height, Measure, Simes, Sizes, column_name, column_of
from specgl.inference.permutation.nulls import ContrastNull
from specgl.inference.permutation.outcomes import Case, bars
from specgl.inference.permutation.simes import fall, pooled_fall, pooled_measure
from specgl.inference.permutation.spatial import cluster_maxima, enhanced_maximum, rooms_for
from specgl.inference.permutation.work import ContrastWork, SchemeWork, Work, exact_map, exact_sides

Floats = NDArray[np.float64]
Shuffles = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A shuffle of a contrast whose measure float32 cannot tell well enough."""

    contrast: str
    measure: Measure
    shuffle: int


def decide(
    asked: Sequence[Permutation], cases: Sequence[Sequence[Case]], work: Work, engine: Engine
) -> list[list[Case]]:
    """Have float64 decide whatever float32 leaves open.

    Parameters
    ----------
    asked
        The inferences.
    cases
        For each of them every contrast, in order.
    work
        The shuffles.
    engine
        Its threads are used; another machine's are not worth the way for a few maps.

    Returns
    -------
    cases
        The same, null values that decide something replaced by those of float64.
    """
    schemes = {one.name: scheme for scheme in work.schemes for one in scheme.contrasts}
    chosen = [_decisive(one, list(several)) for one, several in zip(asked, cases, strict=True)]
    doubts = {
        Doubt(null.work.name, case.measure, int(source)): None
        for several, of_cases in zip(cases, chosen, strict=True)
        for case, of_nulls in zip(several, of_cases, strict=True)
        for null, which in zip(case.nulls, of_nulls, strict=True)
        for source in schemes[null.work.name].source[which]
    }
    if not doubts:
        return [list(several) for several in cases]
    threads = engine if isinstance(engine, Threads) else Threads(default_threads())
    told = dict(zip(doubts, threads.map(lambda doubt: measure_exactly(work, doubt), doubts), strict=True))
    return [
        [_decided(case, schemes, of_nulls, told) for case, of_nulls in zip(several, of_cases, strict=True)]
        for several, of_cases in zip(cases, chosen, strict=True)
    ]


def measure_exactly(work: Work, doubt: Doubt) -> Floats:
    """Maxima of one shuffle's float64 map.

    Parameters
    ----------
    work
        The shuffles.
    doubt
        Which shuffle, and what to measure.

    Returns
    -------
    maxima
        (n_columns, 2), upper and lower side, or the shuffle and its mirror; NaN where one is not asked for.
    """
    scheme, contrast = next(
        (scheme, one) for scheme in work.schemes for one in scheme.contrasts if one.name == doubt.contrast
    )
    measure = doubt.measure
    found = np.full((len(measure.columns), 2), np.nan)
    assert not isinstance(measure, Height)  # the scan has settled those
    if isinstance(measure, Simes):
        return _exact_fall(measure, contrast, scheme, doubt.shuffle)
    graph = work.graphs[measure.connectivity]
    room = rooms_for([measure], work.graphs, np.float64).get(measure.connectivity)
    for side, heights in enumerate(exact_sides(contrast, scheme, doubt.shuffle, measure.scale)):
        if heights is None:
            continue
        if isinstance(measure, Sizes):
            found[:, side] = cluster_maxima(heights, graph, measure.threshold)
        else:
            found[:, side] = enhanced_maximum(heights, graph, measure, room)
    return found


def _exact_fall(measure: Simes, contrast: ContrastWork, scheme: SchemeWork, shuffle: int) -> Floats:
    """What float64 gives of the smallest p-values of a contrast, or of all contrasts with it, (1, 2)."""
    if measure.pooled:
        family = [one for one in scheme.contrasts if pooled_measure(one) is not None]
        maps = [exact_map(one, scheme, shuffle, measure.scale) for one in family]
        return pooled_fall(family, maps, [None] * len(family), mirrored=scheme.mirrored)[:1]
    found = np.full((1, 2), np.nan)
    for side, heights in enumerate(exact_sides(contrast, scheme, shuffle, measure.scale)):
        if heights is not None:
            found[0, side] = fall(measure, heights, contrast.analysed)[0]
    return found


def _decisive(asked: Permutation, cases: list[Case]) -> list[list[Shuffles]]:
    """For each null of each contrast the shuffles that must be measured again for an inference."""
    name = column_name(asked)
    if name == "simes":
        return doubtful(asked, cases)
    if asked.correction != "fwe" or name == "height":  # locations are compared with maxima under fwe alone
        return [[np.empty(0, dtype=np.int64) for _ in case.nulls] for case in cases]
    ends = [[null.ends_of(case.measure, name) for null in case.nulls] for case in cases]
    ascending = [np.sort(bars(asked, case)) for case in cases]
    if asked.across == "contrasts":
        every = np.sort(np.concatenate(ascending))
        found = iter(_undecided(np.stack([one for several in ends for one in several]), every))
        return [[next(found) for _ in several] for several in ends]
    return [
        [_undecided(one[None], mine)[0] for one in several]
        for several, mine in zip(ends, ascending, strict=True)
    ]


def _undecided(ends: Floats, ascending: Floats) -> list[Shuffles]:
    """Which values of a family's null, (n_contrasts, 2, J), may stand on either side of a bar.

    Whatever exceeds the least of the family's maximum may be that maximum; the others need no second look.
    """
    least, most = ends.max(axis=0)
    open_ = np.searchsorted(ascending, least, side="right") < np.searchsorted(ascending, most, side="right")
    return [np.flatnonzero(open_ & (one[1] >= least) & (one[1] > one[0])) for one in ends]


def _decided(
    case: Case, schemes: Mapping[str, SchemeWork], of_nulls: Sequence[Shuffles], told: dict[Doubt, Floats]
) -> Case:
    """A case with what float64 tells of some shuffles of its nulls."""
    first, *others = (
        _replaced(null, case.measure, schemes[null.work.name], which, told)
        for null, which in zip(case.nulls, of_nulls, strict=True)
    )
    return replace(case, null=first, others=tuple(others))


def _replaced(
    null: ContrastNull, measure: Measure, scheme: SchemeWork, which: Shuffles, told: dict[Doubt, Floats]
) -> ContrastNull:
    """A contrast's null with what float64 tells of some shuffles, or of their sources."""
    if which.size == 0:
        return null
    first = column_of(null.work.measures, measure, measure.columns[0])
    maxima = null.maxima.copy()
    for shuffle in which:
        found = told[Doubt(null.work.name, measure, int(scheme.source[shuffle]))]
        pooled = isinstance(measure, Simes) and measure.pooled
        if scheme.turned[shuffle] and (pooled or null.work.statistic.signed):
            found = found[:, ::-1]
        maxima[first : first + len(measure.columns), shuffle] = found
    return replace(null, maxima=maxima)
