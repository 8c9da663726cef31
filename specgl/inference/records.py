"""What inference needs to know of space, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from specgl.errors import Finding

Floats = NDArray[np.float64]


class Neighbourhood(Protocol):
    """What inference must know of space; a voxel grid, a mesh or a hand-made graph can answer.

    Attributes
    ----------
    coordinates
        Place of each location, (n_loc, 3), in mm.
    measure
        What a location measures, in mm³ (mm² on a surface): one number, or one each, (n_loc,).
    """

    @property
    def coordinates(self) -> NDArray[Any]:
        """Place of each location, (n_loc, 3), in mm."""
        ...

    @property
    def measure(self) -> float | NDArray[Any]:
        """What a location measures, in mm³: one number, or one each, (n_loc,)."""
        ...

    def adjacency(self, connectivity: int, within: NDArray[np.bool_] | None = None) -> csr_array:
        """Symmetric neighbourhood of all locations, or of those `within`, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Shuffled:
    """What a null distribution was made from.

    Attributes
    ----------
    n
        Shuffles used, the observed labelling among them.
    possible
        Labellings that exist.
    exhaustive
        Whether each of them was used once.
    exchange
        ``permute``, ``flip`` or ``both``.
    tail
        How the null's tail was read: ``counts``, ``gpd`` or ``gamma``.
    critical
        What survives surpasses this value of the null distribution (with a fitted tail: reaches it); None
        where p-values are not corrected by the maximum.
    """

    n: int
    possible: int
    exhaustive: bool
    exchange: str
    tail: str
    critical: float | None


@dataclass(frozen=True, slots=True)
class Field:
    """The random field that a contrast's map was taken for.

    Attributes
    ----------
    source
        ``residuals``, where its smoothness was estimated, or ``given``.
    fwhm
        Full width at half maximum along the axes of the grid, in mm; NaN along an axis of one voxel.
    fwhm_voxels
        The same in voxels.
    resels
        Resel counts of the analysed locations, of the dimensions 0 to 3.
    """

    source: str
    fwhm: tuple[float, float, float]
    fwhm_voxels: tuple[float, float, float]
    resels: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Simulations:
    """The simulated maps that clusters were compared with.

    Attributes
    ----------
    n
        How many maps.
    seed
        Of their random numbers.
    critical
        What survives surpasses this size (locations) or mass.
    """

    n: int
    seed: int
    critical: float


@dataclass(frozen=True, slots=True)
class Discoveries:
    """What holds for true discoveries in every set of locations of a family at once.

    Attributes
    ----------
    template
        ``simes``: the inequality of Simes, by Hommel's h. ``calibrated``: by shuffles.
    factor
        Of p-values in the bound ``max_u (1 - u + #{i in S: factor * p_i <= u})``: h / alpha; or m / lambda,
        where ``factor * p_i < u`` counts.
    n_locations
        Locations of the family: of all contrasts where it spans them.
    at_least
        True discoveries among those of this contrast, at least.
    h
        Hommel's h; None with ``calibrated``.
    """

    template: str
    factor: float
    n_locations: int
    at_least: int
    h: int | None = None


@dataclass(frozen=True, slots=True)
class Peak:
    """The location of a map with the strongest evidence, whether or not it survives.

    Attributes
    ----------
    x, y, z
        Its place in mm.
    statistic
        The statistic there.
    z_score
        The same as a standard normal deviate.
    p_corrected
        Its corrected p-value.
    """

    x: float
    y: float
    z: float
    statistic: float
    z_score: float
    p_corrected: float


@dataclass(frozen=True, eq=False)
class Inferred:
    """One inference about one contrast.

    Attributes
    ----------
    inference
        Name of the inference.
    contrast
        Name of the contrast, or of the ready-made map.
    thresholded
        The statistic where it survives, 0 everywhere else, never NaN, (n_loc,).
    p_corrected
        Corrected p-value, NaN where nothing was analysed, (n_loc,). It may underflow to 0, but not where it
        comes from shuffles. Where the inference is about clusters: the cluster's, and 1 outside them.
    logp
        −log10 of the corrected p-value, finite wherever it was analysed, NaN elsewhere, (n_loc,).
    threshold
        The smallest |statistic| whose corrected p-value is small enough, before small clusters are taken
        away; None where none is. Where degrees of freedom vary, others above it may not survive. Where the
        inference is about clusters, the threshold that forms them, on the inference's scale; with TFCE, None.
    n_surviving
        Number of locations in `thresholded` that are not 0.
    min_p
        Smallest corrected p-value; NaN when nothing was analysed.
    peak
        The location with the smallest p-value; None when nothing was analysed.
    clusters
        Table of clusters and their peaks: those of the columns `CLUSTER_COLUMNS` that the inference has.
    uncorrected_logp
        By permutation: −log10 of the shuffled, uncorrected p-value, (n_loc,), where it was counted.
    enhanced
        By permutation with TFCE: the enhanced map, negative where the statistic is, (n_loc,).
    extrapolated
        With a fitted tail: where the p-value was extrapolated instead of counted, (n_loc,).
    null
        By permutation: what each shuffle gave, the observed labelling first, (n_shuffles,): maxima over the
        family, or with bounds on true discoveries −log10 of its least ``m p_(k) / k``. By simulation: the
        largest cluster of each simulated map, (n_maps,).
    shuffling
        By permutation: what the null was made from.
    tdp
        About true discoveries: the share of them, at least, in the set that each location belongs to,
        (n_loc,); 0 where it belongs to none, NaN where nothing was analysed.
    discoveries
        About true discoveries: what holds for every set at once.
    field
        By random field theory or simulation: the field that the map was taken for.
    simulations
        By simulation: what clusters were compared with.
    findings
        Warnings, by the keys of the spec.
    """

    inference: str
    contrast: str
    thresholded: Floats
    p_corrected: Floats
    logp: Floats
    threshold: float | None
    n_surviving: int
    min_p: float
    peak: Peak | None
    clusters: pd.DataFrame
    uncorrected_logp: Floats | None = None
    enhanced: Floats | None = None
    extrapolated: NDArray[np.bool_] | None = None
    null: Floats | None = None
    shuffling: Shuffled | None = None
    tdp: Floats | None = None
    discoveries: Discoveries | None = None
    field: Field | None = None
    simulations: Simulations | None = None
    findings: tuple[Finding, ...] = ()
