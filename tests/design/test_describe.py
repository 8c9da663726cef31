"""A design on paper."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from specgl.design import (
    Categorical,
    Continuous,
    ContrastRequest,
    Rows,
    build,
    describe_design,
    design_table,
    inflation,
    variable_table,
)

MakeRows = Callable[[Mapping[str, Sequence[object]]], Rows]


def test_table_and_description(make_rows: MakeRows) -> None:
    rows = make_rows(
        {
            "group": ["con", "pat"] * 6,
            "age": [20.0, 31.5, 44.0, 27.0, 39.0, 60.0, 22.0, 25.0, 51.0, 33.0, 48.0, 29.5],
            "pair": [f"p{i // 4}" for i in range(12)],
        }
    )
    design = build(
        rows,
        variables={"group": Categorical(coding="sum"), "age": Continuous(unit="year")},
        formula="group*age",
        block="pair",
        contrasts=[
            ContrastRequest("d", ("contrasts", "d"), "greater", hypotheses=("group[pat] - group[con]",)),
            ContrastRequest("t", ("contrasts", "t", "term"), term="age:group"),
        ],
    )
    table = design_table(design)
    assert table.index.name == "observation"
    assert table.index.tolist() == list(rows.kept)
    assert table.columns.tolist() == ["Intercept", "group[S.con]", "age", "group[S.con]:age"]
    np.testing.assert_array_equal(table.to_numpy(), design.matrix)

    said = describe_design(design)
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert said["regressors"]["group[S.con]:age"] == {
        "term": "group:age",
        "factors": [{"variable": "group", "level": "con"}, {"variable": "age", "level": None}],
        "coding": {"group": "sum"},
        "vif": inflation(design)["group:age"],
    }
    assert said["regressors"]["Intercept"]["vif"] is None, "the blocks' means take it away"
    assert said["variables"]["age"]["unit"] == "year"
    assert said["variables"]["age"]["center"] == np.mean(rows.table.frame["age"].astype(float))
    assert said["variables"]["group"]["counts"] == {"con": 6, "pat": 6}
    assert said["variables"]["group"]["reference"] is None
    assert said["block"] == {"column": "pair", "n_blocks": 3}
    assert (said["rank"], said["dof"], said["n_observations"]) == (6, 6, 12)
    assert said["contrasts"]["d"]["alternative"] == "greater"
    assert said["contrasts"]["d"]["weights"] == [{"group[S.con]": -2.0}]
    assert said["contrasts"]["t"] == {
        "kind": "F",
        "alternative": "two-sided",
        "words": ["`group[S.con]:age`"],
        "weights": [{"group[S.con]:age": 1.0}],
    }


def test_variables_are_told_as_they_were_before_coding(make_rows: MakeRows) -> None:
    age = [20.1, 31.5, 44.25, 27.0, 39.0, 60.0, 22.0, 1e-5]
    columns = {"group": ["con", "pat"] * 4, "age": age, "pair": [f"{i // 2:02d}" for i in range(8)]}
    design = build(
        make_rows(columns),
        variables={
            "group": Categorical(levels=("pat", "con")),
            "age": Continuous(center=33.3, scale="sd"),
        },
        formula="group + age",
        block="pair",
        contrasts=[],
    )
    table = variable_table(design)
    assert table.index.tolist() == list(design.observations)
    expected = pd.DataFrame(columns, index=table.index)
    # Twelve digits outlive centring and scaling.
    np.testing.assert_allclose(table["age"].astype(float), expected["age"], rtol=1e-9)
    assert table["age"].tolist()[:7] == age[:7]
    for name in ("group", "pair"):
        assert table[name].tolist() == expected[name].tolist()
