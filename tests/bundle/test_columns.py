"""The columns of cluster tables as their sidecars explain them."""

from __future__ import annotations

import dataclasses
import json

import pytest

from specgl.bundle import open_bundle, write
from specgl.bundle.columns import MEANINGS, describe_columns
from specgl.bundle.statistics import Statistic
from specgl.inference import CLUSTER_COLUMNS

VOXELS = {"method": "parametric", "correction": "bonferroni", "alpha": 0.05, "connectivity": 26}
CLUSTERS = {
    "method": "permutation",
    "statistic": "cluster_mass",
    "correction": "fwe",
    "alpha": 0.05,
    "cluster_forming_p": 0.001,
    "mass": "excess",
}
DISCOVERIES = {"method": "all_resolutions", "alpha": 0.05, "cluster_forming_z": [2.5, 3.1]}
REGIONS = {"method": "all_resolutions", "alpha": 0.05, "regions": {"image": "atlas.nii.gz"}}
STATISTIC = Statistic("mean", "t", "two-sided", None, 17.0, 17.0, 19, 19)
VARYING = dataclasses.replace(STATISTIC, dof_min=9.0)


def test_every_column_is_explained(with_atlas, tmp_path):
    assert list(MEANINGS) == list(CLUSTER_COLUMNS)
    bundle = open_bundle(write(tmp_path / "out", with_atlas))
    told = json.loads((bundle.path / "tables" / _sidecar(bundle)).read_text())
    for column in bundle.tables["mean", "uncorrected"]:
        assert told[column]["Description"].endswith(".")
    assert {told[name]["Units"] for name in ("x", "y", "z", "center_x")} == {"mm"}
    assert told["size_mm3"]["Units"] == "mm3"


def _sidecar(bundle) -> str:
    return next(
        path.name
        for path in (bundle.path / "tables").iterdir()
        if "contrast-mean" in path.name and "uncorrected" in path.name and path.suffix == ".json"
    )


@pytest.mark.parametrize(
    ("asked", "statistic", "threshold", "mass", "p"),
    [
        (VOXELS, STATISTIC, "from which a location survives", "the statistic's magnitude", "of the peak."),
        (CLUSTERS, STATISTIC, "Magnitude of t from which", "of t above the threshold", "of the cluster."),
        (CLUSTERS, VARYING, "Magnitude of z from which", "of z above the threshold", "of the cluster."),
        (
            {"method": "random_field", "statistic": "cluster_extent"},
            STATISTIC,
            "Magnitude of t from which",
            "of t over",
            "of the cluster.",
        ),
        (
            {"method": "random_field", "statistic": "cluster_extent"},
            VARYING,
            "Magnitude of z from which",
            "of z over",
            "of the cluster.",
        ),
        (
            {"method": "random_field", "statistic": "voxel"},
            STATISTIC,
            "a location survives",
            "statistic's",
            "of the peak.",
        ),
        (
            {"method": "simulated", "statistic": "cluster_mass"},
            STATISTIC,
            "Magnitude of z from which",
            "of z over",
            "of the cluster.",
        ),
        (DISCOVERIES, STATISTIC, "Magnitude of z from which", "the statistic's magnitude", "by Hommel"),
        (
            {"method": "all_resolutions", "largest": {"tdp": 0.7}},
            STATISTIC,
            "Least magnitude of z",
            "the statistic's magnitude",
            "by Hommel",
        ),
        (REGIONS, STATISTIC, "no threshold", "over the region", "by Hommel"),
        (
            {"method": "permutation", "statistic": "voxel", "correction": "tdp", "cluster_forming_z": [3.1]},
            STATISTIC,
            "Magnitude of z from which",
            "the statistic's magnitude",
            "by the shuffles",
        ),
    ],
)
def test_columns_mean_what_the_inference_makes_them(asked, statistic, threshold, mass, p):
    told = describe_columns(list(CLUSTER_COLUMNS), asked, statistic)
    assert threshold in told["threshold"]["Description"]
    assert mass in told["mass"]["Description"]
    assert p in told["p_corrected"]["Description"]


def test_a_row_about_regions_is_a_region():
    told = describe_columns(list(CLUSTER_COLUMNS), REGIONS, STATISTIC)
    for name in ("cluster", "size", "tdp", "discoveries", "center_x", "region"):
        assert "cluster" not in told[name]["Description"]
    assert told["region"]["Description"] == "Name of the region."
