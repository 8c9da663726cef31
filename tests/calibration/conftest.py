"""The simulated studies."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def studies() -> ModuleType:
    """Designs, errors and how often they are called significant."""
    name = "specgl_calibration_studies"
    if name not in sys.modules:
        found = importlib.util.spec_from_file_location(name, Path(__file__).parent / "studies.py")
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        sys.modules[name] = module  # dataclasses look their module up while it is executed
        found.loader.exec_module(module)
    return sys.modules[name]
