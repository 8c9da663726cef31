"""The verb: statistics in, corrected statistics out, one method a family of ideas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import xarray as xr

from specgl.inference.parametric import parametric
from specgl.inference.permutation import permutation
from specgl.inference.records import Inference, Inferred, Neighbourhood, Permuted

Method = Callable[[xr.Dataset, Neighbourhood, Sequence[Any], Permuted | None], list[tuple[Inferred, ...]]]

METHODS: dict[str, Method] = {"parametric": parametric, "permutation": permutation}
"""Every method of inference by its name in a spec. Each carries out all that is asked of it at once."""


def infer(
    stats: xr.Dataset,
    space: Neighbourhood,
    inferences: Sequence[Inference],
    permuted: Permuted | None = None,
) -> tuple[Inferred, ...]:
    """Carry out every inference about every contrast.

    Parameters
    ----------
    stats
        Statistics: variables ``stat``, ``z`` and ``p`` (contrast, location), coordinates ``kind`` and
        ``alternative`` (contrast). Locations whose p is NaN are not analysed; where p underflows, its
        logarithm is taken from z.
    space
        What makes the locations neighbours.
    inferences
        What is asked.
    permuted
        What shuffling needs; may be None where no inference is by permutation.

    Returns
    -------
    inferred
        For each inference in turn, a record for each contrast, both in the order given.

    Raises
    ------
    ComputationError
        E430 to E432, when shuffles cannot tell what an inference by permutation asks.
    """
    found: dict[int, tuple[Inferred, ...]] = {}
    for method in dict.fromkeys(asked.method for asked in inferences):
        mine = [place for place, asked in enumerate(inferences) if asked.method == method]
        found |= zip(
            mine, METHODS[method](stats, space, [inferences[i] for i in mine], permuted), strict=True
        )
    return tuple(one for place in range(len(inferences)) for one in found[place])
