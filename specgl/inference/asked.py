"""What inference can be asked for: one record for each method, in words that the spec's have become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar


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
class Sets:
    """About which sets of locations a bound on true discoveries is told; one of the three is given.

    Attributes
    ----------
    forming_z
        Clusters above each of these heights of |z|, ascending.
    regions
        The regions of an image, which `Provisions.regions` holds by the inference's name.
    largest
        The largest clusters, above whatever height, of which at least this share are true discoveries.
    """

    forming_z: tuple[float, ...] = ()
    regions: bool = False
    largest: float | None = None


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
        ``fwe`` by the maximum; ``fdr_bh`` or ``none`` on uncorrected shuffled p-values; ``tdp`` for a bound
        on true discoveries in the sets that `sets` tells.
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
    sets
        With the correction ``tdp``: about which sets of locations.
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
    sets: Sets | None = None


@dataclass(frozen=True, slots=True)
class RandomField:
    """Inference from the theory of random fields (Worsley 1996).

    Attributes
    ----------
    name
        Name of the inference in the spec.
    statistic
        ``voxel``: the height of each location against the expected Euler characteristic;
        ``cluster_extent``: the extent of clusters.
    alpha
        A location, or a cluster, survives when its corrected p-value is at most this.
    connectivity
        What makes voxels neighbours: 6 (faces), 18 (edges) or 26 (corners).
    forming
        What forms clusters, for ``cluster_extent``.
    extent
        ``voxels``: a cluster's locations in resels of the mean smoothness; ``resels``: the sum of the
        resels per voxel of its locations, so that rough places count more (Hayasaka 2004).
    fwhm
        Given smoothness along the axes of the grid, in mm; None for that of the residuals.
    across
        ``none``: a family for each contrast; ``contrasts``: one for all.
    """

    method: ClassVar[str] = "random_field"

    name: str
    statistic: str
    alpha: float = 0.05
    connectivity: int = 26
    forming: Forming | None = None
    extent: str = "voxels"
    fwhm: tuple[float, float, float] | None = None
    across: str = "none"


@dataclass(frozen=True, slots=True)
class AllResolutions:
    """Bounds on true discoveries for every set of locations at once (Rosenblatt 2018).

    Attributes
    ----------
    name
        Name of the inference in the spec.
    sets
        About which sets it is told.
    alpha
        One minus the confidence with which all bounds hold.
    connectivity
        What makes voxels neighbours: 6 (faces), 18 (edges) or 26 (corners).
    across
        ``none``: a family for each contrast; ``contrasts``: one for all.
    """

    method: ClassVar[str] = "all_resolutions"

    name: str
    sets: Sets
    alpha: float = 0.05
    connectivity: int = 26
    across: str = "none"


@dataclass(frozen=True, slots=True)
class Simulated:
    """Clusters against the largest of maps of smooth Gaussian noise.

    Attributes
    ----------
    name
        Name of the inference in the spec.
    statistic
        ``cluster_extent`` or ``cluster_mass``.
    forming
        What forms clusters: a p-value, or a height of z.
    n
        How many maps are simulated.
    seed
        Of their random numbers.
    alpha
        A cluster survives when its corrected p-value is at most this.
    connectivity
        What makes voxels neighbours: 6 (faces), 18 (edges) or 26 (corners).
    mass
        ``total``: the sum of z over a cluster; ``excess``: of what exceeds the threshold.
    fwhm
        Given smoothness along the axes of the grid, in mm; None for that of the residuals.
    across
        ``none``: a family for each contrast; ``contrasts``: one for all.
    """

    method: ClassVar[str] = "simulated"

    name: str
    statistic: str
    forming: Forming
    n: int
    seed: int
    alpha: float = 0.05
    connectivity: int = 26
    mass: str = "total"
    fwhm: tuple[float, float, float] | None = None
    across: str = "none"


def needs_smoothness(asked: Inference) -> bool:
    """Whether an inference needs to know how smooth the residuals of the fit are."""
    return isinstance(asked, RandomField | Simulated) and asked.fwhm is None


def forming_height(asked: Permutation | RandomField | Simulated, at_p: Callable[[float], float]) -> float:
    """Cluster-forming threshold of an inference.

    Parameters
    ----------
    asked
        The inference.
    at_p
        Says at what height the p that is given lies.

    Raises
    ------
    ValueError
        When neither a p nor a threshold is given, or both are.
    """
    forming = asked.forming or Forming()
    if forming.stat is not None and forming.p is None:
        return float(forming.stat)
    if forming.p is None or forming.stat is not None:
        raise ValueError(f"inference '{asked.name}' needs a cluster-forming p or threshold, one of the two")
    return at_p(float(forming.p))


Inference = Parametric | Permutation | RandomField | AllResolutions | Simulated
"""Whatever can be asked."""
