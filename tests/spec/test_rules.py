"""Rules between the parts of a spec, and places of findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from specgl.errors import Finding
from specgl.spec import AnalysisSpec, check, examine_text, locate

BASE = {
    "specgl": 1,
    "name": "base",
    "data": {"table": "rows.tsv", "images": "{id}.nii"},
    "variables": {"age": {"type": "continuous"}, "group": {"type": "categorical", "levels": ["a", "b"]}},
    "model": {"formula": "age + group"},
    "contrasts": {"slope": "age", "both": {"hypothesis": ["age", "group[b] - group[a]"]}},
}


def codes(**changes) -> list[str]:
    text = json.dumps({**BASE, **changes})
    return [finding.code for finding in examine_text(text, is_json=True).findings]


def test_base_is_fine():
    assert codes() == []


@pytest.mark.parametrize(
    "path",
    ["/abs.tsv", "../up.tsv", "a/../../b.tsv", "C:/x.tsv", "C:x.tsv", "\\\\host\\x", "~/x.tsv", "a\\..\\b"],
)
def test_paths_outside(path):
    text = json.dumps({**BASE, "data": {"table": path}})
    assert [f.code for f in examine_text(text, is_json=True).findings] == ["E018"]
    assert examine_text(text, is_json=True, allow_outside=True).findings == ()


@pytest.mark.parametrize("path", ["https://example.org/x.tsv", "s3://bucket/x.tsv", "file:///x.tsv"])
def test_addresses_are_refused_always(path):
    text = json.dumps({**BASE, "data": {"table": path}})
    assert [f.code for f in examine_text(text, is_json=True, allow_outside=True).findings] == ["E018"]


@pytest.mark.parametrize("path", ["..hidden/x.tsv", "a..b.tsv", "sub/./x.tsv", "x y.tsv"])
def test_paths_inside(path):
    assert codes(data={"table": path}) == []


def test_contrasts_are_needed_only_for_images():
    assert codes(contrasts={}) == ["E011"]
    assert codes(contrasts={}, data={"table": "rows.tsv"}) == []


def test_names_that_the_formula_does_not_have_wait_for_a_sound_formula():
    assert codes(model={"formula": "agee + group"}) == ["E110"]
    assert sorted(codes(model={"formula": "group"})) == ["E114", "E114", "W201"]


def test_voxelwise_names_are_no_undeclared_ones():
    data = {**BASE["data"], "voxelwise": {"gm": "{id}_gm.nii"}}
    assert codes(data=data, model={"formula": "age + group + gm"}) == []


def test_extends_may_hold_what_is_missing():
    text = json.dumps({"specgl": 1, "name": "a", "extends": "b.yaml", "contrasts": {"x": "age"}})
    assert [f.code for f in examine_text(text, is_json=True).findings] == ["E015"]


@pytest.mark.parametrize(
    "at", [["levels"], ["nothing"], [], None, 3, "x", {"type": "categorical", "levels": "ab"}]
)
def test_nothing_that_is_written_breaks_the_rules(at):
    for key in (
        "data",
        "mask",
        "variables",
        "model",
        "contrasts",
        "maps",
        "inference",
        "permutation",
        "output",
        "metadata",
        "name",
    ):
        assert isinstance(codes(**{key: at}), list)
        assert isinstance(codes(**{key: {"x": at}}), list)


def test_specs_from_python_are_checked_too():
    spec = AnalysisSpec.model_validate({**BASE, "model": {"formula": "agee + group"}})
    (finding,) = check(spec)
    assert (finding.code, finding.where, finding.span) == ("E110", ("model", "formula"), (0, 4))
    assert finding.line is None
    assert check(AnalysisSpec.model_validate(BASE)) == ()


def test_later_stages_point_into_the_short_forms():
    text = "specgl: 1\ncontrasts:\n  a: 'age - x'\n  b: {hypothesis: age}\ndata: {id: sub}\n"
    source = examine_text(text).source
    assert source.locate(("contrasts", "a", "hypothesis", 0), (6, 7)) == (3, 13, 14)
    assert source.locate(("contrasts", "b", "hypothesis", 0), (0, 3)) == (4, 19, 22)
    assert source.locate(("data", "missing", "image")) == (5, 7, 16)
    assert source.locate(("data", "id"), on_key=True) == (5, 8, 10)
    assert source.locate(()) == (1, 1, 10)
    elsewhere = Finding("E210", "x", file="rows.tsv", line=3)
    assert locate(elsewhere, source) is elsewhere
    here = locate(Finding("E240", "x", ("contrasts", "b"), on_key=True), source)
    assert (here.file, here.line, here.column, here.end_column) == ("<text>", 4, 3, 4)


def test_findings_come_in_the_order_of_the_text():
    findings = examine_text((Path(__file__).parent / "bad" / "reserved.yaml").read_text()).findings
    places = [(f.line, f.column) for f in findings]
    assert places == sorted(places)
