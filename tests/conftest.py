"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Two workers on two cores: a deadline would time the machine, not the code.
settings.register_profile("specgl", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("specgl")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the public multi-subject data sets, which stand beside the checkout."""
    folder = Path(os.environ.get("SPECGL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the multi-subject data sets are not on this machine")
    return folder
