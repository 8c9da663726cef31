"""``model``: the formula and how it is estimated."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from specgl.spec.base import Part, Text


class Estimator(Part):
    """How the regression coefficients are estimated."""

    method: Literal["ols"]
    """`ols`: ordinary least squares."""


class Errors(Part):
    """What is assumed of the errors."""

    type: Literal["homoscedastic"]
    """`homoscedastic`: independent errors of one variance."""


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
    The rank lost is counted. A level's mean is then not estimable; differences are."""
