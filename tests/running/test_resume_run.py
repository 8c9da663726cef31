"""A whole run that is killed or interrupted among its shuffles, and gone on with."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import specgl
from specgl.bundle import Status
from specgl.engines import ChunkStore
from specgl.inference.permutation import journey

Digests = Callable[[specgl.Bundle], dict[str, str]]

SLOW = """\
import os, sys, time
from specgl.inference.permutation import journey
from specgl.cli import main

original = journey.run_chunk

def slow(work, chunk):
    time.sleep(0.02)
    os.write(1, b"chunk\\n")  # at once, from whichever thread
    return original(work, chunk)

journey.run_chunk = slow
main(sys.argv[1:])
"""


def stopped(study: Any, root: Path, how: signal.Signals) -> tuple[int, str]:
    """Start the command, stop it after some chunks; its exit code and what it said on stderr."""
    words = [sys.executable, "-c", SLOW, "run", "analysis.yaml", "--threads", "2", "--no-report"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, cwd=study.folder, env=environment, **options) as process:
        for _ in range(20):
            assert process.stdout.readline() == "chunk\n", process.stderr.read()
        process.send_signal(how)
        _, said = process.communicate(timeout=30)
    return process.returncode, said


def chunks(study: Any) -> list[Path]:
    return sorted(study.folder.glob(".results.*.chunks/*.npz"))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_is_gone_on_with(
    shuffled_study: Any, root: Path, how: signal.Signals, digests: Digests, capfd: Any, monkeypatch: Any
) -> None:
    whole = digests(specgl.run(specgl.read(shuffled_study.spec), shuffled_study.folder / "whole"))
    code, said = stopped(shuffled_study, root, how)
    kept = chunks(shuffled_study)
    assert 10 <= len(kept) < 63
    if how == signal.SIGINT:
        record = specgl.open(shuffled_study.folder / "results")
        assert (code, record.status) == (130, Status.INTERRUPTED)
        told = re.fullmatch(
            r"(\d+) of 1,000 shuffles are kept, and the next run goes on from them\n+specgl: interrupted\n",
            said,
        )
        assert told is not None, said
        # The signal may come between a chunk and the count of it.
        assert 0 <= 16 * len(kept) - int(told[1]) <= 16
        assert "shuffles are kept" in record.manifest["message"]

    done = []
    original = journey.run_chunk

    def count(work: Any, chunk: Any) -> Any:
        done.append(chunk)
        return original(work, chunk)

    monkeypatch.setattr(journey, "run_chunk", count)
    capfd.readouterr()
    bundle = specgl.run(specgl.read(shuffled_study.spec), threads=1, progress=True)
    assert (
        f"resumes: {16 * len(kept)} of 1,000 shuffles were finished by an earlier run"
        in capfd.readouterr().err
    )
    assert len(done) == 63 - len(kept)
    assert digests(bundle) == whole
    assert chunks(shuffled_study) == []


def test_a_damaged_chunk_is_computed_again_and_other_inputs_begin_anew(
    shuffled_study: Any, digests: Digests, monkeypatch: Any
) -> None:
    spec = specgl.read(shuffled_study.spec)
    monkeypatch.setattr("specgl.running.verbs.forget_chunks", lambda _: None)
    first = digests(specgl.run(spec))
    kept = chunks(shuffled_study)
    assert len(kept) == 63
    for number, path in enumerate(kept):
        content = path.read_bytes()
        damaged = [content[:-30], b"", content[:99] + b"\0" * 99 + content[198:], content][number % 4]
        path.write_bytes(damaged)
    assert digests(specgl.run(spec, overwrite=True)) == first
    assert chunks(shuffled_study) == kept
    shuffled_study.image(3).write_bytes(shuffled_study.image(4).read_bytes())
    assert digests(specgl.run(spec, overwrite=True)) != first
    assert len(chunks(shuffled_study)) == 2 * 63


def test_a_disk_that_keeps_nothing_is_told_in_the_bundle(shuffled_study: Any, monkeypatch: Any) -> None:
    def refuse(_: ChunkStore) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ChunkStore, "_prepare", refuse)
    bundle = specgl.run(specgl.read(shuffled_study.spec))
    bundle.verify()
    assert "W420" in {warning["code"] for warning in bundle.manifest["warnings"]}
