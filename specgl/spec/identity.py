"""The resolved spec, and the digest that is the analysis' identity."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from specgl.spec.analysis import AnalysisSpec

OUTSIDE_IDENTITY = frozenset({"name", "description", "metadata", "output"})
"""Sections that change no number."""


def resolve(spec: AnalysisSpec) -> dict[str, Any]:
    """The spec with every default said, ready for JSON; itself a spec that asks the same."""
    said: dict[str, Any] = spec.model_dump(mode="json")
    return {key: value for key, value in said.items() if value is not None and value != {}}


def digest(resolved: Mapping[str, Any]) -> str:
    """Identity of an analysis: sha256, in lower-case hex, of its canonical JSON (RFC 8785).

    Name, description, metadata and output do not count, and neither does the order of keys.
    """
    counted = {key: value for key, value in resolved.items() if key not in OUTSIDE_IDENTITY}
    return hashlib.sha256(canonical_json(counted).encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """A value as RFC 8785 writes it: no spaces, keys by their UTF-16 code units, numbers as ECMAScript does.

    Raises
    ------
    ValueError
        A number is not finite, or an integer is beyond what a double holds.
    """
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_text(key)}:{canonical_json(value[key])}" for key in keys) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(canonical_json, value)) + "]"
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int) and int(float(value)) != value:
        raise ValueError(f"{value} is no double")
    return _number(float(value))


def _text(value: str) -> str:
    # ensure_ascii=False escapes what RFC 8785 wants escaped, in the same short forms.
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """A double as ECMAScript's Number::toString gives it."""
    if not math.isfinite(value):
        raise ValueError(f"{value} has no place in JSON")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The point stands after this many of the digits.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len((whole + fraction).lstrip("0")))
    digits = digits.rstrip("0") or "0"
    k = len(digits)
    if k <= point <= 21:
        return sign + digits + "0" * (point - k)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = point - 1
    tail = f".{digits[1:]}" if k > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if power > 0 else '-'}{abs(power)}"
