"""The language of hypotheses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.errors import CATALOGUE
from specgl.grammar import AtomKind, read_hypothesis


def kinds_of(text: str) -> list[tuple[float, AtomKind, str]]:
    reading = read_hypothesis(text)
    assert reading.problems == ()
    return [(weight, atom.kind, atom.name) for weight, atom in reading.terms]


def test_atoms() -> None:
    assert kinds_of("mean") == [(1.0, AtomKind.MEAN, "mean")]
    assert kinds_of("Intercept") == [(1.0, AtomKind.INTERCEPT, "Intercept")]
    assert kinds_of("age = 0") == [(1.0, AtomKind.SLOPE, "age")]
    assert kinds_of("`group[T.b]`") == [(1.0, AtomKind.REGRESSOR, "group[T.b]")]
    assert kinds_of("a[x]:b[y]") == [(1.0, AtomKind.CELL, "a[x]:b[y]")]


def test_cells_and_slopes() -> None:
    (_, cell), (_, slope) = read_hypothesis("a[x]:b[two words] + group['a]b']:age").terms
    assert cell.cell == (("a", "x"), ("b", "two words"))
    assert (slope.slope, slope.cell) == ("age", (("group", "a]b"),))
    assert read_hypothesis("`my group`[ x ]").terms[0][1].cell == (("my group", "x"),)


def test_arithmetic() -> None:
    assert kinds_of("-(a - 2*b)/4 + 0.5*(c - 3*c)") == [
        (-0.25, AtomKind.SLOPE, "a"),
        (0.5, AtomKind.SLOPE, "b"),
        (0.5, AtomKind.SLOPE, "c"),
        (-1.5, AtomKind.SLOPE, "c"),
    ]


def test_atoms_know_their_place() -> None:
    text = "2 * (group[patient] - group[control]) = 0"
    assert [text[a.start : a.end] for _, a in read_hypothesis(text).terms] == [
        "group[patient]",
        "group[control]",
    ]


BAD = [
    ("age*sex", "E112", "age*sex"),
    ("1/age", "E112", "age"),
    ("age - 1", "E113", "age - 1"),
    ("age = 1", "E113", "= 1"),
    ("a = b", "E113", "= b"),
    ("3", "E113", "3"),
    ("0", "E113", "0"),
    ("a/0", "E111", "0"),
    ("2 age", "E111", "age"),
    ("a +", "E111", "+"),
    ("(a", "E111", "("),
    ("a)", "E111", ")"),
    ("a[x", "E111", "[x"),
    ("a[]", "E111", "a[]"),
    ("a:b", "E111", "a:b"),
    ("a[x]:a[y]", "E111", "a[x]:a[y]"),
    ("mean:a[x]", "E111", "mean:a[x]"),
    ("a == 0", "E111", "=="),
    ("a @ b", "E111", "@"),
    ("`a", "E111", "`"),
    ("", "E111", ""),
    ("1e999*a", "E111", "1e999"),
    ("@pd.io.common.os.system('touch X')", "E111", "@"),
]


@pytest.mark.parametrize(("text", "code", "underlined"), BAD)
def test_each_mistake_has_its_code_and_place(text: str, code: str, underlined: str) -> None:
    problems = read_hypothesis(text).problems
    assert (code, underlined) in [(p.code, text[p.start : p.end]) for p in problems], problems


def test_depth_and_length_are_bounded() -> None:
    for text in ("(" * 900 + "a", "-" * 900 + "a", "a+" * 1200 + "a"):
        assert read_hypothesis(text).problems[0].code == "E111"


@settings(max_examples=300)
@given(st.text(alphabet="ab:[]()`'\"+-*/=. 12e@\n\0é", max_size=40))
def test_any_text_is_read_without_raising(text: str) -> None:
    for problem in read_hypothesis(text).problems:
        assert problem.code in CATALOGUE
        assert 0 <= problem.start <= problem.end <= len(text)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(-9, 9), st.sampled_from("xyz")), min_size=1, max_size=6))
def test_sums_mean_what_they_say(parts: list[tuple[int, str]]) -> None:
    terms = read_hypothesis(" + ".join(f"({n})*f[{level}]" for n, level in parts)).terms
    assert [(weight, atom.cell[0][1]) for weight, atom in terms] == [(float(n), level) for n, level in parts]
