"""The way from what is asked to what is told: gather the measures, run the shuffles once, conclude."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import xarray as xr

from specgl.engines import Threads
from specgl.inference.asked import Permutation
from specgl.inference.contrasts import ContrastMaps, each_contrast
from specgl.inference.discoveries import check_regions
from specgl.inference.permutation.calibrated import conclude_calibrated
from specgl.inference.permutation.conjunctions import Joined, join, partners_among
from specgl.inference.permutation.decisive import decide
from specgl.inference.permutation.guard import check_families, check_spread
from specgl.inference.permutation.local_tails import local_p_values
from specgl.inference.permutation.measures import Enhancement, Height, Measure, Simes, Sizes
from specgl.inference.permutation.nulls import ContrastNull, Merge, cut, find_sources, is_whole
from specgl.inference.permutation.observed import Observed, observe
from specgl.inference.permutation.outcomes import Case, conclude
from specgl.inference.permutation.pvalues import PValues, counted
from specgl.inference.permutation.spatial import graph_of
from specgl.inference.permutation.wanted import Wanted, want
from specgl.inference.permutation.work import Chunk, ContrastWork, Result, SchemeWork, Work, run_chunk
from specgl.inference.provisions import Permuted, Regions
from specgl.inference.records import Inferred, Neighbourhood
from specgl.kernels.statistics import BLOCK
from specgl.kernels.tfce import Graph

if TYPE_CHECKING:
    from specgl.engines import Engine
    from specgl.models.schemes import Scheme

MAP_BYTES = 64
"""Bytes a location that a block of float32 maps takes in each thread."""

FOREST_BYTES = 80
"""Bytes a location that clusters and TFCE take beside them."""


def carry_out(
    stats: xr.Dataset,
    space: Neighbourhood,
    asked: Sequence[Permutation],
    permuted: Permuted,
    regions: Mapping[str, Regions],
) -> list[tuple[Inferred, ...]]:
    """Inferences by permutation, as `specgl.inference.permutation.permutation` describes them."""
    maps = each_contrast(stats)
    known = {*permuted.statistics, *permuted.conjunctions}
    lacking = [contrast.name for contrast in maps if contrast.name not in known]
    if lacking:
        raise ValueError(f"contrasts without a statistic that can be shuffled: {lacking}")
    check_families(asked, permuted.schemes, tuple(permuted.conjunctions))
    check_regions({one.name: one.sets for one in asked if one.sets is not None}, maps, regions)
    gathered, joined = _gather(maps, asked, stats, permuted)
    partners = partners_among(list(gathered), joined.values())
    again = {new: permuted.statistics[old] for new, old in partners.items()}
    permuted = replace(permuted, statistics={**permuted.statistics, **again})
    graphs = _graphs(gathered, space)
    observed = {
        name: observe(
            permuted.statistics[name], one.alternative, one.measures, one.maps.analysed, space, graphs
        )
        for name, one in gathered.items()
    }
    observed |= {name: one.observe(space, graphs) for name, one in joined.items()}
    work = Work(
        tuple(_scheme(permuted, scheme, partners, gathered, observed) for scheme in permuted.schemes), graphs
    )
    check_spread(work.schemes, {c.name: c.analysed for c in maps if c.name in gathered})
    engine = within_memory(permuted.engine, permuted.memory, _locations_at_once(gathered))
    nulls = _run(work, permuted, engine).nulls({name: observed[name].maxima for name in gathered})
    answers = _Answers(
        permuted, gathered, joined, observed, nulls, _OwnPValues(work, nulls, gathered, engine)
    )
    cases = [[answers.case(contrast, place, one) for contrast in maps] for place, one in enumerate(asked)]
    decided = decide(asked, cases, work, engine)
    return [
        conclude_calibrated(one, several, space, regions.get(one.name))
        if one.correction == "tdp"
        else conclude(one, several, space)
        for one, several in zip(asked, decided, strict=True)
    ]


def _graphs(gathered: Mapping[str, Wanted], space: Neighbourhood) -> dict[int, Graph]:
    """Neighbourhoods by connectivity, as far as measures ask for one."""
    every = [measure for one in gathered.values() for measure in one.measures]
    kinds = {measure.connectivity for measure in every if isinstance(measure, Sizes | Enhancement)}
    return {connectivity: graph_of(space, connectivity) for connectivity in sorted(kinds)}


def _gather(
    maps: Sequence[ContrastMaps], asked: Sequence[Permutation], stats: xr.Dataset, permuted: Permuted
) -> tuple[dict[str, Wanted], dict[str, Joined]]:
    """What the inferences want of each contrast that is shuffled, partners among them, and conjunctions."""
    joint = permuted.conjunctions
    gathered = {}
    for one in maps:
        if one.name not in joint:
            statistic = permuted.statistics[one.name]
            alternative = one.tail if statistic.signed else "greater"
            # A chi-square's shuffles are of F with endless degrees of freedom: what both have is z.
            varying = statistic.varying or one.kind == "chi2"
            gathered[one.name] = want(one, alternative, asked, stats, varying=varying)
    joined = {
        one.name: join(one, joint[one.name], asked, stats, permuted.statistics, gathered)
        for one in maps
        if one.name in joint
    }
    return gathered, joined


def _scheme(
    permuted: Permuted,
    scheme: Scheme,
    partners: Mapping[str, str],
    gathered: dict[str, Wanted],
    observed: dict[str, Observed],
) -> SchemeWork:
    """A scheme's shuffles and its contrasts, ready for work."""
    shuffles = scheme.shuffles()
    contrasts = tuple(
        ContrastWork(
            name=name,
            statistic=permuted.statistics[name],
            alternative=gathered[name].alternative,
            measures=gathered[name].measures,
            counted=gathered[name].counted,
            enhanced={
                m: observed[name].enhanced[m] for m in gathered[name].counted if isinstance(m, Enhancement)
            },
            analysed=gathered[name].maps.analysed,
        )
        for name in (*scheme.contrasts, *(new for new, old in partners.items() if old in scheme.contrasts))
        if name in gathered
    )
    return SchemeWork(shuffles.rows, shuffles.signs, *find_sources(scheme.mirror_of), contrasts)


