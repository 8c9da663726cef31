"""Figures of a results bundle, for the page and for notebooks.

Each function takes a bundle, or the arrays and tables that bundles hold, and returns a matplotlib figure that
notebooks show by themselves. Nothing here touches pyplot or any global setting.

`colours` are tables, `scales` lead from values to them; `volumes` bring any grid into mm, `panels` lay out
what is seen of them and `beneath` draws the underlay; `matrices` draw cells; `choosing` finds what of a
bundle is meant; `adjusting` fits the model at one place; `save` writes the same bytes for the same figure.
"""

from __future__ import annotations

from specgl.plot.contrast import contrast
from specgl.plot.design import correlations, design_matrix
from specgl.plot.glass import glass_brain
from specgl.plot.null import null
from specgl.plot.peak import peak
from specgl.plot.people import coverage, mask, observations
from specgl.plot.qq import qq
from specgl.plot.slices import slices

__all__ = [
    "contrast",
    "correlations",
    "coverage",
    "design_matrix",
    "glass_brain",
    "mask",
    "null",
    "observations",
    "peak",
    "qq",
    "slices",
]
