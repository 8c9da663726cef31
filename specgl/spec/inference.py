"""``inference``: what is called significant, and how errors are held in check."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from specgl.spec.base import Part, PositiveInteger, PositiveNumber
from specgl.spec.discoveries import AllResolutions, DiscoverySets
from specgl.spec.fields import AnyField, AnySimulated, ExtentField, ExtentSimulated, MassSimulated, VoxelField
from specgl.spec.forming import Across, Alpha, Connectivity, Forming


class Parametric(Part):
    """Thresholds from the statistic's own distribution under the null hypothesis."""

    method: Literal["parametric"]
    """`parametric`: p-values from the distribution of t, F or z."""

    correction: Literal["none", "bonferroni", "holm", "hochberg", "hommel", "fdr_bh", "fdr_by", "fdr_bky"] = (
        "none"
    )
    """How p-values are corrected over locations. Family-wise error: `bonferroni`, `holm`, `hochberg`,
    `hommel`. False discovery rate: `fdr_bh` (Benjamini-Hochberg), `fdr_by` (any dependence), `fdr_bky`
    (two-stage)."""

    alpha: Alpha = 0.05
    """Level: a location survives where its corrected p-value is at most `alpha`."""

    min_cluster_size: PositiveInteger = 1
    """Clusters with fewer locations than this are left out of the thresholded map and of the tables. It
    controls no error rate."""

    connectivity: Connectivity = 26
    """Which voxels are neighbours: those that share a face (`6`), also an edge (`18`), also a corner
    (`26`)."""

    across: Across = "none"
    """What makes a family: the locations of each contrast by itself (`none`), or of all contrasts together
    (`contrasts`)."""


def _by_maxima_only(value: Any) -> Any:
    """Refuse corrections that want an uncorrected p-value, which spatial statistics do not have here."""
    if value in ("none", "fdr_bh", "tdp"):
        raise PydanticCustomError(
            "unfit",
            "does not go together",
            {"help": "its p-values come from maxima over the analysed locations: `correction: fwe`"},
        )
    return value


Maxima = Annotated[Literal["fwe"], BeforeValidator(_by_maxima_only)]


class PermutationInference(Part):
    """Thresholds from the statistic's distribution over shuffles of the data, which `permutation` makes."""

    method: Literal["permutation"]
    """`permutation`: p-values by shuffling; all inferences of this kind share the shuffles of the section
    `permutation`."""

    statistic: Literal["voxel", "cluster_extent", "cluster_mass", "tfce"]
    """What is compared with its shuffles."""

    correction: Literal["fwe", "fdr_bh", "none", "tdp"] = "fwe"
    """How p-values are corrected over locations."""

    alpha: Alpha = 0.05
    """Level: what has a p-value of at most `alpha`, corrected as said, survives."""

    connectivity: Connectivity = 26
    """Which voxels are neighbours."""

    scale: Literal["t", "z"] = "t"
    """The scale on which locations are compared, clusters are formed and heights are summed: the statistic
    itself (`t`; for several rows F), or the normal deviate of the same p-value (`z`). Where degrees of
    freedom differ from location to location, as with variance groups, all of this is on z in any case."""

    across: Across = "none"
    """Over what maxima are taken: the locations of each contrast by itself (`none`), or of all contrasts
    together (`contrasts`), on z then."""


class VoxelPermutation(PermutationInference):
    """Each location by its own statistic: the height of the map against the shuffles' maxima."""

    statistic: Literal["voxel"]
    """`voxel`: the statistic of each location."""

    correction: Literal["fwe", "fdr_bh", "none"] = "fwe"
    """`fwe`: family-wise error, by the maximum over all locations of each shuffle. `fdr_bh`: false discovery
    rate (Benjamini-Hochberg) of the uncorrected p-values. `none`: the uncorrected p-values, which compare
    each location with its own shuffles."""

    connectivity: Connectivity = 26
    """Which voxels belong to one cluster of the tables: those that share a face (`6`), also an edge (`18`),
    also a corner (`26`)."""


