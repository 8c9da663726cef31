"""What inference is asked for, what it needs to know of space, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

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
class Parametric:
    """Inference from the statistics' own p-values.

    Attributes
    ----------
    name
        Name of the inference in the spec.
    correction
        A key of `specgl.kernels.multiplicity.ADJUST`.
    alpha
        A location survives when its corrected p-value is at most this.
    min_cluster_size
        Clusters of fewer locations are taken away; 1 takes none away. The size is not calibrated.
    connectivity
        What makes voxels neighbours: 6 (faces), 18 (edges) or 26 (corners).
    across
        What makes a family: ``none``, the analysed locations of one contrast; ``contrasts``, those of all.
    """

    method: ClassVar[str] = "parametric"

    name: str
    correction: str
    alpha: float
    min_cluster_size: int
    connectivity: int
    across: str


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
        Corrected p-value, NaN where nothing was analysed, (n_loc,). It may underflow to 0.
    logp
        −log10 of the corrected p-value, finite wherever it was analysed, NaN elsewhere, (n_loc,).
    threshold
        The smallest |statistic| whose corrected p-value is small enough, before small clusters are taken
        away; None where none is. Where degrees of freedom vary, others above it may not survive.
    n_surviving
        Number of locations in `thresholded` that are not 0.
    min_p
        Smallest corrected p-value; NaN when nothing was analysed.
    peak
        The location with the smallest p-value; None when nothing was analysed.
    clusters
        Table of clusters and their peaks with the columns `CLUSTER_COLUMNS`.
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
