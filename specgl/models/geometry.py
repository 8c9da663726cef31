"""What contrasts need of each pattern of missing values, gathered while a model is fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from specgl.kernels.ols import Geometry
from specgl.models.stretches import Run

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Design


def blank_geometry(design: Design, n_pat: int) -> Geometry:
    """Geometry of patterns, to be filled."""
    n_obs, n_reg = design.matrix.shape
    k = min(n_obs, n_reg)
    return Geometry(
        n=np.zeros(n_pat, dtype=np.int64),
        rank=np.zeros(n_pat, dtype=np.int64),
        spread=np.zeros((n_pat, n_reg, k)),
        row_space=np.zeros((n_pat, k, n_reg)),
        lengths=np.ones((n_pat, n_reg)),
    )


def keep_geometry(kept: Geometry, run: Run) -> None:
    """Write down that of a run's pattern.

    A pattern that spans several stretches is written by each of them, with the same numbers.
    """
    found, p = run.factors.geometry, run.pattern
    kept.n[p] = found.n[run.position]
    kept.rank[p] = found.rank[run.position]
    kept.spread[p] = found.spread[run.position]
    kept.row_space[p] = found.row_space[run.position]
    kept.lengths[p] = found.lengths[run.position]
