"""Contrasts within their model: what the others are held at, rows, terms, conjunctions, ready-made maps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from specgl.reporting.words.asking import ask
from specgl.reporting.words.contrasts import estimate_of
from specgl.reporting.words.facts import Facts

Make = Callable[..., Facts]


def question(facts: Facts, name: str = "asked") -> str:
    return dict(ask(facts).contrasts)[name]


def estimate(facts: Facts, name: str = "asked") -> str:
    return estimate_of(next(c for c in facts.contrasts if c["name"] == name), facts)


def test_a_difference_is_adjusted_for_the_rest(make_facts: Make) -> None:
    facts = make_facts(contrasts={"asked": "group[patient] - group[control]"})
    assert question(facts) == (
        "Are values higher or lower for group patient than for group control, adjusted for age?"
    )
    assert estimate(facts) == (
        "asked, group patient minus group control, adjusted for age "
        "(H0: group[patient] - group[control] = 0; two-sided t test, 13 degrees of freedom)"
    )


def test_what_interacts_is_held_and_not_adjusted_for(make_facts: Make) -> None:
    facts = make_facts(
        contrasts={"asked": "group[patient] - group[control]", "rises": "age"},
        interactions=[("group", "age")],
    )
    assert question(facts).endswith("than for group control, at average age?")
    assert question(facts, "rises") == "Do values rise or fall with age, averaged over the levels of group?"


def test_a_mean_is_told_with_where_the_others_stand(make_facts: Make) -> None:
    facts = make_facts(contrasts={"asked": {"hypothesis": "mean", "alternative": "greater"}})
    assert question(facts) == "Is the mean above 0, averaged over the levels of group, at average age?"


def test_blocks_are_told(make_facts: Make) -> None:
    facts = make_facts(
        contrasts={"asked": "group[patient] - group[control]"},
        model={"formula": "group", "block": "pair"},
        variables={"group": {"type": "categorical", "levels": ["control", "patient"]}},
    )
    assert question(facts).endswith("than for group control, within the blocks of pair?")


def test_several_rows_are_one_question(make_facts: Make) -> None:
    facts = make_facts(contrasts={"asked": {"hypothesis": ["age", "group[patient] - group[control]"]}})
    assert question(facts) == (
        "Is at least one of these different from 0: the slope of age; group patient minus group control?"
    )
    assert "(F test, 2 and 13 degrees of freedom)" in estimate(facts)


def test_one_row_of_an_f_has_no_direction(make_facts: Make) -> None:
    facts = make_facts(contrasts={"asked": {"hypothesis": ["age"]}})
    assert question(facts) == "Is the slope of age different from 0, in either direction, adjusted for group?"


def test_weights_are_told_as_written_though_they_look_like_an_atom(make_facts: Make) -> None:
    facts = make_facts(contrasts={"asked": {"weights": {"age": 1.0}, "alternative": "less"}})
    assert question(facts) == "Is “1*age” below 0?"
    assert "slope" not in estimate(facts)


@pytest.mark.parametrize(
    ("interactions", "meaning"),
    [
        ([("age", "group")], ": does the slope of age differ between the levels of group?"),
        ([("age", "group"), ("age", "group:x")], "?"),
    ],
)
def test_a_term(make_facts: Make, interactions: list[tuple[str, str]], meaning: str) -> None:
    facts = make_facts(contrasts={"asked": {"term": "age:group"}}, interactions=interactions[:1])
    if len(interactions) > 1:  # a larger term holds it, so that it is no question about the slope alone
        factors = [{"variable": v, "level": None} for v in ("age", "group", "sex")]
        facts.design["regressors"]["larger"] = {"term": "larger", "factors": factors, "coding": {}}
    start = "Does the regressor of the term “age:group” explain anything beyond the rest of the model"
    assert question(facts) == start + meaning


def test_a_main_effect_is_told_by_its_term_alone(make_facts: Make) -> None:
    facts = make_facts(contrasts={"asked": {"term": "group"}})
    assert (
        question(facts)
        == "Does the regressor of the term group explain anything beyond the rest of the model?"
    )


@pytest.mark.parametrize(
    ("alternative", "signs"),
    [("two-sided", "{0} positive, or {0} negative,"), ("greater", "{0} positive"), ("less", "{0} negative")],
)
def test_a_conjunction(make_facts: Make, alternative: str, signs: str) -> None:
    both = {"conjunction": ["a", "b"], "alternative": alternative}
    facts = make_facts(contrasts={"a": "group[patient]", "b": "age", "asked": both})
    assert question(facts) == f"Are the effects of a and b {signs.format('both')} at the same place?"
    three = {"conjunction": ["a", "b", "c"], "alternative": alternative}
    facts = make_facts(contrasts={"a": "group[patient]", "b": "age", "c": "mean", "asked": three})
    assert question(facts) == f"Are the effects of a, b and c {signs.format('all')} at the same place?"


MAPS: list[tuple[dict[str, Any], str]] = [
    ({"statistic": "z"}, "Where is this ready-made map of z different from 0, in either direction?"),
    (
        {"statistic": "t", "dof": 9},
        "Where is this ready-made map of t different from 0, in either direction?",
    ),
    ({"statistic": "F", "dof": [2, 9]}, "Where is this ready-made map of F larger than chance explains?"),
    (
        {"statistic": "chi2", "dof": 3},
        "Where is this ready-made map of chi-square larger than chance explains?",
    ),
    ({"statistic": "p"}, "Where are the p-values of this ready-made map small?"),
]


@pytest.mark.parametrize(("said", "asked"), MAPS)
def test_ready_made_maps(make_facts: Make, said: dict[str, Any], asked: str) -> None:
    without = dict.fromkeys(("data", "variables", "model", "contrasts"))
    facts = make_facts(maps={"asked": {"image": "m.nii.gz", **said}}, **without)
    assert question(facts) == asked
    assert ask(facts).lead == "1 ready-made map of 1,200 voxels: no model was fitted."


@pytest.mark.parametrize(
    ("scale", "unit"),
    [("none", "unit: year"), ("sd", "per standard deviation"), (10.0, "per 10; unit: year")],
)
def test_a_slope_says_what_it_is_per(make_facts: Make, scale: Any, unit: str) -> None:
    age = {"type": "continuous", "unit": "year", "scale": scale}
    facts = make_facts(contrasts={"asked": "age"}, variables={"age": age}, model={"formula": "age"})
    assert estimate(facts).startswith(f"asked, the slope of age ({unit}; H0: age = 0; two-sided t test")


def test_degrees_of_freedom_are_told_without_any_inference(make_facts: Make) -> None:
    facts = make_facts(inference=None, contrasts={"asked": "age"})
    assert estimate(facts).endswith("two-sided t test, 13 degrees of freedom)")
    grouped = make_facts(
        inference=None,
        contrasts={"asked": "age"},
        model={"formula": "group + age", "variance_groups": "site"},
    )
    assert estimate(grouped).endswith("; two-sided v test)")


@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_directions_are_told(make_facts: Make, alternative: str) -> None:
    facts = make_facts(contrasts={"asked": {"hypothesis": "age", "alternative": alternative}})
    side = {"greater": "above", "less": "below"}[alternative]
    assert f"one-sided t test for effects {side} 0" in estimate(facts)
