"""Covariates that differ from voxel to voxel: their names, and what formulas may do with them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from specgl.errors import Finding
from specgl.spec import examine_text

Where = tuple[str | int, ...]

BASE: dict[str, Any] = {
    "specgl": 1,
    "name": "base",
    "data": {"table": "rows.tsv", "images": "{id}.nii"},
    "variables": {"group": {"type": "categorical", "levels": ["a", "b"]}},
    "model": {"formula": "group"},
    "contrasts": {"diff": "group[b] - group[a]"},
}


def found(**changes: Any) -> tuple[Finding, ...]:
    return examine_text(json.dumps({**BASE, **changes}), is_json=True).findings


def told(**changes: Any) -> list[tuple[str, Where]]:
    """Codes with their places."""
    return [(finding.code, finding.where) for finding in found(**changes)]


@pytest.mark.parametrize("name", ["gm-1", "1gm", "grey matter", "", "größe"])
def test_a_covariate_has_a_name_that_a_formula_can_hold(name: str) -> None:
    where = ("data", "voxelwise", name)
    findings = found(data={**BASE["data"], "voxelwise": {name: "{id}.nii"}})
    assert [(finding.code, finding.where) for finding in findings] == [("E021", where)]
    proposed = (findings[0].help or "").partition("'")[2].rstrip("'")
    assert (
        found(
            data={**BASE["data"], "voxelwise": {proposed: "{id}.nii"}},
            model={"formula": f"group + {proposed}"},
        )
        == ()
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [("group", {}), ("pair", {"block": "pair"}), ("log", {}), ("mean", {}), ("Intercept", {})],
)
def test_a_covariate_has_a_name_of_its_own(name: str, said: dict[str, str]) -> None:
    findings = told(
        data={**BASE["data"], "voxelwise": {name: "{id}.nii"}}, model={"formula": "group", **said}
    )
    assert findings == [("E021", ("data", "voxelwise", name))]


@pytest.mark.parametrize(
    ("formula", "spans"),
    [
        ("group + gm", []),
        ("group * gm", []),
        ("group + gm:wm", []),
        ("(group + gm + wm)**2", []),
        ("group + log(gm)", [(12, 14)]),
        ("group + poly(gm, 2) + wm", [(13, 15)]),
        ("I(gm**2 + wm) + group", [(2, 4), (10, 12)]),
        ("group + scale(gm) + center(wm)", [(14, 16), (27, 29)]),
    ],
)
def test_covariates_stand_in_products_only(formula: str, spans: list[tuple[int, int]]) -> None:
    data = {**BASE["data"], "voxelwise": {"gm": "{id}_gm.nii", "wm": {"column": "wm_map"}}}
    findings = [finding for finding in found(data=data, model={"formula": formula}) if finding.is_error]
    assert [(finding.code, finding.where) for finding in findings] == [("E106", ("model", "formula"))] * len(
        spans
    )
    assert [finding.span for finding in findings] == spans


def test_slopes_of_covariates_can_be_tested() -> None:
    data = {**BASE["data"], "voxelwise": {"gm": "{id}_gm.nii"}}
    said = {"data": data, "model": {"formula": "group * gm"}}
    assert told(**said, contrasts={"slope": "gm", "each": "gm:group[a]", "any": {"term": "group:gm"}}) == []
    assert [finding.code for finding in found(**said, contrasts={"no": "gm[a]"})] == ["E116"]
