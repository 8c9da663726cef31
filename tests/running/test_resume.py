"""A run that was stopped is gone on with; what it kept goes when nobody needs it any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import specgl
from specgl.bundle import Status
from specgl.engines import ChunkStore
from specgl.images import InputFile
from specgl.running import resume
from specgl.running.journey import Journey
from specgl.running.progress import Watcher
from specgl.running.resume import chunk_store, forget_chunks

# The loop of a run over its chunks, with sums of products in the place of shuffles.
STAND_IN = """\
import sys, time
from contextlib import closing
from pathlib import Path
import numpy as np
from specgl.engines import ChunkStore, Threads

folder, threads, pause = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])

def work(shared, item):
    time.sleep(pause)
    left = np.random.Generator(np.random.Philox(key=(1, item))).standard_normal((64, 30))
    return {"maxima": (left @ shared).max(axis=1)}

store = ChunkStore(folder)
shared = np.random.default_rng(0).standard_normal((30, 2000))
found = {c: kept for c in range(40) if (kept := store.get(f"chunk-{c}")) is not None}
print("kept", len(found), flush=True)
missing = [c for c in range(40) if c not in found]
with closing(Threads(threads).stream(work, shared, missing)) as results:
    for place, result in results:
        store.put(f"chunk-{missing[place]}", result)
        found[missing[place]] = result
        print("done", flush=True)
total = b"".join(found[c]["maxima"].tobytes() for c in range(40))
import hashlib
print(hashlib.sha256(total).hexdigest())
"""


def started(root: Path, folder: Path, threads: int, pause: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", STAND_IN, str(folder), str(threads), str(pause)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def finished(root: Path, folder: Path, threads: int) -> list[str]:
    with started(root, folder, threads, 0) as process:
        told, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    return told.splitlines()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("stop", ["SIGKILL", "SIGINT", "SIGTERM"])
def test_a_process_stopped_in_the_middle_is_gone_on_with(root: Path, tmp_path: Path, stop: str) -> None:
    whole = finished(root, tmp_path / "whole", 2)
    with started(root, tmp_path / "chunks", 2, 0.02) as process:
        assert process.stdout is not None
        for expected in ["kept 0", *["done"] * 10]:
            assert process.stdout.readline().strip() == expected
        process.send_signal(getattr(signal, stop))
        process.communicate(timeout=30)
    assert process.returncode != 0
    first, *done, digest = finished(root, tmp_path / "chunks", 1)
    kept = int(first.removeprefix("kept "))
    assert 10 <= kept < 40
    assert len(done) == 40 - kept
    assert digest == whole[-1]


def test_a_damaged_chunk_is_computed_again(root: Path, tmp_path: Path) -> None:
    whole = finished(root, tmp_path, 2)
    chunk = tmp_path / "chunk-7.npz"
    good = chunk.read_bytes()
    chunk.write_bytes(good[:-200] + b"\0" * 100 + good[-100:])
    (tmp_path / "chunk-8.npz").write_bytes(b"")
    assert finished(root, tmp_path, 2) == ["kept 38", "done", "done", whole[-1]]
    assert chunk.read_bytes() == good


@pytest.fixture
def asked(study) -> tuple[specgl.Plan, list[InputFile]]:
    inputs = [InputFile(Path(f"/d/{n}"), 10, f"{n:064x}", "image", f"{n}.nii") for n in range(3)]
    return specgl.plan(specgl.read(study.spec)), inputs


def test_the_store_stands_beside_the_target_and_bears_the_identity(asked, tmp_path) -> None:
    plan, inputs = asked
    store = chunk_store(tmp_path / "out", plan, inputs)
    assert store.folder.parent == tmp_path
    assert store.folder.name.startswith(".out.")
    assert store.folder.name.endswith(".chunks")
    assert len(store.folder.name) == len(".out.") + 12 + len(".chunks")
    assert not store.folder.exists()
    assert chunk_store(tmp_path / "out", plan, inputs).folder == store.folder


def test_whatever_changes_a_result_changes_the_identity(asked, tmp_path, monkeypatch) -> None:
    plan, inputs = asked

    def name(plan: specgl.Plan = plan, inputs: list[InputFile] = inputs) -> str:
        return chunk_store(tmp_path / "out", plan, inputs).folder.name

    others = {
        name(replace(plan, digest="0" * 64)),
        name(inputs=[replace(inputs[0], sha256="f" * 64), *inputs[1:]]),
        name(inputs=inputs[:2]),
        name(inputs=[inputs[1], inputs[0], inputs[2]]),
    }
    assert len(others | {name()}) == 5
    assert name(inputs=[replace(file, path=Path("/elsewhere")) for file in inputs]) == name()
    before = name()
    monkeypatch.setattr(resume, "__version__", "9.9.9")
    assert name() != before


def test_only_what_runs_have_kept_for_this_target_is_forgotten(tmp_path) -> None:
    ours = [".out.0123456789ab.chunks", ".out.ba9876543210.chunks"]
    others = [
        ".out.partial.chunks",
        ".other.0123456789ab.chunks",
        "out.0123456789ab.chunks",
        ".out.12.partial",
    ]
    for name in [*ours, *others]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.npz").touch()
    (tmp_path / ".out.aaaaaaaaaaaa.chunks").symlink_to(tmp_path / others[0])
    forget_chunks(tmp_path / "out")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*others, ".out.aaaaaaaaaaaa.chunks"}
    assert (tmp_path / others[0] / "a.npz").exists()
    forget_chunks(tmp_path / "missing" / "out")


def test_chunks_outlive_runs_that_stop_and_go_with_the_first_that_ends(study, monkeypatch) -> None:
    spec = specgl.read(study.spec)
    kept = ChunkStore(study.folder / ".results.0123456789ab.chunks")
    kept.put("a", {"maxima": np.ones(3)})

    def interrupt(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as here:
        here.setattr("specgl.running.verbs.infer", interrupt)
        with pytest.raises(KeyboardInterrupt):
            specgl.run(spec)
    assert specgl.open(study.folder / "results").status is Status.INTERRUPTED
    assert kept.get("a") is not None
    specgl.run(spec).verify()
    assert [path.name for path in study.folder.iterdir() if path.name.startswith(".")] == []


def told(store: ChunkStore, *steps: tuple[int, int]) -> tuple[list[str], str]:
    lines: list[str] = []
    journey = Journey(Watcher(say=lines.append), threads=1)
    count = journey.counted("shuffles", store)
    for step in steps:
        count(*step)
    message = journey.interrupted()
    return lines, message


def test_what_is_said_of_kept_work(tmp_path) -> None:
    store = ChunkStore(tmp_path / "chunks")
    assert told(store) == told(store, (0, 9)) == ([], "interrupted by the user")
    kept = "4,200 of 10,000 shuffles are kept, and the next run goes on from them"
    assert told(store, (0, 10_000), (4200, 10_000)) == ([kept], f"interrupted by the user; {kept}")
    resumes = "resumes: 3,200 of 10,000 shuffles were finished by an earlier run"
    assert told(store, (3200, 10_000), (4200, 10_000))[0] == [resumes, kept]
    (tmp_path / "chunks").touch()  # a file stands where the folder would be made
    store.put("a", {"maxima": np.ones(3)})
    assert told(store, (0, 10_000), (4200, 10_000)) == ([], "interrupted by the user")
