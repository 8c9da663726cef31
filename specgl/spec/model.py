"""``model``: the formula and how it is estimated."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_serializer

from specgl.spec.base import Part, Text


class Estimator(Part):
    """How the regression coefficients are estimated."""

    method: Literal["ols"]
    """`ols`: ordinary least squares."""


class Errors(Part):
    """What is assumed of the errors."""

    type: Literal["homoscedastic"]
    """`homoscedastic`: independent errors of one variance."""


class GroupsFromBlocks(Part):
    """Variance groups that follow from the exchangeability blocks."""

    source: Annotated[Literal["blocks"], Field(alias="from")]
    """`blocks`: observations that may change places have one variance; those of different blocks that are
    shuffled within themselves, and different members of blocks exchanged as wholes, each their own."""

    @model_serializer
    def _said(self) -> dict[str, str]:
        """As the language writes it: `from` is a word of Python and can be no attribute's name."""
        return {"from": self.source}


class Model(Part):
    """The linear model of every location."""

    formula: Annotated[Text, Field(json_schema_extra={"maxLength": 2000})]
    """Right side of the model in Wilkinson's notation, such as `group + age + sex`; the response is always
    the image. Operators `+ - * : / ** ( ) 0 1`, functions `poly bs cr center scale log exp sqrt abs I C`;
    every name is declared in `variables`."""

    estimator: Estimator = Estimator.model_construct(method="ols")
    """How the regression coefficients are estimated."""

    errors: Errors = Errors.model_construct(type="homoscedastic")
    """What is assumed of the errors."""

    block: Text | None = None
    """Column whose blocks' means are taken out, for repeated measures and pairs, such as `participant_id`.
    The rank lost is counted. A level's mean is then not estimable; differences are. Shuffles then stay within
    these blocks, unless `permutation.blocks` says otherwise."""

    variance_groups: (
        Annotated[
            Annotated[Text, Tag("<column>")] | Annotated[GroupsFromBlocks, Tag("<GroupsFromBlocks>")],
            Discriminator(lambda value: "<column>" if isinstance(value, str) else "<GroupsFromBlocks>"),
        ]
        | None
    ) = None
    """Column whose groups have error variances of their own, such as `group`; or `{from: blocks}`. Contrasts
    are then tested by v (Welch's t, in place of t) and G (in place of F). Left out: one variance for all."""
