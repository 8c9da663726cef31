"""The work of a chunk of shuffles: plain functions of plain arrays, to be run in any thread or process.

What every chunk needs is gathered once in a `Work`; a chunk is a scheme and a run of its shuffles. A result
is a dictionary of arrays, which an engine can send and a store can keep:

``maxima``
    (3, n_columns, n_shuffles, 2) float64: for each column of each measure of each contrast of the scheme the
    maximum over locations on the upper and on the lower side, then the least and the most that it may be in
    float64; NaN where a side is not asked for, or where the shuffle's mirror tells it. What contrasts share
    (`specgl.inference.permutation.simes`) has the shuffle and its mirror in place of the two sides.
``counts-CONTRAST-MEASURE``
    (n_loc,) uint16: in how many of the shuffles a location reaches its observed value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specgl.inference.permutation.certainty import Rounding, enclosed, measured, rounding_of
from specgl.inference.permutation.measures import Enhancement, Height, Measure, Scale, Simes, Sizes, column_of
from specgl.inference.permutation.observed import asks_of
from specgl.inference.permutation.simes import fall, pooled_fall, pooled_measure
from specgl.inference.permutation.spatial import Heights, enhanced_map, rooms_for
from specgl.kernels.statistics import BLOCK, NOUGHT, TIE, ShuffledStatistic
from specgl.kernels.tails import Alternative
from specgl.kernels.tfce import Graph
from specgl.kernels.tfce import Work as Room

Floats = NDArray[np.float64]
Result = Mapping[str, NDArray[Any]]
Counts = dict[str, NDArray[np.int64]]
Sides = tuple[Heights | None, Heights | None]


@dataclass(frozen=True, eq=False)
class ContrastWork:
    """One contrast under shuffles.

    Attributes
    ----------
    name
        The contrast's name.
    statistic
        Its statistic, ready to be shuffled.
    alternative
        Direction in which it is tested; ``greater`` for a statistic without a sign.
    measures
        What is measured.
    counted
        Of which measures each location is compared with itself.
    enhanced
        Observed enhanced maps of the counted enhancements: upper and lower side, (2, n_loc), 0 where a side
        is not asked for.
    analysed
        Locations of the contrast's family, (n_loc,).
    """

    name: str
    statistic: ShuffledStatistic
    alternative: Alternative
    measures: tuple[Measure, ...]
    counted: frozenset[Measure]
    enhanced: Mapping[Measure, Floats]
    analysed: NDArray[np.bool_]

    @property
    def n_columns(self) -> int:
        """Number of maxima taken under each shuffle."""
        return sum(len(measure.columns) for measure in self.measures)

    @property
    def asks(self) -> tuple[bool, bool]:
        """Whether the upper and the lower side are asked for."""
        return asks_of(self.alternative)


@dataclass(frozen=True, eq=False)
class SchemeWork:
    """A set of shuffles and the contrasts that share it.

    Attributes
    ----------
    rows, signs
        The shuffles, (J, n_obs).
    source
        For each shuffle the one that tells its statistics: itself, or an earlier one that it mirrors, (J,).
    turned
        Whether its signed statistics are those of its source, negative, (J,).
    contrasts
        The contrasts.
    """

    rows: NDArray[np.int32]
    signs: NDArray[np.int8] | None
    source: NDArray[np.int64]
    turned: NDArray[np.bool_]
    contrasts: tuple[ContrastWork, ...]

    @property
    def mirrored(self) -> bool:
        """Whether some shuffle is another's mirror, so that both sides of maps are wanted."""
        return bool(np.any(self.turned))

    @cached_property
    def told(self) -> NDArray[np.int64]:
        """How many shuffles each one tells of, as they are and turned round, (J, 2)."""
        found = np.zeros((self.source.size, 2), dtype=np.int64)
        np.add.at(found, (self.source, self.turned.astype(np.int64)), 1)
        return found


@dataclass(frozen=True, eq=False)
class Work:
    """What every chunk needs.

    Attributes
    ----------
    schemes
        Sets of shuffles with their contrasts.
    graphs
        Neighbourhoods by connectivity.
    """

    schemes: tuple[SchemeWork, ...]
    graphs: Mapping[int, Graph]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of a scheme's shuffles, from `start`, a multiple of the block size, up to `stop`."""

    scheme: int
    start: int
    stop: int


