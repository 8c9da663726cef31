"""Conjunctions among what is asked of a design."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from specgl.design import (
    Categorical,
    Conjunction,
    Continuous,
    ContrastRequest,
    Design,
    build,
    describe_design,
)
from specgl.errors import DesignError, Finding
from specgl.models import LeastSquares, letters_of

MakeRows = Callable[..., object]
VARIABLES = {"group": Categorical(("c", "p")), "age": Continuous()}
MEMBERS = (
    ContrastRequest("p", ("contrasts", "p", "hypothesis"), hypotheses=("group[p]",)),
    ContrastRequest("c", ("contrasts", "c", "weights"), "less", weights=({"Intercept": 1.0},)),
)
NO_T = "in conjunction 'both' is no t contrast"
F = ContrastRequest("any", ("contrasts", "any", "term"), term="age")
LISTED = ContrastRequest("one", ("contrasts", "one", "hypothesis"), hypotheses=("age",), is_f=True)


@pytest.fixture
def made(make_rows: MakeRows) -> Callable[..., Design]:
    """A design of two groups and age, with the members and more."""
    rows = make_rows({"group": ["c", "p"] * 5, "age": range(10)})

    def make(*more: ContrastRequest) -> Design:
        return build(
            rows, variables=VARIABLES, formula="group + age", block=None, contrasts=(*MEMBERS, *more)
        )

    return make


def both(*members: str, alternative: str = "greater", name: str = "both") -> ContrastRequest:
    return ContrastRequest(name, ("contrasts", name, "conjunction"), alternative, members=members)


def test_a_conjunction_stands_beside_the_contrasts(made: Callable[..., Design]) -> None:
    design = made(both("p", "c"))
    assert design.conjunctions == (Conjunction("both", ("p", "c"), "greater"),)
    assert [contrast.name for contrast in design.contrasts] == ["p", "c"]
    assert list(design.asked) == ["p", "c", "both"]
    assert design.asked["both"].words == ("conjunction of p and c",)
    assert letters_of(design, LeastSquares()) == {"p": "t", "c": "t", "both": "t"}
    assert describe_design(design)["conjunctions"] == {
        "both": {"alternative": "greater", "words": ["conjunction of p and c"], "members": ["p", "c"]}
    }


def test_it_may_come_before_its_members_and_join_three(make_rows: MakeRows) -> None:
    rows = make_rows({"group": ["c", "p"] * 5, "age": range(10)})
    slope = ContrastRequest("slope", ("contrasts", "slope"), hypotheses=("age",))
    design = build(
        rows,
        variables=VARIABLES,
        formula="group + age",
        block=None,
        contrasts=(both("p", "slope", "c"), *MEMBERS, slope),
    )
    assert list(design.asked) == ["p", "c", "slope", "both"]
    assert design.asked["both"].words == ("conjunction of p and slope and c",)


@pytest.mark.parametrize(
    ("more", "place", "message", "help"),
    [
        ((both("p", "q"),), 1, "there is no contrast 'q' for conjunction 'both'", None),
        (
            (both("p", "anny"), F),
            1,
            "there is no contrast 'anny' for conjunction 'both'",
            "did you mean 'any'?",
        ),
        ((both("p", "p"),), 1, "'p' stands twice in conjunction 'both'", None),
        (
            (both("any", "p"), F),
            0,
            f"'any' {NO_T}",
            "name contrasts of one row",
        ),
        ((both("p", "one"), LISTED), 1, f"'one' {NO_T}", None),
        ((both("p", "both"),), 1, f"'both' {NO_T}", None),
    ],
)
def test_members_are_t_contrasts_of_the_design(
    made: Callable[..., Design],
    more: tuple[ContrastRequest, ...],
    place: int,
    message: str,
    help: str | None,
) -> None:
    (finding,) = refused(made, *more)
    assert (finding.code, finding.message) == ("E255", message)
    assert finding.where == ("contrasts", "both", "conjunction", place)
    assert help is None or finding.help == help


def test_one_member_is_not_enough(made: Callable[..., Design]) -> None:
    (finding,) = refused(made, both("p"))
    assert (finding.code, finding.where) == ("E255", ("contrasts", "both", "conjunction"))


def test_a_member_that_is_wrong_is_told_by_itself(made: Callable[..., Design]) -> None:
    wrong = ContrastRequest("x", ("contrasts", "x", "hypothesis"), hypotheses=("agee",))
    assert [finding.code for finding in refused(made, wrong, both("p", "x"))] == ["E244"]


def refused(made: Callable[..., Design], *more: ContrastRequest) -> tuple[Finding, ...]:
    with pytest.raises(DesignError) as caught:
        made(*more)
    return caught.value.findings
