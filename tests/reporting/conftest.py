"""What tests of the report may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .browser import SCREENSHOTS, Browser, started


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """One Chromium for all tests of a worker."""
    with started() as driver:
        yield driver


@pytest.fixture
def browser(chromium: object, tmp_path: Path) -> Iterator[Browser]:
    """A browser; its screenshots go to the folder that SPECGL_SCREENSHOTS names, else to the test's own."""
    kept = os.environ.get(SCREENSHOTS)
    held = Browser(chromium, Path(kept) if kept else tmp_path / "screenshots")  # type: ignore[arg-type]
    yield held
    held.driver.get("about:blank")
