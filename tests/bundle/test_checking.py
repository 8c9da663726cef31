"""Every difference between a bundle and its manifest is named."""

from __future__ import annotations

import gzip
import hashlib
import json
import os

import pytest

from specgl.bundle import open_bundle, verify, write
from specgl.errors import CATALOGUE, Exit, VerificationError

MAP = "maps/space-MNI152_contrast-mean_stat-t_statmap.nii.gz"


@pytest.fixture
def bundle(make_contents, tmp_path):
    return write(tmp_path / "out", make_contents())


def found(folder):
    with pytest.raises(VerificationError) as error:
        verify(folder)
    assert error.value.exit_code is Exit.VERIFICATION
    assert all(f.code in CATALOGUE for f in error.value.findings)
    return [(f.code, f.file) for f in error.value.findings]


def change_manifest(folder, change):
    path = folder / "manifest.json"
    held = json.loads(path.read_bytes())
    change(held)
    path.write_text(json.dumps(held))


def test_all_differences_are_named_at_once(bundle):
    (bundle / "README.md").write_text("changed")
    (bundle / "notes.txt").write_text("mine")
    (bundle / "model/design.json").unlink()
    table = bundle / "model/design.tsv"
    table.write_bytes(table.read_bytes()[::-1])
    (bundle / "tables/link").symlink_to("/etc/hostname")
    assert sorted(found(bundle)) == [
        ("E505", "tables/link"),
        ("E506", "notes.txt"),
        ("E507", "model/design.json"),
        ("E508", "README.md"),
        ("E509", "model/design.tsv"),
    ]


def test_a_linked_folder_is_a_link(bundle, tmp_path):
    (bundle / "logs").rename(tmp_path / "logs")
    (bundle / "logs").symlink_to(tmp_path / "logs")
    assert found(bundle) == [("E505", "logs"), ("E507", "logs/run.jsonl")]


def test_a_pipe_is_not_waited_for(bundle):
    (bundle / "README.md").unlink()
    os.mkfifo(bundle / "README.md")
    assert found(bundle) == [("E505", "README.md")]


def test_other_compression_is_other_bytes_and_other_numbers_are_other_data(bundle):
    path = bundle / MAP
    raw = bytearray(gzip.decompress(path.read_bytes()))

    def accept(held):
        import hashlib

        entry = next(f for f in held["files"] if f["path"] == MAP)
        entry["bytes"], entry["sha256"] = path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()

    path.write_bytes(gzip.compress(bytes(raw), 9))
    assert {code for code, _ in found(bundle)} <= {"E508", "E509"}
    change_manifest(bundle, accept)
    verify(bundle)
    raw[-9] ^= 1
    path.write_bytes(gzip.compress(bytes(raw)))
    change_manifest(bundle, accept)
    assert found(bundle) == [("E510", MAP)]
    path.write_bytes(b"no image")
    change_manifest(bundle, accept)
    assert found(bundle) == [("E510", MAP)]


def test_no_bundle_and_no_manifest(tmp_path, bundle):
    assert found(tmp_path / "nowhere")[0][0] == "E500"
    (tmp_path / "empty").mkdir()
    assert found(tmp_path / "empty")[0][0] == "E501"
    (bundle / "manifest.json").rename(tmp_path / "elsewhere.json")
    (bundle / "manifest.json").symlink_to(tmp_path / "elsewhere.json")
    assert found(bundle)[0][0] == "E501"


@pytest.mark.parametrize(
    "text",
    ["", "[1, 2]", "{", "[" * 100_000, '{"format": "other"}', '{"format": "specgl-bundle", "version": 1}'],
    ids=["empty", "list", "open", "deep", "other", "bare"],
)
def test_a_manifest_that_cannot_be_understood(bundle, text):
    (bundle / "manifest.json").write_text(text)
    assert found(bundle)[0][0] == "E502"
    with pytest.raises(VerificationError):
        open_bundle(bundle)


def test_a_manifest_that_is_too_large(bundle, monkeypatch):
    from specgl.bundle import received

    monkeypatch.setattr(received, "MAX_BYTES", 100)
    assert found(bundle)[0][0] == "E502"


def test_another_version(bundle):
    change_manifest(bundle, lambda held: held.update(version=2))
    assert found(bundle)[0][0] == "E503"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../out/README.md", "a//b", "./README.md", "C:/x", "a\\b", ""]
)
def test_paths_that_may_lead_outside(bundle, path):
    change_manifest(bundle, lambda held: held["files"][0].update(path=path))
    assert found(bundle)[0][0] == "E504"


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "AB" * 32},
        {"bytes": -1},
        {"bytes": True},
        {"role": "virus"},
        {"path": 3},
        {"contrast": ["x"]},
    ],
)
def test_entries_of_the_wrong_form(bundle, change):
    change_manifest(bundle, lambda held: held["files"][0].update(change))
    assert found(bundle)[0][0] == "E502"


