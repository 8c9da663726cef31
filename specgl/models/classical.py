"""Ordinary least squares at every location: one design, and errors of one variance or one in each group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from specgl.engines import Threads
from specgl.errors import Finding
from specgl.kernels.ols import Geometry, fit_tile
from specgl.kernels.patterns import Patterns
from specgl.models.fitted import GroupFit
from specgl.models.geometry import blank_geometry, keep_geometry
from specgl.models.groups import GroupSums, blank_sums, without_variance
from specgl.models.stretches import Floats, Progress, Rows, Run, walk

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Design

DEGENERATE = 1e-13
"""Residuals whose root mean square is below this share of the data's are rounding: float64 keeps 16 digits,
and a constant that some tool has averaged jitters in the last one or two."""


@dataclass(frozen=True, eq=False)
class _Sums:
    """Arrays that the threads fill, each its own locations."""

    beta: Floats
    rss: Floats
    tss: Floats
    size: Floats
    geometry: Geometry
    groups: GroupSums | None


def fit_classically(
    rows: Rows, design: Design, patterns: Patterns, *, engine: Threads, progress: Progress | None = None
) -> tuple[GroupFit, tuple[Finding, ...]]:
    """Fit by ordinary least squares, each pattern by one factorisation.

    Parameters
    ----------
    rows, design
        The data and the design.
    patterns
        Of missing values, observations in the design's order.
    engine
        Where it runs; results do not depend on it.
    progress
        Called with parts done and their number.

    Returns
    -------
    GroupFit
        Without coordinates and findings.
    findings
        About variance groups.
    """
    sums = _allocate(design, patterns, rows.values.shape[1])
    walk(rows, design, patterns, lambda run: _visit(run, sums), engine=engine, progress=progress)
    fitted = _summary(sums, patterns)
    groups = sums.groups
    return fitted, () if groups is None else tuple(without_variance(groups, fitted.tested, patterns))


def _allocate(design: Design, patterns: Patterns, n_loc: int) -> _Sums:
    n_pat, n_reg = len(patterns.present), design.matrix.shape[1]
    blank = np.full((3, n_loc), np.nan)
    groups = blank_sums(design, n_pat, n_loc)
    geometry = blank_geometry(design, n_pat)
    return _Sums(np.full((n_reg, n_loc), np.nan), blank[0], blank[1], blank[2], geometry, groups)


def _visit(run: Run, sums: _Sums) -> None:
    keep_geometry(sums.geometry, run)
    if run.factor.dof < 1:
        return
    tile = fit_tile(run.factor, run.y)
    sums.beta[:, run.locations] = tile.beta
    sums.rss[run.locations] = tile.rss
    sums.tss[run.locations] = tile.tss
    sums.size[run.locations] = tile.size
    if sums.groups is not None:
        sums.groups.visit(run)


def _summary(sums: _Sums, patterns: Patterns) -> GroupFit:
    of_location = patterns.of_location
    free = sums.geometry.n - sums.geometry.rank
    dof_here = free[of_location].astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        sigma2 = np.where(dof_here > 0, sums.rss / dof_here, np.nan)
        r2 = np.where(sums.tss > 0, 1 - sums.rss / sums.tss, np.nan)
    constant = sums.rss <= DEGENERATE**2 * sums.size
    return GroupFit(
        beta=sums.beta,
        sigma2=sigma2,
        r2=np.where(constant, np.nan, r2),
        dof=float(free[0]) if patterns.complete else dof_here,
        n=int(sums.geometry.n[0]) if patterns.complete else sums.geometry.n[of_location].astype(np.int32),
        constant=constant,
        tested=(dof_here > 0) & ~constant,
        patterns=patterns,
        geometry=sums.geometry,
        coordinates={},
        group_rss=None if sums.groups is None else sums.groups.rss,
    )
