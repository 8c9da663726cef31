"""A run ends with its report; what hinders a report takes no result down."""

from __future__ import annotations

from typing import Any

import nibabel as nib
import numpy as np
import pytest

import specgl
from specgl.bundle import Status
from specgl.errors import DataError, UsageError, VerificationError

pytestmark = pytest.mark.report


def test_a_run_leaves_its_report_and_says_how_long_it_took(study: Any) -> None:
    bundle = specgl.run(specgl.read(study.spec))
    bundle.verify()
    assert bundle.report is not None
    page = bundle.report.read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    named = {file.path for file in bundle.files}
    assert {"report.html", "methods.md", "references.bib"} <= named
    assert any(path.startswith("figures/") for path in named)
    assert bundle.manifest["timings"]["report"] > 0


def test_without_a_report_there_is_none_until_it_is_asked_for(study: Any) -> None:
    bundle = specgl.run(specgl.read(study.spec), report=False)
    assert bundle.report is None
    before = {file.path: file.sha256 for file in bundle.files}
    page = specgl.report(bundle)
    after = specgl.open(bundle.path)
    after.verify()
    assert page == bundle.path / "report.html" == after.report
    changed = {f.path for f in after.files if before.get(f.path, f.sha256) != f.sha256}
    assert changed == {"ro-crate-metadata.json"}


def test_the_same_bundle_gives_the_same_report(study: Any) -> None:
    bundle = specgl.run(specgl.read(study.spec), report=False)
    specgl.report(bundle.path)

    def made() -> dict[str, str]:
        return {f.path: f.sha256 for f in specgl.open(bundle.path).files if f.role.is_report}

    first = made()
    specgl.report(bundle.path)
    # The page tells the time its making took last time; its pictures and texts tell none.
    assert {p: d for p, d in made().items() if p != "report.html"} == {
        p: d for p, d in first.items() if p != "report.html"
    }


def test_a_report_that_cannot_be_made_is_told_and_the_results_stand(
    study: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(target: object) -> None:
        raise ZeroDivisionError("of a picture")

    monkeypatch.setattr("specgl.running.verbs.render_into", fail)
    with pytest.warns(RuntimeWarning, match="the results stand, but their report could not be made"):
        bundle = specgl.run(specgl.read(study.spec))
    bundle.verify()
    assert bundle.report is None


def test_a_failed_run_has_a_page_that_says_why(study: Any) -> None:
    constant = nib.Nifti1Image(np.ones((7, 6, 5), np.float32), np.diag([3.0, 3, 3, 1]))
    for number in range(1, 11):
        nib.save(constant, study.image(number))
    with pytest.raises(DataError):
        specgl.run(specgl.read(study.spec))
    bundle = specgl.open(study.folder / "results")
    assert bundle.status is Status.FAILED
    assert bundle.report is not None
    page = bundle.report.read_text(encoding="utf-8")
    assert "no voxel is left to analyse" in page
    assert specgl.report(bundle.path) == bundle.report


def test_a_changed_bundle_has_no_report_made(study: Any) -> None:
    bundle = specgl.run(specgl.read(study.spec), report=False)
    (bundle.path / "model" / "design.tsv").write_text("observation\n")
    with pytest.raises(VerificationError, match="E50"):
        specgl.report(bundle.path)
    assert not (bundle.path / "report.html").exists()


def test_a_changed_report_is_made_anew(study: Any) -> None:
    bundle = specgl.run(specgl.read(study.spec))
    (bundle.path / "methods.md").write_text("my own words")
    next((bundle.path / "figures").iterdir()).unlink()
    with pytest.raises(VerificationError, match=r"methods\.md"):
        bundle.verify()
    specgl.report(bundle.path)
    specgl.open(bundle.path).verify()
    assert (bundle.path / "methods.md").read_text() != "my own words"


def test_an_underlay_is_named_by_the_spec_or_given_later(study: Any) -> None:
    shades = np.random.default_rng(1).integers(1, 100, (14, 12, 10)).astype(np.int16)
    nib.save(nib.Nifti1Image(shades, np.diag([1.5, 1.5, 1.5, 1])), study.folder / "t1.nii.gz")
    study.edit("output: {directory: results}", "output: {directory: results, underlay: t1.nii.gz}")
    plan = specgl.plan(specgl.read(study.spec))
    bundle = specgl.run(plan, report=False)
    assert bundle.underlay is not None
    assert (bundle.underlay.shape, bundle.underlay.attrs["source"]) == ((14, 12, 10), "underlay")
    assert [file["role"] for file in bundle.inputs["files"]].count("underlay") == 1
    study.edit(", underlay: t1.nii.gz", "")
    again = specgl.plan(specgl.read(study.spec))
    assert again.digest == plan.digest, "how a page looks is no part of what is asked"

    other = specgl.run(specgl.read(study.spec), study.folder / "other", report=False)
    assert other.underlay is not None
    assert other.underlay.attrs["source"] == "mean image"
    specgl.report(other, underlay=study.folder / "t1.nii.gz")
    held = specgl.open(other.path)
    held.verify()
    assert held.underlay is not None
    np.testing.assert_array_equal(held.underlay.values, bundle.underlay.values)


def test_an_underlay_that_is_none_is_told_before_anything_is_read(study: Any) -> None:
    study.edit("output: {directory: results}", "output: {directory: results, underlay: nowhere.nii.gz}")
    with pytest.raises(DataError, match=r"nowhere\.nii\.gz"):
        specgl.plan(specgl.read(study.spec))
    with pytest.raises(DataError):
        specgl.run(specgl.read(study.spec))


def test_no_report_is_made_of_what_is_no_bundle(study: Any) -> None:
    with pytest.raises(VerificationError):
        specgl.report(study.folder)
    with pytest.raises((VerificationError, UsageError)):
        specgl.report(study.folder / "nowhere")
