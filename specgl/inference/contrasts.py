"""A contrast's maps, one record each, and which signs of its statistic may survive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.inference.corrected import neglog10
from specgl.kernels.tails import Alternative

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

SIDES: dict[Alternative, tuple[int, ...]] = {"two-sided": (1, -1), "greater": (1,), "less": (-1,)}
"""Signs that can survive, by the contrast's alternative."""

ONE_TAIL: dict[str, Alternative] = {"F": "greater", "G": "greater"}
"""Kinds of statistic that have one tail only, whatever the alternative says."""


@dataclass(frozen=True, eq=False)
class ContrastMaps:
    """One contrast's maps, each (n_loc,), and what may survive in them.

    Attributes
    ----------
    name
        The contrast's name.
    stat, z, p
        The statistic, the same as a normal deviate, and its p-value, NaN where it is not analysed.
    tail
        The tail that p is of.
    sides
        Signs of the statistic that can survive.
    """

    name: str
    stat: Floats
    z: Floats
    p: Floats
    tail: Alternative
    sides: tuple[int, ...]

    @property
    def analysed(self) -> Booleans:
        """Where there is a p-value: the contrast's share of the family, (n_loc,)."""
        return np.isfinite(self.p)

    @property
    def logs(self) -> Floats:
        """−log10 of p, finite where p underflows, (n_loc,)."""
        return neglog10(self.p, self.z, self.tail)

    def spread(self, values: Floats) -> Floats:
        """Values of the analysed locations among all locations, NaN elsewhere."""
        spread = np.full(self.p.size, np.nan)
        spread[self.analysed] = values
        return spread


def each_contrast(stats: xr.Dataset) -> list[ContrastMaps]:
    """The contrasts of a data set of statistics, one by one.

    Parameters
    ----------
    stats
        Statistics as `specgl.inference.infer` takes them.

    Returns
    -------
    contrasts
        In the data set's order.
    """
    rows = {
        name: np.asarray(stats[name].transpose("contrast", "location").values, dtype=np.float64)
        for name in ("stat", "z", "p")
    }
    tails = [
        ONE_TAIL.get(str(kind), alternative)
        for kind, alternative in zip(stats["kind"].values, stats["alternative"].values, strict=True)
    ]
    return [
        ContrastMaps(
            name=str(name),
            stat=rows["stat"][row],
            z=rows["z"][row],
            p=rows["p"][row],
            tail=tail,
            sides=SIDES[tail],
        )
        for row, (name, tail) in enumerate(zip(stats["contrast"].values, tails, strict=True))
    ]
