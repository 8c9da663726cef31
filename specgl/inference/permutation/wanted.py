"""What all inferences together want of a contrast, so that one pass over the shuffles serves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import xarray as xr

from specgl.inference.asked import Permutation
from specgl.inference.contrasts import ContrastMaps
from specgl.inference.permutation.measures import Enhancement, Height, Measure, measure_of
from specgl.kernels.tails import Alternative


@dataclass(frozen=True, eq=False)
class Wanted:
    """One contrast and what all inferences want of it.

    Attributes
    ----------
    maps
        The contrast's maps.
    alternative
        Direction in which it is tested; ``greater`` for a statistic without a sign.
    by_inference
        What each inference measures; nothing for a partner, which no inference is about.
    measures
        The same, each once.
    counted
        Of which measures each location is compared with itself.
    """

    maps: ContrastMaps
    alternative: Alternative
    by_inference: tuple[Measure, ...]
    measures: tuple[Measure, ...]
    counted: frozenset[Measure]


def want(
    maps: ContrastMaps,
    alternative: Alternative,
    asked: Sequence[Permutation],
    stats: xr.Dataset,
    *,
    varying: bool,
) -> Wanted:
    """What the inferences want of a contrast, each measure once.

    Parameters
    ----------
    maps
        The contrast's maps.
    alternative
        Direction in which it is tested.
    asked
        The inferences.
    stats
        Statistics, for cluster-forming thresholds.
    varying
        Whether the contrast's degrees of freedom vary.
    """
    measures = tuple(measure_of(one, stats, maps.name, varying=varying) for one in asked)
    counted = frozenset(
        measure
        for measure, one in zip(measures, asked, strict=True)
        if isinstance(measure, Height) or (isinstance(measure, Enhancement) and one.correction != "fwe")
    )
    return Wanted(maps, alternative, measures, tuple(dict.fromkeys(measures)), counted)
