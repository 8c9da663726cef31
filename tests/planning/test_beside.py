"""Variances and voxelwise covariates in a plan: found, compared and counted on, where the model uses them."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

import specgl
from specgl.planning import check_data, translate
from specgl.planning.group import PlannedGroup, plan_group

AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


@pytest.fixture
def weighted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every estimator uses variances: what is tested here does not depend on which do."""
    monkeypatch.setattr(translate, "uses_variances", lambda model: True)


@pytest.fixture
def beside(study):
    """The study with variances and two covariates beside the images."""
    rng = np.random.default_rng(1)
    for key in ("var", "gm", "csf"):
        (study.folder / key).mkdir()
        for number in range(1, 11):
            volume = rng.uniform(0.5, 1.5, study.data.shape[1:]).astype(np.float32)
            nib.save(nib.Nifti1Image(volume, AFFINE), study.folder / key / f"sub-{number:02d}.nii.gz")
    study.edit(
        "  images:",
        '  variances: "var/{participant_id}.nii.gz"\n'
        '  voxelwise: {csf: "csf/{participant_id}.nii.gz", gm: "gm/{participant_id}.nii.gz"}\n  images:',
    )
    return study


def plan(study) -> PlannedGroup:
    spec = specgl.read(study.spec)
    assert spec.data is not None
    assert spec.model is not None
    roots = translate.roots(spec, allow_outside=False)
    return plan_group(spec, spec.data, spec.model, roots=roots, threads=1)


def images_found(planned: PlannedGroup) -> dict[str, specgl.Finding]:
    """Findings about images, by code; a design may not know of voxelwise covariates here."""
    return {finding.code: finding for finding in planned.findings if finding.code[1] == "3"}


def test_only_what_the_model_uses_is_looked_for(beside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translate, "uses_variances", lambda model: False)
    for path in (beside.folder / "var").iterdir():
        path.unlink()
    planned = plan(beside)
    assert images_found(planned) == {}
    source = planned.source(specgl.read(beside.spec).data)
    assert (source.variances, source.voxelwise) == (None, {})


def test_least_squares_uses_no_variances(beside) -> None:
    model = specgl.read(beside.spec).model
    assert model is not None
    assert not translate.uses_variances(model)


@pytest.mark.usefixtures("weighted")
def test_a_source_names_the_images_of_the_rows_that_are_kept(beside) -> None:
    beside.edit("  images:", "  exclude: {participant_id: [sub-03]}\n  images:")
    planned = plan(beside)
    source = planned.source(specgl.read(beside.spec).data)
    assert source.variances is not None
    assert list(source.variances) == list(source.images) == list(planned.rows.kept)
    assert source.variances["sub-04"].path == (beside.folder / "var" / "sub-04.nii.gz").resolve()
    assert source.voxelwise == {}


def test_covariates_are_those_of_the_formula_in_the_order_of_the_spec(beside) -> None:
    beside.edit("formula: group + age", "formula: group + age + gm + csf")
    assert list(plan(beside).files.companions.voxelwise) == ["csf", "gm"]
    beside.edit("formula: group + age + gm + csf", "formula: group * gm + age")
    found = plan(beside).files.companions
    assert found.variances is None
    assert list(found.voxelwise) == ["gm"]
    assert found.voxelwise["gm"]["sub-10"].path.parent.name == "gm"


@pytest.mark.usefixtures("weighted")
def test_observations_without_a_variance_are_an_error_or_dropped_with_the_reason(beside) -> None:
    beside.edit("formula: group + age", "formula: group + age + gm")
    (beside.folder / "var" / "sub-04.nii.gz").unlink()
    (beside.folder / "gm" / "sub-05.nii.gz").unlink()
    beside.image(6).unlink()
    told = {finding.where: finding for finding in plan(beside).findings if finding.code == "E300"}
    assert set(told) == {("data", "images"), ("data", "variances"), ("data", "voxelwise", "gm")}
    assert "1 of 10 observations have no variance: sub-04" in told["data", "variances"].message
    assert "covariate 'gm': sub-05" in told["data", "voxelwise", "gm"].message
    beside.edit("  images:", "  missing: {image: drop}\n  images:")
    planned = plan(beside)
    assert "E300" not in images_found(planned)
    reasons = {row.observation: row.reason for row in planned.rows.dropped}
    assert reasons == {
        "sub-04": "no variance: there is no file 'var/sub-04.nii.gz'",
        "sub-05": "no image of the covariate 'gm': there is no file 'gm/sub-05.nii.gz'",
        "sub-06": "no image: there is no file 'maps/sub-06.nii.gz'",
    }
    companions = planned.files.companions
    assert companions.variances is not None
    kept = list(planned.rows.kept)
    assert list(companions.variances) == list(companions.voxelwise["gm"]) == kept


