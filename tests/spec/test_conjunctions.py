"""What a spec may join to a conjunction, and how it is told of what it may not."""

from __future__ import annotations

import json

import pytest

from specgl.spec import Conjunction, digest, examine_text, read, resolve
from specgl.spec.examine import Examination

BASE = {
    "specgl": 1,
    "name": "base",
    "data": {"table": "rows.tsv", "images": "{id}.nii"},
    "variables": {"age": {"type": "continuous"}},
    "model": {"formula": "age"},
}


def examined(contrasts: object, **more: object) -> Examination:
    text = json.dumps({**BASE, "contrasts": contrasts, **more})
    return examine_text(text, is_json=True)


def test_its_own_direction_is_two_sided_unless_it_says_otherwise() -> None:
    spec = examined({"a": "age", "b": "mean", "both": {"conjunction": ["a", "b"]}}).spec
    assert spec is not None
    assert spec.contrasts["both"] == Conjunction(conjunction=("a", "b"))
    assert spec.contrasts["both"].alternative == "two-sided"
    other = examined({"a": "age", "b": "mean", "both": {"conjunction": ["b", "a"]}}).spec
    assert other is not None
    assert digest(resolve(other)) != digest(resolve(spec))


@pytest.mark.parametrize(
    ("members", "message", "help"),
    [
        (["a", "bb"], "there is no contrast 'bb'", None),
        (["a", "gran"], "there is no contrast 'gran'", "did you mean 'grand'?"),
        (["a", "f"], "'f' is an F test, which has no direction", "name t contrasts, of one row each"),
        (["a", "joint"], "'joint' is a conjunction itself", "name its members instead"),
        (["a", "both"], "'both' cannot be a part of itself", "name the contrasts that it joins"),
        (["a", "grand", "a"], "'a' stands twice in this conjunction", None),
        (["a"], "a conjunction of one contrast is that contrast", "name two or more t contrasts"),
    ],
)
def test_members_are_told_apart_from_what_cannot_be_one(
    members: list[str], message: str, help: str | None
) -> None:
    contrasts = {
        "a": "age",
        "grand": "mean",
        "f": {"hypothesis": ["age", "mean"]},
        "joint": {"conjunction": ["a", "grand"]},
        "both": {"conjunction": members},
    }
    (finding,) = examined(contrasts).findings
    assert (finding.code, finding.message, finding.help) == ("E035", message, help)
    place = () if len(members) == 1 else (len(members) - 1,)
    assert finding.where == ("contrasts", "both", "conjunction", *place)
    assert finding.line == 1


def test_a_contrast_of_another_file_is_not_missed() -> None:
    text = json.dumps({**BASE, "extends": "base.yaml", "contrasts": {"both": {"conjunction": ["a", "b"]}}})
    assert "E035" not in [finding.code for finding in examine_text(text, is_json=True).findings]


@pytest.mark.parametrize("members", [None, "a", {"a": 1}, [None, 3], [["a"], {}], [""]])
@pytest.mark.parametrize("beside", [None, 3, [], {"hypothesis": 3}])
def test_nothing_that_is_written_breaks_the_rule(members: object, beside: object) -> None:
    found = examined({"a": beside, "both": {"conjunction": members}}).findings
    assert found
    assert {finding.code for finding in found} <= {"E011", "E014", "E016", "E022", "E035"}


def test_the_good_example_says_what_it_says(request: pytest.FixtureRequest) -> None:
    spec = read(request.path.parent / "good" / "conjunction.yaml")
    assert spec.contrasts["both"].conjunction == ("patients", "controls", "older")
    assert spec.contrasts["either"].alternative == "two-sided"
