"""Stage 1 is cheap: what it imports, and how long a whole process takes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = Path(__file__).parent / "good" / "two_sample.yaml"
SCRIPT = """
import sys
from specgl.spec import examine
assert examine({path!r}).spec is not None
heavy = {{"numpy", "scipy", "pandas", "xarray", "nibabel", "formulaic"}}
heavy |= {{"matplotlib", "numba", "click", "rich", "jinja2"}}
print(sorted(heavy & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def environment(root, tmp_path_factory) -> dict[str, str]:
    # As installed: with compiled modules, which some test environments do not write.
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(root), "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("pyc"))}


def run(environment: dict[str, str]) -> tuple[str, float]:
    """Output, and seconds of processor time, of a whole process that examines a spec."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(path=str(SPEC))],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_stage_one_imports_nothing_heavy_and_is_fast(environment):
    outputs, seconds = zip(*(run(environment) for _ in range(6)), strict=True)
    assert set(outputs) == {"[]\n"}
    # Processor time, and the best of several runs: other work on the machine must not decide.
    assert min(seconds) < 0.25
