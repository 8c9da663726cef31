"""Fitting a model at every location, once for all contrasts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from specgl.engines import Threads
from specgl.errors import ComputationError, Finding
from specgl.kernels.ols import estimable, factorise_patterns
from specgl.kernels.patterns import Patterns, find_patterns
from specgl.models.classical import fit_classically
from specgl.models.estimation import Estimation, LeastSquares, is_classical
from specgl.models.fitted import GroupFit
from specgl.models.local import fit_locally
from specgl.models.remarks import remarks
from specgl.models.stretches import Progress, Rows, block_codes, match_rows

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Design

_LEAST_SQUARES = LeastSquares()


def fit(
    data: xr.Dataset,
    design: Design,
    *,
    engine: Threads,
    estimation: Estimation = _LEAST_SQUARES,
    progress: Progress | None = None,
) -> GroupFit:
    """Fit a design to maps.

    Each location is fitted to the observations that have a value there (available cases); where nothing is
    missing, and the design is the same everywhere, this is one factorisation for all locations.

    Parameters
    ----------
    data
        ``effect (observation, location)``, float32 or float64, with a coordinate ``observation``; NaN and
        infinite values are missing. Where the estimation weights by them, ``variance`` of the same shape;
        where the design has voxelwise covariates, ``voxelwise (covariate, observation, location)``.
    design
        The design, its rows matched with the maps by id. Its blocks' means are taken out of both sides.
    engine
        Where it runs; results do not depend on it.
    estimation
        How the coefficients are estimated, and what is assumed of the errors.
    progress
        Called with parts done and their number.

    Returns
    -------
    GroupFit
        Coefficients and variances in float64.

    Raises
    ------
    ComputationError
        E400 when no residual degree of freedom is left, E401 when data and design are not about the same
        observations, E402 for each contrast that the design cannot estimate.
    """
    rows = match_rows(data, design)
    _check(design)
    patterns = _patterns(rows)
    if is_classical(estimation) and not design.voxelwise:
        fitted, more = fit_classically(rows, design, patterns, engine=engine, progress=progress)
    else:
        fitted, more = fit_locally(rows, design, patterns, estimation, engine=engine, progress=progress)
    coordinates = {
        str(name): coordinate
        for name, coordinate in data["effect"].coords.items()
        if coordinate.dims == ("location",)
    }
    fitted = replace(fitted, coordinates=coordinates)
    return replace(fitted, findings=(*_findings(fitted, design), *more))


def _patterns(rows: Rows) -> Patterns:
    found = find_patterns(rows.values)
    return replace(found, present=found.present[:, rows.of_design])


def _check(design: Design) -> None:
    """Refuse a design that can give no statistic anywhere, with all reasons at once."""
    n_obs = design.matrix.shape[0]
    everyone = np.ones((1, n_obs), dtype=bool)
    geometry = factorise_patterns(design.generic, block_codes(design), everyone).geometry
    rank = int(geometry.rank[0])
    findings = [
        Finding(
            "E402",
            f"contrast '{contrast.name}' is not estimable in this design",
            where=("contrasts", contrast.name),
            help="test a difference that the design's rows can make",
        )
        for contrast in design.contrasts
        if not estimable(geometry, contrast.weights)[0]
    ]
    if n_obs - rank < 1:
        message = (
            f"the model has rank {rank} and there are {n_obs} observations: no variance can be estimated"
        )
        help_ = "use fewer regressors or blocks, or more observations"
        findings.append(Finding("E400", message, where=("model", "formula"), help=help_))
    if findings:
        raise ComputationError(*findings)


def _findings(fitted: GroupFit, design: Design) -> tuple[Finding, ...]:
    """What is to be said of locations without a statistic, each counted for the first reason only."""
    n_loc = fitted.tested.size
    usable = int(np.count_nonzero(fitted.tested))
    constant = int(np.count_nonzero(fitted.constant))
    stuck = dependent = 0
    if fitted.local is not None:
        dependent = int(np.count_nonzero(~fitted.local.full))
        stuck = int(np.count_nonzero(fitted.local.full & ~fitted.local.converged & ~fitted.constant))
    lost = {
        contrast.name: usable - int(np.count_nonzero(fitted.testable(contrast.weights)))
        for contrast in design.contrasts
    }
    short = n_loc - usable - constant - stuck - dependent
    return remarks(n_loc, constant=constant, short=short, lost=lost, stuck=stuck, dependent=dependent)
