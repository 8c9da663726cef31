"""Bounds on true discoveries, for every set of locations at once.

`hommel_h` and `categories` turn p-values into whole numbers; `bound` and `bounds` read from these how many
locations of a set are true discoveries, at least; `grow_forest` holds all clusters of a map, above whatever
height, and reads the same for each of them. numba is imported when the first forest is grown, and with
`pivotal`, which tells of each shuffle how far its p-values fall below the line of Simes.
"""

from __future__ import annotations

from specgl.kernels.discoveries.forest import Forest, grow_forest
from specgl.kernels.discoveries.simes import bound, bounds, categories, hommel_h

__all__ = ["Forest", "bound", "bounds", "categories", "grow_forest", "hommel_h"]
