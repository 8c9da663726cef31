"""What inference is asked for, what it needs to know of space, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

if TYPE_CHECKING:  # types only: a parametric run does not wait for what shuffles
    from specgl.engines import ChunkStore, Engine
    from specgl.engines.engine import Progress
    from specgl.kernels.statistics import ShuffledStatistic
    from specgl.models.schemes import Scheme

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
class Forming:
    """What forms clusters; one of the two is given.

    Attributes
    ----------
    p
        Cluster-forming p: one tail's for a directed contrast and for F, half of it for each side of a
        two-sided one.
    stat
        The cluster-forming threshold itself, on the inference's scale.
    """

    p: float | None = None
    stat: float | None = None


@dataclass(frozen=True, slots=True)
class Tfce:
    """How a map is enhanced: the integral of ``extent^E height^H`` (doi:10.1016/j.neuroimage.2008.03.061).

    Attributes
    ----------
    E, H
        The two exponents.
    dh
        Step of the summed form; None for the exact integral.
    """

    E: float = 0.5
    H: float = 2.0
    dh: float | None = None


@dataclass(frozen=True, slots=True)
class Permutation:
    """Inference from shuffles.

    Attributes
    ----------
    name
        Name of the inference in the spec.
    statistic
        ``voxel``, ``cluster_extent``, ``cluster_mass`` or ``tfce``.
    correction
        ``fwe`` by the maximum; ``fdr_bh`` or ``none`` on uncorrected shuffled p-values.
    alpha
        A location, or a cluster, survives when its p-value is at most this.
    connectivity
        What makes voxels neighbours: 6 (faces), 18 (edges) or 26 (corners).
    forming
        What forms clusters, for statistics of clusters.
    mass
        ``total``: the sum of the statistic over a cluster; ``excess``: of what exceeds the threshold.
    tfce
        How maps are enhanced, for that statistic.
    scale
        ``t``: on the statistic itself; ``z``: on its normal deviate.
    across
        ``none``: a family for each contrast; ``contrasts``: one for all.
    tail
        ``counts``; ``gpd`` or ``gamma`` extrapolate the null's tail.
    """

    method: ClassVar[str] = "permutation"

    name: str
    statistic: str
    correction: str = "fwe"
    alpha: float = 0.05
    connectivity: int = 26
    forming: Forming | None = None
    mass: str = "total"
    tfce: Tfce | None = None
    scale: str = "t"
    across: str = "none"
    tail: str = "counts"


@dataclass(frozen=True, eq=False)
class Permuted:
    """What inference by permutation needs beside the statistics.

    Attributes
    ----------
    statistics
        Each contrast's statistic, ready to be shuffled.
    schemes
        How observations are shuffled; each contrast belongs to one of them.
    engine
        Where it runs; results do not depend on it.
    store
        Where finished work is kept and looked for; None keeps none.
    progress
        Called with shuffles done and their number.
    memory
        Bytes that maps under shuffles may take at once, over all threads; None for as many as are quick.
    """

    statistics: Mapping[str, ShuffledStatistic]
    schemes: tuple[Scheme, ...]
    engine: Engine
    store: ChunkStore | None = None
    progress: Progress | None = None
    memory: int | None = None


Inference = Parametric | Permutation
"""Whatever can be asked."""


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
        Table of clusters and their peaks with the columns `CLUSTER_COLUMNS`.
    uncorrected_logp
        By permutation: −log10 of the shuffled, uncorrected p-value, (n_loc,), where it was counted.
    enhanced
        By permutation with TFCE: the enhanced map, negative where the statistic is, (n_loc,).
    extrapolated
        With a fitted tail: where the p-value was extrapolated instead of counted, (n_loc,).
    null
        By permutation: maxima over the family, the observed labelling's first, (n_shuffles,).
    shuffling
        By permutation: what the null was made from.
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
