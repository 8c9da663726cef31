"""The formula's grammar: what it accepts, what it refuses, and where it points."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.errors import CATALOGUE
from specgl.grammar import FUNCTIONS, read_call, read_formula

GOOD = [
    "1",
    "group + age",
    "0 + group",
    "- 1 + group",
    "group*age - group:age",
    "group/age + (a + b)**2",
    "poly(age, 2) + bs(fd, df=4) + cr(age, df=4, constraints='center')",
    "`mean fd` + log(`mean fd`)",
    "I(age**2) + I(-age/10 + 2*fd) + scale(age, scale=False) + center(age)",
    "log(abs(age) + 1e-3) + exp(age) + sqrt(age) + C(group)",
]


@pytest.mark.parametrize("text", GOOD)
def test_the_language_is_accepted(text: str) -> None:
    assert read_formula(text).problems == ()


# text, code, what is underlined, and a word of the help
BAD = [
    ("age^2", "E103", "^", "I(age**2)"),
    ("a + (1|subject)", "E103", "|", "model.block"),
    ("a %in% b", "E103", "%", None),
    ("a.b", "E103", ".", "backticks"),
    ("a[0]", "E103", "[0]", None),
    ("{x}", "E103", "{x}", "I("),
    ("{__import__('os').system('id')}*x", "E103", "{__import__('os').system('id')}", None),
    ("lambda x: x", "E103", "lambda", None),
    ("f'{x}'", "E103", "'{x}'", None),
    ("a = b", "E103", "=", None),
    ("2*a", "E103", "2", "I(...)"),
    ("(0 + a)", "E103", "0", None),
    ("a - 0", "E103", "0", "+ 1"),
    ("y ~ x", "E101", "~", "right side"),
    ("__import__('os').system('id')", "E102", "__import__", None),
    ("np.log(x)", "E102", "np.log", "log("),
    ("np.savetxt('x', [1])", "E102", "np.savetxt", None),
    ("poli(age, 2)", "E102", "poli", "poly"),
    ("(a + b)**4", "E104", "**4", None),
    ("poly(age, 7)", "E104", "7", None),
    ("bs(age, df=21)", "E104", "21", None),
    ("I(age**7)", "E104", "7", None),
    ("I(1e7*age)", "E104", "1e7", None),
    ("C(group, contr.sum)", "E105", "contr.sum", "variables"),
    ("C(a + b)", "E105", "a + b", None),
    ("log(age, 2)", "E105", "2", None),
    ("poly(age, degre=2)", "E105", "degre=2", "degree"),
    ("poly(age, n)", "E105", "n", None),
    ("log(poly(age, 2))", "E105", "poly(age, 2)", None),
    ("I(age if 1 else 2)", "E105", "age if 1 else 2", None),
    ("I([age for age in x])", "E105", "[age for age in x]", None),
    ("I(age.values)", "E105", "age.values", None),
    ("I(3)", "E105", "I(3)", None),
    ("cr(age)", "E105", "cr(age)", "df"),
    ("", "E100", "", "1"),
    ("0", "E100", "0", None),
    ("a +", "E100", "+", None),
    ("a + * b", "E100", "*", None),
    ("a b", "E100", "b", None),
    ("(a + b", "E100", "(", None),
    ("a)", "E100", ")", None),
    ("a**b", "E100", "**", None),
    ("poly (age, 2)", "E100", "poly ", "poly("),
    ("log(age", "E100", "(", None),
    ("`age", "E100", "`", None),
    ("age**2", "W210", "age**2", "poly(age, 2)"),
]


@pytest.mark.parametrize(("text", "code", "underlined", "help"), BAD)
def test_each_mistake_has_its_code_and_place(text: str, code: str, underlined: str, help: str | None) -> None:
    problems = read_formula(text).problems
    hits = [p for p in problems if p.code == code and text[p.start : p.end] == underlined]
    assert hits, problems
    assert help is None or help in (hits[0].help or "")


def test_all_problems_are_told_at_once() -> None:
    problems = read_formula("a^2 + np.log(b) + (1|s) + poly(c, 9)").problems
    assert [p.code for p in problems] == ["E103", "E102", "E103", "E104"]


def test_names_are_found_with_their_places_also_inside_functions() -> None:
    text = "group*`my age` + log(abs(fd) + `é x`)"
    reading = read_formula(text)
    assert [use.name for use in reading.names] == ["group", "my age", "fd", "é x"]
    assert [text[u.start : u.end] for u in reading.names] == ["group", "`my age`", "fd", "`é x`"]
    assert [use.name for use in reading.functions] == ["log", "abs"]
    assert reading.calls[0].call.function == "log"


def test_places_count_characters_and_not_bytes() -> None:
    text = "log(naïve) + exp(größe + xyz)"
    assert [text[u.start : u.end] for u in read_formula(text).names] == ["naïve", "größe", "xyz"]


@pytest.mark.parametrize(
    ("text", "intercept"),
    [
        ("a", True),
        ("0 + a", False),
        ("a - 1", False),
        ("a + 0 + 1", True),
        ("-1 + a", False),
        ("1 + a", True),
    ],
)
def test_intercept(text: str, intercept: bool) -> None:
    assert read_formula(text).has_intercept is intercept


@pytest.mark.parametrize("text", ["(" * 500 + "a" + ")" * 500, "log(" + "-" * 900 + "x)", "((a+b+c)**3)**3"])
def test_towers_are_refused_quickly(text: str) -> None:
    assert "E104" in {p.code for p in read_formula(text).problems}


def test_a_long_formula_is_refused() -> None:
    assert read_formula("a+" * 1001 + "a").problems[0].code == "E104"


@settings(max_examples=300)
@given(st.text(alphabet="ab1023 +-*/:()`'\"[]{}.,~|^=ñ\n\0logpoly_", max_size=40))
def test_any_text_is_read_without_raising(text: str) -> None:
    reading = read_formula(text)
    for problem in reading.problems:
        assert problem.code in CATALOGUE
        assert 0 <= problem.start <= problem.end <= len(text)


@settings(max_examples=100)
@given(st.text(max_size=30))
def test_any_call_is_read_without_raising(inside: str) -> None:
    reading = read_call(f"log({inside})")
    assert reading.call is None or reading.call.function in FUNCTIONS


names = st.sampled_from(["a", "b", "`c d`", "poly(e, 2)", "I(a**2 - 1)"])
formulas = st.recursive(
    names,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", "*", ":", "/", " - "]), inner).map("".join),
        inner.map(lambda text: f"({text})"),
    ),
    max_leaves=6,
)


@settings(max_examples=100)
@given(formulas)
def test_what_the_grammar_makes_is_accepted(text: str) -> None:
    errors = [p for p in read_formula(text).problems if p.code != "E104"]
    assert errors == []
