"""Rows, formula and contrasts to a design: rank, blocks, estimability, and all findings at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from specgl.design import (
    Categorical,
    Continuous,
    ContrastRequest,
    Design,
    Rows,
    build,
    read_table,
    select_rows,
    within_blocks,
)
from specgl.design.records import Coding, Variable
from specgl.errors import DesignError, Finding

MakeRows = Callable[[Mapping[str, Sequence[object]]], Rows]
N = 40


def hypothesis_of(text: str, name: str = "c") -> ContrastRequest:
    return ContrastRequest(name, ("contrasts", name), hypotheses=(text,))


def designed(
    rows: Rows, formula: str, *texts: str, block: str | None = None, **variables: Variable
) -> Design:
    requests = [hypothesis_of(text, f"c{i}") for i, text in enumerate(texts)]
    return build(rows, variables=variables, formula=formula, block=block, contrasts=requests)


def faults(
    rows: Rows, formula: str, *texts: str, block: str | None = None, **variables: Variable
) -> list[Finding]:
    with pytest.raises(DesignError) as caught:
        designed(rows, formula, *texts, block=block, **variables)
    return list(caught.value.findings)


def codes_of(findings: Sequence[Finding]) -> list[str]:
    return [finding.code for finding in findings]


@pytest.fixture(scope="module")
def people(make_rows: MakeRows) -> Rows:
    """Patients were scanned at site C, controls at A and B; age in years and in months."""
    rng = np.random.default_rng(2)
    group = ["patient" if i % 2 else "control" for i in range(N)]
    age = np.round(rng.normal(40, 10, N), 1)
    return make_rows(
        {
            "group": group,
            "site": ["C" if g == "patient" else "AB"[i % 4 // 2] for i, g in enumerate(group)],
            "centre": [("X" if i % 4 == 1 else "Y") if g == "patient" else "Z" for i, g in enumerate(group)],
            "age": age.tolist(),
            "months": (age * 12).tolist(),
            "sex": rng.permutation(["F", "M"] * (N // 2)).tolist(),
        }
    )


@pytest.fixture(scope="module")
def pairs(make_rows: MakeRows) -> Rows:
    """Twenty people of two groups, before and after."""
    rng = np.random.default_rng(3)
    group = np.repeat(rng.permutation(["control", "patient"] * 10), 2)
    session = np.tile([1, 2], 20)
    return make_rows(
        {
            "person": np.repeat([f"p{i:02d}" for i in range(20)], 2).tolist(),
            "time": ["pre", "post"] * 20,
            "group": group.tolist(),
            "fd": np.round(rng.uniform(0.1, 1.0, 40), 3).tolist(),
            "session": session.tolist(),
            "age": (np.repeat(np.round(rng.normal(40, 9, 20), 1), 2) + session).tolist(),
        }
    )


TIME = Categorical(levels=("pre", "post"))


def test_a_design(people: Rows) -> None:
    design = designed(
        people, "group + age", "group[patient] - group[control]", group=Categorical(), age=Continuous()
    )
    assert [r.name for r in design.regressors] == ["Intercept", "group[T.patient]", "age"]
    assert design.observations == people.kept
    assert (design.rank, design.dof, design.block) == (3, 37, None)
    assert design.contrasts[0].weights.tolist() == [[0.0, 1.0, 0.0]]
    assert set(design.columns) == {"group", "age"}
    assert design.matrix.dtype == np.float64
    assert not design.matrix.flags.writeable
    assert not design.contrasts[0].weights.flags.writeable
    assert design.findings == ()


def test_a_mean_alone(people: Rows) -> None:
    design = designed(people, "1", "mean", "Intercept")
    assert [c.weights.tolist() for c in design.contrasts] == [[[1.0]], [[1.0]]]
    assert (design.rank, design.dof, design.findings) == (1, N - 1, ())


def test_a_design_without_contrasts(people: Rows) -> None:
    assert designed(people, "age", age=Continuous()).contrasts == ()


# Rank


@pytest.mark.parametrize("coding", ["treatment", "sum", "helmert", "polynomial"])
def test_an_alias_is_named_in_levels_whatever_the_coding(people: Rows, coding: Coding) -> None:
    findings = faults(
        people,
        "group + site + age",
        "group[patient] - group[control]",
        "age",
        group=Categorical(coding=coding),
        site=Categorical(coding=coding),
        age=Continuous(),
    )
    assert codes_of(findings) == ["E240", "E245"]
    assert findings[0].message == "design is rank deficient (rank 4 of 5): site[C] = group[patient]"
    assert findings[0].notes == ("the same 20 observations have both, and no other has either",)
    assert findings[0].where == ("model", "formula")
    assert findings[1].where == ("contrasts", "c0")
    assert findings[1].notes == ("the design cannot tell these apart: site[C] = group[patient]",)


def test_each_lost_rank_is_named(people: Rows) -> None:
    findings = faults(
        people,
        "group + centre + age + months",
        group=Categorical(),
        centre=Categorical(levels=("Z", "X", "Y")),
        age=Continuous(),
        months=Continuous(),
    )
    assert [f.message.split(": ", 1)[1] for f in findings] == [
        "centre[Y] + centre[X] = group[patient]",
        "months = 12*age",
    ]


def test_an_empty_cell_is_named(make_rows: MakeRows) -> None:
    cells = ["aF", "aM", "bF", "cF", "cM"] * 4
    rows = make_rows({"g": [cell[0] for cell in cells], "sex": [cell[1] for cell in cells]})
    (finding,) = faults(rows, "g*sex", g=Categorical(), sex=Categorical())
    assert finding.message == "design is rank deficient (rank 5 of 6): g[b]:sex[M] = 0"
    assert finding.notes == ("no observation has g[b]:sex[M]",)


def test_cell_means_want_no_intercept(people: Rows) -> None:
    (finding,) = faults(people, "group + age", group=Categorical(coding="cell_means"), age=Continuous())
    assert finding.message.endswith("group[patient] + group[control] = Intercept")
    assert "write 0 + group + age" in (finding.help or "")
    design = designed(people, "0 + group + age", group=Categorical(coding="cell_means"), age=Continuous())
    assert design.rank == 3


def test_saturated_and_crowded_designs(make_rows: MakeRows) -> None:
    few = make_rows({"g": list("aab"), "x": [1.0, 2.0, 4.0], "y": [1.0, 3.0, 2.5]})
    full = faults(few, "g + x", "mean", g=Categorical(), x=Continuous())
    assert codes_of(full) == ["E241"]
    assert "3 observations, rank 3" in full[0].message
    crowded = faults(few, "g + x + y", g=Categorical(), x=Continuous(), y=Continuous())
    assert codes_of(crowded) == ["E252"]


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(["g + x", "g*x", "0 + g", "g + x + y", "g*h"]))
def test_dof_is_n_minus_the_rank_of_regressors_and_blocks(
    make_rows: MakeRows, seed: int, formula: str
) -> None:
    rng = np.random.default_rng(seed)
    n = 24
    rows = make_rows(
        {
            "g": rng.permutation(["a", "b", "c"] * 8).tolist(),
            "h": rng.permutation(["u", "v"] * 12).tolist(),
            "x": rng.normal(size=n).tolist(),
            "y": rng.normal(size=n).tolist(),
            "b": rng.permutation(np.repeat([f"b{i}" for i in range(6)], 4)).tolist(),
        }
    )
    cells = rows.table.frame[["g", "h"]].drop_duplicates()
    assume(len(cells) == 6)  # an empty cell leaves `g*h` without one of its regressors, which is refused
    declared: dict[str, Variable] = {
        "g": Categorical(),
        "h": Categorical(),
        "x": Continuous(),
        "y": Continuous(),
    }
    design = designed(rows, formula, block="b", **declared)
    assert design.block is not None
    dummies = np.eye(6)[design.block.codes]
    expected = np.linalg.matrix_rank(np.hstack([design.matrix, dummies]))
    assert (design.rank, design.dof) == (expected, n - expected)


# Blocks


def test_a_paired_design_is_the_paired_t_test(pairs: Rows) -> None:
    design = designed(pairs, "time", "time[post] - time[pre]", block="person", time=TIME)
    assert design.block is not None
    assert (design.rank, design.dof, len(design.block.labels)) == (21, 19, 20)
    assert design.findings == ()
    y = np.random.default_rng(0).normal(size=40)
    inside = within_blocks(np.column_stack([design.matrix, y]), design.block.codes)
    x, rest = inside[:, 1], inside[:, -1]
    slope = x @ rest / (x @ x)
    variance = ((rest - slope * x) ** 2).sum() / design.dof / (x @ x)
    difference = y[1::2] - y[::2]
    t = difference.mean() / (difference.std(ddof=1) / np.sqrt(20))
    assert slope / np.sqrt(variance) == pytest.approx(t, rel=1e-12)


def test_between_block_effects_are_lost_and_their_interactions_are_not(pairs: Rows) -> None:
    change = "time[post]:group[{0}] - time[pre]:group[{0}]"
    interaction = f"{change.format('patient')} - ({change.format('control')})"
    design = designed(
        pairs,
        "group*time",
        "time[post] - time[pre]",
        interaction,
        block="person",
        group=Categorical(),
        time=TIME,
    )
    assert codes_of(design.findings) == ["W236"]
    assert "`group` does not vary within the blocks of `person`" in design.findings[0].message
    assert design.dof == 40 - 20 - 2
    findings = faults(
        pairs,
        "group*time",
        "group[patient] - group[control]",
        "time[post]",
        block="person",
        group=Categorical(),
        time=TIME,
    )
    assert codes_of(findings) == ["W236", "E245", "E245"]
    assert findings[1].notes == ("`group` does not vary within the blocks of `person`",)
    assert "differences between levels are" in findings[2].notes[0]


@pytest.mark.parametrize(
    ("formula", "coding"),
    [
        ("time", "treatment"),
        ("time", "sum"),
        ("0 + time", "treatment"),
        ("0 + time", "sum"),
        ("0 + time", "cell_means"),
    ],
)
def test_levels_are_not_estimable_within_blocks_and_differences_are(
    pairs: Rows, formula: str, coding: Coding
) -> None:
    time = Categorical(levels=("pre", "post"), coding=coding)
    design = designed(pairs, formula, "time[post] - time[pre]", block="person", time=time)
    assert (design.rank, design.findings) == (21, ())
    for text in ("time[post]", "mean"):
        (finding,) = faults(pairs, formula, text, block="person", time=time)
        assert finding.code == "E245"
        assert "a level's mean is not estimable" in finding.notes[0]


def test_what_blocks_make_equal_is_named(pairs: Rows) -> None:
    declared: dict[str, Variable] = {"age": Continuous(), "session": Continuous()}
    findings = faults(pairs, "age + session", "age", block="person", **declared)
    assert codes_of(findings) == ["W236", "E245"]
    assert "`session - age` does not vary" in findings[0].message
    assert designed(pairs, "age + session", "age + session", block="person", **declared).rank == 21


def test_nothing_varies_within_blocks(pairs: Rows) -> None:
    findings = faults(pairs, "group", "mean", block="person", group=Categorical())
    assert codes_of(findings) == ["E242"]
    assert findings[0].where == ("model", "block")


# All at once


def test_all_findings_at_once(people: Rows) -> None:
    findings = faults(
        people,
        "group + site + age**2",
        "group[patient",
        "agee",
        "group[pat] - group[control]",
        "group[patient] - group[patient]",
        group=Categorical(),
        site=Categorical(),
        age=Continuous(),
    )
    assert sorted(codes_of(findings)) == ["E111", "E240", "E244", "E244", "E246", "W210"]


def test_faults_of_the_formula_come_with_those_of_the_hypotheses(people: Rows) -> None:
    findings = faults(
        people, "group + agee + C(age) + poly(group, 2)", "age +", group=Categorical(), age=Continuous()
    )
    assert codes_of(findings) == ["E243", "E250", "E250", "E111"]
    assert (findings[0].span, findings[0].help) == ((8, 12), "did you mean 'age'?")


def test_a_function_without_a_value_says_where_and_why(people: Rows) -> None:
    (finding,) = faults(people, "group + log(age)", group=Categorical(), age=Continuous())
    assert (finding.code, finding.span) == ("E253", (8, 16))
    assert "declare `center: none`" in (finding.help or "")
    assert finding.notes[0].startswith("such as s0")
    assert designed(people, "group + log(age)", group=Categorical(), age=Continuous(center="none")).rank == 3


@pytest.mark.parametrize("name", ["mean", "Intercept"])
def test_names_that_hypotheses_keep_for_themselves(make_rows: MakeRows, name: str) -> None:
    rows = make_rows({name: [1.0, 2.0, 4.0]})
    assert codes_of(faults(rows, f"0 + {name}", **{name: Continuous()})) == ["E254"]


def test_rows_in_another_order_give_the_same_design_in_that_order(make_rows: MakeRows, people: Rows) -> None:
    order = np.random.default_rng(9).permutation(N)
    frame = people.table.frame.iloc[order]
    shuffled = make_rows({name: frame[name].tolist() for name in frame.columns})
    declared: dict[str, Variable] = {
        "group": Categorical(),
        "age": Continuous(scale="sd"),
        "sex": Categorical(),
    }
    formula = "group*sex + bs(age, df=4)"
    one, other = (
        designed(people, formula, "mean", **declared),
        designed(shuffled, formula, "mean", **declared),
    )
    # Means and quantiles of the same numbers in another order differ in their last bits.
    np.testing.assert_allclose(other.matrix, one.matrix[order], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(other.contrasts[0].weights, one.contrasts[0].weights, rtol=1e-9, atol=1e-12)


def test_from_a_file_to_a_design(tmp_path: Path) -> None:
    path = tmp_path / "participants.tsv"
    lines = ["participant_id\tgroup\tage", *(f"sub-{i:02d}\t{'ab'[i % 2]}\t{20 + i * i}" for i in range(10))]
    path.write_text("\n".join([*lines, "sub-10\ta\tn/a"]) + "\n")
    declared: dict[str, Variable] = {"group": Categorical(), "age": Continuous()}
    table = read_table(path, id_columns=["participant_id"])
    rows = select_rows(
        table, include={}, exclude={}, variables=declared, block=None, missing_covariate="drop"
    )
    design = designed(rows, "group*age", "group[b] - group[a]", "age", **declared)
    assert design.observations == tuple(f"sub-{i:02d}" for i in range(10))
    assert design.matrix[:, 2].mean() == pytest.approx(0.0, abs=1e-12)
    assert design.dof == 6
