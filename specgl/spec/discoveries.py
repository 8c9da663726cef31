"""Bounds on true discoveries: about which sets of locations they are told."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from specgl.spec.base import Part, PositiveNumber
from specgl.spec.forming import Across, Alpha, Connectivity
from specgl.spec.labels import AnyLabelImage

FORMING_Z = 3.1
"""Height of z above which clusters are formed where a spec says no sets of locations."""

SETS = ("cluster_forming_z", "regions", "largest")
"""The keys that say about which sets of locations a bound is told; one of them holds."""


class Largest(Part):
    """The largest clusters of which a share is surely true."""

    tdp: Annotated[float, Field(strict=True, gt=0, le=1)]
    """Share of a cluster's locations that are true discoveries, at least: above 0 and at most 1."""


Heights = Annotated[
    tuple[PositiveNumber, ...],
    Field(strict=False, min_length=1, json_schema_extra={"uniqueItems": True}),
    BeforeValidator(
        lambda value: value if isinstance(value, list | tuple) else (value,),
        json_schema_input_type=PositiveNumber
        | Annotated[tuple[PositiveNumber, ...], Field(min_length=1, json_schema_extra={"uniqueItems": True})],
    ),
]
"""One height or several, always kept as a list."""


class DiscoverySets(Part):
    """About which sets of locations a bound on true discoveries is told; one of the three keys."""

    cluster_forming_z: Heights | None = None
    """Clusters of locations where z, to either side that the contrast allows, is at least this: a number, or
    several in ascending order, such as `[2.5, 3.1]`, whose clusters are all in one table. 3.1 where neither
    `regions` nor `largest` is given."""

    regions: AnyLabelImage | None = None
    """The regions of an image instead of clusters: its path, or `{image: atlas.nii.gz, labels:
    atlas.tsv}`."""

    largest: Largest | None = None
    """The largest clusters instead of those above a given height: `{tdp: 0.7}` finds all clusters, of
    whatever height, of which at least 70 % are true discoveries, and keeps those that lie in no larger
    one."""

    @model_validator(mode="before")
    @classmethod
    def _sets(cls, said: Any) -> Any:
        """Say the sets that hold where none are given."""
        if not isinstance(said, dict) or any(said.get(key) is not None for key in SETS):
            return said
        return {**said, "cluster_forming_z": [FORMING_Z]}


class AllResolutionsMethod(Part):
    """What is said of true discoveries beside the sets."""

    method: Literal["all_resolutions"]
    """`all_resolutions`: how many of the locations of a cluster, or of a region, are true discoveries, at
    least; from the locations' own p-values by Hommel's method, for all sets of locations at once."""

    alpha: Alpha = 0.05
    """All bounds hold together with a probability of at least 1 - `alpha`."""

    connectivity: Connectivity = 26
    """Which voxels belong to one cluster: those that share a face (`6`), also an edge (`18`), also a corner
    (`26`)."""

    across: Across = "none"
    """Over what the bounds hold together: the sets of each contrast by itself (`none`), or of all contrasts
    (`contrasts`)."""


class AllResolutions(DiscoverySets, AllResolutionsMethod):
    """Bounds on true discoveries in clusters of any height, and in regions."""
