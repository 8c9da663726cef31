"""The JSON Schema: the file in the repository, and the words it may use."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator
from pydantic import ValidationError

from specgl.spec import json_schema
from specgl.spec.base import Part
from specgl.spec.schema import parts

DRAFT_7 = {
    "$schema", "$id", "$ref", "definitions", "description", "default", "type", "const", "enum", "properties",
    "required", "additionalProperties", "patternProperties", "propertyNames", "items", "additionalItems",
    "minItems", "maxItems", "uniqueItems", "minProperties", "minLength", "maxLength", "pattern", "minimum",
    "maximum", "exclusiveMinimum", "exclusiveMaximum", "anyOf", "oneOf", "allOf", "not", "if", "then", "else",
}  # fmt: skip


def schemas(node: Any) -> list[dict[str, Any]]:
    """All schemas in a schema."""
    if not isinstance(node, dict):
        return []
    found = [node]
    for key, value in node.items():
        if key in ("properties", "patternProperties", "definitions"):
            inner = list(value.values())
        elif key in ("anyOf", "oneOf", "allOf") or (key == "items" and isinstance(value, list)):
            inner = value
        elif key in ("default", "enum", "const"):
            inner = []
        else:
            inner = [value]
        found += [schema for one in inner for schema in schemas(one)]
    return found


def test_file_is_what_the_models_say(root):
    written = json.loads((root / "schemas" / "specgl-1.schema.json").read_text())
    assert written == json_schema(), "write it anew with `specgl schema > schemas/specgl-1.schema.json`"


def test_draft_7_words_only():
    Draft7Validator.check_schema(json_schema())
    for schema in schemas(json_schema()):
        assert set(schema) <= DRAFT_7
        assert "$ref" not in schema or set(schema) == {"$ref"}


def test_every_mapping_is_closed_and_every_key_described():
    free = {"metadata", "JsonValue"}
    whole = json_schema()
    mappings = {**whole["definitions"], "AnalysisSpec": whole}
    for name, mapping in mappings.items():
        if name in free:
            continue
        assert mapping["additionalProperties"] is False
        for key, value in mapping["properties"].items():
            assert value.get("description"), f"{name}.{key} has no description"
            if "patternProperties" in value:
                assert value["additionalProperties"] is False


@pytest.mark.parametrize("cls", parts(Part), ids=lambda cls: cls.__name__)
def test_every_class_is_frozen_and_refuses_unknown_keys(cls):
    assert cls.model_config["frozen"] is True
    with pytest.raises(ValidationError) as caught:
        cls.model_validate({"noSuchKey": 1})
    assert ("noSuchKey",) in [e["loc"] for e in caught.value.errors() if e["type"] == "extra_forbidden"]
