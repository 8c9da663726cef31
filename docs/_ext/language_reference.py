"""The language reference as Markdown, made from the JSON Schema of the pydantic models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from specgl.spec import json_schema

Schema = dict[str, Any]

_TYPES = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false"}
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def language_page() -> str:
    """Sections for the whole spec and for each of its parts, each part after the first that mentions it."""
    schema = json_schema()
    writer = _Writer(schema["definitions"])
    sections = [writer.section("The whole spec", schema)]
    sections += [writer.section(_title(name), writer.parts[name]) for name in writer.in_order(schema)]
    return "\n\n".join(sections)


class _Writer:
    """Writes parts of one schema, whose definitions are ``parts``."""

    def __init__(self, parts: dict[str, Schema]) -> None:
        self.parts = parts

    def in_order(self, schema: Schema, seen: dict[str, None] | None = None) -> dict[str, None]:
        """Names of the parts that have keys, depth first, in the order of their first mention."""
        seen = {} if seen is None else seen
        for name in _references(schema):
            if name not in seen and "properties" in self.parts[name]:
                seen[name] = None
                self.in_order(self.parts[name], seen)
        return seen

    def section(self, title: str, part: Schema) -> str:
        """A heading, what the part is, and an entry for each key."""
        lines = [f"## {title}", "", _flat(part.get("description", "")), ""]
        for key, schema in part["properties"].items():
            lines += [f"`{key}`", f": {_flat(schema['description'])}", ""]
            lines += [f"  *{self.type(schema)}*; {_default(schema, key in part.get('required', ()))}", ""]
        return "\n".join(lines).rstrip()

    def type(self, schema: Schema) -> str:
        """What a value may be, in words; parts with keys are links to their sections."""
        if "$ref" in schema:
            return self._reference(schema["$ref"].rpartition("/")[2])
        choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if choices:
            return " or ".join(dict.fromkeys(self.type(c) for c in choices if c.get("type") != "null"))
        if "const" in schema:
            return f"`{schema['const']}`"
        if "enum" in schema:
            return " or ".join(f"`{value}`" for value in schema["enum"])
        if schema.get("type") == "array":
            return self._array(schema)
        if schema.get("type") == "object":
            return self._mapping(schema)
        return _scalar(schema)

    def _reference(self, name: str) -> str:
        if "properties" not in self.parts[name]:
            return self.type(self.parts[name])
        title = _title(name)
        return f"[{title}](#{_slug(title)})"

    def _array(self, schema: Schema) -> str:
        items = schema.get("items", {})
        if isinstance(items, list):
            return "list of " + " and ".join(self.type(item) for item in items)
        return "list of " + self._inner(items)

    def _mapping(self, schema: Schema) -> str:
        inner = schema.get("additionalProperties")
        if not isinstance(inner, dict):
            inner = next(iter(schema.get("patternProperties", {}).values()), {})
        return f"mapping from names to {self._inner(inner)}"

    def _inner(self, schema: Schema) -> str:
        words = self.type(schema)
        return f"({words})" if " or " in words or " to " in words else words


def _references(value: Any) -> Iterator[str]:
    """Names of the parts mentioned anywhere in a piece of the schema."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"].rpartition("/")[2]
        for key, inner in value.items():
            if key != "definitions":
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _scalar(schema: Schema) -> str:
    words = [_TYPES.get(schema.get("type", ""), "anything")]
    bounds = [f"{sign} {schema[key]:g}" for key, sign in _BOUNDS.items() if key in schema]
    if "pattern" in schema:
        bounds.append(f"matching `{schema['pattern']}`")
    return " ".join([*words, *([", ".join(bounds)] if bounds else [])])


def _default(schema: Schema, required: bool) -> str:
    if required:
        return "**required**"
    default = schema.get("default")
    return "optional" if default is None or default == {} else f"default `{_yaml(default)}`"


def _yaml(value: Any) -> str:
    """A default in the flow style of YAML."""
    if isinstance(value, dict):
        pairs = [f"{key}: {_yaml(inner)}" for key, inner in value.items() if inner is not None]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_yaml(inner) for inner in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _title(name: str) -> str:
    """``MaskImage`` as ``Mask image``, ``TMap`` as ``T map``."""
    words = re.findall(r"[A-Z][a-z0-9]*", name)
    return " ".join([words[0], *(w if len(w) == 1 else w.lower() for w in words[1:])])


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _flat(text: str) -> str:
    """Text in one line, so that it stays inside its list item."""
    return " ".join(text.split())
