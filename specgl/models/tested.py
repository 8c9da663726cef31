"""One contrast at all locations, and what its kinds of statistic have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # types only
    from specgl.models.fitted import GroupFit

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outcome:
    """One contrast's maps, each ``(n_loc,)``; a map of ``None`` does not exist for its kind.

    Attributes
    ----------
    kind
        ``t``, ``F``, ``v`` or ``G``.
    dof1
        Rank of the contrast.
    dof
        Degrees of freedom that differ from contrast to contrast (v, G); None where they are the fit's.
    """

    kind: str
    stat: Floats
    z: Floats
    p: Floats
    dof1: int
    effect: Floats | None = None
    variance: Floats | None = None
    cohen_d: Floats | None = None
    dof: Floats | None = None


def effect_of(fit: GroupFit, weights: Floats) -> Floats:
    """``(n_loc,)`` weights times coefficients, summed in the regressors' order.

    Not a matrix product: its order of summation may differ from row to row, and a contrast and its negative
    must give opposite bits.
    """
    total = np.zeros(fit.sigma2.size)
    for regressor in np.flatnonzero(weights):
        total += weights[regressor] * fit.beta[regressor]
    return total
