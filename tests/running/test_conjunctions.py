"""Conjunctions from a spec to a bundle."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import specgl
from specgl.bundle import planned_maps
from specgl.errors import SpecglError

CONTRASTS = """\
contrasts:
  both: {conjunction: [patients, controls], alternative: greater}
  patients: "group[patient]"
  controls: "group[control]"
  age: {hypothesis: [age]}
"""
INFERENCE = """\
inference:
  fdr: {method: parametric, correction: fdr_bh, across: contrasts}
  maxT: {method: permutation, statistic: voxel}
  mass: {method: permutation, statistic: cluster_mass, cluster_forming_p: 0.05}
permutation: {n: 60, seed: 3, exchange: flip}
"""
OUTPUT = "output: {directory: results, maps: [effect, variance, stat, z, p, dof, n, cohen_d]}\n"


@pytest.fixture
def joint(study: Any) -> Any:
    """The small group study, with a conjunction of its two groups."""
    text = study.spec.read_text()
    study.write(text[: text.index("contrasts:")] + CONTRASTS + INFERENCE + OUTPUT)
    return study


def assert_planned(joint: Any, written: set[str]) -> None:
    """What is planned of a conjunction is what is written, name by name."""
    plan = specgl.plan(specgl.read(joint.spec))
    planned = set(planned_maps(plan.maps, plan.source.letters, plan.inferences, without_effect={"both"}))
    made = {path for path in written if path.startswith("maps/") and path.endswith(".nii.gz")}
    assert made <= planned
    assert {path for path in planned if "both" in path} == {path for path in made if "both" in path}


def test_a_bundle_names_it_in_words(joint: Any, show: Callable[..., str]) -> None:
    bundle = specgl.run(specgl.read(joint.spec), threads=1)
    bundle.verify()
    words = "conjunction of patients and controls"
    assert f"| both | t, greater | `{words}` |" in (bundle.path / "README.md").read_text()
    assert words in show("show", bundle.path)
    assert f"both (t, greater): {words}" in show("plan", joint.spec)
    told = json.loads((bundle.path / "maps/contrast-both_stat-t_statmap.json").read_text())
    assert (told["Hypothesis"], told["Conjunction"]) == ([words], ["patients", "controls"])
    assert "Weights" not in told
    design = json.loads((bundle.path / "model/design.json").read_text())
    assert design["conjunctions"]["both"]["members"] == ["patients", "controls"]
    listed = {contrast["name"]: contrast.get("members") for contrast in bundle.manifest["contrasts"]}
    assert listed == {"patients": None, "controls": None, "age": None, "both": ["patients", "controls"]}


def test_its_maps_are_the_least_and_no_effect_is_among_them(joint: Any) -> None:
    bundle = specgl.run(specgl.read(joint.spec), threads=1)
    inside = bundle.mask.values.astype(bool)
    t = {name: bundle.maps["stat"].sel(contrast=name).values[inside] for name in ("patients", "controls")}
    both = bundle.maps["stat"].sel(contrast="both").values[inside]
    # Stored as they were computed: in float32, all three.
    np.testing.assert_array_equal(both, np.minimum(t["patients"], t["controls"]))
    written = {file.path for file in bundle.files}
    for stat in ("effect", "variance", "cohend", "dof"):
        assert f"maps/contrast-both_stat-{stat}_statmap.nii.gz" not in written
    nulls = {path for path in written if path.endswith("_null.tsv")}
    assert len(nulls) == 6
    assert not any("both" in path for path in nulls)
    assert_planned(joint, written)


def test_groups_with_variances_of_their_own(joint: Any, show: Callable[..., str]) -> None:
    joint.edit("  formula: group + age\n", "  formula: group + age\n  variance_groups: group\n")
    joint.edit(", cohen_d", "")  # groups with variances of their own have no common standard deviation
    bundle = specgl.run(specgl.read(joint.spec), threads=1)
    bundle.verify()
    written = {file.path for file in bundle.files}
    assert "maps/contrast-both_stat-z_statmap.nii.gz" in written
    assert "maps/contrast-both_stat-z_desc-mass_statmap.nii.gz" in written
    assert "maps/contrast-both_stat-dof_statmap.nii.gz" not in written
    assert_planned(joint, written)
    assert "both (z, greater)" in show("plan", joint.spec)


def test_true_discoveries_by_shuffles_are_refused_before_any_voxel_is_read(joint: Any) -> None:
    asked = "tdp: {method: permutation, correction: tdp, statistic: voxel}"
    joint.edit("maxT: {method: permutation, statistic: voxel}", asked)
    with pytest.raises(SpecglError) as caught:
        specgl.plan(specgl.read(joint.spec))
    (finding,) = [finding for finding in caught.value.findings if finding.is_error]
    assert (finding.code, finding.where) == ("E434", ("inference", "tdp", "correction"))
    assert finding.line is not None


def test_every_other_method_takes_it_for_one_contrast_more(joint: Any) -> None:
    text = joint.spec.read_text()
    asked = """\
inference:
  field: {method: random_field, statistic: voxel, smoothness: {fwhm: 9}}
  extent: {method: random_field, statistic: cluster_extent, cluster_forming_p: 0.001, smoothness: {fwhm: 9}}
  bound: {method: all_resolutions, cluster_forming_z: 2.5}
  drawn:
    method: simulated
    statistic: cluster_mass
    cluster_forming_stat: 3
    smoothness: {fwhm: 9}
    n: 99
    seed: 1
"""
    joint.write(text[: text.index("inference:")] + asked + OUTPUT)
    bundle = specgl.run(specgl.read(joint.spec), threads=1)
    bundle.verify()
    rows = {row["inference"] for row in bundle.manifest["results"] if row["contrast"] == "both"}
    assert rows == {"field", "extent", "bound", "drawn"}
