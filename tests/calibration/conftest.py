"""The simulated studies."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest


def load(stem: str) -> ModuleType:
    """A module beside this file: tests are no package."""
    name = f"specgl_calibration_{stem}"
    if name not in sys.modules:
        found = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{stem}.py")
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        sys.modules[name] = module  # dataclasses look their module up while it is executed
        found.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def studies() -> ModuleType:
    """Designs, errors and how often they are called significant."""
    return load("studies")


@pytest.fixture(scope="session")
def smooth_studies() -> ModuleType:
    """Studies in a smooth volume."""
    return load("smooth_studies")


@pytest.fixture(scope="session")
def estimator_studies() -> ModuleType:
    """Data for each estimator."""
    return load("estimator_studies")


@pytest.fixture(scope="session")
def documented(root: Path) -> dict[str, float]:
    """Figures of the documentation by the name in their row's first column."""
    text = (root / "docs" / "explanation" / "calibration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \|.*\| (0\.\d+) \|$", text, flags=re.MULTILINE)
    return {name: float(figure) for name, figure in rows}
