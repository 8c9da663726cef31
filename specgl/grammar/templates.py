"""Path templates: ``{column}`` placeholders, filled by a regular expression and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

SAFE_VALUE = re.compile(r"[A-Za-z0-9._+-]+")
_FIELD = re.compile(r"\{([^{}]*)\}")
_DOTS = frozenset({".", ".."})


@dataclass(frozen=True, slots=True)
class TemplateField:
    """A placeholder: the column's name, and where the braces start and end."""

    name: str
    start: int
    end: int


def template_fields(text: str) -> tuple[TemplateField, ...]:
    """Placeholders of a template in their order."""
    return tuple(TemplateField(m[1], m.start(), m.end()) for m in _FIELD.finditer(text))


def is_safe_value(value: str) -> bool:
    """Whether a value may become part of a path: no separators, no ``.`` or ``..``."""
    return SAFE_VALUE.fullmatch(value) is not None and value not in _DOTS


def fill_template(text: str, values: Mapping[str, str]) -> str:
    """Template with its placeholders replaced.

    Parameters
    ----------
    text
        Template such as ``sub-{id}/map.nii.gz``.
    values
        Value of each column that the template names.

    Raises
    ------
    KeyError
        Where a placeholder has no value.
    ValueError
        Where a value holds characters that have no place in a path.
    """

    def value_of(match: re.Match[str]) -> str:
        value = values[match[1]]
        if not is_safe_value(value):
            raise ValueError(f"{value!r} cannot be part of a path: letters, digits and . _ + - only")
        return value

    return _FIELD.sub(value_of, text)
