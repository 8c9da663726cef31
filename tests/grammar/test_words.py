"""Suggestions, labels and templates."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specgl.grammar import (
    LABEL,
    did_you_mean,
    fill_template,
    is_safe_value,
    propose_label,
    suggest,
    template_fields,
)


def test_suggestions() -> None:
    options = ["center", "scale", "unit", "mean_fd"]
    assert suggest("centre", options) == "center"
    assert suggest("SCALE", options) == "scale"
    assert suggest("mean-fd", options) == "mean_fd"
    assert suggest("zzz", options) is None
    assert did_you_mean("centre", options) == "did you mean 'center'?"
    assert did_you_mean("zzz", options) is None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("patient-gt-control", "patientGtControl"),
        ("patient > control", "patientGtControl"),
        ("age_slope", "ageSlope"),
        ("fdr", "fdr"),
        ("é", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_proposed_labels(text: str, label: str) -> None:
    assert propose_label(text) == label


@given(st.text(max_size=30))
def test_a_proposal_is_a_label(text: str) -> None:
    assert LABEL.fullmatch(propose_label(text))


@given(st.from_regex(LABEL, fullmatch=True))
def test_a_label_is_its_own_proposal(label: str) -> None:
    assert propose_label(label) == label


def test_templates_fill_by_name_and_only_with_safe_values() -> None:
    text = "sub-{id}/{id}_{task}.nii.gz"
    assert [(f.name, text[f.start : f.end]) for f in template_fields(text)] == [
        ("id", "{id}"),
        ("id", "{id}"),
        ("task", "{task}"),
    ]
    assert fill_template(text, {"id": "01", "task": "faces"}) == "sub-01/01_faces.nii.gz"
    with pytest.raises(KeyError):
        fill_template("{other}", {"id": "01"})


@pytest.mark.parametrize("value", ["..", ".", "a/b", "a b", "", "{id}", "a\\b", "~", "a\n"])
def test_values_that_leave_their_place_are_refused(value: str) -> None:
    assert not is_safe_value(value)
    with pytest.raises(ValueError, match="cannot be part of a path"):
        fill_template("{id}", {"id": value})


def test_templates_reach_no_attributes() -> None:
    assert [f.name for f in template_fields("{id.__class__}")] == ["id.__class__"]
    with pytest.raises(KeyError):
        fill_template("{id.__class__}", {"id": "01"})


def test_the_grammar_needs_the_standard_library_only() -> None:
    code = (
        "import sys, specgl.grammar\n"
        "heavy = {'numpy', 'pandas', 'formulaic', 'scipy', 'pydantic', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
