"""Hypotheses on means and slopes: the same under every coding, and what R's emmeans would give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.design import Categorical, Continuous, ContrastRequest, Design, Rows, build
from specgl.design.records import Alternative, Coding, Variable
from specgl.errors import DesignError, Finding

CODINGS: tuple[Coding, ...] = ("treatment", "sum", "helmert", "polynomial")
MakeRows = Callable[[Mapping[str, Sequence[object]]], Rows]


@pytest.fixture(scope="module")
def rows(make_rows: MakeRows) -> Rows:
    rng = np.random.default_rng(5)
    n = 48
    return make_rows(
        {
            "group": [["con", "pat", "rel"][i % 3] for i in range(n)],
            "sex": rng.permutation(["F", "M"] * 24).tolist(),
            "age": np.round(rng.normal(40, 9, n), 1).tolist(),
            "fd": np.round(rng.uniform(0.1, 0.9, n), 3).tolist(),
        }
    )


def asked(*texts: str, f: bool = False) -> ContrastRequest:
    return ContrastRequest("c", ("contrasts", "c", "hypothesis"), hypotheses=texts, is_f=f)


def made(rows: Rows, formula: str, *requests: ContrastRequest, **variables: Variable) -> Design:
    declared: dict[str, Variable] = {
        "group": Categorical(),
        "sex": Categorical(),
        "age": Continuous(),
        "fd": Continuous(center="none"),
        **variables,
    }
    return build(rows, variables=declared, formula=formula, block=None, contrasts=requests)


def weights(rows: Rows, formula: str, text: str, **variables: Variable) -> dict[str, float]:
    design = made(rows, formula, asked(text), **variables)
    row = design.contrasts[0].weights[0]
    return {r.name: float(w) for r, w in zip(design.regressors, row, strict=True) if w != 0.0}


def refused(rows: Rows, formula: str, *requests: ContrastRequest, **variables: Variable) -> list[Finding]:
    with pytest.raises(DesignError) as caught:
        made(rows, formula, *requests, **variables)
    return list(caught.value.findings)


def t_of(design: Design, y: np.ndarray) -> tuple[float, float]:
    c = design.contrasts[0].weights[0]
    beta, *_ = np.linalg.lstsq(design.matrix, y, rcond=None)
    rest = y - design.matrix @ beta
    variance = (
        float(rest @ rest) / design.dof * float(c @ np.linalg.pinv(design.matrix.T @ design.matrix) @ c)
    )
    return float(c @ beta), float(c @ beta) / np.sqrt(variance)


# Formula with an intercept, and the same model for cell means of `group`.
MODELS = [
    ("group + age", "0 + group + age"),
    ("group*age + sex", "0 + group + sex + group:age"),
    ("group*sex + fd", "0 + group + group:sex + fd"),
    ("group + poly(age, 2) + sex", "0 + group + poly(age, 2) + sex"),
    ("group*sex*age", "0 + group + group:sex + group:age + group:sex:age"),
]
QUESTIONS = [
    "group[pat] - group[con]",
    "mean",
    "group[rel]",
    "group[pat] - 0.5*(group[con] + group[rel])",
]


@settings(max_examples=40)
@given(
    st.sampled_from(MODELS),
    st.sampled_from([*QUESTIONS, "age", "age:group[pat]", "group[pat]:sex[M] - group[con]:sex[M]"]),
    st.sampled_from(CODINGS),
    st.sampled_from(CODINGS),
    st.integers(0, 1000),
)
def test_estimate_and_t_are_the_same_under_every_coding(
    rows: Rows, models: tuple[str, str], question: str, first: Coding, second: Coding, seed: int
) -> None:
    formula, cells = models
    if "age" in question and ("age" not in formula or "poly" in formula):
        question = "mean"
    if "sex" in question and "sex" not in formula:
        question = "group[pat] - group[con]"
    y = np.random.default_rng(seed).normal(size=48)
    reference = t_of(made(rows, formula, asked(question)), y)
    coded = made(
        rows, formula, asked(question), group=Categorical(coding=first), sex=Categorical(coding=second)
    )
    # Least squares in another basis of the same space: rounding only.
    np.testing.assert_allclose(t_of(coded, y), reference, rtol=1e-8, atol=1e-10)
    means = made(
        rows, cells, asked(question), group=Categorical(coding="cell_means"), sex=Categorical(coding=second)
    )
    np.testing.assert_allclose(t_of(means, y), reference, rtol=1e-8, atol=1e-10)


@settings(max_examples=25)
@given(st.permutations(["con", "pat", "rel"]), st.permutations(["F", "M"]), st.integers(0, 1000))
def test_the_order_of_levels_changes_nothing(
    rows: Rows, groups: list[str], sexes: list[str], seed: int
) -> None:
    y = np.random.default_rng(seed).normal(size=48)
    question = asked("group[pat]:sex[M] - group[con]")
    one = made(rows, "group*sex + age", question)
    other = made(
        rows,
        "group*sex + age",
        question,
        group=Categorical(levels=tuple(groups)),
        sex=Categorical(levels=tuple(sexes)),
    )
    np.testing.assert_allclose(t_of(other, y), t_of(one, y), rtol=1e-8, atol=1e-10)


def test_a_cell_of_a_saturated_model_is_its_sample_mean(rows: Rows) -> None:
    y = np.random.default_rng(0).normal(size=48)
    design = made(rows, "group*sex", asked("group[pat]:sex[M]"))
    frame = rows.table.frame
    here = ((frame["group"] == "pat") & (frame["sex"] == "M")).to_numpy()
    assert t_of(design, y)[0] == pytest.approx(y[here].mean(), rel=1e-12)


def test_means_average_other_factors_equally_and_covariates_at_their_means(rows: Rows) -> None:
    fd = float(rows.table.frame["fd"].astype(float).mean())
    found = weights(rows, "group + sex + age + fd", "group[pat]")
    assert found == pytest.approx({"Intercept": 1.0, "group[T.pat]": 1.0, "sex[T.M]": 0.5, "fd": fd})
    assert weights(rows, "group*sex", "mean") == pytest.approx(
        {
            "Intercept": 1.0,
            "group[T.pat]": 1 / 3,
            "group[T.rel]": 1 / 3,
            "sex[T.M]": 1 / 2,
            "group[T.pat]:sex[T.M]": 1 / 6,
            "group[T.rel]:sex[T.M]": 1 / 6,
        }
    )


def test_slopes(rows: Rows) -> None:
    fd = float(rows.table.frame["fd"].astype(float).mean())
    assert weights(rows, "group*age", "age:group[pat]") == {"age": 1.0, "group[T.pat]:age": 1.0}
    assert weights(rows, "group*age", "age") == pytest.approx(
        {"age": 1.0, "group[T.pat]:age": 1 / 3, "group[T.rel]:age": 1 / 3}
    )
    assert weights(rows, "age*fd", "age") == pytest.approx({"age": 1.0, "age:fd": fd})
    assert weights(rows, "I(fd/10) + scale(age)", "fd") == pytest.approx({"I(fd / 10)": 0.1})
    assert weights(rows, "group/age", "group[pat]:age") == {"group[pat]:age": 1.0}


def test_a_slope_is_that_of_the_scaled_column(rows: Rows) -> None:
    assert weights(rows, "age", "age", age=Continuous(scale="sd")) == {"age": 1.0}


def test_functions_are_asked_with_what_they_learned(rows: Rows) -> None:
    # poly(age, 2) at the mean age, and not of one value.
    design = made(rows, "poly(age, 2) + sex", asked("mean"))
    age = rows.table.frame["age"].astype(float).to_numpy()
    quadratic = np.polynomial.Polynomial.fit(age, design.matrix[:, 2], 2)
    assert design.contrasts[0].weights[0][2] == pytest.approx(float(quadratic(age.mean())), abs=1e-10)


@pytest.mark.parametrize(
    "formula",
    [
        "poly(age, 2)",
        "bs(age, df=4)",
        "cr(age, df=4, constraints='center')",
        "I(age**2)",
        "age*I(age)",
        "abs(age)",
    ],
)
def test_what_the_formula_bends_has_no_slope(rows: Rows, formula: str) -> None:
    (finding,) = (f for f in refused(rows, formula, asked("2 * age")) if f.code == "E249")
    assert finding.span == (4, 7)
    assert "term" in (finding.help or "")


def test_a_function_that_is_straight_over_the_data_has_a_slope(rows: Rows) -> None:
    assert weights(rows, "abs(fd)", "fd") == pytest.approx({"abs(fd)": 1.0})


def test_intercept_and_its_warning(rows: Rows) -> None:
    design = made(rows, "group + fd", asked("Intercept"))
    assert weights(rows, "group", "Intercept") == {"Intercept": 1.0}
    (warning,) = design.findings
    assert warning.code == "W235"
    assert "group[con], fd = 0" in warning.message
    summed = made(rows, "group + age", asked("Intercept"), group=Categorical(coding="sum"))
    assert summed.findings == ()
    assert {f.code for f in refused(rows, "0 + group", asked("Intercept"))} == {"E244"}


def test_regressors_by_their_own_names(rows: Rows) -> None:
    assert weights(rows, "group", "`group[T.pat]` - 2*`group[T.rel]`") == {
        "group[T.pat]": 1.0,
        "group[T.rel]": -2.0,
    }
    (finding,) = refused(rows, "group", asked("`group[pat]`"))
    assert (finding.code, finding.help) == ("E244", "did you mean 'group[T.pat]'?")


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("grup[pat]", "'grup' is not in the formula", "'group'"),
        ("sex[M]", "`sex` is not in the formula", "add"),
        ("group[patt]", "'patt' is not a level of `group`", "'pat'"),
        ("group[xyz]", "'xyz' is not a level of `group`", "levels"),
        ("age[1]", "`age` is continuous and has no levels", "slope"),
        ("group", "`group` is categorical and has no slope", "group["),
    ],
)
def test_names_that_the_model_has_not(rows: Rows, text: str, message: str, help: str) -> None:
    (finding,) = refused(rows, "group + age", asked(text))
    assert (finding.code, finding.message) == ("E244", message)
    assert finding.where == ("contrasts", "c", "hypothesis")
    assert finding.span == (0, len(text))
    assert help in (finding.help or "")


def test_a_contrast_that_tests_nothing(rows: Rows) -> None:
    for text in (
        "group[pat] - group[pat]",
        "0*age",
        "group[pat]:sex[M] - group[pat]:sex[F] - sex[M] + sex[F]",
    ):
        (finding,) = refused(rows, "group + sex + age", asked(text))
        assert finding.code == "E246"


def test_several_rows_make_an_f_and_findings_say_which_row(rows: Rows) -> None:
    design = made(rows, "group + age + fd", asked("age", "fd", "age + fd"))
    contrast = design.contrasts[0]
    assert (contrast.kind, contrast.weights.shape, contrast.words) == ("F", (3, 5), ("age", "fd", "age + fd"))
    assert made(rows, "group + age", asked("age", f=True)).contrasts[0].kind == "F"
    assert made(rows, "group + age", asked("age")).contrasts[0].kind == "t"
    findings = refused(rows, "group + age", asked("age", "ag", "age*"))
    assert [f.where[-1] for f in findings] == [1, 2]


def test_weights_by_regressor(rows: Rows) -> None:
    def given_(*rows_: Mapping[str, float]) -> ContrastRequest:
        return ContrastRequest("w", ("contrasts", "w", "weights"), weights=rows_, is_f=len(rows_) > 1)

    design = made(rows, "group + age", given_({"group[T.pat]": 1, "age": -2.5}))
    assert design.contrasts[0].weights.tolist() == [[0.0, 1.0, 0.0, -2.5]]
    assert design.contrasts[0].words == ("group[T.pat] - 2.5*age",)
    (finding,) = refused(rows, "group + age", given_({"age": 1}, {"group[pat]": 1}))
    assert (finding.code, finding.where, finding.on_key) == (
        "E247",
        ("contrasts", "w", "weights", 1, "group[pat]"),
        True,
    )
    assert finding.help == "did you mean 'group[T.pat]'?"
    assert refused(rows, "age", given_({"age": float("nan")}))[0].code == "E247"
    assert refused(rows, "age", given_({"age": 0.0}))[0].code == "E246"


@pytest.mark.parametrize(
    ("formula", "term", "regressors"),
    [
        ("group*sex", "group", ["group[T.pat]", "group[T.rel]"]),
        ("group*sex", "sex:group", ["group[T.pat]:sex[T.M]", "group[T.rel]:sex[T.M]"]),
        ("poly(age,2)", "poly( age, 2 )", ["poly(age, 2)[1]", "poly(age, 2)[2]"]),
        ("age", "Intercept", ["Intercept"]),
    ],
)
def test_terms(rows: Rows, formula: str, term: str, regressors: list[str]) -> None:
    design = made(rows, formula, ContrastRequest("t", ("contrasts", "t", "term"), term=term))
    names = [r.name for r in design.regressors]
    contrast = design.contrasts[0]
    assert contrast.kind == "F"
    assert [names[int(np.flatnonzero(row)[0])] for row in contrast.weights] == regressors
    assert (np.abs(contrast.weights).sum(axis=1) == 1.0).all()


def test_a_term_that_is_not_there(rows: Rows) -> None:
    (finding,) = refused(rows, "group + age", ContrastRequest("t", ("contrasts", "t", "term"), term="grup"))
    assert (finding.code, finding.help) == ("E248", "did you mean 'group'?")


@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_an_f_has_no_direction(rows: Rows, alternative: Alternative) -> None:
    request = ContrastRequest("f", ("contrasts", "f", "term"), alternative, term="age")
    assert [f.code for f in refused(rows, "age", request)] == ["E251"]
    one = ContrastRequest("t", ("contrasts", "t"), alternative, hypotheses=("age",))
    assert made(rows, "age", one).contrasts[0].alternative == alternative
