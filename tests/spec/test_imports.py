"""Stage 1 is cheap: what a whole process that reads a spec imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SPEC = Path(__file__).parent / "good" / "two_sample.yaml"
SCRIPT = """
import sys
from specgl.spec import examine
assert examine({path!r}).spec is not None
heavy = {{"numpy", "scipy", "pandas", "xarray", "nibabel", "formulaic"}}
heavy |= {{"matplotlib", "numba", "click", "rich", "jinja2"}}
print(sorted(heavy & set(sys.modules)))
"""


def test_stage_one_imports_nothing_heavy(root):
    script = SCRIPT.format(path=str(SPEC))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
