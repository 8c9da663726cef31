"""A bundle of v and G: names, headers, words, and degrees of freedom that are a contrast's own."""

from __future__ import annotations

import dataclasses
import json

import nibabel as nib
import numpy as np
import pytest

from specgl.bundle import open_bundle, planned_maps, verify, write
from specgl.design import Block
from specgl.variables import DEFAULT_MAPS


@pytest.fixture
def grouped(make_contents):
    """Contents whose two contrasts have variance groups."""
    contents = make_contents()
    n = contents.space.n_locations
    dof = np.stack([np.linspace(3.1, 6.9, n), np.linspace(2.2, 6, n)])
    dof[0, 0] = np.nan
    stats = contents.stats.drop_vars("dof").assign(dof=(("contrast", "location"), dof))
    stats = stats.assign_coords(kind=("contrast", ["v", "G"]))
    design = dataclasses.replace(
        contents.design, variance_groups=Block("scanner", np.arange(9) % 2, ("east", "west"))
    )
    return dataclasses.replace(contents, stats=stats, design=design, maps=(*DEFAULT_MAPS, "cohen_d"))


def test_maps_are_named_and_read_back(grouped, tmp_path):
    where = write(tmp_path / "out", grouped)
    verify(where)
    bundle = open_bundle(where)
    paths = {file.path for file in bundle.files}
    label = "maps/space-MNI152_" if grouped.space.label else "maps/"
    for contrast, letter in (("mean", "v"), ("all", "G")):
        for stat in (letter, "dof", "z", "p"):
            assert f"{label}contrast-{contrast}_stat-{stat}_statmap.nii.gz" in paths
        assert f"{label}contrast-{contrast}_stat-{letter}_desc-fwe_statmap.nii.gz" in paths
    assert not any("cohend" in path for path in paths)
    assert f"{label}stat-dof_statmap.nii.gz" not in paths
    held = bundle.maps
    assert held["kind"].values.tolist() == ["v", "G"]
    assert held["dof"].dims == ("contrast", "i", "j", "k")
    for row, contrast in enumerate(["mean", "all"]):
        got = grouped.space.from_volume(held["dof"].sel(contrast=contrast).values)
        np.testing.assert_array_equal(got, grouped.stats["dof"].values[row].astype(np.float32))
    assert held["dof"].attrs["units"] == "1"


def test_the_forecast_names_the_very_maps(grouped, tmp_path):
    where = write(tmp_path / "out", dataclasses.replace(grouped, inferred=()))
    made = {file.path for file in open_bundle(where).files if file.role.is_image}
    of_model = [name for name in DEFAULT_MAPS if name not in ("tau2", "i2")]  # as planning knows of the model
    told = planned_maps(of_model, {"mean": "v", "all": "G"}, [], space=grouped.space.label)
    assert made <= set(told)
    # n varies in no data without missing values, and an F over several rows has no effect.
    missing = {path.split("stat-")[1].split("_")[0] for path in set(told) - made}
    assert missing == {"n", "effect", "variance"}
    mixed = planned_maps(["dof"], {"a": "t"}, [])
    assert mixed == ["maps/mask.nii.gz", "maps/stat-dof_statmap.nii.gz"]


def test_headers_and_words_say_what_they_are(grouped, tmp_path):
    where = write(tmp_path / "out", grouped)
    path = next((where / "maps").glob("*contrast-all_stat-G_statmap.nii.gz"))
    assert nib.load(path).header.get_intent()[:2] == ("f test", (2.0, 0.0))
    other = next((where / "maps").glob("*contrast-mean_stat-v_statmap.nii.gz"))
    assert nib.load(other).header.get_intent()[:2] == ("t test", (0.0,))
    words = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())
    assert words["StatisticType"] == "G"
    assert words["DegreesOfFreedomNumerator"] == 2
    assert (words["DegreesOfFreedom"], words["DegreesOfFreedomSmallest"]) == (6.0, 2.2)
    rows = {row["contrast"]: row for row in open_bundle(where).manifest["results"]}
    assert rows["mean"]["statistic"] == "v"
    assert rows["mean"]["dof_numerator"] is None
    assert (rows["all"]["dof_numerator"], rows["all"]["dof_min"]) == (2.0, 2.2)
    assert "2 groups of `scanner` have variances of their own" in (where / "README.md").read_text()
    assert " v = " in open_bundle(where).summary()
