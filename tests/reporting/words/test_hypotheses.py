"""Hypotheses in words: the right question for each form, and never a wrong one."""

from __future__ import annotations

import itertools
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specgl.reporting.words.hypotheses import phrase

PER = {"age": "unit: year"}

QUESTIONS = [
    ("mean", "is the mean different from 0", "is the mean above 0", "is the mean below 0"),
    (
        "group[patient]",
        "is the mean for group patient different from 0",
        "is the mean for group patient above 0",
        "is the mean for group patient below 0",
    ),
    (
        "group[patient] - group[control] = 0",
        "are values higher or lower for group patient than for group control",
        "are values higher for group patient than for group control",
        "are values lower for group patient than for group control",
    ),
    (
        "group[a]:time[post] - group[a]:time[pre]",
        "are values higher or lower for time post than for time pre, within group a",
        "are values higher for time post than for time pre, within group a",
        "are values lower for time post than for time pre, within group a",
    ),
    (
        "(dose[1] + dose[2]) / 2 - dose[0]",
        "are values higher or lower for the average of dose 1 and dose 2 than for dose 0",
        "are values higher for the average of dose 1 and dose 2 than for dose 0",
        "are values lower for the average of dose 1 and dose 2 than for dose 0",
    ),
    (
        "group[a] - mean",
        "are values higher or lower for group a than for the grand mean",
        "are values higher for group a than for the grand mean",
        "are values lower for group a than for the grand mean",
    ),
    (
        "(g[p]:t[post] - g[p]:t[pre]) - (g[c]:t[post] - g[c]:t[pre])",
        "is the difference t post minus t pre larger or smaller for g p than for g c",
        "is the difference t post minus t pre larger for g p than for g c",
        "is the difference t post minus t pre smaller for g p than for g c",
    ),
    ("age", "do values rise or fall with age", "do values rise with age", "do values fall with age"),
    (
        "age:group[patient]",
        "do values rise or fall with age for group patient",
        "do values rise with age for group patient",
        "do values fall with age for group patient",
    ),
    (
        "age:sex[M] - age:sex[F]",
        "is the slope of age larger or smaller for sex M than for sex F",
        "is the slope of age larger for sex M than for sex F",
        "is the slope of age smaller for sex M than for sex F",
    ),
    (
        "`age:sex[T.M]`",
        "is the coefficient of the regressor “age:sex[T.M]” different from 0",
        "is the coefficient of the regressor “age:sex[T.M]” above 0",
        "is the coefficient of the regressor “age:sex[T.M]” below 0",
    ),
]


@pytest.mark.parametrize(("text", "either", "above", "below"), QUESTIONS)
def test_questions(text: str, either: str, above: str, below: str) -> None:
    told = phrase(text, PER)
    assert [told.asked(one) for one in ("two-sided", "greater", "less")] == [either, above, below]


@pytest.mark.parametrize(
    "text",
    [
        "2 * group[a] - 2 * group[b]",
        "group[a] - 0.5 * group[b]",
        "age - iq",
        "2 * age",
        "-age",
        "age + group[a]",
        "mean + group[a]",
        "group[a] + group[b]",
        "`x` - `y`",
        "(g[p]:t[post] - g[p]:t[pre]) - (h[c]:t[post] - h[c]:t[pre])",
        "g[p]:t[post] - g[p]:t[pre] + g[c]:t[post] - g[c]:t[pre]",
        "age:sex[M] - age",
        "not a hypothesis (",
        "",
    ],
)
def test_what_is_beyond_the_forms_is_told_as_written(text: str) -> None:
    told = phrase(text, PER)
    assert told.noun == f"“{text}”"
    assert told.asked("greater") == f"is “{text}” above 0"
    assert told.kind == "other"


CELLS = [f"g[{one}]:t[{other}]" for one, other in itertools.product("abc", "xyz")]


def weights_of(noun: str) -> dict[str, Fraction]:
    """Weights of cells that a noun tells of, read by other rules than those that wrote it."""
    if found := re.fullmatch(
        r"the difference (.+) minus (.+) for (.+), minus the same difference for (.+)", noun
    ):
        one, two, left, right = found.groups()
        pairs = {(one, left): 1, (two, left): -1, (one, right): -1, (two, right): 1}
        return {cell_of([a, b]): Fraction(w) for (a, b), w in pairs.items()}
    within = re.fullmatch(r"(.+), within (.+)", noun)
    plain, shared = (within[1], [within[2]]) if within else (noun, [])
    plain = plain.removeprefix("the mean for ").replace("the average of the means for", "the average of")
    told: dict[str, Fraction] = {}
    for side, sign in zip(plain.split(" minus "), (1, -1), strict=False):
        operands = operands_of(side, shared)
        for operand in operands:
            told[operand] = told.get(operand, Fraction()) + Fraction(sign, len(operands))
    return told


def operands_of(side: str, shared: list[str]) -> list[str]:
    if not side.startswith("the average of "):
        return [cell_of([*side.split(" and "), *shared])]
    words = re.findall(r"[gt] \w", side)  # levels come in pairs, one of each factor
    return [cell_of(list(pair)) for pair in zip(words[::2], words[1::2], strict=True)]


def cell_of(words: list[str]) -> str:
    levels = dict(word.split(" ") for word in words)
    return f"g[{levels['g']}]:t[{levels['t']}]"


@given(
    st.dictionaries(st.sampled_from(CELLS), st.sampled_from([-2, -1, 1, 2]), min_size=1, max_size=5),
    st.integers(1, 4),
)
def test_whatever_is_paraphrased_means_what_was_written(weights: dict[str, int], over: int) -> None:
    text = " ".join(f"{'+' if w > 0 else '-'} {abs(w)}/{over} * {cell}" for cell, w in weights.items())
    told = phrase(text, {})
    if told.kind != "other":
        assert weights_of(told.noun) == {cell: Fraction(w, over) for cell, w in weights.items()}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_an_interaction_is_one_whatever_the_order_of_its_cells(order: tuple[int, ...]) -> None:
    cells = {"g[a]:t[x]": 1, "g[a]:t[y]": -1, "g[b]:t[x]": -1, "g[b]:t[y]": 1}
    several = [list(cells.items())[k] for k in order]
    text = " ".join(f"{'+' if w > 0 else '-'} {cell}" for cell, w in several)
    told = phrase(text, {})
    assert told.kind == "difference"
    assert weights_of(told.noun) == cells


def test_terms_that_cancel_are_no_part_of_the_question() -> None:
    assert phrase("group[a] - group[b] + age - age", PER).noun == "group a minus group b"
    assert phrase("0.5 * mean + 0.5 * mean", PER).noun == "the mean"
