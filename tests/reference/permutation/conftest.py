"""The brute force, the cases and the package's doors, for every test beside this file."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

# Tests are no package, and what several of them share must be found by a name of its own.
sys.path.insert(0, str(Path(__file__).parent))

from permutation_truth.cases import CASES


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that asks for a `case` all of them."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", list(CASES.values()), ids=list(CASES))


@pytest.fixture(scope="session")
def doors() -> ModuleType:
    """The package by its public doors, all of it imported when it is first needed."""
    from permutation_truth import doors

    return doors
