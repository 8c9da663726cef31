"""The language of shuffles: what is filled in, what the rules refuse, and what they say of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from specgl.errors import Finding
from specgl.spec import (
    AnalysisSpec,
    BlockLevel,
    GroupsFromBlocks,
    PermutationSettings,
    check,
    digest,
    examine_text,
    read,
    resolve,
)
from specgl.spec.inference import Tfce
from specgl.spec.permutation import MOST_SEED

BASE: dict[str, Any] = {
    "specgl": 1,
    "name": "base",
    "data": {"table": "rows.tsv", "images": "{id}.nii"},
    "variables": {"group": {"type": "categorical", "levels": ["a", "b"]}},
    "model": {"formula": "group"},
    "contrasts": {"diff": "group[b] - group[a]"},
    "inference": {"maxT": {"method": "permutation", "statistic": "voxel"}},
    "permutation": {"seed": 1},
}


def found(**changes: Any) -> tuple[Finding, ...]:
    return examine_text(json.dumps({**BASE, **changes}), is_json=True).findings


def codes(**changes: Any) -> list[str]:
    return [finding.code for finding in found(**changes)]


def resolved(**changes: Any) -> dict[str, Any]:
    return resolve(AnalysisSpec.model_validate({**BASE, **changes}))


def how(**keys: Any) -> dict[str, Any]:
    said = resolved(inference={"a": {"method": "permutation", **keys}})["inference"]["a"]
    assert isinstance(said, dict)
    return said


def test_what_is_not_said_is_filled_in():
    shuffles = {"n": 10000, "seed": 1, "exchange": None, "blocks": None}
    others = {"nuisance": "freedman_lane", "tail": "counts", "tau2": None}
    assert resolved()["permutation"] == {**shuffles, **others}
    common = {"method": "permutation", "correction": "fwe", "alpha": 0.05, "scale": "t", "across": "none"}
    assert how(statistic="voxel") == {**common, "statistic": "voxel", "connectivity": 26}
    forming = {"cluster_forming_p": 0.001, "cluster_forming_stat": None, "connectivity": 26}
    assert how(statistic="cluster_extent") == {**common, "statistic": "cluster_extent", **forming}
    assert how(statistic="cluster_mass") == {
        **common, "statistic": "cluster_mass", "mass": "total", **forming,
    }  # fmt: skip
    tfce = {"E": 0.5, "H": 2.0, "dh": "exact"}
    assert how(statistic="tfce") == {**common, "statistic": "tfce", "connectivity": 6, "tfce": tfce}
    # What stands unsaid and unvalidated in the class is what validation would make of it.
    assert Tfce.model_validate({}) == Tfce.model_construct()


def test_a_threshold_of_the_statistic_leaves_no_p_beside_it():
    said = how(statistic="cluster_mass", cluster_forming_stat=3)
    assert (said["cluster_forming_p"], said["cluster_forming_stat"]) == (None, 3.0)


@pytest.mark.parametrize("permutation", [{"seed": 1}, PermutationSettings(seed=1)])
def test_the_models_blocks_are_those_of_the_shuffles(permutation):
    model = {"formula": "group", "block": "pair"}
    said = resolved(model=model, permutation=permutation)["permutation"]["blocks"]
    assert said == [{"by": "pair", "shuffle": "within", "order": None}]
    spec = AnalysisSpec.model_validate({**BASE, "model": model})
    assert spec.permutation is not None
    assert spec.permutation.levels == (BlockLevel(by="pair"),)


def test_blocks_that_are_said_go_before_those_of_the_model():
    whole = {"by": "family", "shuffle": "whole", "order": None}
    model = {"formula": "group", "block": "pair"}
    assert resolved(model=model, permutation={"seed": 1, "blocks": whole})["permutation"]["blocks"] == [whole]
    assert "permutation" not in resolved(model=model, permutation=None, inference={})


def test_one_level_is_a_list_of_one():
    level = {"by": "family", "shuffle": "whole"}
    one, several = ({"seed": 1, "blocks": blocks} for blocks in (level, [level]))
    assert digest(resolved(permutation=one)) == digest(resolved(permutation=several))


def test_variance_groups_are_a_column_or_follow_from_blocks():
    blocks = {"permutation": {"seed": 1, "blocks": {"by": "family"}}}
    from_blocks = {"formula": "group", "variance_groups": {"from": "blocks"}}
    assert resolved(model=from_blocks, **blocks)["model"]["variance_groups"] == {"from": "blocks"}
    spec = AnalysisSpec.model_validate({**BASE, "model": from_blocks, **blocks})
    assert spec.model is not None
    assert isinstance(spec.model.variance_groups, GroupsFromBlocks)
    assert codes(model={"formula": "group", "variance_groups": "group"}) == []
    # A column that is declared for this only is used.
    scanner = {**BASE["variables"], "scanner": {"type": "categorical"}}
    assert codes(model={"formula": "group", "variance_groups": "scanner"}, variables=scanner) == []
    assert codes(variables=scanner) == ["W201"]


@pytest.mark.parametrize("seed", [0, 20261101, MOST_SEED])
def test_seeds(seed):
    assert codes(permutation={"seed": seed}) == []


def test_a_seed_that_json_cannot_keep_is_refused_from_python_too():
    with pytest.raises(ValidationError):
        PermutationSettings(seed=MOST_SEED + 1)


@pytest.mark.parametrize(
    ("n", "alpha", "tail", "expected"),
    [
        (20, 0.05, "counts", ["W205"]), (19, 0.05, "counts", ["E030"]), (1, 0.5, "counts", ["E030"]),
        (399, 0.05, "counts", ["W205"]), (400, 0.05, "counts", []), ("all", 1e-6, "counts", []),
        (1000, 0.001, "counts", ["W205"]), (999, 0.001, "counts", ["E030"]),
        # 1/n and the nearest double to alpha differ in their last bits.
        (30, 1 / 30, "counts", ["W205"]), (600, 1 / 30, "counts", []),
        (200, 1e-4, "gpd", []), (199, 0.05, "gpd", ["W205"]), (10, 1e-4, "gamma", ["W205"]),
    ],
)  # fmt: skip
def test_whether_shuffles_reach_alpha(n, alpha, tail, expected):
    inference = {"a": {"method": "permutation", "statistic": "voxel", "alpha": alpha}}
    findings = found(inference=inference, permutation={"n": n, "seed": 1, "tail": tail})
    assert [finding.code for finding in findings] == expected
    assert all(finding.where == ("permutation", "n") for finding in findings)


def test_shuffles_and_inference_need_each_other():
    assert codes(permutation=None) == ["E011"]
    assert codes(inference={}) == ["W204"]
    assert codes(inference={"a": {"method": "permutatio", "statistic": "voxel"}}) == ["E012"]
    parametric = {"a": {"method": "parametric"}}
    assert codes(inference=parametric) == ["W204"]
    assert codes(inference=parametric, permutation=None) == []


@pytest.mark.parametrize("nuisance", ["dekker", "still_white", "ter_braak", "manly", "huh_jhun"])
def test_methods_that_move_data_do_not_meet_missing_voxels(nuisance):
    data = {**BASE["data"], "missing": {"voxel": {"available": 0.8}}}
    assert codes(data=data, permutation={"seed": 1, "nuisance": nuisance}) == ["E032"]
    assert codes(permutation={"seed": 1, "nuisance": nuisance}) == []
    for fits in ("freedman_lane", "draper_stoneman"):
        assert codes(data=data, permutation={"seed": 1, "nuisance": fits}) == []


def test_huh_jhun_knows_no_observations():
    settings = {"seed": 1, "nuisance": "huh_jhun"}
    assert codes(permutation={**settings, "blocks": {"by": "family"}}) == ["E032"]
    assert codes(permutation=settings, model={"formula": "group", "block": "pair"}) == ["E032"]
    assert codes(permutation=settings, model={"formula": "group", "variance_groups": "group"}) == ["E032"]


def test_specs_from_python_meet_the_rules_of_shuffles():
    model = {"formula": "group", "variance_groups": {"from": "blocks"}}
    spec = AnalysisSpec.model_validate({**BASE, "model": model})
    (finding,) = check(spec)
    assert (finding.code, finding.where) == ("E033", ("model", "variance_groups"))


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"inference": {"a": {"method": "permutation", "statistic": "clusters"}}}, "E012", "cluster_mass"),
        ({"inference": {"a": {"method": "permutation", "statistic": "cluster"}}}, "E012", "cluster_extent"),
        ({"inference": {"a": {"method": "permutation"}}}, "E011", "voxel, cluster_extent"),
        ({"inference": {"a": {"method": "random_fild"}}}, "E012", "random_field"),
        (
            {"inference": {"a": {"method": "permutation", "statistic": "voxel", "mass": "total"}}},
            "E014",
            "it belongs to `statistic: cluster_mass`",
        ),
        (
            {"inference": {"a": {"method": "parametric", "tfce": {}}}, "permutation": None},
            "E014",
            "it belongs to `statistic: tfce`",
        ),
        (
            {"inference": {"a": {"method": "permutation", "statistic": "tfce", "min_cluster_size": 9}}},
            "E014",
            "it belongs to `method: parametric`",
        ),
        ({"permutation": {"seed": 1, "nuisance": "kennedy"}}, "E031", "huh_jhun"),
        ({"permutation": {"seed": 1, "blocks": "family"}}, "E016", "{by: family}"),
        ({"permutation": {}}, "E011", "permutation: {n: 10000, seed: 1}"),
        ({"permutation": {"n": 500}}, "E011", "any whole number"),
        ({"permutation": 500}, "E016", "{n: 10000, seed: 1}"),
    ],
)
def test_the_help_says_what_to_write(changes, code, words):
    finding = next(finding for finding in found(**changes) if finding.code == code)
    assert words in (finding.help or "")


def test_later_stages_point_at_one_level_without_brackets():
    text = "permutation: {seed: 1, blocks: {by: family, shuffle: whole}}\n"
    source = examine_text(text).source
    assert source.locate(("permutation", "blocks", 0, "by")) == (1, 37, 43)
    several = examine_text("permutation: {seed: 1, blocks: [{by: family}, {by: twin}]}\n").source
    assert several.locate(("permutation", "blocks", 1, "by")) == (1, 52, 56)


def test_a_spec_of_pairs_is_read_alike_when_its_blocks_are_said(root):
    path = root / "tests" / "spec" / "good" / "permutation_of_pairs.yaml"
    text = path.read_text()
    said = text.replace("seed:", "blocks: {by: participant_id}, seed:")
    assert examine_text(said).spec == read(path)
