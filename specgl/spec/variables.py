"""``variables``: what each column of the model is."""

from typing import Annotated, Literal

from pydantic import Field

from specgl.spec.base import Number, Part, PositiveNumber, Text


class Categorical(Part):
    """A factor: a column whose values are names of levels."""

    type: Literal["categorical"]
    """`categorical`: the column's values are names of levels."""

    levels: (
        Annotated[
            tuple[Text, ...], Field(strict=False, min_length=2, json_schema_extra={"uniqueItems": True})
        ]
        | None
    ) = None
    """The levels in the order wanted; the first is the reference. Values of the table that are not among
    them are an error. Left out: the levels found, sorted."""

    coding: Literal["treatment", "sum", "helmert", "polynomial", "cell_means"] = "treatment"
    """How the factor becomes regressors. Hypotheses such as `group[patient] - group[control]` give the same
    result under each of them."""


class Continuous(Part):
    """A covariate: a column of numbers."""

    type: Literal["continuous"]
    """`continuous`: the column's values are numbers."""

    center: Literal["mean", "none"] | Number = "mean"
    """What is subtracted from the values: their `mean` over the rows kept, nothing (`none`), or a number."""

    scale: Literal["none", "sd"] | PositiveNumber = "none"
    """What the values are divided by: nothing (`none`), their standard deviation (`sd`), or a number above
    0."""

    unit: Text | None = None
    """Unit of the values, such as `year` or `mm`; it goes into labels and tables."""


Variable = Annotated[Categorical | Continuous, Field(discriminator="type")]
"""A declared column, by its `type`."""