def _run(work: Work, permuted: Permuted, engine: Engine) -> Merge:
    """Run every chunk that no store holds, and merge the results."""
    chunks = cut(work, BLOCK)
    merge = Merge(work)
    keys = _keys(work, chunks)
    total = sum(len(scheme.rows) for scheme in work.schemes)
    done = 0
    missing = []
    for chunk, key in zip(chunks, keys, strict=True):
        kept = None if permuted.store is None else permuted.store.get(key)
        if kept is None or not is_whole(work, chunk, kept):
            missing.append((chunk, key))
        else:
            merge.add(chunk, kept)
            done += chunk.stop - chunk.start
    if permuted.progress is not None:  # first with what an earlier run had done
        permuted.progress(done, total)
    # Closed here, so that an interrupt between two results leaves nothing running.
    results = engine.stream(run_chunk, work, [chunk for chunk, _ in missing])
    with closing(cast("Generator[tuple[int, Result]]", results)):
        for place, result in results:
            chunk, key = missing[place]
            if permuted.store is not None:
                permuted.store.put(key, result)
            merge.add(chunk, result)
            done += chunk.stop - chunk.start
            if permuted.progress is not None:
                permuted.progress(done, total)
    return merge


def _keys(work: Work, chunks: Sequence[Chunk]) -> list[str]:
    """Names of the chunks' results in a store: whatever is measured otherwise has another name."""
    said = [
        [
            (one.name, one.alternative, one.measures, sorted(map(repr, one.counted)))
            for one in scheme.contrasts
        ]
        for scheme in work.schemes
    ]
    sizes = [scheme.rows.shape for scheme in work.schemes]
    digest = hashlib.sha256(repr((said, sizes)).encode()).hexdigest()[:16]
    return [f"{digest}-{chunk.scheme}-{chunk.start}-{chunk.stop}" for chunk in chunks]


