"""True discoveries at all resolutions: bounds for every set of locations at once, by Hommel's value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.inference.asked import AllResolutions
from specgl.inference.contrasts import ContrastMaps, each_contrast
from specgl.inference.discoveries import check_regions, conclude_discoveries
from specgl.inference.families import correct_families, families
from specgl.inference.provisions import Provisions
from specgl.inference.records import Discoveries, Inferred, Neighbourhood
from specgl.kernels.discoveries import bound, categories, hommel_h
from specgl.kernels.multiplicity import ADJUST

Floats = NDArray[np.float64]
Corrected = list[tuple[Floats, Floats]]


def all_resolutions(
    stats: xr.Dataset, space: Neighbourhood, asked: Sequence[AllResolutions], provisions: Provisions
) -> list[tuple[Inferred, ...]]:
    """Bounds on true discoveries, for every contrast (Rosenblatt 2018, doi:10.1016/j.neuroimage.2018.07.060).

    Parameters
    ----------
    stats
        Statistics as `specgl.inference.infer` takes them.
    space
        What makes the locations neighbours.
    asked
        About which sets, over which families, at which levels.
    provisions
        The regions of those that ask about regions.

    Returns
    -------
    inferred
        For each inference a record for each contrast, in order, with Hommel's adjusted p-values.

    Raises
    ------
    DataError
        E325 where no analysed location lies in any region.
    ValueError
        When one asks about regions that the provisions lack.
    """
    contrasts = each_contrast(stats)
    check_regions({one.name: one.sets for one in asked}, contrasts, provisions.regions)
    adjusted = {
        across: correct_families(contrasts, across, ADJUST["hommel"])
        for across in dict.fromkeys(one.across for one in asked)
    }
    return [_one(contrasts, space, one, adjusted[one.across], provisions) for one in asked]


def _one(
    contrasts: list[ContrastMaps],
    space: Neighbourhood,
    asked: AllResolutions,
    adjusted: Corrected,
    provisions: Provisions,
) -> tuple[Inferred, ...]:
    """One inference about every contrast."""
    found = []
    pairs = iter(adjusted)
    for family in families(contrasts, asked.across):
        pooled = np.concatenate([contrast.p[contrast.analysed] for contrast in family])
        h = hommel_h(pooled, asked.alpha)
        factor = h / asked.alpha
        for contrast in family:
            least = np.ones(contrast.p.size, dtype=np.int64)  # not looked at where nothing was analysed
            least[contrast.analysed] = categories(contrast.p[contrast.analysed], factor)
            at_least = bound(least[contrast.analysed])
            found.append(
                conclude_discoveries(
                    asked.name,
                    asked.sets,
                    contrast,
                    *next(pairs),
                    least,
                    asked.connectivity,
                    space,
                    provisions.regions.get(asked.name),
                    Discoveries("simes", factor, pooled.size, at_least, h),
                )
            )
    return tuple(found)
