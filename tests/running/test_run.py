"""From a spec to a bundle."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import specgl
from specgl.bundle import Status
from specgl.errors import Exit, ImageError, SpecglError, WriteError


def _digests(bundle: specgl.Bundle) -> dict[str, str | None]:
    return {file.path: file.data_sha256 for file in bundle.files if file.role.is_image}


def test_a_run_ends_with_a_bundle_that_verifies(study) -> None:
    bundle = specgl.run(specgl.read(study.spec))
    bundle.verify()
    assert bundle.status is Status.COMPLETE
    assert bundle.path == study.folder / "results"
    assert {row["contrast"] for row in bundle.manifest["results"]} == {"patientGtControl", "ageSlope", "any"}


def test_the_effect_is_the_difference_that_least_squares_finds(study) -> None:
    bundle = specgl.run(specgl.read(study.spec))
    table = pd.read_csv(study.table, sep="\t")
    design = np.column_stack([np.ones(10), table["group"] == "patient", table["age"] - table["age"].mean()])
    truth = np.linalg.lstsq(design, study.data.reshape(10, -1).astype(float), rcond=None)[0][1]
    effect = bundle.maps["effect"].sel(contrast="patientGtControl").values
    inside = bundle.mask.values.astype(bool)
    # Written in float32.
    np.testing.assert_allclose(effect[inside], truth.reshape(inside.shape)[inside], rtol=1e-6)
    assert np.isnan(effect[~inside]).all()


def test_one_thread_and_two_give_the_same_maps(study) -> None:
    study.edit(
        "output: {directory: results}", "output: {maps: [effect, variance, stat, z, p, r2, residuals]}"
    )
    spec = specgl.read(study.spec)
    one = specgl.run(spec, study.folder / "one", threads=1)
    two = specgl.run(spec, study.folder / "two", threads=2)
    assert _digests(one) == _digests(two)
    assert len(_digests(one)) > 20
    assert one.manifest["spec_digest"] == two.manifest["spec_digest"]


def test_the_order_of_the_table_changes_no_map(study) -> None:
    first = specgl.run(specgl.read(study.spec), study.folder / "first")
    lines = study.table.read_text().splitlines()
    study.table.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    second = specgl.run(specgl.read(study.spec), study.folder / "second")
    for name in ("effect", "z", "p"):
        # Sums in another order round differently.
        np.testing.assert_allclose(first.maps[name].values, second.maps[name].values, rtol=1e-5, atol=1e-12)


def test_a_spec_made_in_python_is_the_spec_of_the_file(study, monkeypatch) -> None:
    monkeypatch.chdir(study.folder)
    from_file = specgl.read("analysis.yaml")
    made = specgl.AnalysisSpec(**from_file.model_dump(mode="json"))
    assert made == from_file
    a, b = specgl.run(made, study.folder / "a"), specgl.run(from_file, study.folder / "b")
    assert _digests(a) == _digests(b)
    assert a.manifest["spec_digest"] == b.manifest["spec_digest"]


def test_the_original_is_kept_to_the_byte(study) -> None:
    given = b"\xef\xbb\xbf" + study.spec.read_bytes().replace(b"\n", b"\r\n")
    study.spec.write_bytes(given)
    bundle = specgl.run(specgl.read(study.spec))
    assert (bundle.path / "spec" / "original.yaml").read_bytes() == given


def test_a_complete_bundle_is_not_replaced_unasked(study) -> None:
    spec = specgl.read(study.spec)
    manifest = specgl.run(spec).path / "manifest.json"
    before = manifest.stat().st_mtime_ns
    with pytest.raises(specgl.UsageError, match="overwrite"):
        specgl.run(spec)
    assert manifest.stat().st_mtime_ns == before
    specgl.run(spec, overwrite=True)
    assert manifest.stat().st_mtime_ns != before


def test_a_run_that_fails_leaves_a_record_and_gives_way_to_the_next(study) -> None:
    spec = specgl.read(study.spec)
    plan = specgl.plan(spec)
    good = study.image(3).read_bytes()
    study.image(3).write_bytes(good[: len(good) // 2])
    with pytest.raises(ImageError, match=r"sub-03") as caught:
        specgl.run(plan)
    assert caught.value.exit_code is Exit.DATA
    record = specgl.open(study.folder / "results")
    assert record.status is Status.FAILED
    assert record.manifest["stage"] == "load"
    assert record.spec == json.loads(json.dumps(dict(plan.resolved)))
    study.image(3).write_bytes(good)
    assert specgl.run(spec).status is Status.COMPLETE


def test_an_interrupted_run_says_so(study, monkeypatch) -> None:
    def interrupt(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("specgl.models.fit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        specgl.run(specgl.read(study.spec))
    record = specgl.open(study.folder / "results")
    assert (record.status, record.manifest["stage"]) == (Status.INTERRUPTED, "fit")
    assert [path.name for path in study.folder.iterdir() if path.name.startswith(".results")] == []


def test_a_fault_of_ours_is_recorded_and_not_hidden(study, monkeypatch) -> None:
    def break_down(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a wheel came off")

    monkeypatch.setattr("specgl.running.verbs.infer", break_down)
    with pytest.raises(RuntimeError, match="wheel"):
        specgl.run(specgl.read(study.spec))
    record = specgl.open(study.folder / "results")
    assert record.manifest["message"] == "RuntimeError: a wheel came off"


@pytest.mark.parametrize("there_before", [False, True])
def test_a_full_disk_leaves_what_stood_before(study, monkeypatch, there_before: bool) -> None:
    spec = specgl.read(study.spec)
    before = specgl.run(spec).manifest if there_before else None
    lock = threading.Lock()
    left = [4]

    def write_until_full(*args: object, **kwargs: object) -> None:
        with lock:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(28, "No space left on device")
        return original(*args, **kwargs)

    from specgl.bundle import writing

    original = writing.write_map
    monkeypatch.setattr(writing, "write_map", write_until_full)
    with pytest.raises(WriteError, match="No space left") as caught:
        specgl.run(spec, overwrite=True)
    assert caught.value.exit_code is Exit.COMPUTATION
    if before is not None:
        kept = specgl.open(study.folder / "results")
        kept.verify()
        assert kept.manifest == before
    else:
        assert specgl.open(study.folder / "results").status is Status.FAILED
    assert list(study.folder.rglob("*partial*")) == []


def test_without_images_a_run_is_refused_by_name(study) -> None:
    study.edit('  images: "maps/{participant_id}.nii.gz"\n', "")
    spec = specgl.read(study.spec)
    assert specgl.plan(spec).grid is None
    with pytest.raises(specgl.SpecError, match="names no images") as caught:
        specgl.run(spec)
    assert caught.value.findings[0].line == 3


def test_ready_made_maps_share_one_space(study) -> None:
    import nibabel as nib

    z = np.random.default_rng(3).standard_normal((7, 6, 5)).astype(np.float32)
    t = z * 1.5
    t[0] = np.nan
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    nib.save(nib.Nifti1Image(z, affine), study.folder / "z.nii.gz")
    nib.save(nib.Nifti1Image(t, affine), study.folder / "t.nii.gz")
    study.write(
        """\