def run_chunk(work: Work, chunk: Chunk) -> Result:
    """Measure every contrast of a scheme under a run of shuffles.

    Parameters
    ----------
    work
        What every chunk needs.
    chunk
        Which shuffles.

    Returns
    -------
    result
        As this module's head describes it.
    """
    scheme = work.schemes[chunk.scheme]
    maxima: list[Floats] = []
    counts: Counts = {}
    for contrast in scheme.contrasts:
        found = np.full((3, contrast.n_columns, chunk.stop - chunk.start, 2), np.nan)
        _heights(contrast, scheme, chunk, found, counts)
        _maps(contrast, scheme, chunk, work.graphs, found, counts)
        maxima.append(found)
    _pooled(scheme, chunk, maxima)
    # A chunk counts some hundred shuffles at most, and what is kept on disk is not compressed.
    return {
        "maxima": np.concatenate(maxima, axis=1),
        **{key: n.astype(np.uint16) for key, n in counts.items()},
    }


def count_key(contrast: ContrastWork, measure: Measure) -> str:
    """Key of a location's counts in a chunk's result."""
    return f"counts-{contrast.name}-{contrast.measures.index(measure)}"


def _heights(contrast: ContrastWork, scheme: SchemeWork, chunk: Chunk, found: Floats, counts: Counts) -> None:
    """Maxima of the statistic itself, for which no map is needed."""
    here = slice(chunk.start, chunk.stop)
    column = 0
    for measure in contrast.measures:
        if isinstance(measure, Height):
            scan = contrast.statistic.scan(
                scheme.rows[here],
                None if scheme.signs is None else scheme.signs[here],
                alternative=contrast.alternative,
                count=measure in contrast.counted,
                scale=measure.scale,
            )
            found[:, column, :, 0], found[:, column, :, 1] = scan.upper, scan.lower
            if scan.counts is not None:
                counts[count_key(contrast, measure)] = scan.counts
        column += len(measure.columns)


def _maps(
    contrast: ContrastWork,
    scheme: SchemeWork,
    chunk: Chunk,
    graphs: Mapping[int, Graph],
    found: Floats,
    counts: Counts,
) -> None:
    """Whatever wants a map: each map is made once for a scale and handed to all measures on it."""
    spatial = [measure for measure in contrast.measures if isinstance(measure, Sizes | Enhancement | Simes)]
    spatial = [measure for measure in spatial if not (isinstance(measure, Simes) and measure.pooled)]
    for measure in contrast.counted.intersection(spatial):
        counts[count_key(contrast, measure)] = np.zeros(contrast.statistic.n_loc, dtype=np.int64)
    rooms = rooms_for(spatial, graphs)
    for scale in dict.fromkeys(measure.scale for measure in spatial):
        rounding = rounding_of(contrast.statistic, scale)
        for shuffle, upper in _made(contrast.statistic, scheme, chunk, scale):
            sides = sides_of(upper, contrast, scheme)
            for measure in spatial:
                if measure.scale != scale:
                    continue
                first = column_of(contrast.measures, measure, measure.columns[0])
                here = found[:, first : first + len(measure.columns), shuffle - chunk.start]
                if isinstance(measure, Simes):
                    _falls(measure, sides, contrast.analysed, rounding, here)
                    continue
                graph, room = graphs[measure.connectivity], rooms.get(measure.connectivity)
                # Also where maps are enhanced: a null's bits do not hang on what else is asked.
                for side, heights in enumerate(sides):
                    if heights is not None:
                        here[:, :, side] = measured(measure, heights, graph, room, rounding)
                if isinstance(measure, Enhancement) and measure in contrast.counted:
                    one = _Shuffled(contrast, measure, scheme, shuffle, graph)
                    counts[count_key(contrast, measure)] += one.reached(sides, room, rounding)


def _falls(
    measure: Simes, sides: Sides, analysed: NDArray[np.bool_], rounding: Rounding, here: Floats
) -> None:
    """What the smallest p-values of each side of a map give, into (3, 1, 2)."""
    for side, heights in enumerate(sides):
        if heights is None:
            continue
        if side == 1 and measure.reference.two_sided and sides[0] is not None:
            here[:, 0, 1] = here[:, 0, 0]  # both sides are one
        else:
            here[:, 0, side] = fall(measure, heights, analysed, rounding)


def _pooled(scheme: SchemeWork, chunk: Chunk, maxima: list[Floats]) -> None:
    """What all contrasts of a family give together: a map of each at a time."""
    family = [
        (one, found, m)
        for one, found in zip(scheme.contrasts, maxima, strict=True)
        if (m := pooled_measure(one))
    ]
    contrasts = [contrast for contrast, _, _ in family]
    roundings = [rounding_of(one.statistic, m.scale) for one, _, m in family]
    made = [_made(one.statistic, scheme, chunk, m.scale) for one, _, m in family]
    for several in zip(*made, strict=True):
        shuffle = several[0][0]
        value = pooled_fall(
            contrasts, [heights for _, heights in several], roundings, mirrored=scheme.mirrored
        )
        for contrast, found, measure in family:
            column = column_of(contrast.measures, measure, "simes")
            found[:, column, shuffle - chunk.start] = value


