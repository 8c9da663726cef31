"""Ordinary least squares at every location, once for all contrasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.engines import Threads
from specgl.errors import ComputationError, Finding
from specgl.kernels.ols import Geometry, estimable, factorise_patterns, fit_tile
from specgl.kernels.patterns import Patterns, find_patterns
from specgl.models.groups import GroupSums, blank_sums, without_variance
from specgl.models.remarks import remarks
from specgl.models.stretches import Floats, Progress, Rows, Run, block_codes, match_rows, walk

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Design

_DEGENERATE = 1e-13
"""Residuals whose root mean square is below this share of the data's are rounding: float64 keeps 16 digits,
and a constant that some tool has averaged jitters in the last one or two."""


@dataclass(frozen=True, eq=False)
class GroupFit:
    """A fitted model.

    Attributes
    ----------
    beta
        ``(n_reg, n_loc)`` float64 coefficients, in units of the data per unit of the regressor.
    sigma2
        ``(n_loc,)`` residual variance, ``rss / dof``; NaN where ``dof`` is 0.
    r2
        ``(n_loc,)`` share of variance explained, see `specgl.variables`; NaN where the data do not vary.
    dof
        Residual degrees of freedom ``n - rank``: a number where all locations have all observations, else
        ``(n_loc,)``.
    n
        Observations with a value: a number or ``(n_loc,)``, as `dof`.
    constant
        ``(n_loc,)`` bool: no residual variance, relative to the size of the data.
    tested
        ``(n_loc,)`` bool: has a residual variance, so that statistics exist.
    patterns
        Patterns of missing values, observations in the design's order.
    geometry
        What contrasts need, for each pattern.
    coordinates
        Coordinates along ``location`` that came with the data.
    findings
        Warnings: W282, W400, W401, W402.
    group_rss
        ``(n_groups, n_loc)`` residual sum of squares of each variance group; None where all observations
        have one variance.
    """

    beta: Floats
    sigma2: Floats
    r2: Floats
    dof: float | Floats
    n: int | NDArray[np.int32]
    constant: NDArray[np.bool_]
    tested: NDArray[np.bool_]
    patterns: Patterns
    geometry: Geometry
    coordinates: Mapping[str, xr.DataArray]
    findings: tuple[Finding, ...] = ()
    group_rss: Floats | None = None

    def testable(self, weights: Floats) -> NDArray[np.bool_]:
        """``(n_loc,)`` bool: where a contrast ``(q, n_reg)`` has a statistic."""
        return self.tested & estimable(self.geometry, weights)[self.patterns.of_location]


@dataclass(frozen=True, eq=False)
class _Sums:
    """Arrays that the threads fill, each its own locations."""

    beta: Floats
    rss: Floats
    tss: Floats
    size: Floats
    geometry: Geometry
    groups: GroupSums | None


def fit(data: xr.Dataset, design: Design, *, engine: Threads, progress: Progress | None = None) -> GroupFit:
    """Fit a design to maps by ordinary least squares.

    Each location is fitted to the observations that have a value there (available cases); where nothing is
    missing this is one factorisation for all locations.

    Parameters
    ----------
    data
        ``effect (observation, location)``, float32 or float64, with a coordinate ``observation``; NaN and
        infinite values are missing.
    design
        The design, its rows matched with the maps by id. Its blocks' means are taken out of both sides.
    engine
        Where it runs; results do not depend on it.
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
    sums = _allocate(design, patterns, rows.values.shape[1])
    walk(rows, design, patterns, lambda run: _visit(run, sums), engine=engine, progress=progress)
    coordinates = {
        str(name): coordinate
        for name, coordinate in data["effect"].coords.items()
        if coordinate.dims == ("location",)
    }
    fitted = _summary(sums, patterns, coordinates)
    return replace(fitted, findings=_findings(fitted, design, sums.groups))


def _patterns(rows: Rows) -> Patterns:
    found = find_patterns(rows.values)
    return replace(found, present=found.present[:, rows.of_design])


def _check(design: Design) -> None:
    """Refuse a design that can give no statistic anywhere, with all reasons at once."""
    n_obs = design.matrix.shape[0]
    everyone = np.ones((1, n_obs), dtype=bool)
    geometry = factorise_patterns(design.matrix, block_codes(design), everyone).geometry
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


def _allocate(design: Design, patterns: Patterns, n_loc: int) -> _Sums:
    n_obs, n_reg = design.matrix.shape
    n_pat, k = len(patterns.present), min(n_obs, n_reg)
    geometry = Geometry(
        n=np.zeros(n_pat, dtype=np.int64),
        rank=np.zeros(n_pat, dtype=np.int64),
        spread=np.zeros((n_pat, n_reg, k)),
        row_space=np.zeros((n_pat, k, n_reg)),
        lengths=np.ones((n_pat, n_reg)),
    )
    blank = np.full((3, n_loc), np.nan)
    groups = blank_sums(design, n_pat, n_loc)
    return _Sums(np.full((n_reg, n_loc), np.nan), blank[0], blank[1], blank[2], geometry, groups)


def _visit(run: Run, sums: _Sums) -> None:
    found, kept, p = run.factors.geometry, sums.geometry, run.pattern
    # A pattern that spans several stretches is written by each of them, with the same numbers.
    kept.n[p] = found.n[run.position]
    kept.rank[p] = found.rank[run.position]
    kept.spread[p] = found.spread[run.position]
    kept.row_space[p] = found.row_space[run.position]
    kept.lengths[p] = found.lengths[run.position]
    if kept.n[p] <= kept.rank[p]:
        return
    tile = fit_tile(run.factor, run.y)
    sums.beta[:, run.locations] = tile.beta
    sums.rss[run.locations] = tile.rss
    sums.tss[run.locations] = tile.tss
    sums.size[run.locations] = tile.size
    if sums.groups is not None:
        sums.groups.visit(run)


def _summary(sums: _Sums, patterns: Patterns, coordinates: Mapping[str, xr.DataArray]) -> GroupFit:
    of_location = patterns.of_location
    free = sums.geometry.n - sums.geometry.rank
    dof_here = free[of_location].astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        sigma2 = np.where(dof_here > 0, sums.rss / dof_here, np.nan)
        r2 = np.where(sums.tss > 0, 1 - sums.rss / sums.tss, np.nan)
    constant = sums.rss <= _DEGENERATE**2 * sums.size
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
        coordinates=coordinates,
        group_rss=None if sums.groups is None else sums.groups.rss,
    )


def _findings(fitted: GroupFit, design: Design, groups: GroupSums | None) -> tuple[Finding, ...]:
    usable = int(np.count_nonzero(fitted.tested))
    constant = int(np.count_nonzero(fitted.constant))
    n_loc = fitted.tested.size
    lost = {
        contrast.name: usable - int(np.count_nonzero(fitted.testable(contrast.weights)))
        for contrast in design.contrasts
    }
    found = remarks(n_loc, constant=constant, short=n_loc - usable - constant, lost=lost)
    return found if groups is None else (*found, *without_variance(groups, fitted.tested, fitted.patterns))
