"""Plans, and everything that stops one: each fault of spec, table and images at its place, all at once."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

import specgl
from specgl.errors import Exit, SpecglError
from specgl.planning import GroupSource, check_data


def _found(study) -> dict[str, specgl.Finding]:
    """Findings of the plan that the study's spec cannot have, by code."""
    with pytest.raises(SpecglError) as caught:
        specgl.plan(specgl.read(study.spec))
    return {finding.code: finding for finding in caught.value.findings}


def _exit(study) -> Exit:
    with pytest.raises(SpecglError) as caught:
        specgl.plan(specgl.read(study.spec))
    return caught.value.exit_code


def test_a_plan_knows_rows_design_files_and_cost(study) -> None:
    plan = specgl.plan(specgl.read(study.spec))
    assert isinstance(plan.source, GroupSource)
    assert len(plan.source.rows.kept) == 10
    assert plan.source.design.dof == 7
    assert [contrast.kind for contrast in plan.source.design.contrasts] == ["t", "t", "F"]
    assert plan.grid is not None
    assert plan.grid.shape == (7, 6, 5)
    assert plan.estimate is not None
    assert 0 < plan.estimate.memory <= plan.estimate.memory_bound
    assert len(plan.digest) == 64


def test_no_voxel_is_read(study) -> None:
    """An image whose header is whole and whose voxels are damaged passes the plan."""
    good = study.image(2).read_bytes()
    study.image(2).write_bytes(good[:-12] + b"\0\0\0\0" + good[-8:])
    assert specgl.plan(specgl.read(study.spec)).grid is not None


def test_rows_with_a_missing_image_are_an_error_or_dropped_with_the_reason(study) -> None:
    study.image(4).unlink()
    finding = _found(study)["E300"]
    assert (finding.line, "sub-04" in finding.message) == (5, True)
    assert _exit(study) is Exit.DATA
    study.edit("  images:", "  missing: {image: drop}\n  images:")
    source = specgl.plan(specgl.read(study.spec)).source
    assert isinstance(source, GroupSource)
    assert [row.observation for row in source.rows.dropped] == ["sub-04"]
    assert "maps/sub-04.nii.gz" in source.rows.dropped[0].reason
    assert len(source.images) == 9


def test_faults_of_design_and_images_are_told_together(study) -> None:
    study.image(4).unlink()
    study.edit("formula: group + age", "formula: group + age + I(2 * age)")
    assert {"E300", "E240"} <= set(_found(study))
    assert _exit(study) is Exit.SPEC


def _nifti(path: Path, data: np.ndarray, *, zoom: float = 3.0) -> None:
    import nibabel as nib

    nib.save(nib.Nifti1Image(data, np.diag([zoom, zoom, zoom, 1.0])), path)


def _other_grid(study) -> None:
    _nifti(study.image(2), study.data[1], zoom=2.0)


def _text_image(study) -> None:
    study.image(2).write_bytes(gzip.compress(b"hello"))


def _truncated(study) -> None:
    study.image(2).write_bytes(study.image(2).read_bytes()[:400])


def _no_id(study) -> None:
    study.table.write_text(study.table.read_text().replace("participant_id", "subject"))


def _duplicate(study) -> None:
    study.table.write_text(study.table.read_text().replace("sub-03\t", "sub-02\t"))


def _unknown_level(study) -> None:
    study.table.write_text(study.table.read_text().replace("sub-07\tpatient", "sub-07\tPatient "))


def _constant(study) -> None:
    lines = [line.split("\t") for line in study.table.read_text().splitlines()]
    study.table.write_text("\n".join("\t".join([a, b, c if c == "age" else "30", d]) for a, b, c, d in lines))


def _empty_level(study) -> None:
    study.edit("[control, patient]", "[control, patient, twin]")


def _saturated(study) -> None:
    study.edit("  images:", "  include: {participant_id: [sub-01, sub-02, sub-06]}\n  images:")


def _missing_value(study) -> None:
    study.table.write_text(study.table.read_text().replace("sub-05\tcontrol\t", "sub-05\tn/a\t"))


def _no_table(study) -> None:
    study.table.unlink()


def _no_mask(study) -> None:
    (study.folder / "mask.nii.gz").unlink()


def _not_estimable(study) -> None:
    study.edit("formula: group + age", "formula: group + age\n  block: sex")
    study.edit('"group[patient] - group[control]"\n', '"group[patient]"\n')


BAD = {
    _other_grid: ("E317", Exit.DATA),
    _text_image: ("E310", Exit.DATA),
    _truncated: ("E311", Exit.DATA),
    _no_id: ("E211", Exit.DATA),
    _duplicate: ("E214", Exit.DATA),
    _unknown_level: ("E221", Exit.DATA),
    _constant: ("E223", Exit.SPEC),
    _empty_level: ("E222", Exit.SPEC),
    _saturated: ("E241", Exit.SPEC),
    _missing_value: ("E215", Exit.DATA),
    _no_table: ("E216", Exit.DATA),
    _no_mask: ("E309", Exit.DATA),
    _not_estimable: ("E245", Exit.SPEC),
}


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__.strip("_"))
def test_what_bad_input_gets(study, spoil) -> None:
    spoil(study)
    code, exit_code = BAD[spoil]
    found = _found(study)
    assert code in found
    assert found[code].file is not None
    assert found[code].line is not None
    assert _exit(study) is exit_code


def test_a_near_miss_is_told_at_the_cell(study) -> None:
    _unknown_level(study)
    finding = _found(study)["E221"]
    assert (finding.line, finding.column) == (8, 8)
    assert "did you mean 'patient'?" in f"{finding.message} {finding.help}"


def test_stage_two_opens_no_image(study) -> None:
    for path in (study.folder / "maps").iterdir():
        path.unlink()
    assert not any(finding.is_error for finding in check_data(specgl.read(study.spec)))
    study.edit("formula: group + age", "formula: group + age + I(2 * age)")
    found = check_data(specgl.read(study.spec))
    assert [(finding.code, finding.line) for finding in found if finding.is_error] == [("E240", 11)]


def test_images_outside_the_folder_are_refused_unless_allowed(study, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    study.image(2).rename(outside / "map.nii.gz")
    study.image(2).symlink_to(outside / "map.nii.gz")
    assert "E303" in _found(study)
    assert specgl.plan(specgl.read(study.spec), allow_outside=True).grid is not None


def test_a_table_behind_a_link_out_of_the_folder_is_not_read(study, tmp_path_factory) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.tsv"
    table = study.spec.parent / "participants.tsv"
    secret.write_bytes(table.read_bytes())
    table.unlink()
    table.symlink_to(secret)
    assert _found(study)["E303"].line is not None
    found = check_data(specgl.read(study.spec))
    assert [finding.code for finding in found if finding.is_error] == ["E303"]
    assert specgl.plan(specgl.read(study.spec), allow_outside=True).grid is not None


def test_columns_of_images_are_looked_for_with_the_table(study) -> None:
    study.edit("{participant_id}.nii.gz", "{subject}.nii.gz")
    found = check_data(specgl.read(study.spec))
    assert [finding.code for finding in found if finding.is_error] == ["E301"]


def test_what_is_no_spec_is_called_so() -> None:
    with pytest.raises(specgl.UsageError, match=r"specgl\.read"):
        specgl.plan("analysis.yaml")  # type: ignore[arg-type]  # the slip that is tested
