"""Compiled kernels are kept by a digest of their sources, and what older sources left goes away in time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from specgl.kernels import compiled


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sources in the place of the kernels'."""
    (tmp_path / "one.py").write_text("a = 1\n")
    monkeypatch.setattr(compiled, "_KERNELS", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "users"))
    return tmp_path


def _folder() -> Path:
    compiled._folder.cache_clear()
    found = compiled._folder()
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def _as_it_was():
    yield
    compiled._folder.cache_clear()


def test_another_source_is_another_folder(kernels: Path) -> None:
    before = _folder()
    assert _folder() == before
    (kernels / "one.py").write_text("a = 2\n")
    assert _folder() != before


def test_what_nobody_has_touched_for_weeks_goes_away(kernels: Path) -> None:
    before = _folder()
    (kernels / "one.py").write_text("a = 2\n")
    recent = _folder()
    assert before.exists()
    long_ago = time.time() - 30 * 24 * 3600
    os.utime(before, (long_ago, long_ago))
    (kernels / "one.py").write_text("a = 3\n")
    assert _folder().exists()
    assert (before.exists(), recent.exists()) == (False, True)


def test_the_users_cache_serves_where_the_package_cannot_be_written(kernels: Path) -> None:
    (kernels / "__pycache__").write_text("a file, and no folder\n")
    assert _folder().is_relative_to(kernels / "users" / "specgl")
