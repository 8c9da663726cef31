"""The command line, called inside this process or as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from specgl.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a command ended with: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


@pytest.fixture
def specgl_in(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Function that calls the command in a folder, in this process."""

    def call(folder: Path, *args: object) -> Outcome:
        words = [str(arg) for arg in args]
        monkeypatch.setattr(sys, "argv", ["specgl", *words])
        capsys.readouterr()
        with monkeypatch.context() as here:
            here.chdir(folder)
            with pytest.raises(SystemExit) as caught:
                main(words)
        told = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return Outcome(caught.value.code, told.out, told.err)

    return call


@pytest.fixture
def start(root: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Function that starts Python in a folder; what still runs when the test ends is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(folder: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=folder,
            env={**kept, "PYTHONPATH": str(root), **environment},
            **options,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def specgl_process(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., Outcome]:
    """Function that runs the command in a folder, as a process of its own."""

    def call(folder: Path, *args: object, **environment: str) -> Outcome:
        process = start(folder, "-m", "specgl", *map(str, args), **environment)
        out, err = process.communicate(timeout=60)
        return Outcome(process.returncode, out, err)

    return call
