"""The language of smooth noise and of true discoveries: what is filled in, and what means the same."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from pydantic import ValidationError

from specgl.errors import Finding
from specgl.spec import (
    AllResolutions,
    AnalysisSpec,
    ExtentField,
    ExtentSimulated,
    MassSimulated,
    TdpPermutation,
    VoxelField,
    check,
    digest,
    examine_text,
    json_schema,
    resolve,
)

BASE: dict[str, Any] = {
    "specgl": 1,
    "name": "base",
    "data": {"table": "rows.tsv", "images": "{id}.nii"},
    "variables": {"group": {"type": "categorical", "levels": ["a", "b"]}},
    "model": {"formula": "group"},
    "contrasts": {"diff": "group[b] - group[a]"},
    "permutation": {"seed": 1},
}
MAPS: dict[str, Any] = {"specgl": 1, "name": "ready", "maps": {"m": {"image": "z.nii", "statistic": "z"}}}
SHUFFLED = {"method": "permutation", "statistic": "voxel"}


def found(base: dict[str, Any] = BASE, **how: Any) -> tuple[Finding, ...]:
    text = json.dumps({**base, "inference": {"a": how}})
    # That nothing is shuffled here is no matter.
    return tuple(f for f in examine_text(text, is_json=True).findings if f.code != "W204")


def codes(base: dict[str, Any] = BASE, **how: Any) -> list[str]:
    return [finding.code for finding in found(base, **how)]


def resolved(**how: Any) -> dict[str, Any]:
    said = resolve(AnalysisSpec.model_validate({**BASE, "inference": {"a": how}}))["inference"]["a"]
    assert isinstance(said, dict)
    return said


FIELD = {"alpha": 0.05, "connectivity": 26, "smoothness": "residuals", "across": "none"}
SETS = {"cluster_forming_z": [3.1], "regions": None, "largest": None}


@pytest.mark.parametrize(
    ("said", "more"),
    [
        ({"method": "random_field", "statistic": "voxel"}, FIELD),
        (
            {"method": "random_field", "statistic": "cluster_extent"},
            {**FIELD, "cluster_forming_p": 0.001, "extent": "voxels"},
        ),
        (
            {"method": "simulated", "statistic": "cluster_extent", "seed": 3},
            {**FIELD, "cluster_forming_p": 0.001, "cluster_forming_stat": None, "n": 5000},
        ),
        (
            {"method": "simulated", "statistic": "cluster_mass", "seed": 3},
            {**FIELD, "cluster_forming_p": 0.001, "cluster_forming_stat": None, "n": 5000, "mass": "total"},
        ),
        (
            {"method": "all_resolutions"},
            {"alpha": 0.05, "connectivity": 26, "across": "none", **SETS},
        ),
        (
            {**SHUFFLED, "correction": "tdp"},
            {"alpha": 0.05, "connectivity": 26, "scale": "t", "across": "none", **SETS},
        ),
    ],
)
def test_what_is_not_said_is_filled_in(said, more):
    assert resolved(**said) == {**said, **more}


@pytest.mark.parametrize(("short", "long"), [
    ({"cluster_forming_z": 3}, {"cluster_forming_z": [3.0]}),
    ({}, {"cluster_forming_z": 3.1}),
    ({"regions": "a.nii"}, {"regions": {"image": "a.nii", "labels": None}}),
    ({"regions": "a.nii", "cluster_forming_z": None}, {"regions": {"image": "a.nii"}, "largest": None}),
    ({"largest": {"tdp": 1}}, {"largest": {"tdp": 1.0}, "regions": None}),
])  # fmt: skip
@pytest.mark.parametrize("method", [{"method": "all_resolutions"}, {**SHUFFLED, "correction": "tdp"}])
def test_short_and_long_forms_of_sets_are_one(method, short, long):
    assert resolved(**method, **short) == resolved(**method, **long)
    assert codes(**method, **short) == codes(**method, **long) == []


def test_one_width_is_that_of_all_axes():
    one, three = ({**SMOOTH, "smoothness": {"fwhm": widths}} for widths in (8, [8, 8.0, 8]))
    assert resolved(**one) == resolved(**three)
    assert resolved(**one)["smoothness"] == {"fwhm": [8.0, 8.0, 8.0]}
    spec = AnalysisSpec.model_validate({**BASE, "inference": {"a": one}})
    assert spec.inference["a"].smoothness.widths == (8.0, 8.0, 8.0)


SMOOTH = {"method": "random_field", "statistic": "voxel"}


def test_a_threshold_of_z_leaves_no_p_beside_it():
    said = resolved(method="simulated", statistic="cluster_mass", cluster_forming_stat=3.3, seed=1)
    assert (said["cluster_forming_p"], said["cluster_forming_stat"]) == (None, 3.3)


def test_the_atlas_of_the_tables_changes_no_identity():
    def whole(**output: Any) -> str:
        return digest(resolve(AnalysisSpec.model_validate({**BASE, "output": output})))

    assert whole() == whole(atlas="a.nii") == whole(atlas={"image": "b.nii", "labels": "b.tsv"})


def test_regions_of_an_inference_are_part_of_its_identity():
    def whole(**how: Any) -> str:
        inference = {"a": {"method": "all_resolutions", **how}}
        return digest(resolve(AnalysisSpec.model_validate({**BASE, "inference": inference})))

    assert len({whole(), whole(regions="a.nii"), whole(regions={"image": "a.nii", "labels": "a.tsv"})}) == 3


@pytest.mark.parametrize("how", [
    SMOOTH, {**SMOOTH, "statistic": "cluster_extent"},
    {"method": "simulated", "statistic": "cluster_extent", "seed": 1},
    {"method": "simulated", "statistic": "cluster_mass", "seed": 1},
])  # fmt: skip
def test_ready_made_maps_give_their_smoothness(how):
    assert codes(**how) == codes(MAPS, **how, smoothness={"fwhm": 9}) == []
    (finding,) = found(MAPS, **how)
    assert (finding.code, finding.where) == ("E034", ("inference", "a", "method"))
    (finding,) = found(MAPS, **how, smoothness="residuals")
    assert (finding.code, finding.where) == ("E034", ("inference", "a", "smoothness"))
    # What is said elsewhere may be data.
    assert "E034" not in codes({**MAPS, "extends": "x.yaml"}, **how)


def test_everything_but_shuffles_serves_ready_made_maps():
    assert codes(MAPS, method="parametric") == []
    assert codes(MAPS, method="all_resolutions", regions="a.nii") == []
    assert codes(MAPS, **SHUFFLED, correction="tdp") == ["E014"]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("cluster_forming_p", 0.001, []), ("cluster_forming_p", 1e-4, []),
        ("cluster_forming_p", 0.0011, ["W207"]), ("cluster_forming_p", 0.4, ["W207"]),
        ("cluster_forming_p", 0.5, ["E020"]),
        ("cluster_forming_stat", 3.1, []), ("cluster_forming_stat", 3.0, ["W207"]),
        ("cluster_forming_stat", 0, ["E020"]),
    ],
)  # fmt: skip
def test_lenient_thresholds(key, value, expected):
    assert codes(method="simulated", statistic="cluster_mass", seed=1, **{key: value}) == expected
    # Shuffles hold at any threshold.
    shuffled = [code for code in expected if code != "W207"]
    assert codes(method="permutation", statistic="cluster_mass", **{key: value}) == shuffled
    if key == "cluster_forming_p":
        assert codes(method="random_field", statistic="cluster_extent", **{key: value}) == expected


@pytest.mark.parametrize(
    ("n", "alpha", "across", "expected"),
    [
        (19, 0.05, "none", ["W205"]), (18, 0.05, "none", ["E030"]), (399, 0.05, "none", ["W205"]),
        (400, 0.05, "none", []), (999, 0.001, "none", ["W205"]), (998, 0.001, "none", ["E030"]),
        # Two contrasts share alpha.
        (38, 0.05, "contrasts", ["E030"]), (39, 0.05, "contrasts", ["W205"]), (800, 0.05, "contrasts", []),
    ],
)  # fmt: skip
def test_whether_simulations_reach_alpha(n, alpha, across, expected):
    contrasts = {**BASE["contrasts"], "back": "group[a] - group[b]"}
    how = {"method": "simulated", "statistic": "cluster_mass", "seed": 1}
    findings = found({**BASE, "contrasts": contrasts}, **how, n=n, alpha=alpha, across=across)
    assert [finding.code for finding in findings] == expected
    assert all(finding.where == ("inference", "a", "n") for finding in findings)


def test_the_number_of_simulations_that_is_proposed_is_enough():
    how = {"method": "simulated", "statistic": "cluster_mass", "seed": 1, "alpha": 0.003}
    (finding,) = found(**how, n=5)
    least = int((finding.help or "").split()[2])
    assert codes(**how, n=least) == ["W205"]
    assert codes(**how, n=least - 1) == ["E030"]


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ({"method": "random_field"}, "E011", "voxel, cluster_extent"),
        ({"method": "simulated", "statistic": "cluster_mass"}, "E011", "any whole number"),
        ({**SMOOTH, "smoothness": 8}, "E016", "{fwhm: 8}"),
        ({**SMOOTH, "smoothness": {"fwhm": [8]}}, "E022", "one number for all axes"),
        ({**SMOOTH, "extent": "resels"}, "E014", "it belongs to `statistic: cluster_extent`"),
        ({**SMOOTH, "mass": "total"}, "E014", "it belongs to `statistic: cluster_mass`"),
        ({**SMOOTH, "seed": 1}, "E014", "it belongs to `method: simulated`"),
        ({"method": "parametric", "extent": "voxels"}, "E014", "random_field, statistic: cluster_extent`"),
        ({"method": "parametric", "regions": "a"}, "E014", "`method: all_resolutions`"),
        ({**SHUFFLED, "regions": "a"}, "E014", "it belongs to `correction: tdp`"),
        ({"method": "all_resolutions", "largest": 0.7}, "E016", "{tdp: 0.7}"),
        ({"method": "all_resolutions", "regions": 3}, "E016", "labels: atlas.tsv"),
        ({"method": "all_resolution"}, "E012", "all_resolutions"),
        ({**SHUFFLED, "correction": "tpd"}, "E012", "did you mean 'tdp'"),
    ],
)  # fmt: skip
def test_the_help_says_what_to_write(how, code, words):
    (finding,) = found(**how)
    assert finding.code == code
    assert words in (finding.help or "")


def test_keys_of_another_form_are_told_once():
    assert codes(**SMOOTH, regions="a", largest={"tdp": 1}) == ["E014", "E014"]
    assert codes(**SHUFFLED, cluster_forming_z=[3, 2]) == ["E014"]


def test_a_correction_that_only_another_form_has_is_among_those_offered():
    (finding,) = found(**SHUFFLED, correction="bonferroni")
    assert "'tdp'" in finding.message


def test_examples_of_the_language_page_are_silent(root):
    page = (root / "docs" / "reference" / "language.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 3
    estimated, shuffled, ready = blocks

    def around(*keys: str) -> str:
        """A spec without what the page says."""
        held = {key: value for key, value in BASE.items() if key not in keys}
        return "".join(f"{key}: {json.dumps(value)}\n" for key, value in held.items())

    for text in (
        around("permutation", "inference", "model", "data") + estimated,
        around("permutation") + shuffled,
        "specgl: 1\nname: ready\n" + ready,
    ):
        examination = examine_text(text)
        assert examination.findings == ()
        assert examination.spec is not None


NUMBERS = st.floats(0.01, 40, allow_nan=False)
ALPHAS = st.floats(0.005, 0.3)  # 5000 simulations, the default, are many
WIDTHS = NUMBERS | st.tuples(NUMBERS, NUMBERS, NUMBERS).map(list)
LABELS = st.sampled_from(["a.nii", {"image": "a.nii"}, {"image": "a.nii", "labels": "a.tsv"}])
COMMON = {"alpha": ALPHAS, "connectivity": st.sampled_from([6, 18, 26]), "across": st.sampled_from(["none"])}
OF_SETS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"cluster_forming_z": NUMBERS}),
    st.fixed_dictionaries(
        {"cluster_forming_z": st.lists(NUMBERS, min_size=1, max_size=4, unique=True).map(sorted)}
    ),
    st.fixed_dictionaries({"regions": LABELS}),
    st.fixed_dictionaries({"largest": st.fixed_dictionaries({"tdp": st.floats(0.01, 1)})}),
)
OF_NOISE = {**COMMON, "smoothness": st.just("residuals") | st.fixed_dictionaries({"fwhm": WIDTHS})}
HOW = st.one_of(
    st.fixed_dictionaries(
        {"method": st.just("random_field"), "statistic": st.just("voxel")}, optional=OF_NOISE
    ),
    st.fixed_dictionaries(
        {"method": st.just("random_field"), "statistic": st.just("cluster_extent")},
        optional={**OF_NOISE, "cluster_forming_p": st.floats(1e-5, 1e-3)},
    ),
    st.fixed_dictionaries(
        {
            "method": st.just("simulated"),
            "statistic": st.sampled_from(["cluster_extent", "cluster_mass"]),
            "seed": st.integers(0, 2**53 - 1),
        },
        optional={**OF_NOISE, "n": st.integers(20000, 10**6), "cluster_forming_stat": st.floats(3.1, 9)},
    ),
    st.builds(
        lambda how, sets: {**how, **sets},
        st.fixed_dictionaries({"method": st.just("all_resolutions")}, optional=COMMON),
        OF_SETS,
    ).filter(lambda how: "regions" not in how or how.get("connectivity", 26) == 26),  # the rest is E014
    st.builds(
        lambda how, sets: {**how, **sets},
        st.fixed_dictionaries(
            {key: st.just(word) for key, word in {**SHUFFLED, "correction": "tdp"}.items()},
            optional={"scale": st.sampled_from(["t", "z"])},
        ),
        OF_SETS,
    ),
)
VALIDATOR = Draft7Validator(json_schema())


@settings(max_examples=80)
@given(HOW)
def test_whatever_the_language_has_is_read_resolved_and_read_again(how):
    raw = {**BASE, "inference": {"a": how, "s": {**SHUFFLED, "alpha": 0.05}}}
    examination = examine_text(json.dumps(raw), is_json=True)
    assert examination.findings == ()
    spec = examination.spec
    said = resolve(spec)
    again = AnalysisSpec.model_validate(json.loads(json.dumps(said)))
    assert again == spec
    assert digest(resolve(again)) == digest(said)
    assert check(again) == ()
    assert VALIDATOR.is_valid(raw)
    assert VALIDATOR.is_valid(said)


@settings(max_examples=80)
@given(HOW, st.sampled_from([
    ("statistic", "tfce"), ("smoothness", 8), ("smoothness", {"fwhm": [1, 2]}), ("smoothness", {"fwhm": -1}),
    ("cluster_forming_p", 0.5), ("extent", "mm"), ("mass", 1), ("n", 0), ("seed", -1), ("alpha", 1),
    ("connectivity", 8), ("largest", {"tdp": 0}), ("largest", 0.5), ("regions", 3), ("regions", {}),
    ("cluster_forming_z", 0), ("cluster_forming_z", []), ("cluster_forming_z", ["a"]), ("fwhm", 8),
    ("cluster_forming_z", [3, 3]), ("correction", "fwe"),
]))  # fmt: skip
def test_schema_and_models_refuse_the_same(how, slip):
    key, value = slip
    raw = {**BASE, "inference": {"a": {**how, key: value}}}
    try:
        AnalysisSpec.model_validate(raw)
        refused = False
    except ValidationError:
        refused = True
    # A height that stands twice is the rules' to find, and the schema's.
    codes = {finding.code for finding in examine_text(json.dumps(raw), is_json=True).findings}
    assert VALIDATOR.is_valid(raw) is not (refused or "E036" in codes)


@pytest.mark.parametrize("made", [
    VoxelField(method="random_field", statistic="voxel"),
    ExtentField(method="random_field", statistic="cluster_extent", smoothness={"fwhm": 8}),
    AllResolutions(method="all_resolutions", cluster_forming_z=[2.5, 3]),
    ExtentSimulated(method="simulated", statistic="cluster_extent", seed=1),
    MassSimulated(method="simulated", statistic="cluster_mass", seed=1),
    TdpPermutation(method="permutation", statistic="voxel", correction="tdp"),
], ids=lambda made: type(made).__name__)  # fmt: skip
def test_parts_made_in_python_are_what_reading_makes_of_them(made):
    spec = AnalysisSpec.model_validate({**BASE, "inference": {"a": made}})
    assert type(spec.inference["a"]) is type(made)
    assert AnalysisSpec.model_validate_json(spec.model_dump_json()) == spec
