"""The verb: statistics in, corrected statistics out, one method a family of ideas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import xarray as xr

from specgl.inference.all_resolutions import all_resolutions
from specgl.inference.asked import Inference
from specgl.inference.parametric import parametric
from specgl.inference.permutation import permutation
from specgl.inference.provisions import Provisions
from specgl.inference.random_field import random_field
from specgl.inference.records import Inferred, Neighbourhood
from specgl.inference.simulated import simulated

Method = Callable[[xr.Dataset, Neighbourhood, Sequence[Any], Provisions], list[tuple[Inferred, ...]]]

METHODS: dict[str, Method] = {
    "parametric": parametric,
    "permutation": permutation,
    "random_field": random_field,
    "all_resolutions": all_resolutions,
    "simulated": simulated,
}
"""Every method of inference by its name in a spec. Each carries out all that is asked of it at once."""


def infer(
    stats: xr.Dataset,
    space: Neighbourhood,
    inferences: Sequence[Inference],
    provisions: Provisions | None = None,
) -> tuple[Inferred, ...]:
    """Carry out every inference about every contrast.

    Parameters
    ----------
    stats
        Statistics: variables ``stat``, ``z`` and ``p`` (contrast, location), coordinates ``kind`` and
        ``alternative`` (contrast). Locations whose p is NaN are not analysed; where p underflows, its
        logarithm is taken from z. With ``effect``, ``variance`` and ``dof`` tables tell the effect at each
        peak; with a coordinate ``region`` (location), names of an atlas, where it lies.
    space
        What makes the locations neighbours.
    inferences
        What is asked.
    provisions
        What is needed beside; inferences that use the statistics alone need nothing.

    Returns
    -------
    inferred
        For each inference in turn, a record for each contrast, both in the order given.

    Raises
    ------
    ComputationError
        When shuffles or residuals cannot tell what an inference asks: E430 to E436.
    DataError
        E325: no location lies in any of the regions asked about.
    """
    found: dict[int, tuple[Inferred, ...]] = {}
    held = provisions or Provisions()
    for method in dict.fromkeys(asked.method for asked in inferences):
        mine = [place for place, asked in enumerate(inferences) if asked.method == method]
        found |= zip(mine, METHODS[method](stats, space, [inferences[i] for i in mine], held), strict=True)
    return tuple(one for place in range(len(inferences)) for one in found[place])
