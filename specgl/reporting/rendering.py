"""Records into HTML: the only door to jinja2."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that nobody sees, or that turn the order of those beside them."""

_NEGATIVE = re.compile(r"(?<![\w.)])-(?=[.\d])")


def resource(name: str) -> str:
    """A text file of this package."""
    return resources.files("specgl.reporting").joinpath(name).read_text(encoding="utf-8")


def fill(template: str, **held: Any) -> str:
    """Fill a template of the folder `templates`; everything that is not `Markup` is escaped.

    Raises
    ------
    jinja2.UndefinedError
        When the template names what is not given.
    """
    return _environment().get_template(template).render(**held)


def visible(text: str) -> str:
    """A text whose control characters, which HTML does not allow or show, are written out."""
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def minus(text: str) -> str:
    """A number, or several, with the sign that is as wide as a plus."""
    return _NEGATIVE.sub("\N{MINUS SIGN}", text)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: resource(f"templates/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters["minus"] = minus
    return environment


def _finalize(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
