"""Inference from shuffles: what the statistic would have been, had labels meant nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import xarray as xr

if TYPE_CHECKING:  # types only: what shuffles imports numba, and a parametric run does not wait for it
    from specgl.inference.asked import Permutation
    from specgl.inference.provisions import Provisions
    from specgl.inference.records import Inferred, Neighbourhood


def permutation(
    stats: xr.Dataset, space: Neighbourhood, asked: Sequence[Permutation], provisions: Provisions
) -> list[tuple[Inferred, ...]]:
    """Inferences by permutation about every contrast, all from one pass over the shuffles.

    Parameters
    ----------
    stats
        Statistics as `specgl.inference.infer` takes them.
    space
        What makes the locations neighbours.
    asked
        What is asked.
    provisions
        With ``permuted``: the statistics ready to be shuffled, the schemes and the engine; and the regions of
        inferences that ask about them.

    Returns
    -------
    inferred
        For each inference a record for each contrast, in order.

    Raises
    ------
    ComputationError
        E430, E431, E432 or E434, before any long work, when shuffles cannot tell what is asked.
    DataError
        E325 where no analysed location lies in any region.
    ValueError
        When ``permuted`` is missing, or lacks a contrast.
    """
    if provisions.permuted is None:
        raise ValueError("inference by permutation needs statistics that can be shuffled")
    from specgl.inference.permutation.journey import carry_out  # imports numba: half a second

    return carry_out(stats, space, asked, provisions.permuted, provisions.regions)
