"""From statistics to corrected statistics: what survives, where it lies, and how sure one may be of it."""

from __future__ import annotations

from specgl.inference.asked import (
    AllResolutions,
    Forming,
    Inference,
    Parametric,
    Permutation,
    RandomField,
    Sets,
    Simulated,
    Tfce,
    needs_smoothness,
)
from specgl.inference.contrasts import CONFIDENCE
from specgl.inference.infer import METHODS, infer
from specgl.inference.provisions import Lattice, Permuted, Provisions, Regions
from specgl.inference.ready import READY, stats_from_map
from specgl.inference.records import (
    Discoveries,
    Field,
    Inferred,
    Neighbourhood,
    Peak,
    Shuffled,
    Simulations,
)
from specgl.inference.tables import CLUSTER_COLUMNS, MAX_PEAKS, PEAK_DISTANCE

__all__ = [
    "CLUSTER_COLUMNS",
    "CONFIDENCE",
    "MAX_PEAKS",
    "METHODS",
    "PEAK_DISTANCE",
    "READY",
    "AllResolutions",
    "Discoveries",
    "Field",
    "Forming",
    "Inference",
    "Inferred",
    "Lattice",
    "Neighbourhood",
    "Parametric",
    "Peak",
    "Permutation",
    "Permuted",
    "Provisions",
    "RandomField",
    "Regions",
    "Sets",
    "Shuffled",
    "Simulated",
    "Simulations",
    "Tfce",
    "infer",
    "needs_smoothness",
    "stats_from_map",
]
