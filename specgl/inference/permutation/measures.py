"""What is measured under each shuffle, and which inference asks for which of it.

A measure stands once for all inferences that want it: extent and mass of the clusters above one threshold
come from one sweep over a map, and so do two inferences with equal settings of TFCE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import xarray as xr

from specgl.inference.asked import Permutation, forming_height
from specgl.inference.contrasts import ONE_TAIL
from specgl.kernels.discoveries.pivotal import Reference
from specgl.kernels.tails import height_at

Scale = Literal["t", "z"]


@dataclass(frozen=True, slots=True)
class Height:
    """The statistic itself.

    Attributes
    ----------
    scale
        ``t`` or ``z``.
    """

    columns: ClassVar[tuple[str, ...]] = ("height",)

    scale: Scale


@dataclass(frozen=True, slots=True)
class Sizes:
    """Clusters above a threshold.

    Attributes
    ----------
    scale
        ``t`` or ``z``.
    connectivity
        What makes voxels neighbours.
    threshold
        Height from which a location belongs to a cluster, on that scale.
    """

    columns: ClassVar[tuple[str, ...]] = ("extent", "total", "excess")

    scale: Scale
    connectivity: int
    threshold: float


@dataclass(frozen=True, slots=True)
class Enhancement:
    """The map enhanced by TFCE.

    Attributes
    ----------
    scale
        ``t`` or ``z``.
    connectivity
        What makes voxels neighbours.
    E, H, dh
        The two exponents, and the step of the summed form, or None for the exact integral.
    """

    columns: ClassVar[tuple[str, ...]] = ("enhanced",)

    scale: Scale
    connectivity: int
    E: float
    H: float
    dh: float | None


@dataclass(frozen=True, slots=True)
class Simes:
    """How far the smallest p-values of the map fall below the line of Simes, as −log10.

    Attributes
    ----------
    scale
        ``t`` or ``z``.
    reference
        What p-values are read from, on that scale.
    pooled
        Whether the p-values of all contrasts are one family.
    """

    columns: ClassVar[tuple[str, ...]] = ("simes",)

    scale: Scale
    reference: Reference
    pooled: bool = False


Measure = Height | Sizes | Enhancement | Simes


def column_of(measures: Sequence[Measure], measure: Measure, name: str) -> int:
    """Where a measure's column stands among the columns of all.

    Parameters
    ----------
    measures
        All measures of a contrast.
    measure
        One of them.
    name
        One of its columns.

    Returns
    -------
    column
        Counted from 0.
    """
    before = sum(len(one.columns) for one in measures[: measures.index(measure)])
    return before + measure.columns.index(name)


def column_name(asked: Permutation) -> str:
    """The column of its measure that an inference is about."""
    match asked.statistic:
        case "cluster_extent":
            return "extent"
        case "cluster_mass":
            return asked.mass
        case "tfce":
            return "enhanced"
        case _:
            return "simes" if asked.correction == "tdp" else "height"


def measure_of(asked: Permutation, stats: xr.Dataset, contrast: str, *, varying: bool) -> Measure:
    """What an inference measures for a contrast.

    Parameters
    ----------
    asked
        The inference.
    stats
        Statistics with their degrees of freedom, for a cluster-forming p.
    contrast
        Which contrast.
    varying
        Whether its degrees of freedom vary, so that only z can be compared.

    Returns
    -------
    measure
        On z where `varying`, and where contrasts, whose statistics differ, are compared.

    Raises
    ------
    ValueError
        When the inference names no statistic that there is, or lacks what its statistic needs.
    """
    scale: Scale = "z" if varying or asked.across == "contrasts" or asked.scale == "z" else "t"
    match asked.statistic:
        case "voxel" if asked.correction == "tdp":
            return Simes(scale, _reference(stats, contrast, scale), asked.across == "contrasts")
        case "voxel":
            return Height(scale)
        case "cluster_extent" | "cluster_mass":
            if asked.correction != "fwe":
                raise ValueError(f"clusters are corrected by their maximum (fwe), not by {asked.correction}")
            return Sizes(scale, asked.connectivity, _threshold(asked, stats, contrast, scale))
        case "tfce":
            if asked.tfce is None:
                raise ValueError(f"inference '{asked.name}' lacks the settings of TFCE")
            return Enhancement(scale, asked.connectivity, asked.tfce.E, asked.tfce.H, asked.tfce.dh)
        case _:
            raise ValueError(f"there is no inference about '{asked.statistic}'")


def _reference(stats: xr.Dataset, contrast: str, scale: Scale) -> Reference:
    """What the p-values of a contrast are read from."""
    here = stats.sel(contrast=contrast)
    kind = str(here["kind"].item())
    two_sided = kind not in ONE_TAIL and here["alternative"].item() == "two-sided"
    if scale == "z":
        return Reference("z", two_sided=two_sided)
    # On this scale the degrees of freedom are the same everywhere.
    dof = float(np.nanmax(here["dof"].values))
    if kind == "t":
        return Reference("t", dof=dof, two_sided=two_sided)
    return Reference("F", float(here["dof1"].item()), dof)


def _threshold(asked: Permutation, stats: xr.Dataset, contrast: str, scale: Scale) -> float:
    """Cluster-forming threshold on a scale."""
    here = stats.sel(contrast=contrast)
    kind = str(here["kind"].item())
    n_sides = 2 if kind not in ONE_TAIL and here["alternative"].item() == "two-sided" else 1

    def at_p(p: float) -> float:
        if scale == "z":
            return height_at("z", p / n_sides)
        # On this scale the degrees of freedom are the same everywhere.
        dof = float(np.nanmax(here["dof"].values))
        return height_at(kind, p / n_sides, dof1=float(here["dof1"].item()), dof=dof)

    return forming_height(asked, at_p)
