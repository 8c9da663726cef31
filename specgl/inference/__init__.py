"""From statistics to corrected statistics: what survives, where it lies, and how sure one may be of it."""

from __future__ import annotations

from specgl.inference.infer import METHODS, infer
from specgl.inference.ready import READY, stats_from_map
from specgl.inference.records import (
    Forming,
    Inference,
    Inferred,
    Neighbourhood,
    Parametric,
    Peak,
    Permutation,
    Permuted,
    Shuffled,
    Tfce,
)
from specgl.inference.tables import CLUSTER_COLUMNS, MAX_PEAKS, PEAK_DISTANCE

__all__ = [
    "CLUSTER_COLUMNS",
    "MAX_PEAKS",
    "METHODS",
    "PEAK_DISTANCE",
    "READY",
    "Forming",
    "Inference",
    "Inferred",
    "Neighbourhood",
    "Parametric",
    "Peak",
    "Permutation",
    "Permuted",
    "Shuffled",
    "Tfce",
    "infer",
    "stats_from_map",
]
