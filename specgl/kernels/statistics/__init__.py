"""Statistics of one contrast that can be shuffled.

The classes themselves live in `pooled`, `available` and `separate`, which import numba; what is here does
not.
"""

from __future__ import annotations

from specgl.kernels.statistics.methods import METHODS, Nuisance, make_recipe, split_nuisance
from specgl.kernels.statistics.partition import Partition, partition
from specgl.kernels.statistics.protocol import BLOCK, NOUGHT, TIE, Kind, Scale, Scan, ShuffledStatistic

__all__ = [
    "BLOCK",
    "METHODS",
    "NOUGHT",
    "TIE",
    "Kind",
    "Nuisance",
    "Partition",
    "Scale",
    "Scan",
    "ShuffledStatistic",
    "make_recipe",
    "partition",
    "split_nuisance",
]