specgl: 1
name: ready
maps:
  motor: {image: z.nii.gz, statistic: z}
  faces: {image: t.nii.gz, statistic: t, dof: 12}
inference:
  uncorrected: {method: parametric, correction: none, alpha: 0.05}
  holm: {method: parametric, correction: holm}
output: {directory: results}
"""
    )
    bundle = specgl.run(specgl.read(study.spec))
    bundle.verify()
    survives = bundle.results.set_index(["contrast", "inference"])["n_surviving"]
    # |z| >= 1.959964 is what 0.05 two-sided means.
    assert survives["motor", "uncorrected"] == int((np.abs(z) >= 1.959964).sum())
    assert np.isnan(bundle.maps["z"].sel(contrast="faces").values[0]).all()


def test_warnings_reach_the_bundle(study) -> None:
    study.edit("name: groups", "name: groups\ndescription: A warning is expected.")
    study.edit(
        "  age: {type: continuous, unit: year}", "  age: {type: continuous}\n  sex: {type: categorical}"
    )
    bundle = specgl.run(specgl.read(study.spec))
    assert "W201" in {warning["code"] for warning in bundle.manifest["warnings"]}


def test_errors_name_the_line_of_the_spec(study) -> None:
    study.edit("levels: [control, patient]", "levels: [control, patientt]")
    study.edit('"group[patient] - group[control]"\n', '"group[patientt] - group[control]"\n')
    study.edit('"group[patient] - group[control]"', '"group[patientt] - group[control]"')
    with pytest.raises(SpecglError) as caught:
        specgl.run(specgl.read(study.spec))
    assert {finding.code for finding in caught.value.findings} >= {"E221"}
    first = next(f for f in caught.value.findings if f.code == "E221")
    assert (Path(first.file or "").name, first.line) == ("participants.tsv", 7)


def test_output_behind_a_link_out_of_the_folder_is_written_only_when_told(study, tmp_path_factory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    text = study.spec.read_text()
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("output:"))
    study.spec.write_text(f"{kept}\noutput: {{directory: out/results}}\n")
    (study.spec.parent / "out").symlink_to(elsewhere)
    spec = specgl.read(study.spec)
    with pytest.raises(specgl.SpecError, match="E303"):
        specgl.run(spec)
    assert not any(elsewhere.iterdir())
    assert specgl.run(spec, allow_outside=True).path.resolve() == elsewhere / "results"


def test_a_refused_target_is_not_shown_at_the_first_line_of_the_spec(study, tmp_path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(specgl.UsageError) as caught:
        specgl.run(specgl.read(study.spec), directory=tmp_path / "file")
    (finding,) = caught.value.findings
    assert finding.line is None


def test_a_warning_that_was_answered_is_silent_in_every_stage(study) -> None:
    study.edit(
        "  age: {type: continuous, unit: year}", "  age: {type: continuous}\n  sex: {type: categorical}"
    )
    study.edit(
        "specgl: 1\n", "specgl: 1\n# specgl: ignore W201 sex is for later\n# specgl: ignore W232 few\n"
    )
    spec = specgl.read(study.spec)
    loud = {"W201", "W232"}
    assert {finding.code for finding in specgl.plan(spec).findings} & loud == set()
    bundle = specgl.run(spec)
    assert {warning["code"] for warning in bundle.manifest["warnings"]} & loud == set()
    assert b"sex is for later" in (bundle.path / "spec" / "original.yaml").read_bytes()


def test_the_digest_of_the_table_is_of_the_bytes_that_were_analysed(study) -> None:
    import hashlib

    analysed = study.table.read_bytes()
    plan = specgl.plan(specgl.read(study.spec))
    study.table.write_bytes(analysed.replace(b"control", b"patient"))
    held = specgl.run(plan).inputs
    assert held is not None
    table = next(entry for entry in held["files"] if entry["role"] == "table")
    assert (table["bytes"], table["sha256"]) == (len(analysed), hashlib.sha256(analysed).hexdigest())
