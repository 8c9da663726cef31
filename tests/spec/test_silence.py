"""Warnings that were looked at: silenced with a reason, and never without."""

from __future__ import annotations

import pytest

from specgl.spec import examine_text

TEXT = """\
specgl: 1
name: silence
{note}
data: {{table: t.tsv, images: "{{participant_id}}.nii"}}
variables:
  age: {{type: continuous}}
  unused: {{type: continuous}}
model: {{formula: age}}
contrasts: {{slope: age}}
"""


def codes(note: str) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.line) for finding in examine_text(TEXT.format(note=note)).findings]


def test_a_note_with_a_reason_silences_its_warning_in_the_whole_spec():
    assert codes("# nothing of ours") == [("W201", 7)]
    assert codes("# specgl: ignore W201 kept for the next analysis") == []
    assert codes("   #specgl:ignore   W201   kept") == []


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("# specgl: ignore W201", "no reason"),
        ("# specgl: ignore", "names no warning"),
        ("# specgl: ignore W299 why not", "no warning 'W299'"),
        ("# specgl: ignore E110 I know better", "no note silences"),
    ],
)
def test_a_note_that_silences_nothing_says_so(note, words):
    found = examine_text(TEXT.format(note=note)).findings
    assert [(finding.code, finding.line) for finding in found] == [("W203", 3), ("W201", 7)]
    assert words in found[0].message


def test_no_note_silences_an_error():
    text = TEXT.format(note="# specgl: ignore E110 I know better").replace("formula: age", "formula: ages")
    assert "E110" in {finding.code for finding in examine_text(text).findings}


def test_a_note_in_a_text_is_part_of_the_text():
    assert codes('description: "a # specgl: ignore W201 reason"') == [("W201", 7)]