def _made(
    statistic: ShuffledStatistic, scheme: SchemeWork, chunk: Chunk, scale: Scale
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Maps of the shuffles that no earlier one tells, one after the other."""
    held = np.empty((min(BLOCK, chunk.stop - chunk.start), statistic.n_loc), dtype=np.float32)
    for start in range(chunk.start, chunk.stop, BLOCK):
        run = slice(start, min(start + BLOCK, chunk.stop))
        own = np.flatnonzero(scheme.source[run] == np.arange(run.start, run.stop))
        if own.size == 0:
            continue
        maps = held[: run.stop - run.start]
        signs = None if scheme.signs is None else scheme.signs[run]
        statistic.fill(scheme.rows[run], signs, maps, scale=scale)
        for place in own:
            yield start + int(place), maps[place]


def enhance(measure: Enhancement, sides: Sides, graph: Graph, room: Room | None) -> NDArray[np.float64]:
    """Enhanced maps of both sides, (2, n_loc); 0 where a side is not asked for."""
    enhanced = np.zeros((2, graph.n_locations))
    for side, heights in enumerate(sides):
        if heights is not None:
            enhanced[side] = enhanced_map(heights, graph, measure, room)
    return enhanced


@dataclass(frozen=True, eq=False)
class _Shuffled:
    """One shuffle of a contrast, to be compared with what was observed at each location."""

    contrast: ContrastWork
    measure: Enhancement
    scheme: SchemeWork
    shuffle: int
    graph: Graph

    def reached(self, sides: Sides, room: Room | None, rounding: Rounding) -> NDArray[np.int64]:
        """How many of the shuffles that this one tells of reach the observed enhanced map, (n_loc,)."""
        if self.shuffle == 0:  # the very labelling that is compared: it counts itself, to the last bit
            return self._counts(self.contrast.enhanced[self.measure])
        enhanced = enhance(self.measure, sides, self.graph, room)
        ends = np.stack([enhanced, enhanced])
        for side, heights in enumerate(sides):
            if heights is not None:
                ends[:, side] = enclosed(self.measure, enhanced[side], heights, self.graph, room, rounding)
        fewest, most = (self._counts(end) for end in ends)
        if np.array_equal(fewest, most):
            return fewest
        exact = exact_sides(self.contrast, self.scheme, self.shuffle, self.measure.scale)
        return self._counts(enhance(self.measure, exact, self.graph, None))

    def _counts(self, enhanced: Floats) -> NDArray[np.int64]:
        """The same for an enhanced map as it is, both sides (2, n_loc)."""
        asked = np.array(self.contrast.asks)
        observed = self.contrast.enhanced[self.measure][asked].sum(axis=0)
        bar = observed - np.maximum(TIE * observed, NOUGHT)
        same, turned = self.scheme.told[self.shuffle]
        reached: NDArray[np.int64] = same * (enhanced[asked].sum(axis=0) >= bar)
        if turned:
            mirrored = enhanced[::-1] if self.contrast.statistic.signed else enhanced
            reached += turned * (mirrored[asked].sum(axis=0) >= bar)
        return reached


def exact_sides(contrast: ContrastWork, scheme: SchemeWork, shuffle: int, scale: Scale) -> Sides:
    """Both sides of one shuffle's map in float64, as `sides_of` has them."""
    return sides_of(exact_map(contrast, scheme, shuffle, scale), contrast, scheme)


def exact_map(contrast: ContrastWork, scheme: SchemeWork, shuffle: int, scale: Scale) -> Floats:
    """One shuffle's map in float64, (n_loc,)."""
    one = slice(shuffle, shuffle + 1)
    exact = np.empty((1, contrast.statistic.n_loc))
    signs = None if scheme.signs is None else scheme.signs[one]
    contrast.statistic.fill(scheme.rows[one], signs, exact, scale=scale)
    found: Floats = exact[0]
    return found


def sides_of(upper: Heights, contrast: ContrastWork, scheme: SchemeWork) -> Sides:
    """The sides of a map that are asked for, of this shuffle or of its mirror; None for the others."""
    both = contrast.statistic.signed and scheme.mirrored
    asked = contrast.asks
    return upper if asked[0] or both else None, -upper if asked[1] or both else None
