"""Parametric inference: corrections over locations that act on the statistics' own p-values."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from specgl.inference.asked import Parametric
from specgl.inference.contrasts import ContrastMaps, each_contrast
from specgl.inference.families import correct_families
from specgl.inference.provisions import Provisions
from specgl.inference.records import Inferred, Neighbourhood
from specgl.inference.surviving import Rule, surviving_locations
from specgl.kernels.multiplicity import ADJUST


def parametric(
    stats: xr.Dataset, space: Neighbourhood, asked: Sequence[Parametric], provisions: Provisions
) -> list[tuple[Inferred, ...]]:
    """Parametric inferences about every contrast.

    Parameters
    ----------
    stats
        Statistics as `specgl.inference.infer` takes them.
    space
        What makes the locations neighbours.
    asked
        Which corrections, over which families, at which levels.
    provisions
        Not used.

    Returns
    -------
    inferred
        For each inference a record for each contrast, in order.
    """
    contrasts = each_contrast(stats)
    return [_one(contrasts, space, one) for one in asked]


def _one(contrasts: list[ContrastMaps], space: Neighbourhood, asked: Parametric) -> tuple[Inferred, ...]:
    corrected = correct_families(contrasts, asked.across, ADJUST[asked.correction])
    rule = Rule(asked.name, asked.alpha, asked.connectivity, asked.min_cluster_size)
    return tuple(
        surviving_locations(contrast, *pair, contrast.logs, space, rule)
        for contrast, pair in zip(contrasts, corrected, strict=True)
    )
