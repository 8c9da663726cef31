"""The observed labelling in float64: what is reported, and what null distributions are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from specgl.inference.permutation.measures import Enhancement, Height, Measure, Sizes
from specgl.inference.permutation.spatial import enhanced_map
from specgl.inference.records import Neighbourhood
from specgl.kernels.clusters import Clusters, find_clusters
from specgl.kernels.statistics import ShuffledStatistic
from specgl.kernels.tails import Alternative
from specgl.kernels.tfce import Graph

Floats = NDArray[np.float64]

SIGNS = (1, -1)
"""Signs of the upper and the lower side."""


@dataclass(frozen=True, eq=False)
class SideClusters:
    """Observed clusters of one sign.

    Attributes
    ----------
    sign
        1 or -1.
    members
        Locations that reach the threshold, (n,).
    heights
        Their statistic times the sign, on the measure's scale, (n,).
    adjacency
        Their neighbourhood, (n, n).
    clusters
        The clusters among them.
    sizes
        Each cluster's value by column: ``extent``, ``total`` and ``excess``, (n_clusters,) each.
    """

    sign: int
    members: NDArray[np.int64]
    heights: Floats
    adjacency: csr_array
    clusters: Clusters
    sizes: Mapping[str, Floats]


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
    statistic: ShuffledStatistic,
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
        elif isinstance(measure, Sizes):
            clusters[measure] = tuple(
                _clusters(sign, values, measure, space)
                for sign, asked in zip(SIGNS, asks, strict=True)
                if asked
            )
            for side in clusters[measure]:
                column = 0 if side.sign > 0 else 1
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
    within = sign * values >= measure.threshold
    members = np.flatnonzero(within)
    heights = sign * values[members]
    adjacency = space.adjacency(measure.connectivity, within)
    clusters = find_clusters(heights, np.ones(members.size, dtype=bool), adjacency)
    size = np.asarray(space.measure, dtype=np.float64)
    sizes = {
        "extent": clusters.sums(size[members]) if size.ndim else clusters.sizes.astype(np.float64),
        "total": clusters.masses(heights),
        "excess": clusters.masses(heights, measure.threshold),
    }
    return SideClusters(sign, members, heights, adjacency, clusters, sizes)