def _locations_at_once(gathered: Mapping[str, Wanted]) -> int:
    """Locations of the maps that a thread holds: one contrast's, or all contrasts' where these are pooled."""
    sizes = [one.maps.stat.size for one in gathered.values()]
    pooled = any(isinstance(m, Simes) and m.pooled for one in gathered.values() for m in one.measures)
    return sum(sizes) if pooled else max(sizes, default=0)


def within_memory(engine: Engine, memory: int | None, n_loc: int) -> Engine:
    """The engine with as many threads as there is memory for their maps, at least one.

    Parameters
    ----------
    engine
        Any engine; workers of another machine mind their own memory.
    memory
        Bytes for maps, or None.
    n_loc
        Number of locations.
    """
    if memory is None or not isinstance(engine, Threads):
        return engine
    return replace(engine, n=max(1, min(engine.n, memory // max(1, n_loc * (MAP_BYTES + FOREST_BYTES)))))


@dataclass(frozen=True, eq=False)
class _Answers:
    """All that answers what is asked, by the names of contrasts."""

    permuted: Permuted
    gathered: Mapping[str, Wanted]
    joined: Mapping[str, Joined]
    observed: Mapping[str, Observed]
    nulls: Mapping[str, ContrastNull]
    own: _OwnPValues

    def case(self, maps: ContrastMaps, place: int, asked: Permutation) -> Case:
        """What answers an inference about a contrast; `place` is the inference's among all."""
        joint = self.joined.get(maps.name)
        names = (maps.name,) if joint is None else joint.partners
        measure = (self.gathered[maps.name] if joint is None else joint.wanted).by_inference[place]
        own = [self.own.of(name, measure, asked) for name in names]
        first, *others = (self.nulls[name] for name in names)
        members = (maps.name,) if joint is None else joint.members
        schemes = [next(s for s in self.permuted.schemes if name in s.contrasts) for name in members]
        return Case(
            maps=self._restated(maps, members),
            measure=measure,
            observed=self.observed[maps.name],
            null=first,
            uncorrected=own[0] if joint is None else joint.uncorrected(own),
            scheme=min(schemes, key=lambda scheme: scheme.n),
            others=tuple(others),
        )

    def _restated(self, maps: ContrastMaps, members: tuple[str, ...]) -> ContrastMaps:
        """The maps, with the statistic that is compared with its shuffles where that is another."""
        if not self.permuted.restated & set(members):
            return maps
        joint = self.joined.get(maps.name)
        own = self.permuted.statistics[maps.name] if joint is None else joint.minimum
        here = maps.analysed
        stat, z = (np.where(here, values, np.nan) for values in (own.observed, own.observed_z))
        return replace(maps, stat=stat, z=z)


class _OwnPValues:
    """Each location's own p-values, made once for all inferences that want them."""

    def __init__(
        self, work: Work, nulls: dict[str, ContrastNull], gathered: dict[str, Wanted], engine: Engine
    ) -> None:
        self._schemes = {one.name: scheme for scheme in work.schemes for one in scheme.contrasts}
        self._nulls, self._gathered, self._engine = nulls, gathered, engine
        self._made: dict[tuple[str, Measure, str], PValues] = {}

    def of(self, contrast: str, measure: Measure, asked: Permutation) -> PValues | None:
        """p-values of a measure, (n_loc,); None where locations are not compared with themselves."""
        null = self._nulls[contrast]
        if measure not in null.counts or (isinstance(measure, Enhancement) and asked.correction == "fwe"):
            return None
        # An enhanced map has no second pass: its values at a few locations want the whole map.
        tail = asked.tail if isinstance(measure, Height) else "counts"
        key = (contrast, measure, tail)
        if key not in self._made:
            self._made[key] = self._make(contrast, measure, tail)
        return self._made[key]

    def _make(self, contrast: str, measure: Measure, tail: str) -> PValues:
        null, analysed = self._nulls[contrast], self._gathered[contrast].maps.analysed
        if tail == "counts":
            return counted(np.where(analysed, null.counts[measure] / null.n, np.nan))
        return local_p_values(
            null.work, self._schemes[contrast], null.counts[measure], analysed, tail, self._engine
        )
