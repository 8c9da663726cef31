"""The verb: statistics in, corrected statistics out, one method a family of ideas."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import xarray as xr

from specgl.inference.parametric import parametric
from specgl.inference.records import Inferred, Neighbourhood, Parametric

Method = Callable[[xr.Dataset, Neighbourhood, Parametric], tuple[Inferred, ...]]

METHODS: dict[str, Method] = {"parametric": parametric}
"""Every method of inference by its name in a spec."""


def infer(stats: xr.Dataset, space: Neighbourhood, inferences: Sequence[Parametric]) -> tuple[Inferred, ...]:
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

    Returns
    -------
    inferred
        For each inference in turn, a record for each contrast, both in the order given.
    """
    return tuple(one for asked in inferences for one in METHODS[asked.method](stats, space, asked))
