"""From data and a design to estimates and statistics."""

from __future__ import annotations

from specgl.models.contrasts import contrast_maps
from specgl.models.estimates import add_estimates
from specgl.models.estimation import (
    Clustered,
    Estimation,
    FixedEffects,
    Hc,
    Homoscedastic,
    LeastSquares,
    MixedEffects,
    Robust,
    letters_of,
)
from specgl.models.fit import fit
from specgl.models.fitted import GroupFit
from specgl.models.maps import extra_maps, residuals
from specgl.models.quality import Quality, beside_at, observation_quality, values_at
from specgl.models.smoothness import residual_smoothness

__all__ = [
    "Clustered",
    "Estimation",
    "FixedEffects",
    "GroupFit",
    "Hc",
    "Homoscedastic",
    "LeastSquares",
    "MixedEffects",
    "Quality",
    "Robust",
    "add_estimates",
    "beside_at",
    "contrast_maps",
    "extra_maps",
    "fit",
    "letters_of",
    "observation_quality",
    "residual_smoothness",
    "residuals",
    "values_at",
]
