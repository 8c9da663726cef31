"""What the room's door may cost."""

from __future__ import annotations

import subprocess
import sys


def test_the_door_does_not_import_numba() -> None:
    code = "import sys, specgl.kernels.estimators; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
