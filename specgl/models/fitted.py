"""A fitted model, as contrasts read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.errors import Finding
from specgl.kernels.ols import Geometry, estimable
from specgl.kernels.patterns import Patterns
from specgl.models.estimation import Estimation

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LocalFit:
    """What contrasts need of a fit whose covariances belong to each location.

    Attributes
    ----------
    estimation
        How it was made.
    rows
        ``(r, n_reg)`` independent rows of each contrast, by its name.
    covariances
        ``(r, r, n_loc)`` covariance of their estimates, by the contrast's name.
    own_dof
        ``(n_loc,)`` degrees of freedom of each contrast's test; none where they are the fit's.
    separate
        ``(n_loc,)`` factor that each G is divided by, where variance groups meet voxelwise covariates.
    converged
        ``(n_loc,)`` bool.
    full
        ``(n_loc,)`` bool: no regressor is a combination of others there.
    maps
        ``tau2 (n_groups, n_loc)``, ``q`` and ``i2`` ``(n_loc,)``, where they exist.
    constant
        ``(n_reg,)`` coefficients whose fitted values are 1 everywhere; None where there are none.
    """

    estimation: Estimation
    rows: Mapping[str, Floats]
    covariances: Mapping[str, Floats]
    own_dof: Mapping[str, Floats]
    separate: Mapping[str, Floats]
    converged: NDArray[np.bool_]
    full: NDArray[np.bool_]
    maps: Mapping[str, Floats]
    constant: Floats | None = None

    def part(self, held: slice | NDArray[np.int64]) -> LocalFit:
        """The same at some locations."""
        return replace(
            self,
            covariances={name: values[..., held] for name, values in self.covariances.items()},
            own_dof={name: values[held] for name, values in self.own_dof.items()},
            separate={name: values[held] for name, values in self.separate.items()},
            converged=self.converged[held],
            full=self.full[held],
            maps={name: values[..., held] for name, values in self.maps.items()},
        )


@dataclass(frozen=True, eq=False)
class GroupFit:
    """A fitted model.

    Attributes
    ----------
    beta
        ``(n_reg, n_loc)`` float64 coefficients, in units of the data per unit of the regressor.
    sigma2
        ``(n_loc,)`` residual variance: ``rss / dof``, of a robust fit its squared scale; NaN where there is
        none, as in weighted fits.
    r2
        ``(n_loc,)`` share of variance explained, see `specgl.variables`; NaN where the data do not vary.
    dof
        Residual degrees of freedom ``n - rank``: a number where all locations have all observations, else
        ``(n_loc,)``. Infinite where the reference is normal (fixed effects).
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
        Warnings: W282, W400 to W404.
    group_rss
        ``(n_groups, n_loc)`` residual sum of squares of each variance group; None where all observations
        have one variance, and where `local` is known.
    local
        What contrasts need where the model is no ordinary least squares with errors of one variance (or one
        in each variance group) and one design for all locations; None where it is.
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
    local: LocalFit | None = None

    def testable(self, weights: Floats) -> NDArray[np.bool_]:
        """``(n_loc,)`` bool: where a contrast ``(q, n_reg)`` has a statistic."""
        return self.tested & estimable(self.geometry, weights)[self.patterns.of_location]

    def part(self, held: slice | NDArray[np.int64]) -> GroupFit:
        """The estimates of some locations, for residuals; what belongs to patterns is left as it is."""
        return replace(
            self,
            beta=self.beta[:, held],
            sigma2=self.sigma2[held],
            tested=self.tested[held],
            local=None if self.local is None else self.local.part(held),
        )
