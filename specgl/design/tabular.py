"""What the table alone says of a design whose covariates partly come from images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from specgl.design.aliasing import identify
from specgl.design.records import Design


def table_part(design: Design) -> Design:
    """A design without the regressors that voxelwise covariates multiply.

    How collinear those are, and how far an observation lies from the others, differs from place to place, and
    stand-ins say nothing of it.

    Parameters
    ----------
    design
        The design.

    Returns
    -------
    Design
        The regressors that hold everywhere, their rank, and the contrasts' weights on them; the design itself
        where it has no voxelwise covariate.
    """
    if not design.voxelwise:
        return design
    kept = [k for k, regressor in enumerate(design.regressors) if not regressor.covariates]
    matrix = np.ascontiguousarray(design.matrix[:, kept])
    rank = identify(matrix, design.block).rank
    return replace(
        design,
        matrix=matrix,
        regressors=tuple(design.regressors[k] for k in kept),
        contrasts=tuple(replace(one, weights=one.weights[:, kept]) for one in design.contrasts),
        rank=rank,
        dof=len(matrix) - rank,
        voxelwise=(),
    )
