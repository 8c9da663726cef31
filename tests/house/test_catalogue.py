"""Every code that can be told is explained, and every code that is explained can be told."""

from __future__ import annotations

import re
from pathlib import Path

from specgl.errors import CATALOGUE, Exit

_CODE = re.compile(r"\"([EW][0-9]{3})\"")


def _told(root: Path) -> set[str]:
    sources = [path for path in (root / "specgl").rglob("*.py") if "catalogue" not in path.parts]
    return {code for path in sources for code in _CODE.findall(path.read_text(encoding="utf-8"))}


def test_codes_that_are_told_are_explained(root: Path) -> None:
    assert _told(root) - set(CATALOGUE) == set()


def test_codes_that_are_explained_are_told(root: Path) -> None:
    assert set(CATALOGUE) - _told(root) == set()


def test_each_entry_says_enough() -> None:
    for code, entry in CATALOGUE.items():
        assert re.fullmatch(r"[EW][0-9]{3}", code)
        assert entry.title, code
        assert not entry.title.endswith("."), code
        assert len(entry.explanation) > 40, code


def test_exit_codes_of_errors_are_those_of_the_command_line() -> None:
    allowed = {Exit.SPEC, Exit.USAGE, Exit.DATA, Exit.COMPUTATION, Exit.VERIFICATION}
    assert {entry.exit for code, entry in CATALOGUE.items() if code.startswith("E")} <= allowed
