"""A report is put into a bundle, or taken for another, and nothing else changes."""

from __future__ import annotations

import errno
import json
import os

import numpy as np
import pytest

from specgl.bundle import (
    Failure,
    Role,
    Run,
    Status,
    TextFile,
    claim,
    open_bundle,
    renew_report,
    renew_underlay,
    verify,
    write,
    write_failure,
)
from specgl.errors import UsageError, VerificationError, WriteError
from specgl.images import Grid, InputFile, Underlay

PAGE = TextFile("report.html", Role.REPORT, b"<!doctype html>")
FIGURE = TextFile("figures/a b.svg", Role.FIGURE, b"<svg/>")


@pytest.fixture
def bundle(make_contents, tmp_path):
    return write(tmp_path / "out", make_contents())


def contents_of(folder):
    return {file.path: file.sha256 for file in open_bundle(folder).files if file.role is not Role.PROVENANCE}


def test_a_report_is_added_and_all_else_stays(bundle):
    before, manifest = contents_of(bundle), open_bundle(bundle).manifest
    assert renew_report(bundle, [PAGE, FIGURE], 1.25) == bundle
    verify(bundle)
    after = contents_of(bundle)
    assert set(after) - set(before) == {"report.html", "figures/a b.svg"}
    assert {path: after[path] for path in before} == before
    held = open_bundle(bundle)
    assert held.report == bundle / "report.html"
    assert held.report.read_bytes() == PAGE.content
    assert held.manifest["timings"] == {**manifest["timings"], "report": 1.25}
    assert held.manifest["seconds"] == pytest.approx(manifest["seconds"] + 1.25)
    same = set(manifest) - {"timings", "seconds", "files"}
    assert {key: held.manifest[key] for key in same} == {key: manifest[key] for key in same}


def test_a_second_report_takes_the_place_of_the_first(bundle):
    renew_report(bundle, [PAGE, FIGURE], 1.0)
    seconds = open_bundle(bundle).manifest["seconds"]
    renew_report(bundle, [TextFile("report.html", Role.REPORT, b"new")], 2.0)
    verify(bundle)
    assert (bundle / "report.html").read_bytes() == b"new"
    assert not (bundle / "figures").exists()
    assert open_bundle(bundle).manifest["seconds"] == pytest.approx(seconds + 1.0)


def test_the_crate_tells_of_it(bundle):
    def told():
        graph = json.loads((bundle / "ro-crate-metadata.json").read_text())["@graph"]
        root = next(entity for entity in graph if entity["@id"] == "./")
        ids = [entity["@id"] for entity in graph]
        assert len(ids) == len(set(ids))
        assert {part["@id"] for part in root["hasPart"]} <= set(ids)
        return graph, {part["@id"] for part in root["hasPart"]}

    before = told()[1]
    renew_report(bundle, [PAGE, FIGURE], 1.0)
    graph, parts = told()
    assert parts - before == {"report.html", "figures/a%20b.svg"}
    page = next(entity for entity in graph if entity["@id"] == "report.html")
    assert page["encodingFormat"] == "text/html"
    renew_report(bundle, [PAGE], 1.0)
    assert told()[1] == before | {"report.html"}


def test_where_a_disk_refuses_the_old_one_stands(bundle, monkeypatch):
    renew_report(bundle, [PAGE], 1.0)
    before = contents_of(bundle)

    def full(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("specgl.bundle.writing.write_bytes", full)
    with pytest.raises(WriteError, match="E411"):
        renew_report(bundle, [TextFile("report.html", Role.REPORT, b"new")], 1.0)
    assert contents_of(bundle) == before
    verify(bundle)
    assert [path.name for path in bundle.parent.iterdir() if path.name.startswith(".")] == []


def test_where_links_cannot_be_made_files_are_copied(bundle, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    renew_report(bundle, [PAGE], 1.0)
    verify(bundle)


def test_under_the_claim_of_a_run_and_not_against_it(bundle):
    with claim(bundle, overwrite=True) as place:
        with pytest.raises(UsageError, match="E413"):
            renew_report(bundle, [PAGE], 1.0)
        renew_report(place, [PAGE], 1.0)
    verify(bundle)


def test_what_was_changed_stays_visible(bundle):
    (bundle / "README.md").write_text("another")
    renew_report(bundle, [PAGE], 1.0)
    with pytest.raises(VerificationError, match=r"README\.md"):
        verify(bundle)


def test_nothing_is_made_where_there_is_no_bundle(tmp_path):
    (tmp_path / "folder").mkdir()
    for folder in (tmp_path / "nowhere", tmp_path / "folder"):
        with pytest.raises(VerificationError, match="E50"):
            renew_report(folder, [PAGE], 1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_link_in_a_bundle_is_not_followed(bundle, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (bundle / "README.md").unlink()
    (bundle / "README.md").symlink_to(tmp_path / "secret")
    with pytest.raises(VerificationError, match="E505"):
        renew_report(bundle, [PAGE], 1.0)
    assert not (bundle / "report.html").exists()


def test_the_record_of_a_failed_run_has_a_page_too(make_contents, tmp_path):
    run = make_contents().run
    failure = Failure(name="x", status=Status.FAILED, stage="fit", message="no", run=Run(started=run.started))
    where = write_failure(tmp_path / "out", failure)
    renew_report(where, [PAGE], 0.5)
    held = open_bundle(where)
    assert (held.status, held.report) == (Status.FAILED, where / "report.html")


def test_an_underlay_takes_the_place_of_another(bundle, tmp_path):
    for shade in (10, 200):
        shades = np.full((3, 4, 5), shade, dtype=np.uint8)
        file = InputFile(tmp_path / "t1.nii", 1, "0" * 64, "underlay", "t1.nii")
        renew_underlay(bundle, Underlay(Grid((3, 4, 5), np.diag([2.0, 2, 2, 1])), shades, file))
        verify(bundle)
        np.testing.assert_array_equal(open_bundle(bundle).underlay.values, shades)
