"""The small reader of JSON Schema, against what it must and must not let through."""

from __future__ import annotations

import pytest

from specgl.bundle.form import faults

SCHEMA = {
    "type": "object",
    "required": ["kind", "n"],
    "properties": {
        "kind": {"enum": ["a", "b"]},
        "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 9},
        "rows": {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 2},
        "label": {"type": "string", "pattern": "^[a-z]+$"},
        "either": {"oneOf": [{"type": "string"}, {"type": "null"}]},
        "fixed": {"const": 1},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
    "if": {"properties": {"kind": {"const": "b"}}},
    "then": {"required": ["why"]},
    "else": {"required": []},
}
GOOD = {"kind": "a", "n": 3}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"n": None},
        {"rows": [1, 2.5], "label": "x", "either": None, "fixed": 1, "counts": {"any": 1}},
        {"kind": "b", "why": "so"},
        {"later": "a key of a later writer"},
    ],
)
def test_what_has_the_form_has_no_fault(more):
    assert [*faults(GOOD | more, SCHEMA)] == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"n": True}, "n is True and not integer or null"),
        ({"n": 0}, "n is 0, less than 1"),
        ({"n": 10}, "n is 10, more than 9"),
        ({"kind": ["a"]}, "kind is an array and none of a, b"),
        ({"rows": []}, "rows has 0 members, fewer than 1"),
        ({"rows": [1, 2, 3]}, "rows has 3 members, more than 2"),
        ({"rows": ["x"]}, "rows[0] is 'x' and not number"),
        ({"label": "A" * 1000}, "label is 'AAA"),
        ({"either": 3}, "either is 3 and not string"),
        ({"fixed": 2}, "fixed is 2 and not 1"),
        ({"counts": {"any": "x"}}, "counts.any is 'x' and not integer"),
        ({"kind": "b"}, "it has no 'why'"),
    ],
)
def test_what_has_another_form_is_told_with_its_place(more, words):
    (fault,) = faults(GOOD | more, SCHEMA)
    assert fault.startswith(words)
    assert len(fault) < 200


def test_what_is_no_object_at_all():
    assert [*faults([], SCHEMA)] == ["it is an array and not object"]