class TdpPermutation(DiscoverySets, PermutationInference):
    """Bounds on true discoveries in clusters and regions, calibrated by shuffles."""

    statistic: Literal["voxel"]
    """`voxel`: the statistic of each location."""

    correction: Literal["tdp"]
    """`tdp`: no p-value is corrected; told is how many of the locations of a cluster, or of a region, are
    true discoveries, at least, for all sets of locations at once (Simes' inequality, calibrated by the
    shuffles)."""

    alpha: Alpha = 0.05
    """All bounds hold together with a probability of at least 1 - `alpha`."""

    connectivity: Connectivity = 26
    """Which voxels belong to one cluster: those that share a face (`6`), also an edge (`18`), also a corner
    (`26`)."""


class ClusterPermutation(Forming, PermutationInference):
    """Clusters of neighbours above a threshold, against each shuffle's largest."""

    statistic: Literal["cluster_extent", "cluster_mass"]
    """How a cluster is measured."""

    correction: Maxima = "fwe"
    """`fwe`: family-wise error, by the largest cluster of each shuffle."""

    cluster_forming_stat: PositiveNumber | None = None
    """Locations with a statistic of at least this form clusters; instead of `cluster_forming_p`. It is a z
    where `scale` says so, and wherever degrees of freedom differ, as with variance groups; else a t or F."""

    connectivity: Connectivity = 26
    """Which voxels belong to one cluster: those that share a face (`6`), also an edge (`18`), also a corner
    (`26`)."""


class ExtentPermutation(ClusterPermutation):
    """Clusters by their number of locations, against each shuffle's largest."""

    statistic: Literal["cluster_extent"]
    """`cluster_extent`: the number of locations in a cluster (on a surface, their area)."""


class MassPermutation(ClusterPermutation):
    """Clusters by the sum of their heights, against each shuffle's heaviest."""

    statistic: Literal["cluster_mass"]
    """`cluster_mass`: the sum of the statistic over a cluster."""

    mass: Literal["total", "excess"] = "total"
    """What is summed: the statistic (`total`), or what it has above the threshold (`excess`)."""


class Tfce(Part):
    """The weights of threshold-free cluster enhancement, the integral of extent^E height^H over heights."""

    E: PositiveNumber = 0.5
    """Power of the extent. 0.5 suits volumes, 1 surfaces and skeletons."""

    H: PositiveNumber = 2
    """Power of the height."""

    dh: Literal["exact"] | PositiveNumber = "exact"
    """Step of the integral: `exact` for the integral itself, or a number to sum in steps, as older programs
    do."""


class TfcePermutation(PermutationInference):
    """Threshold-free cluster enhancement: each location by the support of its neighbours at all heights."""

    statistic: Literal["tfce"]
    """`tfce`: threshold-free cluster enhancement."""

    correction: Maxima = "fwe"
    """`fwe`: family-wise error, by the maximum over all locations of each shuffle."""

    connectivity: Connectivity = 6
    """Which voxels support each other: those that share a face (`6`), also an edge (`18`), also a corner
    (`26`)."""

    tfce: Tfce = Tfce.model_construct()
    """Powers and step of the enhancement."""


def _voxelwise_form(value: Any) -> str:
    """Tag of the form of a voxelwise inference by permutation: whether true discoveries are asked for."""
    said = value.get("correction") if isinstance(value, dict) else getattr(value, "correction", None)
    return "<TdpPermutation>" if said == "tdp" else "<VoxelPermutation>"


VoxelwisePermutation = Annotated[
    Annotated[VoxelPermutation, Tag("<VoxelPermutation>")]
    | Annotated[TdpPermutation, Tag("<TdpPermutation>")],
    Discriminator(_voxelwise_form),
]
AnyPermutation = VoxelPermutation | TdpPermutation | ExtentPermutation | MassPermutation | TfcePermutation
AnyInference = (
    Parametric | AnyPermutation | VoxelField | ExtentField | AllResolutions | ExtentSimulated | MassSimulated
)

Inference = Annotated[
    Parametric
    | Annotated[
        VoxelwisePermutation | ExtentPermutation | MassPermutation | TfcePermutation,
        Field(discriminator="statistic"),
    ]
    | AnyField
    | AllResolutions
    | AnySimulated,
    Field(discriminator="method"),
]
"""How significance is decided, by its `method`; most of them also by their `statistic`."""
