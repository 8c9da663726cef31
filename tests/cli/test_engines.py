"""`specgl run --engine`, `--scheduler` and `--memory`."""

from __future__ import annotations

import time
from typing import Any

import pytest

import specgl
from specgl.engines import Dask
from specgl.running import verbs


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--engine", "dask"), "--engine dask needs --scheduler"),
        (("--scheduler", "tcp://here:1"), "--scheduler is for --engine dask"),
        (("--engine", "threads", "--scheduler", "tcp://here:1"), "--scheduler is for --engine dask"),
        (("--engine", "dusk"), "'threads', 'dask'"),
        (("--memory", "4G"), "'4G' is no amount of memory; write a number and a unit, such as 4GB"),
        (("--memory", "4"), "at least 64MB"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(specgl_in, study, words: tuple[str, ...], told: str) -> None:
    done = specgl_in(study.folder, "run", "analysis.yaml", *words)
    assert (done.code, done.out) == (2, "")
    assert told in " ".join(done.err.split())
    assert not (study.folder / "results").exists()


def test_a_scheduler_that_cannot_be_reached_is_told_before_an_image_is_read(
    specgl_in, study, monkeypatch
) -> None:
    def read(*args: object, **kwargs: object) -> None:
        raise AssertionError("an image was read")

    monkeypatch.setattr("specgl.images.load", read)
    # A port that nothing listens to is asked again and again until the time is over: 10 seconds elsewhere.
    assert Dask.__init__.__kwdefaults__["timeout"] == 10
    monkeypatch.setitem(Dask.__init__.__kwdefaults__, "timeout", 1.0)
    began = time.monotonic()
    words = ("--engine", "dask", "--scheduler", "tcp://127.0.0.1:9")
    done = specgl_in(study.folder, "run", "analysis.yaml", *words)
    assert time.monotonic() - began < 10
    assert (done.code, done.out) == (4, "")
    assert "error[E420]: no dask scheduler was reached at 'tcp://127.0.0.1:9'" in done.err
    assert "help:" in done.err
    assert list(study.folder.glob("*results*")) == []


def test_engine_and_memory_reach_the_run(specgl_in, study, monkeypatch) -> None:
    seen: dict[str, Any] = {}

    def run(spec: object, directory: object, **options: Any) -> None:
        seen.update(options)
        raise specgl.UsageError("seen")

    monkeypatch.setattr("specgl.running.run", run)
    words = ("--engine", "dask", "--scheduler", "tcp://here:1", "--memory", "1.5GiB", "--threads", 3)
    assert specgl_in(study.folder, "run", "analysis.yaml", *words).code == 2
    assert isinstance(seen["engine"], Dask)
    assert (seen["engine"].address, seen["memory"], seen["threads"]) == ("tcp://here:1", 3 * 2**29, 3)
    specgl_in(study.folder, "run", "analysis.yaml")
    assert (seen["engine"], seen["memory"]) == (None, None)


def test_from_python_memory_is_text_or_bytes(study) -> None:
    spec = specgl.read(study.spec)
    with pytest.raises(specgl.UsageError, match="E425"):
        specgl.run(spec, memory="4G")
    assert not (study.folder / "results").exists()
    specgl.run(spec, memory="1GB", engine=verbs.Threads(1)).verify()
