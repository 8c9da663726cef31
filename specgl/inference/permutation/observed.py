"""The observed labelling in float64: what is reported, and what null distributions are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specgl.inference.permutation.measures import Enhancement, Height, Measure, Simes, Sizes
from specgl.inference.permutation.simes import fall
from specgl.inference.permutation.spatial import enhanced_map
from specgl.inference.records import Neighbourhood
from specgl.inference.sides import Side, sides_above
from specgl.kernels.statistics import ShuffledStatistic
from specgl.kernels.tails import Alternative
from specgl.kernels.tfce import Graph

Floats = NDArray[np.float64]

SIGNS = (1, -1)
"""Signs of the upper and the lower side."""


@dataclass(frozen=True, eq=False)
class SideClusters:
    """Observed clusters of one sign, on the measure's scale.

    Attributes
    ----------
    side
        The clusters.
    sizes
        Each cluster's value by column: ``extent``, ``total`` and ``excess``, (n_clusters,) each.
    """

    side: Side
    sizes: Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class Minimum:
    """Observed statistics of a conjunction.

    Attributes
    ----------
    observed, observed_z
        The minimum of the members' statistics and of their z, (n_loc,).
    signed
        Whether it has a sign.
    """

    observed: Floats
    observed_z: Floats
    signed: bool = True


@dataclass(frozen=True, eq=False)
class Observed:
    """One contrast as observed.

    Attributes
    ----------
    asks
        Whether the upper and the lower side are asked for.
    heights
        The statistic by scale, (n_loc,).
    clusters
        Clusters of each side that is asked for, by measure.
    enhanced
        Enhanced maps of the upper and lower side, (2, n_loc), by measure; 0 where a side is not asked for.
    maxima
        Maxima in the order of all columns, (n_columns, 2); NaN where a side is not asked for.
    """

    asks: tuple[bool, bool]
    heights: Mapping[str, Floats]
    clusters: Mapping[Measure, tuple[SideClusters, ...]]
    enhanced: Mapping[Measure, Floats]
    maxima: Floats

    def evidence(self, measure: Measure) -> Floats:
        """What is compared at each location: greater is more, whatever the test's direction, (n_loc,)."""
        if isinstance(measure, Enhancement):
            evidence: Floats = self.enhanced[measure].sum(axis=0)
            return evidence
        return directed(self.heights[measure.scale], self.asks)


def directed(values: Floats, asks: tuple[bool, bool]) -> Floats:
    """A statistic such that greater is more: its size where both sides are asked for, else one side's."""
    if all(asks):
        return np.abs(values)
    return values if asks[0] else -values


def asks_of(alternative: Alternative) -> tuple[bool, bool]:
    """Whether the upper and the lower side are asked for."""
    return alternative != "less", alternative != "greater"


def observe(
    statistic: ShuffledStatistic | Minimum,
    alternative: Alternative,
    measures: tuple[Measure, ...],
    analysed: NDArray[np.bool_],
    space: Neighbourhood,
    graphs: Mapping[int, Graph],
) -> Observed:
    """Measure the observed labelling.

    Parameters
    ----------
    statistic
        The contrast's statistic.
    alternative
        Direction in which it is tested; ``greater`` for a statistic without a sign.
    measures
        What is measured.
    analysed
        Locations of the contrast's family, (n_loc,).
    space
        What makes the locations neighbours.
    graphs
        The same for the kernels, by connectivity.

    Returns
    -------
    observed
        All in float64.
    """
    asks = asks_of(alternative)
    heights = {"t": statistic.observed, "z": statistic.observed_z}
    clusters: dict[Measure, tuple[SideClusters, ...]] = {}
    enhanced: dict[Measure, Floats] = {}
    rows: list[Floats] = []
    for measure in measures:
        found = np.full((len(measure.columns), 2), np.nan)
        values = np.where(analysed, heights[measure.scale], 0.0)
        if isinstance(measure, Height):
            found[0, 0] = values[analysed].max(initial=-np.inf)
            if statistic.signed:
                found[0, 1] = -values[analysed].min(initial=np.inf)
        elif isinstance(measure, Simes):
            if not measure.pooled:  # else no contrast knows it by itself
                for side_ in range(2 if statistic.signed else 1):
                    found[0, side_] = fall(measure, SIGNS[side_] * values, analysed)[0]
        elif isinstance(measure, Sizes):
            clusters[measure] = tuple(
                _clusters(sign, values, measure, space)
                for sign, asked in zip(SIGNS, asks, strict=True)
                if asked
            )
            for side in clusters[measure]:
                column = 0 if side.side.sign > 0 else 1
                found[:, column] = [side.sizes[name].max(initial=0.0) for name in measure.columns]
        else:
            maps = np.zeros((2, values.size))
            for side_, (sign, asked) in enumerate(zip(SIGNS, asks, strict=True)):
                if asked:
                    maps[side_] = enhanced_map(sign * values, graphs[measure.connectivity], measure)
                    found[0, side_] = maps[side_].max(initial=0.0)
            enhanced[measure] = maps
        rows.append(found)
    return Observed(asks, heights, clusters, enhanced, np.concatenate(rows))


def _clusters(sign: int, values: Floats, measure: Sizes, space: Neighbourhood) -> SideClusters:
    """Clusters of one sign with their sizes."""
    (side,) = sides_above([sign], values, measure.threshold, measure.connectivity, space)
    sizes = {
        "extent": side.extents(space),
        "total": side.masses(),
        "excess": side.masses(measure.threshold),
    }
    return SideClusters(side, sizes)
