"""The frozen numbers and the brute force, for every test beside this file."""

from __future__ import annotations

import sys
from pathlib import Path

# Tests are no package, and what several of them share must be found by a name of its own.
sys.path.insert(0, str(Path(__file__).parent))
