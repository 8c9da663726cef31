"""What several inferences say: a level, a cluster-forming threshold, and an image of regions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from specgl.spec.base import Part, PositiveNumber, Text

Alpha = Annotated[float, Field(strict=True, gt=0, lt=1)]
Connectivity = Literal[6, 18, 26]
Across = Literal["none", "contrasts"]
FormingP = Annotated[float, Field(strict=True, gt=0, lt=0.5)]

FORMING_P = 0.001
"""Cluster-forming p where a spec gives neither a p nor a value of the statistic."""


class Forming(Part):
    """What forms clusters: a p, or a value of the statistic."""

    cluster_forming_p: FormingP | None = None
    """Locations with a p-value of at most this form clusters: the p of one tail for a contrast with a
    direction and for F, half of it on either side for a two-sided one. 0.001 where `cluster_forming_stat`
    is not given either."""

    cluster_forming_stat: PositiveNumber | None = None
    """Locations with a statistic of at least this form clusters; instead of `cluster_forming_p`."""

    @model_validator(mode="before")
    @classmethod
    def _forming(cls, said: Any) -> Any:
        """Say the threshold that holds where none is given."""
        if not isinstance(said, dict):
            return said
        given = [said.get(key) for key in ("cluster_forming_p", "cluster_forming_stat")]
        return said if given != [None, None] else {**said, "cluster_forming_p": FORMING_P}


class LabelImage(Part):
    """An image whose values are the numbers of regions."""

    image: Text
    """The image, relative to the spec's folder. Each value is the number of a region, a whole number; 0 is
    none. It may lie on any grid of the same space: a location has the value of the nearest voxel."""

    labels: Text | None = None
    """A TSV or CSV with the columns `index` and `name` (as the `dseg.tsv` of BIDS), relative to the spec's
    folder. Left out, and for numbers that it lacks: `region 12`."""


AnyLabelImage = Annotated[
    LabelImage,
    BeforeValidator(
        lambda value: {"image": value} if isinstance(value, str) else value,
        json_schema_input_type=Text | LabelImage,
    ),
]
"""A label image: its path, or its path and that of its table."""
