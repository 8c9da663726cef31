"""Findings as text, JSON, GitHub annotations and SARIF."""

from __future__ import annotations

import json
import re

import pytest

from specgl.cli.explain import explanation
from specgl.cli.findings import FORMATS, printable, printable_lines, render
from specgl.errors import CATALOGUE, Finding, UsageError
from specgl.spec import examine_text

TEXT = "specgl: 1\nname: a\nvariables:\n  age: {type: continuous, centre: mean}\n"
FOUND = Finding(
    "E010",
    "unknown key 'centre'",
    file="spec.yaml",
    line=4,
    column=27,
    end_column=33,
    help="did you mean 'center'?",
)
NOWHERE = Finding("W201", "something", notes=("a fact",))
EVIL = Finding(
    "E010", "50%,\r\n::error::x \x1b[31mred", file="a:b,c%\n.yaml", line=1, column=1, help="line\u2028two"
)


def test_text_is_that_of_the_language_page():
    assert render([FOUND], {"spec.yaml": TEXT}) == (
        "spec.yaml:4:27: error[E010]: unknown key 'centre'\n"
        "     4 |   age: {type: continuous, centre: mean}\n"
        "       |                           ^^^^^^\n"
        "       = help: did you mean 'center'?\n"
    )


def test_text_without_place_or_source():
    assert render([NOWHERE], {}) == "warning[W201]: something\n       = note: a fact\n"
    assert render([FOUND], {}).splitlines()[1].strip().startswith("= help")
    beyond = Finding("E010", "x", file="spec.yaml", line=99)
    assert render([beyond], {"spec.yaml": TEXT}) == "spec.yaml:99: error[E010]: x\n"


def test_colours_only_when_asked():
    assert "\x1b" not in render([FOUND], {"spec.yaml": TEXT})
    coloured = render([FOUND], {"spec.yaml": TEXT}, color=True)
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == render([FOUND], {"spec.yaml": TEXT})
    assert coloured != render([FOUND], {"spec.yaml": TEXT})


def test_carets_stand_under_the_fault_whatever_stands_before():
    finding = Finding("E010", "x", file="f", line=1, column=4, end_column=6)
    _, line, caret = render([finding], {"f": "\t\x07äbc"}).rstrip("\n").split("\n")
    assert line[caret.index("^") :].startswith("bc")
    assert caret.count("^") == 2


@pytest.mark.parametrize("format", FORMATS)
def test_no_format_lets_control_characters_through(format):
    out = render([EVIL, FOUND], {"a:b,c%\n.yaml": "\x1b]0;title\x07\u202e"}, format)
    assert set(re.findall("[\x00-\x1f\x7f\u2028\u202e]", out)) <= {"\n"}


def test_json_is_a_list_of_records():
    first, second = json.loads(render([FOUND, NOWHERE], {}, "json"))
    assert first == {
        "code": "E010",
        "severity": "error",
        "file": "spec.yaml",
        "line": 4,
        "column": 27,
        "message": "unknown key 'centre'",
        "help": "did you mean 'center'?",
    }
    assert second["severity"] == "warning"
    assert second["file"] is None
    assert json.loads(render([], {}, "json")) == []


def test_github_annotations_cannot_be_forged():
    plain, evil = render([FOUND, EVIL], {}, "github").splitlines()
    place = "file=spec.yaml,line=4,col=27,endColumn=32,title=E010"
    assert plain == f"::error {place}::unknown key 'centre'%0Adid you mean 'center'?"
    assert evil.startswith("::error file=a%3Ab%2Cc%25%0A.yaml,line=1,col=1,title=E010::50%25,%0D%0A::error")


def test_sarif_has_what_the_standard_asks_for():
    log = json.loads(render([FOUND, NOWHERE, FOUND], {}, "sarif"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["E010", "W201"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "spec.yaml"
    assert place["region"] == {"startLine": 4, "startColumn": 27, "endColumn": 33}
    assert "locations" not in run["results"][1]


def test_an_examination_can_be_rendered_as_it_is():
    examination = examine_text(TEXT, name="spec.yaml")
    shown = render(examination.findings, {examination.source.name: examination.source.text})
    assert "spec.yaml:4:27: error[E010]: unknown key 'centre'" in shown


def test_printable_keeps_what_can_be_seen():
    assert printable("ä 😀\tx") == "ä 😀\tx"
    assert printable("\x1b[2J\u202e") == "\\u001b[2J\\u202e"


def test_explanations():
    code = next(iter(CATALOGUE))
    assert explanation(code.lower()).startswith(f"{code}: {CATALOGUE[code].title}\n\n")
    with pytest.raises(UsageError, match="did you mean"):
        explanation("E01O")


def test_an_endless_line_is_shown_around_its_fault():
    line = "a" * 5000 + "FAULT" + "b" * 5000
    finding = Finding("E010", "x" * 10_000, file="f", line=1, column=5001, end_column=5006)
    out = render([finding], {"f": line})
    assert len(out) < 3000
    _, shown, carets = out.rstrip("\n").split("\n")
    assert shown[carets.index("^") :].startswith("FAULT")
    assert carets.count("^") == 5


def test_results_keep_their_lines_and_lose_their_codes():
    assert printable_lines("a\tb\n\x1b[2Jc") == "a\tb\n\\u001b[2Jc"
