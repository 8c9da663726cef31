"""Slips of the pen: one finding each, at its place, that says what to write."""

from __future__ import annotations

import os

import pytest

from specgl.spec import examine, examine_text
from specgl.spec.examine import MAX_FINDINGS

SPEC = """specgl: 1
name: demo
data:
  table: participants.tsv
  images: "maps/{participant_id}.nii.gz"
variables:
  group: {type: categorical, levels: [control, patient]}
  age: {type: continuous}
model:
  formula: group + age
contrasts:
  gt: "group[patient] - group[control]"
  slope: {hypothesis: age, alternative: greater}
inference:
  fdr: {method: parametric, correction: fdr_bh, alpha: 0.05}
"""


def found(old: str, new: str):
    assert old in SPEC
    return examine_text(SPEC.replace(old, new)).findings


def only(old: str, new: str):
    (finding,) = found(old, new)
    return finding


def test_the_spec_itself_has_no_finding():
    assert examine_text(SPEC).findings == ()


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("specgl: 1", "specglm: 1", "specgl"),
        ("name:", "nam:", "name"),
        ("data:", "dta:", "data"),
        ("  table:", "  tabel:", "table"),
        ("variables:", "variable:", "variables"),
        ("{type: categorical", "{typ: categorical", "type"),
        ("model:", "modell:", "model"),
        ("formula:", "formulae:", "formula"),
        ("contrasts:", "contrast:", "contrasts"),
        ("hypothesis:", "hypotesis:", "hypothesis"),
        ("{hypothesis: age", "{weigts: {age: 1}", "weights"),
        ("{hypothesis: age", "{conjuction: [gt, gt]", "conjunction"),
        ("method:", "metod:", "method"),
    ],
)
def test_a_misspelt_key_is_told_once_and_not_also_as_missing(old, new, key):
    finding = only(old, new)
    assert finding.code == "E010"
    assert finding.help == f"did you mean '{key}'?"


def test_a_missing_key_is_missing():
    assert only("  table: participants.tsv\n", "").message == "missing key 'table'"
    assert only("{type: categorical, levels: [control, patient]}", "{}").message == "missing key 'type'"


def test_variables_of_the_wrong_kind_do_not_make_names_undeclared():
    declared = SPEC[SPEC.index("variables:") : SPEC.index("model:")]
    assert only(declared, "variables: [group, age]\n").code == "E016"


def test_an_undeclared_factor_is_told_in_the_formula_and_not_in_each_hypothesis():
    finding = only("  group: {type: categorical, levels: [control, patient]}\n", "")
    assert (finding.code, finding.line) == ("E110", 9)


def test_an_empty_hypothesis_is_told_once():
    assert only('"group[patient] - group[control]"', '""').code == "E022"


@pytest.mark.parametrize(
    ("old", "new", "code", "advice"),
    [
        ('"group[patient] - group[control]"', "patient", "E114", "group[patient]"),
        ('"group[patient] - group[control]"', "[1, -1]", "E016", "weights"),
        ("patient] -", "patient] >", "E111", "alternative: greater"),
        ("[patient] -", "[patient -", "E111", "quotes"),
        (
            "{hypothesis: age, alternative: greater}",
            "{weights: [1]}",
            "E016",
            "weights name",
        ),
        ("{type: continuous}", "continuous", "E016", "{type: continuous}"),
        ('"maps/{participant_id}.nii.gz"', "[a.nii, b.nii]", "E016", "template"),
        ("{participant_id}", "{participant_id:03d}", "E017", "{participant_id}"),
        ("group + age", "[group, age]", "E016", "joined by +"),
        ("group + age", "1", "E016", "goes in quotes: '1'"),
        ("fdr_bh", "fdr", "E012", "fdr_bh"),
        ("[control, patient]", "[true, 'false']", "E016", "true or false"),
        ("  formula: group", "  formula:group", "E016", "': '"),
    ],
)
def test_the_help_says_what_to_write(old, new, code, advice):
    finding = next(finding for finding in found(old, new) if finding.code == code)
    assert advice in (finding.help or "")


@pytest.mark.parametrize(
    ("old", "new", "line", "advice"),
    [
        ("model:\n", "model\n", 9, "a key is followed by"),
        ("  table", " table", 5, "same column"),
        ("  formula: group + age", "   formula: group + age\n  block: x", 11, "same column"),
        ('"maps/{participant_id}.nii.gz"', "{participant_id}/x.nii.gz", 5, "begins with '{'"),
        ("alpha: 0.05}", "alpha:}", 15, "and its value"),
    ],
)
def test_faults_of_yaml_are_shown_where_they_are(old, new, line, advice):
    finding = only(old, new)
    assert (finding.code, finding.line) == ("E001", line)
    assert advice in (finding.help or "")


def test_findings_without_end_are_cut():
    many = "".join(f"  c{i}: b{i}\n" for i in range(2 * MAX_FINDINGS))
    findings = found('  gt: "group[patient] - group[control]"\n', many)
    assert len(findings) == MAX_FINDINGS + 1
    assert findings[-1].code == "E004"


def test_a_level_among_very_many_is_not_answered_with_all_of_them():
    levels = ", ".join(f"l{i}" for i in range(5000))
    found_here = found("control, patient", levels)
    assert all(len(finding.help or "") < 300 for finding in found_here)


def test_a_template_without_end_is_one_finding():
    assert only("{participant_id}", "{}" * 100_000).code == "E017"


def test_what_is_no_plain_file_is_not_waited_for(tmp_path):
    pipe = tmp_path / "spec.yaml"
    os.mkfifo(pipe)
    (finding,) = examine(pipe).findings
    assert finding.code == "E000"
    assert "no plain file" in finding.message


def test_a_link_out_of_its_folder_is_not_read(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    secret = tmp_path / "secret.yaml"
    secret.write_text("a secret")
    link = inside / "spec.yaml"
    link.symlink_to(secret)
    examination = examine(link)
    assert [finding.code for finding in examination.findings] == ["E018"]
    assert examination.source.text == ""
    assert [finding.code for finding in examine(link, allow_outside=True).findings] == ["E006"]
    beside = inside / "good.yaml"
    beside.write_text(SPEC)
    link.unlink()
    link.symlink_to("good.yaml")
    assert examine(link).spec is not None


def test_links_in_a_circle(tmp_path):
    link = tmp_path / "spec.yaml"
    link.symlink_to(link)
    assert [finding.code for finding in examine(link).findings] == ["E000"]


def test_utf16_is_called_so(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_bytes(SPEC.encode("utf-16"))
    (finding,) = examine(path).findings
    assert (finding.code, finding.message) == ("E007", "the file is UTF-16")
