"""Whether a value from a stranger's JSON has the form that a JSON Schema describes.

Only the words that the schema of manifests uses are known, and keys beyond it are no fault, so that a reader
bears with what a later writer adds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_SHOWN = 60

Check = Callable[[Any, Any, str], Iterator[str]]


def faults(value: Any, schema: Mapping[str, Any], place: str = "it") -> Iterator[str]:
    """What of a value is not as a schema says, in words, each with its place.

    Parameters
    ----------
    value
        As `json.loads` gives it; its depth is bounded by that of the schema.
    schema
        JSON Schema (draft 7).
    place
        Name of the value for messages.
    """
    kinds = schema.get("type")
    if kinds is not None and not any(
        _is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)
    ):
        yield f"{place} is {_shown(value)} and not {kinds if isinstance(kinds, str) else ' or '.join(kinds)}"
        return
    for word, wanted in schema.items():
        if (check := _CHECKS.get(word)) is not None:
            yield from check(value, wanted, place)
    if "if" in schema:
        holds = not any(faults(value, schema["if"], place))
        yield from faults(value, schema.get("then" if holds else "else", {}), place)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])


_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "null": type(None),
}


def _required(value: Any, keys: list[str], place: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{place} has no {key!r}" for key in keys if key not in value)


def _properties(value: Any, schemas: Mapping[str, Any], place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, schema in schemas.items():
            if key in value:
                yield from faults(value[key], schema, _inner(place, key))


def _others(value: Any, schema: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(schema, dict):
        for key, held in value.items():
            yield from faults(held, schema, _inner(place, _cut(key)))


def _items(value: Any, schema: Mapping[str, Any], place: str) -> Iterator[str]:
    if isinstance(value, list):
        for i, held in enumerate(value):
            yield from faults(held, schema, f"{place}[{i}]")


def _enum(value: Any, options: list[Any], place: str) -> Iterator[str]:
    if value not in options:
        yield f"{place} is {_shown(value)} and none of {', '.join(map(str, options))}"


def _const(value: Any, wanted: Any, place: str) -> Iterator[str]:
    if value != wanted:
        yield f"{place} is {_shown(value)} and not {wanted!r}"


def _pattern(value: Any, pattern: str, place: str) -> Iterator[str]:
    if isinstance(value, str) and re.search(pattern, value) is None:
        yield f"{place} is {_shown(value)}, which has not the form {pattern}"


def _minimum(value: Any, least: float, place: str) -> Iterator[str]:
    if isinstance(value, int | float) and not value >= least:
        yield f"{place} is {_shown(value)}, less than {least}"


def _maximum(value: Any, most: float, place: str) -> Iterator[str]:
    if isinstance(value, int | float) and not value <= most:
        yield f"{place} is {_shown(value)}, more than {most}"


def _at_least(value: Any, least: int, place: str) -> Iterator[str]:
    if isinstance(value, list) and len(value) < least:
        yield f"{place} has {len(value)} members, fewer than {least}"


def _at_most(value: Any, most: int, place: str) -> Iterator[str]:
    if isinstance(value, list) and len(value) > most:
        yield f"{place} has {len(value)} members, more than {most}"


def _one_of(value: Any, schemas: list[Mapping[str, Any]], place: str) -> Iterator[str]:
    tried = [list(faults(value, schema, place)) for schema in schemas]
    if all(tried):
        yield tried[0][0]


_CHECKS: dict[str, Check] = {
    "required": _required,
    "properties": _properties,
    "additionalProperties": _others,
    "items": _items,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minimum": _minimum,
    "maximum": _maximum,
    "minItems": _at_least,
    "maxItems": _at_most,
    "oneOf": _one_of,
}


def _inner(place: str, key: str) -> str:
    return key if place == "it" else f"{place}.{key}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list) else repr(_cut(value) if isinstance(value, str) else value)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
