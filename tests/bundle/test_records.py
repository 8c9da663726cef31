"""Manifest, crate, environment, names: what others read."""

from __future__ import annotations

import dataclasses
import json

import jsonschema
import numpy as np
import pytest

from specgl.bundle import Failure, Status, manifest_schema, names, write, write_failure
from specgl.bundle.environment import commit_of, describe_environment, imported_distributions
from specgl.bundle.privacy import OUTSIDE, make_veil, relative_to_root
from specgl.bundle.text import json_bytes, plain
from specgl.errors import Finding

TEXTS = {".json", ".jsonl", ".tsv", ".md", ".yaml", ""}


def failure_of(contents, **changes):
    known = {key: getattr(contents, key) for key in ("name", "run", "spec", "inputs", "roots")}
    return Failure(**({"status": Status.FAILED, "stage": "load", "message": "stopped"} | known | changes))


def manifest(folder):
    return json.loads((folder / "manifest.json").read_bytes())


def test_the_published_schema_is_the_one_in_the_code(root):
    published = json.loads((root / "schemas/bundle-1.schema.json").read_text())
    assert published == manifest_schema()


def test_manifests_meet_the_schema(make_contents, tmp_path):
    schema = manifest_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    contents = make_contents()
    run = dataclasses.replace(contents.run, findings=(Finding("E300", "no", ("data", 0), (1, 2)),))
    folders = [
        write(tmp_path / "a", contents),
        write_failure(tmp_path / "b", failure_of(contents, run=run)),
        write_failure(tmp_path / "c", failure_of(contents, spec=None, status=Status.INTERRUPTED)),
        write(tmp_path / "d", make_contents(design=None, rows=None, inferred=())),
    ]
    for folder in folders:
        jsonschema.validate(manifest(folder), schema)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "partial"},
        {"extra": 1},
        {"files": [{"path": "../a", "role": "map", "bytes": 1, "sha256": "0" * 64}]},
        {"files": [{"path": "/a", "role": "map", "bytes": 1, "sha256": "0" * 64}]},
        {"version": 2},
        {"space": None},
    ],
)
def test_other_manifests_do_not(make_contents, tmp_path, change):
    held = manifest(write(tmp_path / "a", make_contents())) | change
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(held, manifest_schema())


