"""The variance between observations under a model without what a contrast tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from specgl.engines import Threads
from specgl.kernels.estimators.bases import local_columns
from specgl.kernels.estimators.heterogeneity import estimate_tau2
from specgl.kernels.ols import factorise
from specgl.kernels.patterns import Patterns
from specgl.kernels.statistics.reduced import reduced_columns
from specgl.models.estimation import MixedEffects
from specgl.models.stretches import Floats, Run, match_rows, walk
from specgl.models.ways import multiplied, tau2_codes

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Contrast, Design


def reduced_tau2(
    data: xr.Dataset,
    design: Design,
    contrast: Contrast,
    way: MixedEffects,
    patterns: Patterns,
    *,
    engine: Threads,
) -> Floats:
    """Estimate the variance between observations as the null hypothesis has it.

    Shuffles make data as they would be without an effect: weights that stay the same under all of them must
    not know of one.

    Parameters
    ----------
    data, design
        What was fitted.
    contrast
        What is tested.
    way
        How the variance is estimated.
    patterns
        Of missing values.
    engine
        Where it runs; results do not depend on it.

    Returns
    -------
    ndarray
        ``(n_groups, n_loc)`` in squared units of the data, one row without variance groups; NaN where the
        iteration did not converge, 0 for a group without observations.
    """
    rows = match_rows(data, design)
    codes, nuisance = tau2_codes(design), reduced_columns(design.generic, contrast.weights)
    result = np.zeros((int(codes.max(initial=0)) + 1, rows.values.shape[1]))

    def visit(run: Run) -> None:
        if run.factor.dof < 1 or run.variances is None:
            return
        held, groups = np.unique(codes[run.rows], return_inverse=True)
        found = estimate_tau2(
            _basis(run, design, nuisance),
            np.array(run.y, dtype=np.float64, order="C"),
            np.ascontiguousarray(run.variances, dtype=np.float64),
            groups.astype(np.int64),
            way.tau2,
        )
        result[np.ix_(held, run.locations)] = np.where(found.converged, found.tau2, np.nan)

    walk(rows, design, patterns, visit, engine=engine)
    return result


def _basis(run: Run, design: Design, nuisance: Floats) -> Floats:
    """``(d, n, k)`` orthonormal basis of the nuisance at the locations of a run."""
    if not design.voxelwise:
        if not nuisance.shape[1]:
            return np.empty((1, len(run.rows), 0))
        factor = factorise(design.matrix[run.rows] @ nuisance)
        return np.ascontiguousarray(factor.basis[:, factor.basis.any(axis=0)])[None]
    assert run.covariates is not None
    covariates = np.asarray(run.covariates, dtype=np.float64)
    columns = local_columns(design.matrix[run.rows], covariates, multiplied(design)) @ nuisance
    lengths = np.linalg.norm(columns, axis=1, keepdims=True)
    basis: Floats = np.linalg.qr(columns / np.where(lengths > 0, lengths, 1.0))[0]
    return np.ascontiguousarray(basis)
