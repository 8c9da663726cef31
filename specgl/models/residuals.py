"""Residuals of a fit, run by run: as they are, studentised, and with equal variances."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from specgl.kernels.estimators import Loss
from specgl.kernels.ols import Factor, residuals_tile
from specgl.models.estimation import FixedEffects, LeastSquares, MixedEffects
from specgl.models.fitted import GroupFit
from specgl.models.stretches import Floats, Run
from specgl.models.ways import bases_of, multiplied, tau2_codes

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Design


DETERMINED = 1e-10
"""A leverage this near to 1 leaves no residual: the observation alone decides its fitted value."""


class RunResiduals(NamedTuple):
    """Residuals of a run.

    Attributes
    ----------
    raw
        ``(n, m)`` data minus fitted values.
    weights
        ``(n, m)`` or ``(1, 1)``: reciprocals of what the model takes their variances for, up to a factor.
    scale
        ``(m,)`` that factor: ``weights * raw**2 / scale`` has the expectation ``1 - leverage``.
    leverage
        ``(n, m)`` or ``(n, 1)`` diagonal of the matrix that makes fitted values of data.
    """

    raw: Floats
    weights: Floats
    scale: Floats
    leverage: Floats

    @property
    def noise(self) -> Floats:
        """``(n, m)`` residuals whose variances are equal but for leverage."""
        return self.raw * np.sqrt(self.weights)

    @property
    def studentised(self) -> Floats:
        """``(n, m)`` internally studentised residuals, whose square has the expectation 1.

        NaN for an observation that decides its fitted value alone, or where nothing varies.
        """
        free = 1.0 - self.leverage
        with np.errstate(divide="ignore", invalid="ignore"):
            result: Floats = self.noise / np.sqrt(self.scale * np.where(free > DETERMINED, free, np.nan))
        return result


def run_residuals(run: Run, fit: GroupFit, design: Design) -> RunResiduals:
    """Residuals of a run's locations, made again from the fit.

    Parameters
    ----------
    run
        A run with a residual degree of freedom.
    fit
        The fitted model, over the locations that the run counts.
    design
        The design.
    """
    one, scale = np.ones((1, 1)), fit.sigma2[run.locations]
    estimation = LeastSquares() if fit.local is None else fit.local.estimation
    if isinstance(estimation, LeastSquares) and not design.voxelwise:
        raw = residuals_tile(run.factor, run.y)
        return RunResiduals(raw, one, scale, leverage_of(run.factor)[:, None])
    y = np.array(run.y, dtype=np.float64, order="C")
    if isinstance(estimation, FixedEffects | MixedEffects):
        return _weighted(run, fit, design, y)
    return RunResiduals(y - fitted_values(run, fit, design), one, scale, bases_of(run, design).leverage())


def fitted_values(run: Run, fit: GroupFit, design: Design) -> Floats:
    """``(n, m)`` design times coefficients, of a fit without blocks."""
    beta, matrix = fit.beta[:, run.locations], design.matrix[run.rows]
    if not design.voxelwise:
        return matrix @ beta
    assert run.covariates is not None
    used, result = multiplied(design), np.zeros((len(matrix), beta.shape[1]))
    for column, coefficient, of_column in zip(matrix.T, beta, used, strict=True):
        values = np.repeat(column[:, None], beta.shape[1], axis=1)
        for covariate in np.flatnonzero(of_column):
            values = values * run.covariates[covariate]
        result += values * coefficient
    return result


def precision(run: Run, fit: GroupFit, design: Design) -> Floats:
    """``(n, m)`` reciprocals of first-level variances plus those between observations."""
    assert fit.local is not None
    assert run.variances is not None
    variances = np.asarray(run.variances, dtype=np.float64)
    tau2 = fit.local.maps.get("tau2")
    if tau2 is None:
        return 1.0 / variances
    return 1.0 / (variances + tau2[tau2_codes(design)[run.rows]][:, run.locations])


def robust_weights(found: RunResiduals, loss: Loss) -> Floats:
    """``(n, m)`` weights of a robust fit from its residuals; NaN where it has no scale."""
    from specgl.kernels.estimators.robust import weights_of  # imports numba: half a second

    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = found.raw / np.sqrt(found.scale)
    return np.asarray(weights_of(scaled, loss), dtype=np.float64)


def _weighted(run: Run, fit: GroupFit, design: Design, y: Floats) -> RunResiduals:
    from specgl.kernels.estimators.weighted import fit_weighted  # imports numba: half a second

    assert fit.local is not None
    weights = precision(run, fit, design)
    if "tau2" in fit.local.maps:
        weights = np.where(np.isfinite(weights), weights, 1.0)  # locations that are not tested have no tau2
    if fit.local.constant is not None:
        y -= y[0].copy()  # values far from zero keep the digits of their differences
    found = fit_weighted(bases_of(run, design).basis, y, weights)
    return RunResiduals(found.residuals, weights, np.ones(y.shape[1]), found.leverage)


def leverage_of(factor: Factor) -> Floats:
    """Leverage of each row of a factor, ``(n,)``: of its columns, and of its block's mean."""
    leverage: Floats = np.einsum("ij,ij->i", factor.basis, factor.basis)
    if factor.starts is None:
        return leverage
    sizes = np.diff(np.append(factor.starts, factor.n))
    return leverage + np.repeat(1.0 / sizes, sizes)
