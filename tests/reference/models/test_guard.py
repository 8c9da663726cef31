"""The evidence cannot shrink unseen: every case and every method stands here by name or by number."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from estimator_truth.frozen import CLUSTER, FOLDER, HC, LOSSES, TAU2, cases, frozen

DESIGNS = {
    "mean_6",
    "mean_21",
    "groups_8",
    "groups_16",
    "covariate_12",
    "covariate_30",
    "ill_scaled_20",
}
KINDS = ["mild_zero", "mild_equal", "mild_large", "extreme_zero", "extreme_equal", "extreme_large"]
CLUSTERED = {
    "mean",
    "between",
    "between_and_covariate",
    "paired",
    "shuffled_rows",
    "cluster_with_a_level",
}
PARTS = {
    "meta": 42,  # 7 designs, 6 methods; 6 locations each
    "separate": 5,
    "grouped": 4,
    "hc": 35,  # 7 designs, 5 kinds; 3 locations each
    "cluster": 23,  # 6 designs, 4 kinds, less HC3 of a singular one; 3 locations each
    "robust": 12,  # 6 designs, 2 losses; 4 locations each
    "block": 3,
    "bayes": 2,
    "intervals": 3,
}


def test_no_case_is_lost() -> None:
    assert cases()["designs"].keys() == cases()["meta"].keys() == cases()["linear"].keys() == DESIGNS
    assert cases()["robust"].keys() == DESIGNS - {"ill_scaled_20"}
    assert cases()["clustered"].keys() == CLUSTERED
    assert cases()["grouped"].keys() == {"separable", "shared_covariate"}
    assert cases()["block"].keys() == {"paired", "three", "four"}
    assert all(case["kinds"] == KINDS for case in cases()["meta"].values())
    assert {name: len(part) for name, part in frozen().items() if name != "about"} == PARTS


def test_no_method_is_lost() -> None:
    methods = {key.split(":")[1] for key in frozen()["meta"]}
    assert methods == {"FE", *TAU2}
    assert {key.split(":")[1] for key in frozen()["hc"]} == set(HC)
    assert {key.split(":")[1] for key in frozen()["cluster"]} == set(CLUSTER)
    assert {key.split(":")[1] for key in frozen()["robust"]} == set(LOSSES)
    for key, found in frozen()["meta"].items():
        assert {"t", "knha"} <= found.keys() or key.endswith(":FE")


def test_no_location_is_lost() -> None:
    wanted = {"meta": 6, "grouped": 3, "hc": 3, "cluster": 3, "robust": 4, "block": 3}
    for part, n_loc in wanted.items():
        for key, found in frozen()[part].items():
            assert sizes(found) == {n_loc}, key
    assert {len(rows) for rows in frozen()["separate"].values()} == {3}
    assert {len(found["integral"]) for found in frozen()["bayes"].values()} == {20, 12}


def test_both_ends_of_tau2_are_met() -> None:
    """tau2 on its border, where an iteration has to be clamped, and far above the variances."""
    for method in TAU2:
        found = np.array([frozen()["meta"][f"{name}:{method}"]["tau2"] for name in DESIGNS])
        assert (found == 0).sum() >= 14
        assert (found > 1).sum() >= 12
    assert any((np.array(row) == 0).any() for row in frozen()["separate"]["REML"])


def test_frozen_numbers_are_of_these_cases() -> None:
    about = frozen()["about"]
    assert about["cases_md5"] == hashlib.md5((FOLDER / "cases.json").read_bytes()).hexdigest()
    assert about["versions"].keys() == {
        "metafor",
        "sandwich",
        "MASS",
        "clubSandwich",
        "nlme",
        "BayesFactor",
    }
    assert about["calls"].keys() == {
        "meta",
        "separate",
        "grouped",
        "hc",
        "cluster",
        "cr",
        "robust",
        "block",
        "bayes",
        "intervals",
    }


@pytest.mark.parametrize("part", PARTS)
def test_nothing_frozen_is_missing(part: str) -> None:
    assert all(np.isfinite(number) for number in numbers(frozen()[part]))


def sizes(found: Any) -> set[int]:
    """Numbers of locations: lengths of the lists under the names."""
    if isinstance(found, dict):
        return set().union(*(sizes(value) for value in found.values()))
    return {len(found)}


def numbers(found: Any) -> list[float]:
    """All numbers, however deep they lie; NaN for null."""
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        return [number for part in found for number in numbers(part)]
    return [float("nan") if found is None else float(found)]
