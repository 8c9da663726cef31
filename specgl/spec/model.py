"""``model``: the formula and how it is estimated."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_serializer

from specgl.spec.base import Part, Text
from specgl.spec.estimation import Errors, Estimator, HomoscedasticErrors, OlsEstimator


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
    every name is declared in `variables`, or is one of `data.voxelwise`, which stand in products only."""

    estimator: Estimator = OlsEstimator.model_construct(method="ols")
    """How the regression coefficients are estimated: `{method: ols}`; `{method: mixed_effects}` and
    `{method: fixed_effects}`, which use the first level's variances (`data.variances`); or `{method:
    robust}`."""

    errors: Errors = HomoscedasticErrors.model_construct(type="homoscedastic")
    """What is taken of the errors, with `method: ols`: `{type: homoscedastic}`; `{type: hc3}` (or `hc0` to
    `hc4`) where each may have a variance of its own; `{type: cluster, by: family}` where they may depend on
    each other within clusters."""

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
    """Column whose groups have error variances of their own, such as `group`; or `{from: blocks}`. With
    `method: ols`, contrasts are then tested by v (Welch's t, in place of t) and G (in place of F); with
    `method: mixed_effects` each group has a tau squared of its own. Left out: one variance for all."""
