"""``contrasts``: the questions put to the fitted model."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from specgl.spec.base import DistinctTexts, Number, Part, PositiveNumber, Text, Texts

Alternative = Literal["two-sided", "greater", "less"]
Weights = Annotated[dict[Text, Number], Field(min_length=1)]


class TContrast(Part):
    """One row, tested by t."""

    is_f: ClassVar[bool] = False

    alternative: Alternative = "two-sided"
    """The alternative to an effect of 0: `two-sided`, `greater` or `less`."""


class OneRow(TContrast):
    """One row that is estimated, so that it can be asked whether its effect is small."""

    margin: PositiveNumber | None = None
    """Margin of equivalence, in units of the contrast: effects between minus this and this count as none. The
    map `tost` then has the p-value of the test that the effect lies within (two one-sided tests). Left out:
    no such test."""


class FContrast(Part):
    """Several rows at once, tested by F, which has no direction."""

    is_f: ClassVar[bool] = True
    alternative: ClassVar[Literal["two-sided"]] = "two-sided"


class HypothesisT(OneRow):
    """One linear hypothesis, tested by t."""

    hypothesis: Text
    """A linear expression that is 0 under the null hypothesis, such as `group[patient] - group[control]` or
    `age`. Names: `mean`, `factor[level]`, `a[x]:b[y]`, a continuous variable (its slope), `Intercept`, and
    any regressor's own name in backticks."""


class HypothesisF(FContrast):
    """Several linear hypotheses at once, tested by F."""

    hypothesis: Texts
    """Linear expressions that are all 0 under the null hypothesis."""


class WeightsT(OneRow):
    """Weights of regressors, tested by t."""

    weights: Weights
    """Weight of each regressor by its name; those not named weigh 0."""


class WeightsF(FContrast):
    """Several rows of weights at once, tested by F."""

    weights: Annotated[tuple[Weights, ...], Field(strict=False, min_length=1)]
    """Rows of weights, each a mapping from regressor to number."""


class TermF(FContrast):
    """All regressors of one term at once, tested by F."""

    term: Text
    """A term of the formula, such as `group` or `age:sex`."""


class Conjunction(TContrast):
    """Several t contrasts, all of which must hold at a location: the least of their statistics."""

    conjunction: Annotated[DistinctTexts, Field(json_schema_extra={"minItems": 2})]
    """Names of two or more t contrasts of this spec. A location is found where each of them alone would be
    found in this contrast's direction (minimum statistic, conjunction null); their own directions do not
    matter."""


def _form(value: Any) -> str:
    """Tag of the form in which a contrast is said: by the key it has, and whether that holds a list."""
    if isinstance(value, Part):
        return f"<{type(value).__name__}>"
    if not isinstance(value, dict) or "hypothesis" in value:
        several = isinstance(value, dict) and isinstance(value["hypothesis"], list | tuple)
        return "<HypothesisF>" if several else "<HypothesisT>"
    if "weights" in value:
        return "<WeightsF>" if isinstance(value["weights"], list | tuple) else "<WeightsT>"
    if "conjunction" in value:
        return "<Conjunction>"
    return "<TermF>" if "term" in value else "<HypothesisT>"


AnyContrast = HypothesisT | HypothesisF | WeightsT | WeightsF | TermF | Conjunction

Contrast = Annotated[
    Annotated[HypothesisT, Tag("<HypothesisT>")]
    | Annotated[HypothesisF, Tag("<HypothesisF>")]
    | Annotated[WeightsT, Tag("<WeightsT>")]
    | Annotated[WeightsF, Tag("<WeightsF>")]
    | Annotated[TermF, Tag("<TermF>")]
    | Annotated[Conjunction, Tag("<Conjunction>")],
    Discriminator(_form),
    BeforeValidator(
        lambda value: {"hypothesis": value} if isinstance(value, str) else value,
        json_schema_input_type=Text | HypothesisT | HypothesisF | WeightsT | WeightsF | TermF | Conjunction,
    ),
]
"""A contrast in one of its forms; a bare text is a hypothesis."""
