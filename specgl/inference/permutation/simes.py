"""How far p-values fall below the line of Simes under a shuffle, of one contrast or of a family of them.

The value is one number of a map (`specgl.kernels.discoveries.pivotal`), and rises with every height, so that
maps with all heights lowered and raised by their error enclose what float64 gives.

A family's p-values are pooled under each shuffle. Its contrasts may be tested in different directions, and
what a mirrored shuffle gives is then no side of one map: each contrast of the family has the value twice, of
the shuffle as it is and of its mirror, in place of the upper and the lower side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specgl.inference.permutation.certainty import MARGIN, Rounding
from specgl.inference.permutation.measures import Simes
from specgl.inference.permutation.spatial import Heights
from specgl.kernels.discoveries.pivotal import EXACT, Error, Part, least_simes

if TYPE_CHECKING:
    from specgl.inference.permutation.work import ContrastWork

Floats = NDArray[np.float64]


def fall(
    measure: Simes, heights: Heights, analysed: NDArray[np.bool_], rounding: Rounding | None = None
) -> Floats:
    """What one side of a map gives, and between which limits float64 lies.

    Parameters
    ----------
    measure
        What p-values are read from.
    heights
        One side of a map, (n_loc,).
    analysed
        Locations of the family, (n_loc,).
    rounding
        How exact the heights are; None for float64.

    Returns
    -------
    found
        (3,): the value, the least and the most.
    """
    return least_simes([_part(measure, heights, analysed, rounding)])


def pooled_fall(
    contrasts: Sequence[ContrastWork],
    maps: Sequence[Heights],
    roundings: Sequence[Rounding | None],
    *,
    mirrored: bool,
) -> Floats:
    """What the maps of a family's contrasts give together.

    Parameters
    ----------
    contrasts
        The family, of which each contrast has a pooled measure.
    maps
        Map of each under one shuffle, (n_loc,).
    roundings
        How exact these are; None for float64.
    mirrored
        Whether the shuffle's mirror is wanted as well.

    Returns
    -------
    found
        (3, 2): the value, the least and the most, of the shuffle and of its mirror; NaN where that is not
        wanted.
    """
    found = np.full((3, 2), np.nan)
    for turn in range(2 if mirrored else 1):
        parts = []
        for contrast, heights, rounding in zip(contrasts, maps, roundings, strict=True):
            measure = pooled_measure(contrast)
            assert measure is not None
            down = (contrast.alternative == "less") != (turn == 1 and contrast.statistic.signed)
            parts.append(_part(measure, -heights if down else heights, contrast.analysed, rounding))
        found[:, turn] = least_simes(parts)
    return found


def pooled_measure(contrast: ContrastWork) -> Simes | None:
    """A contrast's measure that a family shares, if there is one; there is never a second."""
    return next((one for one in contrast.measures if isinstance(one, Simes) and one.pooled), None)


def _part(measure: Simes, heights: Heights, analysed: NDArray[np.bool_], rounding: Rounding | None) -> Part:
    error = EXACT if rounding is None else Error(MARGIN * rounding.relative, rounding.floor)
    return Part(heights, measure.reference, analysed, error)
