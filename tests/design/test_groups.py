"""Variance groups of a design: read from a column or given, and refused where they have no variance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from specgl.design import (
    Block,
    Categorical,
    Continuous,
    ContrastRequest,
    Design,
    Rows,
    build,
    describe_design,
)
from specgl.errors import DesignError, SpecglError, TableError
from specgl.models import LeastSquares, letters_of

MakeRows = Callable[[Mapping[str, Sequence[object]]], Rows]
N = 12
GROUP = Categorical(("a", "b"))


def rows_of(make_rows: MakeRows, scanner: Sequence[object]) -> Rows:
    age = np.round(np.random.default_rng(0).normal(40, 9, N), 1)
    pair = [f"p{i // 2}" for i in range(N)]
    return make_rows({"group": ["a", "b"] * (N // 2), "age": age, "pair": pair, "scanner": scanner})


def designed(rows: Rows, groups: str | Block | None, formula: str = "group + age", **more: str) -> Design:
    return build(
        rows,
        variables={"group": GROUP, "age": Continuous()},
        formula=formula,
        block=more.get("block"),
        contrasts=[ContrastRequest("c", ("contrasts", "c"), hypotheses=("group[b] - group[a]",))],
        variance_groups=groups,
    )


def code_of(error: type[SpecglError], rows: Rows, groups: str | Block, **more: str) -> list[str]:
    with pytest.raises(error) as caught:
        designed(rows, groups, **more)
    return [finding.code for finding in caught.value.findings]


def test_a_column_makes_the_groups(make_rows: MakeRows) -> None:
    rows = rows_of(make_rows, ["x", "y", "z"] * 4)
    design = designed(rows, "scanner")
    groups = design.variance_groups
    assert groups is not None
    assert (groups.name, groups.labels) == ("scanner", ("x", "y", "z"))
    np.testing.assert_array_equal(groups.codes, [0, 1, 2] * 4)
    said = describe_design(design)["variance_groups"]
    assert said == {"column": "scanner", "counts": {"x": 4, "y": 4, "z": 4}}
    assert design.findings == ()
    assert letters_of(design, LeastSquares()) == {"c": "v"}
    plain = designed(rows, None)
    assert plain.variance_groups is None
    assert describe_design(plain)["variance_groups"] is None


def test_groups_may_be_given(make_rows: MakeRows) -> None:
    groups = Block("blocks", np.arange(N) % 2, ("1", "2"))
    assert designed(rows_of(make_rows, ["x"] * N), groups, block="pair").variance_groups is groups


def test_one_group_is_remarked_upon(make_rows: MakeRows) -> None:
    design = designed(rows_of(make_rows, ["x"] * N), "scanner")
    assert [finding.code for finding in design.findings] == ["W280"]


def test_a_group_needs_more_than_one_row(make_rows: MakeRows) -> None:
    rows = rows_of(make_rows, ["lone", *["x", "y"] * 5, "x"])
    assert code_of(DesignError, rows, "scanner") == ["E281"]
    with pytest.raises(DesignError, match="'lone' of `scanner` has one observation"):
        designed(rows, "scanner")


def test_a_group_needs_residuals(make_rows: MakeRows) -> None:
    """Each group has a slope of its own, and the scanner's rows are the only ones that tell what it is."""
    age, scanner = np.zeros(N), np.full(N, "x")
    age[[1, 6]], scanner[[1, 6]] = (1, -1), "y"
    rows = make_rows({"group": ["a", "b"] * 6, "age": age, "pair": ["p"] * N, "scanner": scanner.tolist()})
    assert code_of(DesignError, rows, "scanner", formula="group * age") == ["E280"]
    assert designed(rows, "scanner").variance_groups is not None


def test_blocks_cost_their_groups_degrees_of_freedom(make_rows: MakeRows) -> None:
    """Six pairs of which one has a scanner of its own: half of its two rows is left, less the difference."""
    rows = rows_of(make_rows, ["x", "x", *["y"] * (N - 2)])
    assert designed(rows, "scanner", formula="group", block="pair").dof == 5


def test_missing_cells_and_columns_are_the_tables_fault(make_rows: MakeRows) -> None:
    rows = rows_of(make_rows, ["x", "y"] * 6)
    held: list[str | None] = ["x", "y"] * 6
    held[2] = None
    rows.table.frame["scanner"] = pd.Series(held, index=rows.table.frame.index, dtype=object)
    assert code_of(TableError, rows, "scanner") == ["E282"]
    assert code_of(DesignError, rows, "scaner") == ["E210"]


def test_doubtful_spellings_are_told(make_rows: MakeRows) -> None:
    rows = rows_of(make_rows, ["site x", "y", "Site x"] * 4)
    assert [finding.code for finding in designed(rows, "scanner").findings] == ["W224"]
