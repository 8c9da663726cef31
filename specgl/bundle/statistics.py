"""What is known of each contrast's statistic, told by single numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

SEVERAL = frozenset({"F", "G", "chi2"})
"""Statistics of several rows, or of one row without its sign."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """The statistic of one contrast.

    Attributes
    ----------
    contrast
        The contrast's name, or that of a ready-made map.
    kind
        `t`, `F`, `v`, `G`, `chi2`, `z` or `p`.
    alternative
        `two-sided`, `greater` or `less`.
    dof1
        Degrees of freedom of chi2, and of the numerators of F and G; None otherwise.
    dof, dof_min
        Residual degrees of freedom, the largest and the smallest over the locations; None where there are
        none.
    n, n_min
        Number of observations, likewise.
    """

    contrast: str
    kind: str
    alternative: str
    dof1: float | None
    dof: float | None
    dof_min: float | None
    n: int | None
    n_min: int | None

    @property
    def varies(self) -> bool:
        """Whether degrees of freedom differ among locations or shuffles, so that only z can be compared."""
        return self.kind in ("v", "G") or self.dof != self.dof_min or self.n != self.n_min

    @property
    def dof_in_header(self) -> float:
        """Degrees of freedom where they are one number, else 0."""
        return self.dof if self.dof is not None and self.dof == self.dof_min else 0.0


def statistics_of(stats: xr.Dataset) -> dict[str, Statistic]:
    """What is known of the statistic of each contrast in StatMaps, by the contrast's name."""
    told = {}
    for position, label in enumerate(stats["contrast"].values.tolist()):
        of_contrast = stats.isel(contrast=position)
        kind = str(of_contrast["kind"].item())
        dof, dof_min = _range(of_contrast, "dof")
        n, n_min = _range(of_contrast, "n")
        told[str(label)] = Statistic(
            contrast=str(label),
            kind=kind,
            alternative=str(of_contrast["alternative"].item()),
            dof1=_range(of_contrast, "dof1")[0] if kind in SEVERAL else None,
            dof=dof,
            dof_min=dof_min,
            n=None if n is None else int(n),
            n_min=None if n_min is None else int(n_min),
        )
    return told


def statistic_of_row(row: Mapping[str, Any]) -> Statistic:
    """What a row of results, as the manifest has it, knows of its statistic."""
    return Statistic(
        contrast=str(row["contrast"]),
        kind=str(row["statistic"]),
        alternative=str(row["alternative"]),
        dof1=row["dof_numerator"],
        dof=row["dof"],
        dof_min=row["dof_min"],
        n=row["n"],
        n_min=row["n_min"],
    )


def _range(stats: xr.Dataset, name: str) -> tuple[float | None, float | None]:
    """Largest and smallest finite value of a variable; None where it has none."""
    if name not in stats.variables:
        return None, None
    values = np.asarray(stats[name].values, dtype=np.float64)
    values = values[np.isfinite(values)]
    return (float(values.max()), float(values.min())) if values.size else (None, None)
