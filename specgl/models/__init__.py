"""From data and a design to estimates and statistics."""

from __future__ import annotations

from specgl.models.contrasts import contrast_maps
from specgl.models.fit import GroupFit, fit
from specgl.models.maps import extra_maps, residuals
from specgl.models.smoothness import residual_smoothness

__all__ = ["GroupFit", "contrast_maps", "extra_maps", "fit", "residual_smoothness", "residuals"]