@pytest.mark.usefixtures("weighted")
def test_headers_and_grids_are_compared(beside) -> None:
    beside.edit("formula: group + age", "formula: group + age + gm")
    other = nib.Nifti1Image(np.ones((7, 6, 5), np.float32), np.diag([2.0, 2.0, 2.0, 1.0]))
    nib.save(other, beside.folder / "var" / "sub-02.nii.gz")
    (beside.folder / "gm" / "sub-03.nii.gz").write_bytes(b"hello")
    found = images_found(plan(beside))
    assert found["E318"].where == ("data", "variances")
    assert "var/sub-02.nii.gz" in found["E318"].message
    assert found["E310"].where == ("data", "voxelwise", "gm")
    beside.edit("  images:", "  resample: {to: mask}\n  images:")
    assert set(images_found(plan(beside))) == {"E310"}


@pytest.mark.usefixtures("weighted")
def test_their_memory_and_time_are_counted(beside) -> None:
    more = plan(beside).files.estimate
    beside.edit('  variances: "var/{participant_id}.nii.gz"\n', "")
    less = plan(beside).files.estimate
    assert more is not None
    assert less is not None
    assert more.memory_bound - less.memory_bound == 10 * 4 * 7 * 6 * 5
    assert more.memory > less.memory
    assert more.seconds > less.seconds


@pytest.mark.usefixtures("weighted")
def test_without_images_of_effects_none_are_looked_for(beside) -> None:
    for path in (beside.folder / "var").iterdir():
        path.unlink()
    beside.edit('  images: "maps/{participant_id}.nii.gz"\n', "")
    assert images_found(plan(beside)) == {}


@pytest.mark.usefixtures("weighted")
def test_columns_that_they_want_are_looked_for_with_the_table(beside) -> None:
    beside.edit("var/{participant_id}", "var/{person}")
    found = [finding for finding in check_data(specgl.read(beside.spec)) if finding.is_error]
    assert [(finding.code, finding.where) for finding in found] == [("E301", ("data", "variances"))]
    beside.edit("formula: group + age", "formula: group + age + gm")
    beside.edit("gm/{participant_id}", "gm/{subject}")
    found = [finding for finding in check_data(specgl.read(beside.spec)) if finding.code == "E301"]
    assert [finding.where for finding in found] == [("data", "variances"), ("data", "voxelwise", "gm")]


@pytest.mark.parametrize(
    "key", ['variances: "../{participant_id}.nii"', 'voxelwise: {gm: "/{participant_id}.nii"}']
)
def test_paths_outside_the_folder_are_refused(study, key: str) -> None:
    study.edit("  images:", f"  {key}\n  images:")
    with pytest.raises(specgl.SpecError) as caught:
        specgl.read(study.spec)
    assert "E018" in {finding.code for finding in caught.value.findings}


@pytest.mark.usefixtures("weighted")
def test_a_link_out_of_the_folder_is_refused(beside, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("elsewhere") / "var.nii.gz"
    path = beside.folder / "var" / "sub-02.nii.gz"
    path.rename(outside)
    path.symlink_to(outside)
    assert images_found(plan(beside))["E303"].where == ("data", "variances")


@pytest.mark.usefixtures("weighted")
def test_a_run_reads_them_and_says_so(beside, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = np.ones((7, 6, 5), np.float32)
    bad[3, 3, 1:4] = 0
    nib.save(nib.Nifti1Image(bad, AFFINE), beside.folder / "var" / "sub-02.nii.gz")
    monkeypatch.setattr(translate, "voxelwise", lambda data, model: ("gm",))
    bundle = specgl.run(specgl.read(beside.spec), threads=2)
    bundle.verify()
    inputs = json.loads((bundle.path / "spec" / "inputs.json").read_text())
    listed = inputs["files"] if isinstance(inputs, dict) else inputs
    roles = [file["role"] for file in listed]
    assert [roles.count(role) for role in ("image", "variance", "covariate")] == [10, 10, 10]
    assert bundle.manifest["counts"]["without_variance"] == 3
    assert any("W313" in str(warning) for warning in bundle.manifest["warnings"])
    rows = bundle.observations
    assert rows is not None
    assert rows.loc["sub-02", "variance"] == "var/sub-02.nii.gz"


def test_a_table_of_observations_without_variances_has_no_column_for_them(study) -> None:
    rows = specgl.run(specgl.read(study.spec)).observations
    assert rows is not None
    assert "variance" not in rows.columns
