"""Label images in a plan, and what inferences the words of the spec become."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

import specgl
from specgl import inference
from specgl.errors import Exit, SpecglError
from specgl.planning import translate
from specgl.planning.make import make_plan
from specgl.spec import AnalysisSpec

AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


def ask(study, *lines: str, output: str = "") -> None:
    """Ask for these inferences instead of the study's."""
    text = study.spec.read_text(encoding="utf-8")
    head, _, _ = text.partition("inference:")
    asked = "".join(f"  {line}\n" for line in lines)
    study.write(f"{head}inference:\n{asked}output: {{directory: results{output}}}\n")


def atlas(study, name: str = "atlas.nii.gz", data: np.ndarray | None = None) -> None:
    data = np.ones((7, 6, 5), dtype=np.uint8) if data is None else data
    nib.save(nib.Nifti1Image(data, AFFINE), study.folder / name)


def test_label_images_are_found_for_inferences_and_tables(study) -> None:
    atlas(study)
    (study.folder / "labels.tsv").write_text("index\tname\n1\twhole\n")
    ask(
        study,
        "regions: {method: all_resolutions, regions: atlas.nii.gz}",
        "named: {method: all_resolutions, regions: {image: atlas.nii.gz, labels: labels.tsv}}",
        "clusters: {method: all_resolutions}",
        output=", atlas: {image: atlas.nii.gz, labels: labels.tsv}",
    )
    plan = specgl.plan(specgl.read(study.spec))
    path = (study.folder / "atlas.nii.gz").resolve()
    assert {name: one.image.path for name, one in plan.regions.items()} == {"regions": path, "named": path}
    assert plan.regions["regions"].labels is None
    assert plan.regions["named"].labels.path == (study.folder / "labels.tsv").resolve()
    assert plan.regions["named"].where == ("inference", "named", "regions")
    assert plan.atlas is not None
    assert plan.atlas.where == ("output", "atlas")
    assert [one.sets.regions for one in plan.inferences] == [True, True, False]


def test_an_atlas_changes_no_digest(study) -> None:
    atlas(study)
    bare = specgl.plan(specgl.read(study.spec))
    assert (bare.regions, bare.atlas) == ({}, None)
    study.edit("{directory: results}", "{directory: results, atlas: atlas.nii.gz}")
    assert specgl.plan(specgl.read(study.spec)).digest == bare.digest


def test_faults_of_label_images_are_told_at_their_lines(study) -> None:
    ask(
        study,
        "a: {method: all_resolutions, regions: none.nii.gz}",
        "b: {method: all_resolutions, regions: {image: participants.tsv}}",
        output=", atlas: {image: mask.nii.gz, labels: none.tsv}",
    )
    with pytest.raises(SpecglError) as caught:
        specgl.plan(specgl.read(study.spec))
    told = {(f.code, f.line, f.column) for f in caught.value.findings if f.is_error}
    line = next(
        number for number, text in enumerate(study.spec.read_text().splitlines(), 1) if "none.nii" in text
    )
    column = len("  a: {method: all_resolutions, regions: ") + 1
    assert ("E309", line, column) in told
    assert ("E310", line + 1, column + len("{image: ")) in told
    assert ("E309", line + 2) in {place[:2] for place in told}
    assert len(told) == 3
    assert caught.value.exit_code is Exit.DATA


def test_a_label_image_may_not_lie_outside(study, tmp_path_factory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "atlas.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((7, 6, 5), dtype=np.uint8), AFFINE), elsewhere)
    (study.folder / "link.nii.gz").symlink_to(elsewhere)
    ask(study, "a: {method: all_resolutions, regions: link.nii.gz}")
    with pytest.raises(SpecglError) as caught:
        specgl.plan(specgl.read(study.spec))
    assert [finding.code for finding in caught.value.findings if finding.is_error] == ["E303"]
    assert make_plan(specgl.read(study.spec), allow_outside=True).regions["a"].image.path == elsewhere


def test_ready_made_maps_have_regions_too(study) -> None:
    atlas(study)
    atlas(study, "chi2.nii.gz", np.ones((7, 6, 5), dtype=np.float32))
    study.write(
        "specgl: 1\nname: ready\n"
        "maps:\n"
        "  m: {image: maps/sub-01.nii.gz, statistic: z}\n"
        "  c: {image: chi2.nii.gz, statistic: chi2, dof: 3}\n"
        "inference: {a: {method: all_resolutions, regions: atlas.nii.gz}}\n"
        "output: {atlas: atlas.nii.gz}\n"
    )
    plan = specgl.plan(specgl.read(study.spec))
    assert set(plan.regions) == {"a"}
    assert plan.atlas is not None
    assert [(one.statistic, one.dof) for one in plan.source.maps] == [("z", ()), ("chi2", (3.0,))]


BASE = {
    "specgl": 1,
    "name": "base",
    "data": {"table": "rows.tsv", "images": "{id}.nii"},
    "variables": {"group": {"type": "categorical", "levels": ["a", "b"]}},
    "model": {"formula": "group"},
    "contrasts": {"diff": "group[b] - group[a]"},
    "permutation": {"seed": 1, "tail": "gpd"},
}
WIDTHS = (8.0, 8.5, 7.0)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (
            {"method": "random_field", "statistic": "voxel", "smoothness": {"fwhm": 8}, "alpha": 0.01},
            inference.RandomField("a", "voxel", 0.01, 26, None, "voxels", (8.0, 8.0, 8.0)),
        ),
        (
            {"method": "random_field", "statistic": "cluster_extent", "extent": "resels", "connectivity": 6},
            inference.RandomField("a", "cluster_extent", 0.05, 6, inference.Forming(p=0.001), "resels"),
        ),
        (
            {"method": "simulated", "statistic": "cluster_extent", "seed": 4, "across": "contrasts"},
            inference.Simulated(
                "a", "cluster_extent", inference.Forming(p=0.001), 5000, 4, across="contrasts"
            ),
        ),
        (
            {
                "method": "simulated",
                "statistic": "cluster_mass",
                "seed": 4,
                "n": 99,
                "mass": "excess",
                "cluster_forming_stat": 3.5,
                "smoothness": {"fwhm": list(WIDTHS)},
            },
            inference.Simulated(
                "a", "cluster_mass", inference.Forming(stat=3.5), 99, 4, mass="excess", fwhm=WIDTHS
            ),
        ),
        (
            {"method": "all_resolutions"},
            inference.AllResolutions("a", inference.Sets(forming_z=(3.1,))),
        ),
        (
            {"method": "all_resolutions", "cluster_forming_z": [2.5, 3], "alpha": 0.1, "connectivity": 18},
            inference.AllResolutions("a", inference.Sets(forming_z=(2.5, 3.0)), 0.1, 18),
        ),
        (
            {"method": "all_resolutions", "largest": {"tdp": 0.7}, "across": "contrasts"},
            inference.AllResolutions("a", inference.Sets(largest=0.7), across="contrasts"),
        ),
        (
            {"method": "permutation", "statistic": "voxel", "correction": "tdp", "regions": "a.nii"},
            inference.Permutation("a", "voxel", "tdp", tail="gpd", sets=inference.Sets(regions=True)),
        ),
        (
            {"method": "permutation", "statistic": "voxel"},
            inference.Permutation("a", "voxel", tail="gpd"),
        ),
    ],
)
def test_words_become_records_of_inference(how, expected) -> None:
    spec = AnalysisSpec.model_validate({**BASE, "inference": {"a": how}})
    assert translate.inferences(spec) == (expected,)
