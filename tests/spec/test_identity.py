"""Resolving, the digest, and canonical JSON."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.spec import AnalysisSpec, canonical_json, digest, examine, read, resolve
from specgl.spec.reader import read_file

GOOD = sorted((Path(__file__).parent / "good").glob("*.yaml"))


def shuffled(value: Any, random) -> Any:
    """The same value, the keys of its mappings in another order."""
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: shuffled(value[key], random) for key in keys}
    return [shuffled(inner, random) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", GOOD, ids=lambda p: p.stem)
def test_spec_to_json_to_spec(path):
    spec = read(path)
    assert AnalysisSpec.model_validate_json(spec.model_dump_json()) == spec
    resolved = resolve(spec)
    again = AnalysisSpec.model_validate(json.loads(json.dumps(resolved)))
    assert again == spec
    assert resolve(again) == resolved
    assert digest(resolve(again)) == digest(resolved)


@settings(max_examples=40)
@given(st.sampled_from(GOOD), st.randoms(use_true_random=False))
def test_digest_is_blind_to_the_order_of_keys(path, random):
    raw = read_file(path).value
    one = AnalysisSpec.model_validate(raw)
    other = AnalysisSpec.model_validate(shuffled(raw, random))
    assert digest(resolve(one)) == digest(resolve(other))


def test_digest_sees_what_can_change_a_number_and_nothing_else():
    raw = read_file(GOOD[0].with_name("two_sample.yaml")).value
    here = digest(resolve(AnalysisSpec.model_validate(raw)))

    def other(**changes: Any) -> str:
        return digest(resolve(AnalysisSpec.model_validate({**raw, **changes})))

    assert other(name="x", description=None, metadata={"a": 1}, output={"maps": ["r2"]}) == here
    assert other(mask="brain_mask.nii.gz") == here  # the short form of the same
    assert other(inference={}) != here
    assert other(mask="other.nii.gz") != here
    assert other(data={**raw["data"], "smoothing_fwhm": 6.0}) == here
    assert other(data={**raw["data"], "smoothing_fwhm": 6.5}) != here
    levels = {**raw["variables"], "sex": {"type": "categorical", "levels": ["M", "F"], "coding": "sum"}}
    assert other(variables=levels) != here
    assert len(here) == 64


@pytest.mark.parametrize(
    ("bits", "text"),
    [  # RFC 8785, appendix B
        ("0000000000000000", "0"), ("8000000000000000", "0"), ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"), ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("ffefffffffffffff", "-1.7976931348623157e+308"), ("4340000000000000", "9007199254740992"),
        ("c340000000000000", "-9007199254740992"), ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"), ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"), ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"), ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"), ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"), ("41b3de4355555554", "333333333.33333325"),
        ("41b3de4355555555", "333333333.3333333"), ("41b3de4355555556", "333333333.3333334"),
        ("41b3de4355555557", "333333333.33333343"), ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)  # fmt: skip
def test_numbers_as_ecmascript_writes_them(bits, text):
    assert canonical_json(struct.unpack(">d", bytes.fromhex(bits))[0]) == text


@settings(max_examples=300)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_canonical_numbers_are_read_back(value):
    assert float(canonical_json(value)) == value


def test_canonical_json_by_the_rfc():
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    assert canonical_json(value) == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    keys = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(json.loads(canonical_json(keys)).values()) == [2, 4, 6, 7, 1, 5, 3]


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53 + 1])
def test_numbers_without_a_canonical_form_are_refused(value):
    with pytest.raises(ValueError, match="no"):
        canonical_json(value)


def test_where_a_spec_was_read_is_outside_equality(tmp_path):
    path = tmp_path / "copy.yaml"
    path.write_text(GOOD[0].read_text())
    here, there = read(GOOD[0]), read(path)
    assert here == there
    assert there.folder == tmp_path
    assert there.source is not None
    assert there.source.path == path
    assert here != "a spec"
    bare = AnalysisSpec.model_validate(examine(path).spec.model_dump())
    assert bare == there
    assert bare.source is None
    assert bare.folder == Path.cwd()
