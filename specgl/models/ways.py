"""One run of locations, fitted in each way that is not ordinary least squares with one variance.

Every way works in an orthonormal basis of the run's design, and tells the covariance of any linear function
of the scores on it: that is all that a contrast needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.estimators import (
    cluster_adjustment,
    cluster_covariance,
    cluster_dof,
    hc_covariance,
    hc_factors,
)
from specgl.kernels.statistics import unit_dummies
from specgl.models.estimation import (
    Clustered,
    FixedEffects,
    Hc,
    Homoscedastic,
    LeastSquares,
    MixedEffects,
    Robust,
)
from specgl.models.stretches import Floats, Run

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Design

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Bases:
    """An orthonormal basis of a run's design: one for all its locations (d = 1), or each its own (d = m).

    Attributes
    ----------
    basis
        ``(d, n, k)``, with columns for blocks whose means are taken out.
    spread
        ``(d, n_reg, k)`` coefficients from scores.
    full
        ``(m,)`` bool: where all regressors are independent; ``None`` where patterns have told.
    """

    basis: Floats
    spread: Floats
    full: Flags | None = None

    @property
    def rank(self) -> int:
        """Number of columns."""
        return int(self.basis.shape[2])

    @property
    def free(self) -> int:
        """Residual degrees of freedom."""
        return int(self.basis.shape[1]) - self.rank

    def loads(self, weights: Floats) -> Floats:
        """``(d, r, k)``: linear functions of coefficients ``(r, n_reg)`` as functions of scores."""
        return weights[None] @ self.spread

    def coefficients(self, scores: Floats) -> Floats:
        """``(n_reg, m)`` from scores ``(k, m)``."""
        one = len(self.spread) == 1
        result: Floats = self.spread[0] @ scores if one else np.einsum("mpk,km->pm", self.spread, scores)
        return result

    def project(self, y: Floats) -> tuple[Floats, Floats]:
        """Scores ``(k, m)`` and residuals ``(n, m)`` of least squares."""
        if len(self.basis) == 1:
            scores = self.basis[0].T @ y
            return scores, y - self.basis[0] @ scores
        scores = np.einsum("mnk,nm->km", self.basis, y)
        return scores, y - np.einsum("mnk,km->nm", self.basis, scores)

    def leverage(self) -> Floats:
        """``(n, d)`` of least squares."""
        result: Floats = np.einsum("dnk,dnk->nd", self.basis, self.basis)
        return result


@dataclass(frozen=True, eq=False)
class Solved:
    """A run's fit.

    Attributes
    ----------
    scores
        ``(k, m)``.
    residuals
        ``(n, m)`` data minus fitted values.
    covariance
        From loads ``(d, r, k)`` to the covariance ``(r, r, m)`` of these functions of the scores.
    variance
        ``(m,)`` residual variance; ``None`` where there is no such number.
    own_dof
        From loads to degrees of freedom of their test; ``None`` where they are ``n - rank``.
    converged
        ``(m,)`` bool; ``None`` where nothing is iterated.
    usable
        Whether anything can be tested under this pattern.
    maps
        ``tau2 (G, m)``, ``q`` and ``i2`` ``(m,)`` where they exist.
    """

    scores: Floats
    residuals: Floats
    covariance: Callable[[Floats], Floats]
    variance: Floats | None = None
    own_dof: Callable[[Floats], float] | None = None
    converged: Flags | None = None
    usable: bool = True
    maps: Mapping[str, Floats] = field(default_factory=dict)


def bases_of(run: Run, design: Design) -> Bases:
    """An orthonormal basis of the design at the locations of a run."""
    if design.voxelwise:
        from specgl.kernels.estimators.bases import local_bases  # imports numba: half a second

        assert run.covariates is not None
        covariates = np.asarray(run.covariates, dtype=np.float64)
        found = local_bases(np.ascontiguousarray(design.matrix[run.rows]), covariates, multiplied(design))
        return Bases(found.basis, found.spread, found.full)
    factor = run.factor
    alive = factor.basis.any(axis=0)  # its columns past the rank are zero
    basis, spread = factor.basis[:, alive], factor.spread[:, alive]
    if factor.starts is not None:
        sizes = np.diff(factor.starts, append=factor.n)
        dummies = unit_dummies(np.repeat(np.arange(sizes.size), sizes))
        basis = np.column_stack([basis, dummies])
        spread = np.column_stack([spread, np.zeros((len(spread), dummies.shape[1]))])
    return Bases(np.ascontiguousarray(basis)[None], np.ascontiguousarray(spread)[None])


def multiplied(design: Design) -> Flags:
    """``(n_reg, n_cov)`` bool: which voxelwise covariates multiply each regressor."""
    return np.array(
        [[name in regressor.covariates for name in design.voxelwise] for regressor in design.regressors],
        dtype=bool,
    )


@singledispatch
def solve(way: object, bases: Bases, y: Floats, run: Run, design: Design) -> Solved:
    """Fit a run.

    Parameters
    ----------
    way
        The estimation.
    bases
        Of the run's design.
    y
        ``(n, m)`` its data in float64.
    run
        The run.
    design
        The design.
    """
    raise TypeError(f"no such way to estimate a model: {way!r}")


@solve.register(LeastSquares)
def _(way: LeastSquares, bases: Bases, y: Floats, run: Run, design: Design) -> Solved:
    scores, residuals = bases.project(y)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.einsum("nm,nm->m", residuals, residuals) / bases.free
    return _ERRORS[type(way.errors)](way.errors, _Least(bases, scores, residuals, variance, run.rows))


@solve.register(FixedEffects)
def _(way: FixedEffects, bases: Bases, y: Floats, run: Run, design: Design) -> Solved:
    from specgl.kernels.estimators.heterogeneity import cochran_q  # imports numba: half a second

    variances = _variances(run)
    q = cochran_q(bases.basis, y, variances)
    with np.errstate(divide="ignore", invalid="ignore"):
        i2 = np.maximum(0.0, (q - bases.free) / q)
    return _weighted(bases, y, 1.0 / variances, {"q": q, "i2": i2})


@solve.register(MixedEffects)
def _(way: MixedEffects, bases: Bases, y: Floats, run: Run, design: Design) -> Solved:
    from specgl.kernels.estimators.heterogeneity import estimate_tau2  # imports numba: half a second

    variances = _variances(run)
    codes = tau2_codes(design)
    held, groups = np.unique(codes[run.rows], return_inverse=True)
    groups = groups.astype(np.int64)
    found = estimate_tau2(bases.basis, y, variances, groups, way.tau2)
    tau2 = np.full((int(codes.max(initial=0)) + 1, y.shape[1]), np.nan)
    tau2[held] = found.tau2
    between = found.tau2[groups]
    mean = between.mean(axis=0)
    maps = {"tau2": tau2, "q": found.q, "i2": mean / (mean + found.typical)}
    adjusted = way.adjustment == "knapp_hartung"
    return _weighted(bases, y, 1.0 / (variances + between), maps, found.converged, adjusted)


@solve.register(Robust)
def _(way: Robust, bases: Bases, y: Floats, run: Run, design: Design) -> Solved:
    from specgl.kernels.estimators.robust import fit_robust  # imports numba: half a second

    found = fit_robust(bases.basis, y, way.loss)
    return Solved(
        found.scores,
        found.residuals,
        lambda loads: _scaled(loads, found.variance),
        variance=found.scale**2,
        converged=found.converged,
    )


def tau2_codes(design: Design) -> NDArray[np.int64]:
    """``(n_obs,)`` which variance between observations each has."""
    groups = design.variance_groups
    return np.zeros(len(design.matrix), dtype=np.int64) if groups is None else groups.codes


def _variances(run: Run) -> Floats:
    assert run.variances is not None, "planning has seen that there are variances"
    return np.ascontiguousarray(run.variances, dtype=np.float64)


def _weighted(
    bases: Bases,
    y: Floats,
    weights: Floats,
    maps: Mapping[str, Floats],
    converged: Flags | None = None,
    adjusted: bool = False,
) -> Solved:
    """A weighted fit whose weights are inverse variances."""
    from specgl.kernels.estimators.weighted import fit_weighted  # imports numba: half a second

    found = fit_weighted(bases.basis, y, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Knapp and Hartung 2003, doi:10.1002/sim.1482; not truncated at 1.
        factor = found.rss / bases.free if adjusted else np.ones(y.shape[1])

    def covariance(loads: Floats) -> Floats:
        if len(loads) == 1:
            half = np.einsum("rk,klm->rlm", loads[0], found.covariance)
            return np.asarray(np.einsum("rlm,sl,m->rsm", half, loads[0], factor))
        half = np.einsum("mrk,klm->mrl", loads, found.covariance)
        return np.asarray(np.einsum("mrl,msl,m->rsm", half, loads, factor))

    return Solved(found.scores, found.residuals, covariance, converged=converged, maps=maps)


class _Least(NamedTuple):
    """Least squares at a run: scores ``(k, m)``, residuals ``(n, m)``, variance ``(m,)``, rows ``(n,)``."""

    bases: Bases
    scores: Floats
    residuals: Floats
    variance: Floats
    rows: NDArray[np.int64]


def _homoscedastic(errors: Homoscedastic, least: _Least) -> Solved:
    return Solved(least.scores, least.residuals, lambda loads: _scaled(loads, least.variance), least.variance)


def _heteroscedastic(errors: Hc, least: _Least) -> Solved:
    bases, scores, residuals, variance, _ = least
    leverage = bases.leverage()
    factors = hc_factors(leverage[:, 0] if len(bases.basis) == 1 else leverage, errors.kind, bases.rank)

    def covariance(loads: Floats) -> Floats:
        rows = bases.basis @ np.swapaxes(loads, 1, 2)
        return hc_covariance(rows, residuals, factors)

    return Solved(scores, residuals, covariance, variance)


def _clustered(errors: Clustered, least: _Least) -> Solved:
    bases, scores, residuals, variance, rows = least
    assert len(bases.basis) == 1, "rules refuse voxelwise covariates with clusters"
    basis, codes = bases.basis[0], errors.by.codes[rows]
    if np.unique(codes).size < 2 or bases.free < 1:
        nothing = np.full(residuals.shape[1], np.nan)
        return Solved(scores, residuals, lambda loads: _scaled(loads, nothing), variance, usable=False)
    adjustment = cluster_adjustment(basis, codes, errors.correction)
    return Solved(
        scores,
        residuals,
        lambda loads: cluster_covariance(basis @ loads[0].T, residuals, adjustment, codes),
        variance,
        own_dof=lambda loads: cluster_dof(basis, basis @ loads[0].T, adjustment, codes),
    )


_ERRORS: Mapping[type, Callable[..., Solved]] = {
    Homoscedastic: _homoscedastic,
    Hc: _heteroscedastic,
    Clustered: _clustered,
}


def _scaled(loads: Floats, variance: Floats) -> Floats:
    """``(r, r, m)``: inner products of loads ``(d, r, k)`` times a variance of all observations ``(m,)``."""
    if len(loads) == 1:
        inner: Floats = loads[0] @ loads[0].T
        return inner[:, :, None] * variance
    result: Floats = np.einsum("mrk,msk,m->rsm", loads, loads, variance)
    return result
