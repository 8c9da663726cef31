"""What several inferences say: a level, a family, neighbours and a cluster-forming threshold."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from specgl.spec.base import Part, PositiveNumber

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
