"""Inference from shuffles: what the statistic would have been, had labels meant nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import xarray as xr

if TYPE_CHECKING:  # types only: what shuffles imports numba, and a parametric run does not wait for it
    from specgl.inference.records import Inferred, Neighbourhood, Permutation, Permuted


def permutation(
    stats: xr.Dataset, space: Neighbourhood, asked: Sequence[Permutation], permuted: Permuted | None
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
    permuted
        The statistics ready to be shuffled, the schemes and the engine.

    Returns
    -------
    inferred
        For each inference a record for each contrast, in order.

    Raises
    ------
    ComputationError
        E430, E431 or E432, before any long work, when shuffles cannot tell what is asked.
    ValueError
        When `permuted` is missing, or lacks a contrast.
    """
    if permuted is None:
        raise ValueError("inference by permutation needs statistics that can be shuffled")
    from specgl.inference.permutation.journey import carry_out  # imports numba: half a second

    return carry_out(stats, space, asked, permuted)