def test_the_manifest_lists_all_and_tells_the_run(make_contents, tmp_path):
    contents = make_contents()
    folder = write(tmp_path / "out", contents)
    held = manifest(folder)
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert {f["path"] for f in held["files"]} == there - {"manifest.json"}
    assert held["timings"].keys() == {"load", "fit", "write"}
    assert held["peak_memory"] == 10**8
    assert held["counts"]["constant"] == 0
    assert held["command"] == ["specgl", "run", "spec.yaml", "--threads", "2"]
    assert [w["code"] for w in held["warnings"]] == ["W400"]
    assert len(held["results"]) == 4
    lines = [json.loads(line) for line in (folder / "logs/run.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["start", *["stage start", "stage end"] * 2, "finding"]


def test_bids_takes_it_for_a_derivative(make_contents, tmp_path):
    folder = write(tmp_path / "out", make_contents())
    held = json.loads((folder / "dataset_description.json").read_bytes())
    assert (held["BIDSVersion"], held["DatasetType"]) == ("1.11.1", "derivative")
    assert held["GeneratedBy"][0]["Name"] == "specgl"
    assert "maps/" in (folder / ".bidsignore").read_text().splitlines()


def test_the_crate_hangs_together(make_contents, tmp_path):
    contents = make_contents()
    folder = write(tmp_path / "out", contents)
    crate = json.loads((folder / "ro-crate-metadata.json").read_bytes())
    by_id = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(by_id) == len(crate["@graph"])
    root, action = by_id["./"], by_id[by_id["./"]["mentions"]["@id"]]
    assert by_id["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert root["conformsTo"]["@id"] in by_id
    assert action["@type"] == "CreateAction"
    assert by_id[action["instrument"]["@id"]]["name"] == "specgl"
    for key in ("object", "result"):
        assert all(entity["@id"] in by_id for entity in action[key])
    assert len(action["object"]) == len(contents.inputs) + 2  # the spec as given and as resolved
    results = {entity["@id"] for entity in action["result"]}
    assert results == {
        p.relative_to(folder).as_posix()
        for p in [*folder.glob("maps/*.nii.gz"), *folder.glob("tables/*.tsv")]
    }
    parts = {entity["@id"] for entity in root["hasPart"]}
    assert parts == {f["path"] for f in manifest(folder)["files"]} - {"ro-crate-metadata.json"}


def test_a_failed_act_says_why(make_contents, tmp_path):
    folder = write_failure(tmp_path / "out", failure_of(make_contents()))
    graph = json.loads((folder / "ro-crate-metadata.json").read_bytes())["@graph"]
    (action,) = (entity for entity in graph if entity["@type"] == "CreateAction")
    assert action["actionStatus"]["@id"].endswith("FailedActionStatus")
    assert action["error"] == "stopped"


def test_nothing_tells_who_ran_it_where(make_contents, tmp_path, study, monkeypatch):
    """Not even where messages, the command line and the inputs' paths do."""
    home = tmp_path / "home" / "zaphod"
    monkeypatch.setenv("HOME", str(home))
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "zaphod")
    monkeypatch.setattr("platform.node", lambda: "heartofgold")
    base = make_contents()
    message = f"'{home}/a.nii' and /scratch/zaphod/b.nii differ; see zaphod@heartofgold:/data"
    run = dataclasses.replace(
        base.run,
        findings=(
            Finding("W400", message, file=str(study / "participants.tsv"), line=3, notes=(message,)),
            Finding("W400", message, help=message),
        ),
        command=("specgl", "run", str(home / "x.yaml"), f"--output={study}/out", "/mnt/zaphod/y", str(study)),
    )
    elsewhere = dataclasses.replace(base.inputs[0], path=home / "p.tsv", name=str(home / "p.tsv"))
    folders = [
        write(tmp_path / "out", make_contents(run=run, inputs=(elsewhere, *base.inputs[1:]))),
        write_failure(tmp_path / "bad", failure_of(base, run=run, message=message)),
    ]
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and path.suffix in TEXTS:
                text = path.read_text()
                for secret in ("zaphod", "heartofgold", str(home), str(tmp_path)):
                    assert secret not in text, path
    held = manifest(folders[0])
    assert held["warnings"][0]["file"] == "participants.tsv"
    assert held["command"] == ["specgl", "run", "x.yaml", "--output=out", "y", "."]
    inputs = json.loads((folders[0] / "spec/inputs.json").read_bytes())["files"]
    assert (inputs[0]["root"], inputs[0]["path"]) == (OUTSIDE, "p.tsv")
    assert (inputs[1]["root"], inputs[1]["path"]) == ("spec", "maps/001.nii.gz")


def test_words_are_left_alone(tmp_path, monkeypatch):
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "root")
    monkeypatch.setattr("platform.node", lambda: "brain")
    text = "relative to its root, 5 of 9 brain voxels; group + age; 3/4 of 'a/b.nii'"
    assert make_veil({"spec": tmp_path}, tmp_path).text(text) == text


def test_the_nearest_root_names_a_path(tmp_path):
    roots = {"spec": tmp_path, "dataset": tmp_path / "bids", "table": tmp_path / "tables"}
    assert relative_to_root(tmp_path / "bids/sub-1/a.nii", roots) == ("dataset", "sub-1/a.nii")
    assert relative_to_root(tmp_path / "b.nii", roots) == ("spec", "b.nii")
    assert relative_to_root(tmp_path.parent / "c.nii", roots) == (OUTSIDE, "c.nii")


def test_the_environment_names_versions_and_no_places():
    import yaml  # a module that does not bear its distribution's name

    assert yaml.__name__ == "yaml"
    held = describe_environment(None)
    for name in ("specgl", "numpy", "xarray", "nibabel", "PyYAML"):
        assert held["distributions"][name]
    assert "num_threads" in held["linear_algebra"][0]
    assert "/" not in json.dumps(held["linear_algebra"])
    assert imported_distributions() == imported_distributions()


def test_commits_are_read_and_git_is_not_run(tmp_path):
    git = tmp_path / "repo" / ".git"
    (git / "refs/heads").mkdir(parents=True)
    inside = tmp_path / "repo" / "specs"
    inside.mkdir()
    commit = "0123456789" * 4
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    assert commit_of(inside) is None  # no commit yet
    (git / "packed-refs").write_text(f"# pack-refs\n{commit} refs/heads/main\n")
    assert commit_of(inside) == commit
    (git / "refs/heads/main").write_text("a" * 40)
    assert commit_of(inside) == "a" * 40
    (git / "HEAD").write_text(commit)
    assert commit_of(inside) == commit
    tree = tmp_path / "worktree"
    own = git / "worktrees/w"
    own.mkdir(parents=True)
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {own}\n")
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    (own / "commondir").write_text("../..\n")
    assert commit_of(tree) == "a" * 40
    (git / "HEAD").write_text("ref: refs/../../../secret\n")
    assert commit_of(inside) is None
    (git / "HEAD").write_bytes(b"\xff\xfe")
    assert commit_of(inside) is None


def test_names_are_those_of_the_design():
    assert names.stat_map("t", contrast="a", inference="b") == "maps/contrast-a_stat-t_desc-b_statmap.nii.gz"
    assert names.stat_map("p", contrast="a", space="M") == "maps/space-M_contrast-a_stat-p_statmap.nii.gz"
    assert names.mask_map(None) == "maps/mask.nii.gz"
    assert names.cluster_table("a", "b") == "tables/contrast-a_desc-b_clusters.tsv"
    assert names.sidecar(names.mask_map("M")) == "maps/space-M_mask.json"
    assert names.original_spec(".json") == "spec/original.json"
    assert names.original_spec(".yml") == "spec/original.yaml"
    with pytest.raises(ValueError, match="sidecar"):
        names.sidecar("README.md")


def test_json_is_plain():
    held = {"a": np.float64("nan"), "b": (np.int32(3), np.arange(2)), "c": Status.FAILED, "d": float("inf")}
    assert json.loads(json_bytes(held)) == {"a": None, "b": [3, [0, 1]], "c": "failed", "d": None}
    with pytest.raises(TypeError):
        plain(object())
