"""The exploits of formulaic 1.2.2: each is refused at every wall, and nothing happens on disk.

Known since github.com/matthewwardrop/formulaic/issues/17: parsing, ``required_variables`` and building
evaluate Python with builtins, whatever the context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from formulaic import Formula, SimpleFormula
from formulaic.errors import FormulaicError
from formulaic.parser import DefaultFormulaParser
from formulaic.parser.types import Factor, Term

from specgl.design import Categorical, Continuous, ContrastRequest, Rows, build
from specgl.design.evaluate import Evaluator, Refused
from specgl.design.formula import FormulaRefused, GuardedParser, Materializer, materialise, parse
from specgl.design.records import ContinuousColumn, TypedColumn, Variable
from specgl.errors import DesignError
from specgl.grammar import Call, Name, read_formula

X: dict[str, TypedColumn] = {"x": ContinuousColumn("x", np.arange(8.0))}

EXPLOITS = [
    "{__import__('os').system('touch HIT')*x}",
    "{__import__('os').system('touch HIT')}*x",
    "{__import__('os').system('touch HIT')()} ~ x",
    "x ~ {__import__('os').system('touch HIT')()}",
    "{open('HIT', 'w')} + x",
    "{0*(np.savetxt('HIT', [1]) is None) + x}",
    "np.savetxt('HIT', [1]) + x",
    "I(np.savetxt('HIT', [1]) is None)",
    "I(__import__('os').system('touch HIT'))",
    "I(x.tofile('HIT'))",
    "I(open('HIT', 'w'))",
    "poly(x, __import__('os').system('touch HIT'))",
    "bs(x, df=[open('HIT', 'w') for _ in 'a'][0])",
    "C(x, contr.custom(open('HIT', 'w')))",
    "log(x)(open('HIT', 'w'))",
    "x[open('HIT', 'w')]",
    "I(x if open('HIT', 'w') else x)",
    "I((lambda: open('HIT', 'w'))())",
    'I(f\'{open("HIT", "w")}\')',
    "`x` + {open('HIT', 'w')}",
    "log(`x`) + I(`__import__('os').system('touch HIT')`)",
    "[x ~ open('HIT', 'w')] + x",
    "Q('x') + open('HIT', 'w')",
    "hashed(open('HIT', 'w'))",
]


@pytest.fixture
def nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    assert list(tmp_path.iterdir()) == []


def test_the_exploit_is_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Where formulaic mends this, the walls stay; this test then says that it did.
    monkeypatch.chdir(tmp_path)
    Formula("{__import__('os').system('touch HIT')()} ~ x")
    assert (tmp_path / "HIT").exists()


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("text", EXPLOITS)
def test_the_grammar_refuses(text: str) -> None:
    assert any(problem.code.startswith("E") for problem in read_formula(text).problems) or "`__" in text


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("text", EXPLOITS)
def test_build_refuses(text: str, make_rows: Callable[..., Rows]) -> None:
    rows = make_rows({"x": range(8)})
    with pytest.raises(DesignError):
        build(rows, variables={"x": Continuous()}, formula=text, block=None, contrasts=())


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("text", EXPLOITS)
def test_the_parser_and_materialiser_refuse_without_the_guard(text: str) -> None:
    with pytest.raises(FormulaRefused):
        materialise(text, X, 8)


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("text", EXPLOITS)
def test_formulaics_own_door_with_our_parser_refuses(text: str) -> None:
    parser = GuardedParser(feature_flags=DefaultFormulaParser.FeatureFlags.NONE)

    def go() -> None:
        formula = Formula(text, _parser=parser, _context={})
        Materializer(pd.DataFrame(index=range(8)), X).get_model_matrix(formula, na_action="raise")

    with pytest.raises((FormulaicError, FormulaRefused)):
        go()


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("text", EXPLOITS)
def test_the_materialiser_takes_no_text(text: str) -> None:
    with pytest.raises(TypeError, match="never a text"):
        Materializer(pd.DataFrame(index=range(8)), X).get_model_matrix(text)


CODE = [
    "__import__('os').system('touch HIT')",
    "open('HIT', 'w')",
    "np.savetxt('HIT', [1])",
    "I(x.tofile('HIT'))",
    "log(open('HIT', 'w'))",
    "x",
    "1 + 1",
]


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("code", CODE)
def test_the_materialiser_evaluates_no_python_even_when_nothing_was_parsed(code: str) -> None:
    formula = SimpleFormula([Term([Factor(code, eval_method="python")])])
    with pytest.raises(FormulaicError):
        Materializer(pd.DataFrame(index=range(8)), X).get_model_matrix(formula)


@pytest.mark.parametrize("name", ["np", "log", "poly", "C", "open", "__builtins__", "contr"])
def test_only_declared_columns_can_be_looked_up(name: str) -> None:
    formula = SimpleFormula([Term([Factor(name, eval_method="lookup")])])
    with pytest.raises(FormulaicError, match="not a declared variable"):
        Materializer(pd.DataFrame(index=range(8)), X).get_model_matrix(formula)


def test_functions_and_columns_of_one_name_are_not_confused() -> None:
    # formulaic looks the data up first, so that a column named log would hide the function.
    values = np.linspace(1.0, 2.0, 8)
    shadow: dict[str, TypedColumn] = {
        "log": ContinuousColumn("log", values),
        "C": ContinuousColumn("C", values**2),
    }
    model = materialise("0 + log + log(log) + I(C)", shadow, 8)
    np.testing.assert_allclose(model.matrix, np.column_stack([values, np.log(values), values**2]))


def test_a_column_that_the_spec_did_not_declare_cannot_be_reached(make_rows: Callable[..., Rows]) -> None:
    rows = make_rows({"x": range(8), "secret": range(8)})
    with pytest.raises(DesignError) as caught:
        build(rows, variables={"x": Continuous()}, formula="x + secret", block=None, contrasts=())
    assert [finding.code for finding in caught.value.findings] == ["E243"]


@pytest.mark.parametrize("name", ["__FORMULAIC_CONTEXT__", "__FORMULAIC_STATE__", "__class__"])
def test_names_that_formulaic_keeps_for_itself_are_only_names(name: str) -> None:
    columns: dict[str, TypedColumn] = {name: ContinuousColumn(name, np.arange(8.0))}
    np.testing.assert_array_equal(materialise(f"0 + I({name})", columns, 8).matrix[:, 0], np.arange(8.0))


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize(
    "text",
    [
        "@pd.io.common.os.system('touch HIT')",
        "x.values.tofile('HIT')",
        "__import__('os')",
        "`x`.tofile('HIT')",
    ],
)
def test_hypotheses_run_nothing(text: str, make_rows: Callable[..., Rows]) -> None:
    rows = make_rows({"x": [1, 2, 4, 8, 3, 9, 5, 7], "g": list("aabbaabb")})
    variables: dict[str, Variable] = {"x": Continuous(), "g": Categorical()}
    request = ContrastRequest("c", ("contrasts", "c"), hypotheses=(text,))
    with pytest.raises(DesignError):
        build(rows, variables=variables, formula="x + g", block=None, contrasts=[request])


def test_the_evaluator_refuses_unknown_names() -> None:
    with pytest.raises(Refused):
        Evaluator(X, {})(Call("log", Name("y")))


def test_towers_are_refused_before_formulaic_expands_them() -> None:
    with pytest.raises(FormulaRefused, match="1000 terms"):
        parse("((" + "+".join("abcdefghij") + ")**3)**3")
