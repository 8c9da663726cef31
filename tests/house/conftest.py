"""What the tests of pages and commands share."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

FENCE = re.compile(
    r"^(?:<!-- exit: (?P<exit>\d+) -->\n)?^```(?P<language>[a-z]+)\n(?P<text>.*?)^```$",
    flags=re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; ``exit`` is the code its commands should end with."""

    language: str
    text: str
    exit: int


@pytest.fixture(scope="session")
def blocks() -> Callable[[Path], list[Block]]:
    """Function from a Markdown page to its fenced blocks, in order."""

    def read(page: Path) -> list[Block]:
        text = page.read_text(encoding="utf-8")
        return [Block(m["language"], m["text"], int(m["exit"] or 0)) for m in FENCE.finditer(text)]

    return read


@pytest.fixture(scope="session")
def command_environment(tmp_path_factory: pytest.TempPathFactory, root: Path) -> dict[str, str]:
    """Environment in which `specgl` is this checkout's command."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "specgl"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m specgl "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(root),
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }


@pytest.fixture(scope="session")
def shell(command_environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Function that runs a line of shell in a folder and gives what it printed and its exit code."""

    def run(
        line: str, folder: Path, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env={**command_environment, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run
