"""Parametric inference: corrections over locations that act on the statistics' own p-values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.inference.asked import Parametric
from specgl.inference.contrasts import ContrastMaps, each_contrast
from specgl.inference.corrected import correct
from specgl.inference.provisions import Provisions
from specgl.inference.records import Inferred, Neighbourhood
from specgl.inference.surviving import Rule, surviving_locations
from specgl.kernels.multiplicity import ADJUST, Adjustment

Floats = NDArray[np.float64]
Member = TypeVar("Member")


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
    corrected = [
        pair
        for family in families(contrasts, asked.across)
        for pair in correct_family(
            family,
            [contrast.p for contrast in family],
            [contrast.logs for contrast in family],
            ADJUST[asked.correction],
        )
    ]
    rule = Rule(asked.name, asked.alpha, asked.connectivity, asked.min_cluster_size)
    return tuple(
        surviving_locations(contrast, *pair, contrast.logs, space, rule)
        for contrast, pair in zip(contrasts, corrected, strict=True)
    )


FAMILIES: dict[str, Callable[[list[Member]], list[list[Member]]]] = {
    "none": lambda members: [[member] for member in members],
    "contrasts": lambda members: [members],
}
"""How contrasts are gathered into families, by ``across``; the order of contrasts is kept."""


def families(members: list[Member], across: str) -> list[list[Member]]:
    """Contrasts, or what stands for them, gathered into families; their order is kept."""
    return FAMILIES[across](members)


def correct_family(
    family: Sequence[ContrastMaps], p: Sequence[Floats], logs: Sequence[Floats], adjust: Adjustment
) -> list[tuple[Floats, Floats]]:
    """Corrected p-values of a family of contrasts.

    Parameters
    ----------
    family
        The contrasts.
    p, logs
        Their p-values and the −log10 of these, (n_loc,) each.
    adjust
        The correction.

    Returns
    -------
    corrected
        Corrected p and its −log10 for each contrast, (n_loc,) each, NaN where nothing was analysed.
    """
    analysed = [contrast.analysed for contrast in family]
    pooled_p = np.concatenate([values[here] for values, here in zip(p, analysed, strict=True)])
    pooled_logs = np.concatenate([values[here] for values, here in zip(logs, analysed, strict=True)])
    corrected, logp = correct(pooled_p, pooled_logs, adjust)
    ends = np.cumsum([np.count_nonzero(here) for here in analysed])[:-1]
    shares = zip(family, np.split(corrected, ends), np.split(logp, ends), strict=True)
    return [(contrast.spread(one), contrast.spread(log)) for contrast, one, log in shares]
