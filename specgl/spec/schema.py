"""The language as a JSON Schema, in the words of draft-07 so that editors complete."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from specgl.spec.analysis import AnalysisSpec
from specgl.spec.base import Part
from specgl.spec.rules.sections import MODELLED

SCHEMA_ID = "https://specgl.github.io/schemas/specgl-1.schema.json"


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft-07) of the language; what it accepts and refuses is tested against the models."""
    schema = AnalysisSpec.model_json_schema(ref_template="#/definitions/{model}")
    definitions = schema.pop("$defs")
    described = {cls.__name__: cls for cls in parts(Part)}
    for name, definition in definitions.items():
        if name in described:
            _describe(definition, described[name])
    _describe(schema, AnalysisSpec)
    whole = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": SCHEMA_ID,
        **schema,
        **_either_or(),
        "definitions": definitions,
    }
    written: dict[str, Any] = _draft7(whole)
    return written


def parts(base: type[BaseModel]) -> list[type[BaseModel]]:
    """All classes of the language below one of them."""
    return [cls for sub in base.__subclasses__() for cls in (sub, *parts(sub))]


def _describe(definition: dict[str, Any], cls: type[BaseModel]) -> None:
    """Put the texts under a class' fields into its schema.

    Read here and not with pydantic's ``use_attribute_docstrings``, which would read and parse the source of
    every class at each import and cost a tenth of what `specgl validate` may take.
    """
    texts: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        if issubclass(owner, Part) and owner is not Part:
            texts |= _field_texts(owner)
    properties = definition.get("properties", {})
    for name, field in cls.model_fields.items():
        key = field.alias or name
        if key in properties and name in texts:
            properties[key]["description"] = texts[name]


def _field_texts(cls: type) -> dict[str, str]:
    body = ast.parse(inspect.getsource(cls)).body[0]
    statements = body.body if isinstance(body, ast.ClassDef) else []
    return {
        statement.target.id: " ".join(inspect.cleandoc(following.value.value).split())
        for statement, following in pairwise(statements)
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
        and isinstance(following.value.value, str)
    }


def _either_or() -> dict[str, Any]:
    """Ready-made maps, or data and model (and contrasts where there are images)."""
    said: dict[str, Any] = {"not": {"enum": [None, {}]}}
    images = {"type": "object", "properties": {"images": {"not": {"type": "null"}}}, "required": ["images"]}
    return {
        "if": {"properties": {"maps": said}, "required": ["maps"]},
        "then": {"properties": {key: {"enum": [None, {}]} for key in MODELLED}},
        "else": {
            "properties": {"data": said, "model": said},
            "required": ["data", "model"],
            "if": {"properties": {"data": images}},
            "then": {"properties": {"contrasts": said}, "required": ["contrasts"]},
        },
    }


_NAMED = frozenset({"properties", "patternProperties", "definitions"})
_SINGLE = frozenset(
    {"items", "additionalProperties", "additionalItems", "not", "if", "then", "else", "propertyNames"}
)
_SEVERAL = frozenset({"anyOf", "oneOf", "allOf", "items"})
_LEFT_OUT = frozenset({"title", "discriminator"})


def _draft7(schema: Any) -> Any:
    """A schema without what draft-07 does not know, its open mappings closed."""
    if not isinstance(schema, dict):
        return schema
    written: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _LEFT_OUT:
            continue
        if key in _NAMED:
            written[key] = {name: _draft7(inner) for name, inner in value.items()}
        elif key == "prefixItems":
            written["items"] = [_draft7(inner) for inner in value]
            written["additionalItems"] = False
        elif key in _SEVERAL and isinstance(value, list):
            written[key] = [_draft7(inner) for inner in value]
        else:
            written[key] = _draft7(value) if key in _SINGLE else value
    if "patternProperties" in written:
        written.setdefault("additionalProperties", False)
    if "$ref" in written and len(written) > 1:
        # In draft-07 a reference hides what stands beside it.
        written = {"allOf": [{"$ref": written.pop("$ref")}], **written}
    return written
