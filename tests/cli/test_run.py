"""`specgl run` and processes: exit codes, interruptions, closed pipes, colours."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import specgl
from specgl.bundle import Status

ESCAPE = "\x1b["

# The work waits at a known place, so that the signal comes in the middle of it.
WAITING = """\
import os, sys, time
import {module} as module
from specgl.cli import main

original = module.{name}

def slow(*args, **kwargs):
    os.write(1, b"here\\n")  # at once, from whichever thread
    time.sleep({seconds})
    return original(*args, **kwargs)

module.{name} = slow
main(sys.argv[1:])
"""


def leftovers(folder: Path) -> list[str]:
    """What a run that stopped may not leave behind."""
    return [str(path) for path in folder.rglob("*") if path.name.endswith((".partial", ".aside", ".lock"))]


def test_run_prints_what_survived_and_where_it_is(specgl_in, study) -> None:
    done = specgl_in(study.folder, "run", "analysis.yaml", "--threads", 1)
    assert done.code == 0, done.err
    bundle = specgl.open(study.folder / "results")
    bundle.verify()
    assert bundle.summary() in done.out
    assert "results" in done.out.splitlines()[-1]
    assert bundle.manifest["command"][:3] == ["specgl", "run", "analysis.yaml"]
    assert ESCAPE not in done.out + done.err


def test_a_target_that_is_there_is_kept_unless_it_may_go(specgl_in, study, tmp_path) -> None:
    assert specgl_in(study.folder, "run", "analysis.yaml", "-o", tmp_path / "out").code == 0
    before = (tmp_path / "out" / "manifest.json").read_bytes()
    refused = specgl_in(study.folder, "run", "analysis.yaml", "-o", tmp_path / "out")
    assert (refused.code, refused.out) == (2, "")
    assert "--overwrite" in refused.err
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before
    assert specgl_in(study.folder, "run", "analysis.yaml", "-o", tmp_path / "out", "--overwrite").code == 0
    (study.folder / "results").write_text("a file of the user")
    assert specgl_in(study.folder, "run", "analysis.yaml", "--overwrite").code == 2
    assert (study.folder / "results").read_text() == "a file of the user"


def test_a_fault_of_the_spec(specgl_in, study) -> None:
    study.edit("formula: group + age", "formula: group + age + I(2 * age)")
    done = specgl_in(study.folder, "run", "analysis.yaml")
    assert (done.code, done.out) == (1, "")
    assert "analysis.yaml:11:" in done.err
    assert "error[E240]" in done.err
    assert "^" in done.err
    assert not (study.folder / "results").exists()


def test_warnings_stop_a_strict_run_before_anything_is_written(specgl_in, study) -> None:
    done = specgl_in(study.folder, "run", "analysis.yaml", "--strict")
    assert (done.code, done.out) == (1, "")
    assert "warning[W202]" in done.err
    assert not (study.folder / "results").exists()


def test_missing_images_are_all_named(specgl_in, study) -> None:
    study.image(3).unlink()
    study.image(8).unlink()
    done = specgl_in(study.folder, "run", "analysis.yaml")
    assert (done.code, done.out) == (3, "")
    assert "analysis.yaml:5:11: error[E300]: 2 of 10" in done.err
    assert all(f"maps/sub-{n:02d}.nii.gz" in done.err for n in (3, 8))
    assert not (study.folder / "results").exists()


def test_a_damaged_image_leaves_a_record(specgl_in, study) -> None:
    good = study.image(2).read_bytes()
    study.image(2).write_bytes(good[:-12] + b"\0\0\0\0" + good[-8:])
    done = specgl_in(study.folder, "run", "analysis.yaml")
    assert (done.code, "sub-02" in done.err, "Traceback" in done.err) == (3, True, False)
    assert specgl.open(study.folder / "results").status is Status.FAILED
    assert specgl_in(study.folder, "show", "results").out.count("failed") == 1
    assert specgl_in(study.folder, "verify", "results").code == 5


def test_a_disk_that_fills_up(specgl_in, study, monkeypatch) -> None:
    from specgl.bundle import writing

    written = 0
    original = writing.write_map

    def until_full(*args: object, **kwargs: object) -> None:
        nonlocal written
        written += 1
        if written > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(*args, **kwargs)

    monkeypatch.setattr(writing, "write_map", until_full)
    done = specgl_in(study.folder, "run", "analysis.yaml", "--threads", 1)
    assert (done.code, done.out) == (4, "")
    assert os.strerror(errno.ENOSPC) in done.err
    assert "free some space" in done.err
    assert leftovers(study.folder) == []
    monkeypatch.undo()
    assert specgl_in(study.folder, "run", "analysis.yaml").code == 0


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("stage", "module", "name", "seconds"),
    [
        ("load", "specgl.images", "load", 30),
        ("fit", "specgl.models", "fit", 30),
        # Each map waits a little, in threads that finish what they began.
        ("write", "specgl.bundle.writing", "write_map", 0.25),
    ],
)
def test_an_interrupted_process(study, start, stage: str, module: str, name: str, seconds: float) -> None:
    script = WAITING.format(module=module, name=name, seconds=seconds)
    process = start(study.folder, "-c", script, "run", "analysis.yaml", "--threads", "2")
    assert process.stdout.readline() == "here\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "specgl: interrupted"
    assert "Traceback" not in err
    assert time.monotonic() - sent < 5
    record = specgl.open(study.folder / "results")
    assert (record.status, record.manifest["stage"]) == (Status.INTERRUPTED, stage)
    assert leftovers(study.folder) == []
    assert list((study.folder / "results").rglob("*.nii.gz")) == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_bundle_that_stood_survives_an_interruption(study, start) -> None:
    before = specgl.run(specgl.read(study.spec)).manifest
    script = WAITING.format(module="specgl.models", name="fit", seconds=30)
    process = start(study.folder, "-c", script, "run", "analysis.yaml", "--overwrite")
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    kept = specgl.open(study.folder / "results")
    kept.verify()
    assert kept.manifest == before
    assert specgl.open(study.folder / "results.failed").status is Status.INTERRUPTED


@pytest.mark.parametrize("words", [["--help"], ["schema"], ["show", "results", "manifest"]])
def test_a_closed_pipe_is_no_error(study, start, words: list[str]) -> None:
    if "results" in words:
        specgl.run(specgl.read(study.spec))
    process: subprocess.Popen[str] = start(study.folder, "-m", "specgl", *words)
    process.stdout.close()  # before anything is written to it
    err = process.stderr.read()
    assert (process.wait(timeout=30), err) == (0, "")


def test_colours_are_for_terminals_that_want_them(study, root) -> None:
    pty = pytest.importorskip("pty", reason="terminals of POSIX")
    import sys

    def shown(**environment: str) -> str:
        ours, theirs = pty.openpty()
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        process = subprocess.Popen(
            [sys.executable, "-m", "specgl", "validate", "analysis.yaml"],
            cwd=study.folder,
            env={**kept, "PYTHONPATH": str(root), "TERM": "xterm", **environment},
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        told = b""
        try:
            while chunk := os.read(ours, 4096):
                told += chunk
        except OSError:  # the other side has closed, as Linux tells it
            pass
        os.close(ours)
        assert process.wait(timeout=30) == 0
        return told.decode()

    assert ESCAPE in shown()
    plain = shown(NO_COLOR="1")
    assert "warning[W202]" in plain
    assert ESCAPE not in plain


def test_the_command_as_a_process(specgl_process, study) -> None:
    done = specgl_process(study.folder, "run", "analysis.yaml", "--threads", 2)
    assert done.code == 0, done.err
    assert specgl.open(study.folder / "results").summary() in done.out
    assert ESCAPE not in done.out + done.err
    assert specgl_process(study.folder, "verify", "results").code == 0
