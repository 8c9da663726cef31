"""Designs that voxelwise covariates take part in: at each location the design that a table would give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from specgl.design import (
    Categorical,
    Continuous,
    ContrastRequest,
    Design,
    Rows,
    build,
    describe_design,
    design_table,
    inflation,
    leverages,
    lint,
    variable_table,
)
from specgl.design.formula import materialise
from specgl.design.records import CategoricalColumn, Coding, ContinuousColumn, TypedColumn, Variable
from specgl.design.standins import multiplied, stand_in
from specgl.design.voxelwise import voxelwise_columns
from specgl.errors import DesignError, Finding

MakeRows = Callable[[Mapping[str, Sequence[object]]], Rows]
Columns = dict[str, list[object]]

N = 36
CODINGS: tuple[Coding, ...] = ("treatment", "sum", "helmert", "polynomial")
VOXELWISE = ("gm", "my map")
AS_VOXELWISE: Mapping[str, Sequence[str]] = {
    "gm": ("gm", "mean", "`gm`"),
    "0 + gm": ("gm", "`gm`"),
    "group + age + gm": ("gm", "mean", "age", "group[b] - group[a]"),
    "group*gm": ("gm", "group[c]:gm", "group[a]:gm - group[b]:gm", "mean", "group[b] - group[c]"),
    "group:gm + sex": ("gm", "group[b]:gm", "sex[M] - sex[F]"),
    "0 + group:gm": ("gm", "group[b]:gm"),
    "group/gm": ("gm", "group[b]:gm", "group[b]"),
    "group*sex*gm + age": ("gm", "group[b]:sex[M]:gm", "sex[M]:gm - sex[F]:gm", "sex[F]"),
    "gm*age + group": ("gm", "age", "mean", "`gm:age`"),
    "gm*`my map`": ("gm", "mean", "`gm:my map`"),
    "`my map`:age + gm + poly(age, 2)": ("gm", "mean", "`my map:age`"),
    "(group + gm + `my map`)**2": ("gm", "group[a]:gm", "group[c]", "`gm:my map`"),
}


def table_of(seed: int) -> Columns:
    """A table in which `gm` and `my map` are known, with means of 0 (pairs of opposite numbers)."""
    rng = np.random.default_rng(seed)
    columns: Columns = {
        "group": ["abc"[i % 3] for i in range(N)],
        "sex": ["FM"[(i // 3) % 2] for i in range(N)],
        "age": np.round(rng.normal(40, 9, N), 1).tolist(),
    }
    for name in VOXELWISE:
        half = np.round(rng.uniform(0.1, 2.0, N // 2), 3)
        columns[name] = rng.permutation(np.concatenate([half, -half])).tolist()
    return columns


def variables(coding: Coding = "treatment") -> dict[str, Variable]:
    return {"group": Categorical(coding=coding), "sex": Categorical(), "age": Continuous()}


KNOWN = {name: Continuous(center="none") for name in VOXELWISE}


def asked(*texts: str) -> list[ContrastRequest]:
    return [ContrastRequest(f"c{i}", ("contrasts", f"c{i}"), hypotheses=(t,)) for i, t in enumerate(texts)]


def made(
    rows: Rows, formula: str, *texts: str, coding: Coding = "treatment", block: str | None = None
) -> Design:
    return build(
        rows,
        variables=variables(coding),
        formula=formula,
        block=block,
        contrasts=asked(*texts),
        voxelwise=VOXELWISE,
    )


def refused(rows: Rows, formula: str, *texts: str, block: str | None = None) -> list[Finding]:
    with pytest.raises(DesignError) as caught:
        made(rows, formula, *texts, block=block)
    return list(caught.value.findings)


def at_a_place(design: Design, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """The design where the covariates have these values, column by column."""
    columns = []
    for j, regressor in enumerate(design.regressors):
        column = design.matrix[:, j].copy()
        for name in regressor.covariates:
            column = column * values[name]
        columns.append(column)
    return np.column_stack(columns)


@settings(max_examples=24, deadline=None)
@given(st.sampled_from(list(AS_VOXELWISE)), st.sampled_from(CODINGS), st.integers(0, 10_000))
def test_a_covariate_that_is_the_same_everywhere_could_stand_in_the_table(
    make_rows: MakeRows, formula: str, coding: Coding, seed: int
) -> None:
    columns = table_of(seed)
    rows, questions = make_rows(columns), AS_VOXELWISE[formula]
    ours = made(rows, formula, *questions, coding=coding)
    theirs = build(
        rows,
        variables=variables(coding) | KNOWN,
        formula=formula,
        block=None,
        contrasts=asked(*questions),
    )
    values = {name: np.array(columns[name], dtype=np.float64) for name in VOXELWISE}
    # Products of the same numbers in another order: the last bit.
    assert_allclose(at_a_place(ours, values), theirs.matrix, rtol=1e-13, atol=0)
    assert [(r.name, r.term, r.factors) for r in ours.regressors] == [
        (r.name, r.term, r.factors) for r in theirs.regressors
    ]
    assert (ours.rank, ours.dof) == (theirs.rank, theirs.dof)
    for mine, known in zip(ours.contrasts, theirs.contrasts, strict=True):
        # Their covariates' means are 0 up to rounding, and a slope is a difference of two predictions.
        assert_allclose(mine.weights, known.weights, rtol=0, atol=1e-12)


@settings(max_examples=9, deadline=None)
@given(st.sampled_from(["gm", "group*gm", "gm*`my map` + group"]), st.floats(-50, 50), st.integers(0, 1000))
def test_slopes_do_not_ask_where_the_covariate_lies(
    make_rows: MakeRows, formula: str, shift: float, seed: int
) -> None:
    columns = table_of(seed)
    columns["gm"] = [float(str(v)) + shift for v in columns["gm"]]
    rows = make_rows(columns)
    ours = made(rows, formula, "gm")
    theirs = build(
        rows,
        variables=variables() | KNOWN,
        formula=formula,
        block=None,
        contrasts=asked("gm"),
    )
    # The slope as a difference of predictions at values as large as the shift.
    assert_allclose(ours.contrasts[0].weights, theirs.contrasts[0].weights, rtol=0, atol=1e-10)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(list(AS_VOXELWISE)), st.randoms(use_true_random=False))
def test_relabelling_rows_changes_nothing(make_rows: MakeRows, formula: str, random: object) -> None:
    columns = table_of(3)
    rows = make_rows(columns)
    order = list(range(N))
    random.shuffle(order)  # type: ignore[attr-defined]
    table = rows.table
    moved = Rows(
        type(table)(table.path, table.name, table.frame.iloc[order], table.lines, table.columns),
        tuple(rows.kept[i] for i in order),
    )
    first = made(rows, formula, *AS_VOXELWISE[formula])
    second = made(moved, formula, *AS_VOXELWISE[formula])
    # The mean of age is summed in another order.
    assert_allclose(second.matrix, first.matrix[order], rtol=1e-12, atol=1e-12)
    assert_allclose(second.generic, first.generic[order], rtol=1e-12, atol=1e-12)
    assert (second.rank, second.dof) == (first.rank, first.dof)
    assert [f.code for f in lint(second)] == [f.code for f in lint(first)]
    for a, b in zip(first.contrasts, second.contrasts, strict=True):
        assert_allclose(a.weights, b.weights, rtol=0, atol=1e-12)


@pytest.mark.parametrize("formula", AS_VOXELWISE)
@pytest.mark.parametrize("coding", ["treatment", "polynomial", "cell_means"])
def test_what_columns_there_are_does_not_depend_on_the_numbers(formula: str, coding: Coding) -> None:
    ids = [f"s{i:02d}" for i in range(N)]
    rng = np.random.default_rng(1)
    table: dict[str, TypedColumn] = {
        "group": CategoricalColumn("group", np.arange(N) % 3, ("a", "b", "c"), coding),
        "sex": CategoricalColumn("sex", np.arange(N) // 3 % 2, ("F", "M")),
        "age": ContinuousColumn("age", rng.normal(size=N)),
    }
    ours = materialise(formula, table | voxelwise_columns(VOXELWISE, ids), N)
    known = {name: ContinuousColumn(name, stand_in(name, ids)) for name in VOXELWISE}
    theirs = materialise(formula, table | known, N)
    assert [r.name for r in ours.regressors] == [r.name for r in theirs.regressors]
    assert_allclose(ours.generic, theirs.matrix, rtol=1e-13, atol=0)


def test_a_design_of_the_table_alone_is_its_own_generic(make_rows: MakeRows) -> None:
    rows = make_rows(table_of(0))
    design = made(rows, "group*age", "age")
    assert design.generic is design.matrix
    assert (design.voxelwise, {r.covariates for r in design.regressors}) == ((), {()})
    assert "voxelwise" not in describe_design(design)
    assert all("covariates" not in told for told in describe_design(design)["regressors"].values())


def test_what_a_design_says_of_its_covariates(make_rows: MakeRows) -> None:
    design = made(make_rows(table_of(0)), "group + `my map`:gm + group:gm", "`group[b]:gm`")
    assert design.voxelwise == ("my map", "gm")  # as the formula names them
    assert {r.name: r.covariates for r in design.regressors} == {
        "Intercept": (),
        "group[T.b]": (),
        "group[T.c]": (),
        "my map:gm": ("my map", "gm"),
        "group[a]:gm": ("gm",),
        "group[b]:gm": ("gm",),
        "group[c]:gm": ("gm",),
    }


@settings(max_examples=20)
@given(st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=12, unique=True))
def test_stand_ins_are_irregular_and_belong_to_the_observation(ids: list[str]) -> None:
    numbers = stand_in("gm", ids)
    assert len(set(numbers.tolist())) == len(ids)
    assert ((np.abs(numbers) >= 0.5) & (np.abs(numbers) <= 1.5)).all()
    assert_array_equal(stand_in("gm", ids[::-1]), numbers[::-1])
    assert (stand_in("wm", ids) != numbers).all()


def test_columns_are_multiplied_by_each_covariate_that_has_part_in_them() -> None:
    matrix = np.array([[1.0, 2.0, 3.0], [1.0, 4.0, 5.0]])
    a, b = np.array([10.0, 100.0]), np.array([-1.0, 2.0])
    product = multiplied(matrix, [(), ("a",), ("a", "b")], {"a": a, "b": b})
    assert_array_equal(product, [[1.0, 20.0, -30.0], [1.0, 400.0, 1000.0]])
    assert_array_equal(matrix[:, 1], [2.0, 4.0])
    assert multiplied(matrix, [(), (), ()], {"a": a}) is matrix


def weights(rows: Rows, formula: str, text: str, coding: Coding = "treatment") -> dict[str, float]:
    design = made(rows, formula, text, coding=coding)
    row = design.contrasts[0].weights[0]
    return {r.name: float(w) for r, w in zip(design.regressors, row, strict=True) if w != 0.0}


@pytest.mark.parametrize(
    ("formula", "text", "expected"),
    [
        ("gm", "gm", {"gm": 1.0}),
        ("gm", "mean", {"Intercept": 1.0}),
        ("gm*`my map`", "gm", {"gm": 1.0}),  # at 0 of the other one
        ("group + gm", "group[b]", {"Intercept": 1.0, "group[T.b]": 1.0}),
        ("group*gm", "gm", {"gm": 1.0, "group[T.b]:gm": 1 / 3, "group[T.c]:gm": 1 / 3}),
        ("group*gm", "group[b]:gm", {"gm": 1.0, "group[T.b]:gm": 1.0}),
        ("group*gm", "group[b]:gm - group[a]:gm", {"group[T.b]:gm": 1.0}),
        ("gm*age", "age", {"age": 1.0}),  # at gm = 0
        ("gm*age", "gm", {"gm": 1.0}),  # age is centred
    ],
)
def test_slopes_and_means(make_rows: MakeRows, formula: str, text: str, expected: dict[str, float]) -> None:
    assert weights(make_rows(table_of(0)), formula, text) == pytest.approx(expected, abs=1e-15)


def test_a_term_is_all_its_regressors(make_rows: MakeRows) -> None:
    request = ContrastRequest("c", ("contrasts", "c", "term"), term="gm:group")
    design = build(
        make_rows(table_of(0)),
        variables=variables(),
        formula="group*gm",
        block=None,
        contrasts=[request],
        voxelwise=["gm"],
    )
    assert design.contrasts[0].words == ("`group[T.b]:gm`", "`group[T.c]:gm`")
    assert_array_equal(design.contrasts[0].weights, np.eye(6)[4:])


def test_the_intercept_is_told_from_the_mean_only_where_they_differ(make_rows: MakeRows) -> None:
    rows = make_rows(table_of(0))
    assert made(rows, "gm", "Intercept").findings == ()
    (finding,) = made(rows, "group + gm", "Intercept").findings
    assert finding.code == "W235"
    assert finding.message.endswith("but its value at group[a]")


@pytest.mark.parametrize("text", ["log(gm)", "poly(gm, 2)", "I(gm**2)", "scale(gm)", "C(gm)", "I(age*gm)"])
def test_a_function_of_a_voxelwise_covariate_is_refused_by_name(make_rows: MakeRows, text: str) -> None:
    formula = f"group + {text} + gm"
    (finding,) = refused(make_rows(table_of(0)), formula, "gm")
    assert (finding.code, finding.where) == ("E256", ("model", "formula"))
    assert finding.span is not None
    assert formula[slice(*finding.span)] == "gm"
    assert finding.message.startswith(text.partition("(")[0] + "()")


def test_names_that_mislead_are_refused(make_rows: MakeRows) -> None:
    rows = make_rows(table_of(0))
    with pytest.raises(DesignError) as caught:
        build(
            rows,
            variables=variables(),
            formula="age",
            block=None,
            contrasts=asked("age"),
            voxelwise=["gm", "age"],
        )
    assert [(f.code, f.where, f.on_key) for f in caught.value.findings] == [
        ("E256", ("data", "voxelwise", "age"), True)
    ]
    (finding,) = refused(rows, "gmm", "mean")
    assert (finding.code, finding.help) == ("E243", "did you mean 'gm'?")
    (finding,) = refused(rows, "group", "gm")
    assert (finding.code, finding.help) == ("E244", "add `gm` to the formula")
    (finding,) = refused(rows, "group + gm", "gm[a]")
    assert finding.code == "E244"
    (finding,) = refused(rows, "0 + gm", "mean")  # where gm is 0, so is all else
    assert finding.code == "E246"


def test_what_no_covariate_can_tell_apart_is_told(make_rows: MakeRows) -> None:
    columns = table_of(0)
    columns["site"] = ["xy"[g == "c"] for g in columns["group"]]
    declared = variables() | {"site": Categorical()}

    def codes(formula: str, *texts: str) -> list[tuple[str, str]]:
        with pytest.raises(DesignError) as caught:
            build(
                make_rows(columns),
                variables=declared,
                formula=formula,
                block=None,
                contrasts=asked(*texts),
                voxelwise=VOXELWISE,
            )
        return [(f.code, f.message) for f in caught.value.findings]

    (told,) = codes("group*gm + site:gm")
    assert told == ("E240", "design is rank deficient (rank 6 of 7): site[y]:gm = group[c]:gm")
    # One covariate's regressors are independent of the other's, though the table gives both the same factor.
    assert made(make_rows(columns), "group:gm + group:`my map`", "gm").rank == 7
    assert made(make_rows(columns), "gm + `my map` + gm:`my map`", "gm").rank == 4


def test_blocks_take_out_what_the_table_holds_constant_and_no_covariate(make_rows: MakeRows) -> None:
    rows = make_rows(table_of(0))
    design = made(rows, "group*gm", "gm", "group[b]:gm - group[a]:gm", block="group")
    assert (design.rank, design.dof) == (3 + 3, N - 6)
    assert [f.code for f in design.findings] == ["W236"]
    found = refused(rows, "group*gm", "group[b] - group[a]", block="group")
    assert [f.code for f in found] == ["W236", "E245"]


def test_variance_groups_count_a_covariate_s_degree_of_freedom(make_rows: MakeRows) -> None:
    columns = table_of(0)
    columns["team"] = ["one" if i < 3 else "many" for i in range(N)]
    arguments = {
        "variables": variables() | {"team": Categorical()},
        "block": None,
        "variance_groups": "team",
        "voxelwise": VOXELWISE,
    }
    formula = "team + team:gm"
    build(make_rows(columns), formula=formula, contrasts=asked("gm"), **arguments)  # type: ignore[arg-type]
    with pytest.raises(DesignError) as caught:
        build(
            make_rows(columns),
            formula=formula + " + team:`my map`",
            contrasts=asked("gm"),
            **arguments,  # type: ignore[arg-type]
        )
    assert [f.code for f in caught.value.findings] == ["E280"]


@pytest.mark.parametrize("block", [None, "sex"])
def test_lints_and_diagnostics_are_of_what_the_table_says(make_rows: MakeRows, block: str | None) -> None:
    columns = table_of(2)
    columns["age"] = [{"a": 70, "b": 30, "c": 50}[str(g)] + i / 9 for i, g in enumerate(columns["group"])]
    rows = make_rows(columns)
    plain = made(rows, "group + age", "group[b] - group[a]", block=block)
    ours = made(rows, "age + group*gm + `my map`", "group[b] - group[a]", "gm", block=block)
    assert inflation(ours) == pytest.approx(inflation(plain))
    assert_allclose(leverages(ours), leverages(plain), atol=1e-12)
    assert {f.message for f in lint(ours)} == {f.message for f in lint(plain)}
    assert {f.code for f in lint(ours)} >= {"W230", "W231"}
    told = describe_design(ours)["regressors"]
    assert told["gm"]["vif"] is None
    assert told["age"]["vif"] == pytest.approx(inflation(plain)["age"])


def test_a_design_of_voxelwise_covariates_alone(make_rows: MakeRows) -> None:
    design = made(make_rows(table_of(0)), "0 + gm", "gm")
    assert (design.rank, design.columns) == (1, {})
    assert inflation(design) == {}
    assert_array_equal(leverages(design), np.zeros(N))
    assert lint(design) == ()


def test_files_say_which_covariates_multiply_a_regressor(make_rows: MakeRows) -> None:
    design = made(make_rows(table_of(0)), "group*gm", "gm")
    told = describe_design(design)
    assert told["voxelwise"] == ["gm"]
    assert told["regressors"]["group[T.b]:gm"]["covariates"] == ["gm"]
    assert "covariates" not in told["regressors"]["group[T.b]"]
    assert list(told["variables"]) == ["group"]
    assert list(variable_table(design)) == ["group"]
    table = design_table(design)
    assert (table["gm"] == 1.0).all()
    assert_array_equal(table["group[T.b]:gm"], table["group[T.b]"])


def test_aliases_of_another_coding_are_told_in_levels(make_rows: MakeRows) -> None:
    columns = table_of(0)
    columns["site"] = ["xy"[g == "c"] for g in columns["group"]]
    with pytest.raises(DesignError) as caught:
        build(
            make_rows(columns),
            variables=variables("sum") | {"site": Categorical()},
            formula="group*gm + site:gm",
            block=None,
            contrasts=[],
            voxelwise=["gm"],
        )
    assert caught.value.findings[0].message.endswith("(rank 6 of 7): site[y]:gm = group[c]:gm")


def test_a_covariate_that_blocks_leave_no_room_for_is_no_level(make_rows: MakeRows) -> None:
    rows = make_rows({"pair": ["a", "a", "b", "b", "c", "c"]})
    with pytest.raises(DesignError) as caught:
        build(
            rows,
            variables={},
            formula="0 + gm + wm + csf + skull",
            block="pair",
            contrasts=[],
            voxelwise=["gm", "wm", "csf", "skull"],
        )
    assert [f.code for f in caught.value.findings] == ["W236", "E241"]
