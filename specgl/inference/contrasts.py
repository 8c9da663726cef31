"""A contrast's maps, one record each, and which signs of its statistic may survive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import special

from specgl.inference.corrected import neglog10
from specgl.kernels.tails import Alternative

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

SIDES: dict[Alternative, tuple[int, ...]] = {"two-sided": (1, -1), "greater": (1,), "less": (-1,)}
"""Signs that can survive, by the contrast's alternative."""

ONE_TAIL: dict[str, Alternative] = {"F": "greater", "G": "greater", "chi2": "greater"}
"""Kinds of statistic that have one tail only, whatever the alternative says."""

CONFIDENCE = 0.95
"""Confidence of the interval around an effect in tables. It is that of a single location, named beforehand:
it does not know that the peak was picked for its height."""


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
    kind
        What the statistic is: t, F, v, G, chi2 or z.
    dof1, dof
        Its degrees of freedom: of the tested part, and of the residuals, a number or (n_loc,); NaN for z.
    effect, variance
        The effect and its variance, NaN or None where there is no single one.
    region
        Name of the region of an atlas at each location, empty outside all of them.
    """

    name: str
    stat: Floats
    z: Floats
    p: Floats
    tail: Alternative
    sides: tuple[int, ...]
    kind: str = "z"
    dof1: float = 1.0
    dof: float | Floats = np.nan
    effect: Floats | None = None
    variance: Floats | None = None
    region: NDArray[Any] | None = None

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

    def told_at(self, locations: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Columns of a table that tell the effect with its interval, and the region, at some locations.

        The interval is ``effect ± t(dof) sqrt(variance)``, by the degrees of freedom of each location.

        Parameters
        ----------
        locations
            Where, (n,).

        Returns
        -------
        told
            ``effect``, ``effect_low`` and ``effect_high`` where the contrast has an effect; ``region`` where
            there is an atlas, None outside all of its regions; (n,) each.
        """
        told: dict[str, NDArray[Any]] = {}
        if self.effect is not None and self.variance is not None:
            effect = self.effect[locations]
            dof = np.broadcast_to(self.dof, self.p.shape)[locations]
            reach = special.stdtrit(dof, (1 + CONFIDENCE) / 2) * np.sqrt(self.variance[locations])
            told = {"effect": effect, "effect_low": effect - reach, "effect_high": effect + reach}
        if self.region is None:
            return told
        return told | {"region": np.array([name or None for name in self.region[locations]], dtype=object)}


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
            **_beside(stats, row),
        )
        for row, (name, tail) in enumerate(zip(stats["contrast"].values, tails, strict=True))
    ]


def _beside(stats: xr.Dataset, row: int) -> dict[str, Any]:
    """What a contrast has beside its statistic, as far as the data set holds it."""
    found: dict[str, Any] = {"kind": str(stats["kind"].values[row])}
    if "dof1" in stats.coords:
        found["dof1"] = float(stats["dof1"].values[row])
    if "dof" in stats:
        dof = stats["dof"].isel(contrast=row) if "contrast" in stats["dof"].dims else stats["dof"]
        found["dof"] = np.asarray(dof.values, dtype=np.float64) if dof.ndim else float(dof)
    if "effect" in stats and "variance" in stats:
        effect = np.asarray(stats["effect"].isel(contrast=row).values, dtype=np.float64)
        if np.isfinite(effect).any():
            found["effect"] = effect
            found["variance"] = np.asarray(stats["variance"].isel(contrast=row).values, dtype=np.float64)
    if "region" in stats.coords:
        found["region"] = stats["region"].values
    return found
