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

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specgl.engines import Engine, Threads, default_threads
from specgl.inference.parametric import families
from specgl.inference.permutation.measures import Height, Measure, Sizes, column_name, column_of
from specgl.inference.permutation.nulls import ContrastNull
from specgl.inference.permutation.outcomes import Case, bars
from specgl.inference.permutation.spatial import cluster_maxima, enhanced_maximum, rooms_for
from specgl.inference.permutation.work import SchemeWork, Work, exact_sides
from specgl.inference.records import Permutation

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
        Doubt(case.maps.name, case.measure, int(source)): None
        for several, shuffles in zip(cases, chosen, strict=True)
        for case, which in zip(several, shuffles, strict=True)
        for source in schemes[case.maps.name].source[which]
    }
    if not doubts:
        return [list(several) for several in cases]
    threads = engine if isinstance(engine, Threads) else Threads(default_threads())
    told = dict(zip(doubts, threads.map(lambda doubt: measure_exactly(work, doubt), doubts), strict=True))
    return [
        [
            replace(case, null=_replaced(case, schemes[case.maps.name], which, told))
            for case, which in zip(several, shuffles, strict=True)
        ]
        for several, shuffles in zip(cases, chosen, strict=True)
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
        (n_columns, 2), upper and lower side; NaN where a side is not asked for.
    """
    scheme, contrast = next(
        (scheme, one) for scheme in work.schemes for one in scheme.contrasts if one.name == doubt.contrast
    )
    measure = doubt.measure
    found = np.full((len(measure.columns), 2), np.nan)
    assert not isinstance(measure, Height)  # the scan has settled those
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


def _decisive(asked: Permutation, cases: list[Case]) -> list[Shuffles]:
    """For each contrast the shuffles that must be measured again for an inference."""
    name = column_name(asked)
    if asked.correction != "fwe" or name == "height":  # locations are compared with maxima under fwe alone
        return [np.empty(0, dtype=np.int64) for _ in cases]
    return [
        found
        for family in families(cases, asked.across)
        for found in _undecided(
            np.stack([case.null.ends_of(case.measure, name) for case in family]),
            np.sort(np.concatenate([bars(asked, case) for case in family])),
        )
    ]


def _undecided(ends: Floats, ascending: Floats) -> list[Shuffles]:
    """Which values of a family's null, (n_contrasts, 2, J), may stand on either side of a bar.

    Whatever exceeds the least of the family's maximum may be that maximum; the others need no second look.
    """
    least, most = ends.max(axis=0)
    open_ = np.searchsorted(ascending, least, side="right") < np.searchsorted(ascending, most, side="right")
    return [np.flatnonzero(open_ & (one[1] >= least) & (one[1] > one[0])) for one in ends]


def _replaced(case: Case, scheme: SchemeWork, which: Shuffles, told: dict[Doubt, Floats]) -> ContrastNull:
    """A contrast's null with what float64 tells of some shuffles, or of their sources."""
    null, measure = case.null, case.measure
    if which.size == 0:
        return null
    first = column_of(null.work.measures, measure, measure.columns[0])
    maxima = null.maxima.copy()
    for shuffle in which:
        found = told[Doubt(case.maps.name, measure, int(scheme.source[shuffle]))]
        if scheme.turned[shuffle] and null.work.statistic.signed:
            found = found[:, ::-1]
        maxima[first : first + len(measure.columns), shuffle] = found
    return replace(null, maxima=maxima)
