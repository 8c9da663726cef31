"""What all parts of the language share: refusal of unknown keys, and strict scalars."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

LABEL_PATTERN = "^[A-Za-z0-9]+$"
IDENTIFIER_PATTERN = "^[A-Za-z_][A-Za-z0-9_]*$"

Text = Annotated[str, Field(strict=True, min_length=1)]
"""Text that is not empty; a number is not taken for one."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A finite number; text that looks like one, and true and false, are refused."""

PositiveNumber = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
"""A finite number above 0."""

PositiveInteger = Annotated[int, Field(strict=True, ge=1)]
"""A whole number, 1 or more."""

Label = Annotated[str, Field(strict=True, pattern=LABEL_PATTERN)]
"""A BIDS label: letters and digits, since it becomes a part of file names."""

Identifier = Annotated[str, Field(strict=True, pattern=IDENTIFIER_PATTERN)]
"""A name that stands in a formula as it is: letters, digits and _, with no digit at the beginning."""

Texts = Annotated[tuple[Text, ...], Field(strict=False, min_length=1)]
"""A list of texts with at least one member."""

DistinctTexts = Annotated[Texts, Field(json_schema_extra={"uniqueItems": True})]
"""A list of texts in which none stands twice (the rules look after that)."""


class Part(BaseModel):
    """A mapping of the language: frozen, and closed to keys that it does not know.

    The text under each field is its description: in the JSON Schema, in an editor and in the reference.
    """

    # The modules of these classes do without `from __future__ import annotations`: pydantic would compile
    # each annotation from its text, once for every class that inherits it, whenever a spec is read.

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def keys(form: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a mapping by the keys under which the language writes them."""
    return {field.alias or name: field for name, field in form.model_fields.items()}