def test_a_file_named_twice_and_an_image_without_its_digest(bundle):
    change_manifest(bundle, lambda held: held["files"].append(held["files"][0]))
    assert found(bundle)[0][0] == "E502"
    change_manifest(bundle, lambda held: held["files"].pop())
    verify(bundle)
    change_manifest(bundle, lambda held: [f.pop("data_sha256", None) for f in held["files"]])
    assert found(bundle)[0][0] == "E502"


def test_a_resolved_spec_that_was_changed_with_its_entry_is_found(bundle):
    """Who edits the spec and mends its entry in the manifest still has to answer for the identity."""
    resolved = bundle / "spec/resolved.json"
    text = resolved.read_text().replace("bonferroni", "holm")
    assert text != resolved.read_text()
    resolved.write_text(text)

    def mend(held):
        entry = next(e for e in held["files"] if e["path"] == "spec/resolved.json")
        entry.update(bytes=len(text.encode()), sha256=hashlib.sha256(text.encode()).hexdigest())

    change_manifest(bundle, mend)
    assert found(bundle) == [("E512", "spec/resolved.json")]


@pytest.mark.parametrize(
    "key", ["name", "specgl", "started", "results", "warnings", "errors", "space", "contrasts", "spec_digest"]
)
@pytest.mark.parametrize("value", [None, 3, "x", ["x"], [{}], {"shape": "x"}])
def test_a_manifest_of_another_form_is_refused_before_it_is_used(bundle, key, value):
    held = json.loads((bundle / "manifest.json").read_bytes())
    wrong = type(held[key]) is not type(value) or value in (["x"], [{}], {"shape": "x"})
    if not wrong or (key == "spec_digest" and value is None):
        return
    change_manifest(bundle, lambda m: m.update({key: value}))
    with pytest.raises(VerificationError, match="E502") as error:
        open_bundle(bundle)
    assert key in str(error.value)


def test_maps_that_fill_the_memory_are_refused(bundle):
    change_manifest(bundle, lambda m: m["space"].update(shape=[10_000_000] * 3))
    with pytest.raises(VerificationError, match="more than 500,000,000 voxels"):
        open_bundle(bundle)


def test_nesting_without_end_is_refused(bundle):
    for depth in (900, 200_000):
        content = b'{"a":' * depth + b"1" + b"}" * depth
        resolved = bundle / "spec/resolved.json"
        resolved.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()

        held = json.loads((bundle / "manifest.json").read_bytes())
        (entry,) = [e for e in held["files"] if e["path"] == "spec/resolved.json"]
        entry.update(bytes=len(content), sha256=digest)
        (bundle / "manifest.json").write_text(json.dumps(held))
        assert found(bundle) == [("E512", "spec/resolved.json")]
    with pytest.raises(VerificationError, match="E509"):
        _ = open_bundle(bundle).spec


@pytest.mark.parametrize("kind", ["link", "pipe", "gone", "text", "ragged", "bytes", "empty"])
def test_no_file_of_a_bundle_is_trusted_when_it_is_read(bundle, tmp_path, kind):
    table, resolved = bundle / "model/design.tsv", bundle / "spec/resolved.json"
    for path in (table, resolved):
        path.unlink()
        match kind:
            case "link":
                path.symlink_to("/etc/hostname")
            case "pipe":
                os.mkfifo(path)
            case "text":
                path.write_text("text")
            case "ragged":
                path.write_text("a\tb\n1\n")
            case "bytes":
                path.write_bytes(b"\xff\x00")
            case "empty":
                path.touch()
    held = open_bundle(bundle)
    code = {"link": "E505", "pipe": "E505", "gone": "E507"}.get(kind, "E509")
    for read in (lambda: held.design, lambda: held.spec):
        with pytest.raises(VerificationError, match=code):
            read()


def test_a_map_is_read_from_a_plain_file_of_the_right_shape(bundle):
    path = bundle / MAP
    held = open_bundle(bundle)
    other = next(p for p in (bundle / "maps").glob("*.nii.gz") if p != path)
    path.unlink()
    path.symlink_to(other)
    with pytest.raises(VerificationError, match="E505"):
        held.maps["stat"].load()
    change_manifest(bundle, lambda m: m["space"].update(shape=[2, 2, 2]))
    path.unlink()
    path.write_bytes(other.read_bytes())
    with pytest.raises(VerificationError, match="E510"):
        open_bundle(bundle).maps["stat"].load()
