"""The restricted materialiser: the same matrix as formulaic's, and its private hooks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from formulaic import Formula, model_matrix
from formulaic.materializers import PandasMaterializer
from formulaic.parser import DefaultFormulaParser
from formulaic.utils.layered_mapping import LayeredMapping

from specgl.design.evaluate import IMPLEMENTED
from specgl.design.formula import (
    FormulaRefused,
    GuardedParser,
    Materializer,
    TooManyColumns,
    materialise,
    parse,
    plain,
)
from specgl.design.records import CategoricalColumn, ContinuousColumn, TypedColumn
from specgl.grammar import FUNCTIONS

N = 30
GROUPS, SEXES = ("a", "b", "c"), ("F", "M")


@pytest.fixture(scope="module")
def columns() -> dict[str, TypedColumn]:
    rng = np.random.default_rng(11)
    return {
        "group": CategoricalColumn("group", rng.integers(0, 3, N), GROUPS),
        "sex": CategoricalColumn("sex", rng.integers(0, 2, N), SEXES),
        "age": ContinuousColumn("age", rng.normal(size=N)),
        "mean fd": ContinuousColumn("mean fd", rng.uniform(0.1, 1.0, N)),
    }


@pytest.fixture(scope="module")
def frame(columns: dict[str, TypedColumn]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: pd.Categorical.from_codes(c.codes, list(c.levels))
            if isinstance(c, CategoricalColumn)
            else c.values
            for name, c in columns.items()
        }
    )


FORMULAS = [
    "1",
    "group*sex + age",
    "0 + group + sex",
    "group/age",
    "(group + sex + age)**2 - group:sex",
    "poly(age, 2):group + sex",
    "poly(age, degree=3, raw=True)",
    "bs(`mean fd`, df=4) + group",
    "cr(age, df=4, constraints='center')",
    "scale(age) + center(`mean fd`) + scale(age, scale=False)",
    "log(`mean fd`) + I(age**2 - 2*age) + I(-age/3)",
    "-1 + `mean fd`",
    "C(group) + age:C(group)",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_the_matrix_is_formulaics_own(
    text: str, columns: dict[str, TypedColumn], frame: pd.DataFrame
) -> None:
    model = materialise(text, columns, N)
    theirs = model_matrix(text, frame, na_action="raise")
    assert [r.name for r in model.regressors] == list(theirs.columns)
    np.testing.assert_allclose(model.matrix, theirs.to_numpy(dtype=float), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("text", FORMULAS)
def test_the_model_remembers_what_it_learned(text: str, columns: dict[str, TypedColumn]) -> None:
    model = materialise(text, columns, N)
    some: dict[str, TypedColumn] = {}
    for name, c in columns.items():
        some[name] = (
            CategoricalColumn(name, c.codes[:4], c.levels)
            if isinstance(c, CategoricalColumn)
            else ContinuousColumn(name, c.values[:4])
        )
    np.testing.assert_allclose(model.at(some, 4), model.matrix[:4], rtol=1e-12, atol=1e-14)


def test_regressors_know_their_term_and_levels(columns: dict[str, TypedColumn]) -> None:
    by_name = {r.name: r for r in materialise("group*sex + age + poly(age, 2)", columns, N).regressors}
    assert by_name["Intercept"].term == "Intercept"
    crossed = by_name["group[T.b]:sex[T.M]"]
    assert (crossed.term, crossed.factors) == ("group:sex", (("group", "b"), ("sex", "M")))
    assert crossed.codings == (("group", "treatment"), ("sex", "treatment"))
    assert by_name["poly(age, 2)[2]"].factors == (("age", None),)


def test_every_function_of_the_grammar_is_implemented() -> None:
    assert IMPLEMENTED == FUNCTIONS


def test_backticks_that_are_not_needed_do_no_harm(columns: dict[str, TypedColumn]) -> None:
    # formulaic 1.2.2 writes quoted names back by plain replacement: abs(`a`) would become `a`bs(`a`).
    renamed = {"a": ContinuousColumn("a", np.arange(5.0))}
    assert [r.name for r in materialise("0 + abs(`a`)", renamed, 5).regressors] == ["abs(a)"]


def test_every_function_without_a_value_is_told(columns: dict[str, TypedColumn]) -> None:
    with pytest.raises(FormulaRefused) as caught:
        materialise("log(age) + sqrt(age) + bs(age, df=2)", columns, N)
    assert {reason.factor for reason in caught.value.reasons} == {"log(age)", "sqrt(age)", "bs(age, df=2)"}
    bad = next(reason for reason in caught.value.reasons if reason.factor == "log(age)")
    age = columns["age"]
    assert isinstance(age, ContinuousColumn)
    assert bad.rows == tuple(np.flatnonzero(age.values <= 0))


def test_a_polynomial_past_the_data_is_refused_and_drops_no_row() -> None:
    # formulaic's default would drop every row where this gives NaN, and return an empty matrix.
    few: dict[str, TypedColumn] = {"x": ContinuousColumn("x", np.repeat([0.0, 1.0], 5))}
    with pytest.raises(FormulaRefused, match="finite"):
        materialise("poly(x, 6)", few, 10)


def test_the_number_of_regressors_is_bounded_before_they_are_made() -> None:
    many: dict[str, TypedColumn] = {
        name: CategoricalColumn(name, np.arange(100) % 100, tuple(f"l{i}" for i in range(100)))
        for name in "abc"
    }
    with pytest.raises(TooManyColumns):
        materialise("a*b*c", many, 100)


def test_messages_hold_no_terminal_marks() -> None:
    assert plain(ValueError("a ⧛\x1b[1;31mb\x1b[0m⧚ c\nd")) == "a b c"


# Contract with formulaic's private hooks: what a new version must still have.


def test_formulaic_still_takes_a_parser_and_a_context() -> None:
    parser = GuardedParser(feature_flags=DefaultFormulaParser.FeatureFlags.NONE)
    assert DefaultFormulaParser(feature_flags=set()).feature_flags == parser.feature_flags
    formula = Formula("a + b", _parser=parser, _context={})
    assert [str(term) for term in formula] == ["1", "a", "b"]


def test_formulaic_still_asks_the_layered_context_and_our_methods() -> None:
    assert {"_lookup", "_evaluate", "_encode_evaled_factor"} <= set(dir(PandasMaterializer))
    theirs = PandasMaterializer(pd.DataFrame({"a": [1.0]}))
    assert isinstance(theirs.layered_context, LayeredMapping)
    assert "np" in theirs.layered_context
    ours = Materializer(pd.DataFrame(index=range(1)), {"a": ContinuousColumn("a", np.ones(1))})
    assert set(ours.layered_context) == {"a"} | FUNCTIONS


def test_the_materialiser_is_never_chosen_for_others() -> None:
    meta = type(PandasMaterializer)
    assert Materializer not in meta.REGISTERED_NAMES.values()
    assert all(Materializer not in chosen for chosen in meta.REGISTERED_INPUTS.values())
    assert parse("a").ordering is not None
