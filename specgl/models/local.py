"""Fitting where covariances belong to each location: weights, robust fits, sandwiches, covariates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specgl.engines import Threads
from specgl.errors import Finding
from specgl.kernels.ols import Geometry, factorise
from specgl.kernels.patterns import Patterns
from specgl.models.classical import DEGENERATE
from specgl.models.estimation import Clustered, Estimation, FixedEffects, LeastSquares, MixedEffects
from specgl.models.fitted import GroupFit, LocalFit
from specgl.models.geometry import blank_geometry, keep_geometry
from specgl.models.groups import has_free_groups, lost_to_groups
from specgl.models.separate import directions_of
from specgl.models.stretches import Floats, Progress, Rows, Run, block_codes, walk
from specgl.models.ways import Bases, Solved, bases_of, solve, tau2_codes
from specgl.models.welch_local import separate_run

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Contrast, Design


@dataclass(frozen=True, eq=False)
class _Sums:
    """Arrays that the threads fill, each its own locations; `groups_free` by pattern."""

    beta: Floats
    variance: Floats
    rss: Floats
    tss: Floats
    size: Floats
    geometry: Geometry
    covariances: Mapping[str, Floats]
    own_dof: Mapping[str, Floats]
    separate: Mapping[str, Floats]
    converged: NDArray[np.bool_]
    full: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    groups_free: NDArray[np.bool_]
    maps: Mapping[str, Floats]


def fit_locally(
    rows: Rows,
    design: Design,
    patterns: Patterns,
    estimation: Estimation,
    *,
    engine: Threads,
    progress: Progress | None = None,
) -> tuple[GroupFit, tuple[Finding, ...]]:
    """Fit location by location, in tiles.

    Parameters
    ----------
    rows, design
        The data and the design.
    patterns
        Of missing values, observations in the design's order.
    estimation
        How coefficients are estimated.
    engine
        Where it runs; results do not depend on it.
    progress
        Called with parts done and their number.

    Returns
    -------
    GroupFit
        Without coordinates and findings.
    findings
        About groups and clusters.
    """
    independent = {contrast.name: _independent(design, contrast) for contrast in design.contrasts}
    fitter = _Fitter(design, estimation, independent, _constant(design))
    sums = fitter.allocate(len(patterns.present), rows.values.shape[1])
    walk(rows, design, patterns, lambda run: fitter.visit(run, sums), engine=engine, progress=progress)
    fitted = fitter.summary(sums, patterns)
    return fitted, tuple(_lost_groups(design, estimation, sums, patterns))


@dataclass(frozen=True, eq=False)
class _Fitter:
    """What every run is fitted with.

    Attributes
    ----------
    rows
        Independent rows of each contrast.
    constant
        ``(n_reg,)`` coefficients whose fitted values are 1 everywhere; None where there are none.
    """

    design: Design
    estimation: Estimation
    rows: Mapping[str, Floats]
    constant: Floats | None

    @property
    def _separate(self) -> bool:
        return self.design.varies_by_group and isinstance(self.estimation, LeastSquares)

    def allocate(self, n_pat: int, n_loc: int) -> _Sums:
        """Arrays to be filled."""
        n_reg = self.design.matrix.shape[1]
        blank = np.full((4, n_loc), np.nan)
        maps: dict[str, Floats] = {}
        if isinstance(self.estimation, FixedEffects | MixedEffects):
            maps = {name: np.full(n_loc, np.nan) for name in ("q", "i2")}
        if isinstance(self.estimation, MixedEffects):
            maps["tau2"] = np.full((int(tau2_codes(self.design).max(initial=0)) + 1, n_loc), np.nan)
        own = self._separate or isinstance(getattr(self.estimation, "errors", None), Clustered)
        return _Sums(
            beta=np.full((n_reg, n_loc), np.nan),
            variance=blank[0],
            rss=blank[1],
            tss=blank[2],
            size=blank[3],
            geometry=blank_geometry(self.design, n_pat),
            covariances={name: np.full((len(r), len(r), n_loc), np.nan) for name, r in self.rows.items()},
            own_dof={name: np.full(n_loc, np.nan) for name in self.rows} if own else {},
            separate={name: np.full(n_loc, np.nan) for name in self.rows} if self._separate else {},
            converged=np.ones(n_loc, dtype=bool),
            full=np.ones(n_loc, dtype=bool),
            usable=np.ones(n_loc, dtype=bool),
            groups_free=np.ones(n_pat, dtype=bool),
            maps=maps,
        )

    def visit(self, run: Run, sums: _Sums) -> None:
        """Fit the locations of a run."""
        keep_geometry(sums.geometry, run)
        if run.factor.dof < 1:
            return
        here, y = run.locations, np.array(run.y, dtype=np.float64, order="C")
        sums.size[here] = np.einsum("nm,nm->m", y, y)
        anchor = y[0].copy() if self.constant is not None or run.factor.starts is not None else None
        if anchor is not None:
            y -= anchor  # values far from zero keep the digits of their differences
        bases = bases_of(run, self.design)
        if not self._has_free_groups(run, sums):
            return
        solved = solve(self.estimation, bases, y, run, self.design)
        sums.beta[:, here] = bases.coefficients(solved.scores)
        if anchor is not None and self.constant is not None:
            sums.beta[:, here] += np.outer(self.constant, anchor)
        sums.rss[here] = np.einsum("nm,nm->m", solved.residuals, solved.residuals)
        about = y - y.mean(axis=0) if anchor is not None else y
        sums.tss[here] = np.einsum("nm,nm->m", about, about)
        self._keep(run, bases, solved, sums)

    def _keep(self, run: Run, bases: Bases, solved: Solved, sums: _Sums) -> None:
        here = run.locations
        if solved.variance is not None:
            sums.variance[here] = solved.variance
        if solved.converged is not None:
            sums.converged[here] = solved.converged
        if bases.full is not None:
            sums.full[here] = bases.full
        sums.usable[here] = solved.usable
        for name, values in solved.maps.items():
            sums.maps[name][..., here] = values
        if not solved.usable:
            return
        for name, weights in self.rows.items():
            loads = bases.loads(weights)
            if self._separate:
                found = separate_run(bases, solved.residuals, loads, self._codes(run))
                sums.covariances[name][:, :, here] = found.covariance
                sums.own_dof[name][here], sums.separate[name][here] = found.dof, found.factor
                continue
            sums.covariances[name][:, :, here] = solved.covariance(loads)
            if solved.own_dof is not None:
                sums.own_dof[name][here] = solved.own_dof(loads)

    def _codes(self, run: Run) -> NDArray[np.int64]:
        assert self.design.variance_groups is not None
        return self.design.variance_groups.codes[run.rows]

    def _has_free_groups(self, run: Run, sums: _Sums) -> bool:
        """Whether every variance group that has an observation has a residual degree of freedom."""
        groups = self.design.variance_groups
        if groups is None:
            return True
        free = has_free_groups(run, groups.codes, block_codes(self.design), int(groups.codes.max()) + 1)
        sums.groups_free[run.pattern] = free
        return free

    def summary(self, sums: _Sums, patterns: Patterns) -> GroupFit:
        """The fit, without coordinates and findings."""
        of_location = patterns.of_location
        free = sums.geometry.n - sums.geometry.rank
        dof_here = free[of_location].astype(np.float64)
        weighted = isinstance(self.estimation, FixedEffects | MixedEffects)
        # Standard errors that come from first-level variances alone are above 0 whatever the residuals are.
        from_residuals = not weighted or (
            isinstance(self.estimation, MixedEffects) and self.estimation.adjustment == "knapp_hartung"
        )
        constant = (sums.rss <= DEGENERATE**2 * sums.size) & from_residuals
        with np.errstate(divide="ignore", invalid="ignore"):
            r2 = np.where(sums.tss > 0, 1 - sums.rss / sums.tss, np.nan)
        tested = (dof_here > 0) & ~constant & sums.converged & sums.full & sums.usable
        dof = np.full(dof_here.size, np.inf) if isinstance(self.estimation, FixedEffects) else dof_here
        one = patterns.complete or isinstance(self.estimation, FixedEffects)
        return GroupFit(
            beta=sums.beta,
            sigma2=np.full(dof.size, np.nan) if weighted else sums.variance,
            r2=np.where(constant, np.nan, r2),
            dof=float(dof[0]) if one else dof,
            n=int(sums.geometry.n[0]) if patterns.complete else sums.geometry.n[of_location].astype(np.int32),
            constant=constant,
            tested=tested & sums.groups_free[of_location],
            patterns=patterns,
            geometry=sums.geometry,
            coordinates={},
            local=LocalFit(
                estimation=self.estimation,
                rows=self.rows,
                covariances=sums.covariances,
                own_dof=sums.own_dof,
                separate=sums.separate,
                converged=sums.converged,
                full=sums.full,
                maps=sums.maps,
                constant=self.constant,
            ),
        )


def _independent(design: Design, contrast: Contrast) -> Floats:
    """``(r, n_reg)`` independent combinations of a contrast's rows; the row itself where there is one."""
    if len(contrast.weights) == 1:
        return np.asarray(contrast.weights, dtype=np.float64)
    _, root = directions_of(contrast.weights @ factorise(design.generic, block_codes(design)).spread)
    return root @ contrast.weights


def _constant(design: Design) -> Floats | None:
    """``(n_reg,)`` coefficients of a constant, made from regressors that are the same everywhere."""
    if design.block is not None:
        return None
    moving = [j for j, regressor in enumerate(design.regressors) if regressor.covariates]
    columns = design.matrix.copy()
    columns[:, moving] = 0.0
    found = np.asarray(np.linalg.lstsq(columns, np.ones(len(columns)), rcond=None)[0], dtype=np.float64)
    return found if np.allclose(columns @ found, 1.0, rtol=0, atol=1e-10) else None


def _lost_groups(
    design: Design, estimation: Estimation, sums: _Sums, patterns: Patterns
) -> Iterator[Finding]:
    """W282 where missing values leave a group without a residual degree of freedom, W405 for clusters."""
    n_loc = patterns.of_location.size
    lost = int(np.count_nonzero(~sums.groups_free[patterns.of_location]))
    if lost and design.variance_groups is not None:
        yield lost_to_groups(lost, n_loc)
    single = int(np.count_nonzero(~sums.usable))
    if single:
        yield Finding(
            "W405",
            f"observations of fewer than two clusters have a value at {single} of {n_loc} locations, which "
            "get no statistic",
            where=("model", "errors", "by"),
        )
