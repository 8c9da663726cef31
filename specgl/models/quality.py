"""How far each observation lies from what the model expects of it, over all locations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.engines import Threads
from specgl.kernels.ols import Factor, residuals_tile
from specgl.models.fit import GroupFit
from specgl.models.stretches import Floats, Run, match_rows, walk

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Design

FAR = 3.5
"""Modified z-score from which a distance is an outlier (Iglewicz and Hoaglin 1993, How to detect and handle
outliers)."""

LEAST_FACTOR = 1.2
"""A distance nearer than this factor to the median is no outlier, however alike the others are."""

_DETERMINED = 1e-10
"""A leverage this near to 1 leaves no residual: the observation alone decides its fitted value."""


@dataclass(frozen=True, eq=False)
class Quality:
    """Observations in a few numbers each, in the design's order.

    Attributes
    ----------
    mean
        ``(n_loc,)`` mean over the observations that have a value.
    distance
        ``(n_obs,)`` root mean square, over the locations, of the internally studentised residual
        ``e / sqrt(sigma² (1 - h))``, whose square has the expectation 1; NaN for an observation that decides
        its fitted values alone.
    outlier
        ``(n_obs,)`` bool: see `far_from_others`.
    mean_absolute_residual
        ``(n_obs,)`` in the data's unit.
    n_values
        ``(n_obs,)`` locations with a value.
    """

    mean: Floats
    distance: Floats
    outlier: NDArray[np.bool_]
    mean_absolute_residual: Floats
    n_values: NDArray[np.int64]


def observation_quality(data: xr.Dataset, design: Design, fit: GroupFit, *, engine: Threads) -> Quality:
    """Tell how far each observation lies from what the model expects of it.

    Parameters
    ----------
    data, design
        What was fitted.
    fit
        The fitted model.
    engine
        Where it runs; results do not depend on it.

    Raises
    ------
    ComputationError
        E401 when data and design are not about the same observations.
    """
    rows = match_rows(data, design)
    n_obs, n_loc = rows.values.shape
    mean = np.full(n_loc, np.nan)
    parts: dict[tuple[int, int], tuple[NDArray[np.int64], Floats]] = {}

    def visit(run: Run) -> None:
        mean[run.locations] = run.y.mean(axis=0, dtype=np.float64)
        key = run.pattern, int(run.locations[0])
        parts[key] = run.rows, _sums(run, fit)

    walk(rows, design, fit.patterns, visit, engine=engine)
    total = np.zeros((5, n_obs))
    for key in sorted(parts):  # in a fixed order: which thread came first changes no bit
        of_design, sums = parts[key]
        total[:, of_design] += sums
    squares, n_squares, size, n_residuals, n_values = total
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.sqrt(squares / n_squares)
        mean_absolute = size / n_residuals
    return Quality(mean, distance, far_from_others(distance), mean_absolute, n_values.astype(np.int64))


def far_from_others(distance: Floats) -> NDArray[np.bool_]:
    """Which distances lie far above the others.

    Parameters
    ----------
    distance
        ``(n_obs,)``, NaN where there is none.

    Returns
    -------
    ndarray
        ``(n_obs,)`` bool: the modified z-score ``0.6745 (d - median) / MAD`` is above `FAR`, and the distance
        above `LEAST_FACTOR` times the median.
    """
    known = distance[np.isfinite(distance)]
    if known.size < 3:
        return np.zeros(distance.shape, dtype=bool)
    middle = float(np.median(known))
    spread = float(np.median(np.abs(known - middle))) / 0.6745
    with np.errstate(invalid="ignore"):
        far: NDArray[np.bool_] = (distance - middle > FAR * spread) & (distance > LEAST_FACTOR * middle)
    return far


def values_at(
    data: xr.Dataset,
    design: Design,
    locations: NDArray[np.int64],
    observations: NDArray[np.int64] | None = None,
) -> Floats:
    """Values of observations at some locations, ``(n_obs, m)`` in the design's order.

    Parameters
    ----------
    data, design
        What was fitted.
    locations
        ``(m,)`` positions along ``location``.
    observations
        Rows of the design that are wanted, in their order; all when None.
    """
    rows = match_rows(data, design)
    wanted = rows.of_design if observations is None else rows.of_design[observations]
    return rows.values[np.ix_(wanted, locations)].astype(np.float64)


def _sums(run: Run, fit: GroupFit) -> Floats:
    """Over the run's locations, for each of its observations: squared studentised residuals and their number,
    absolute residuals and their number, and values. ``(5, n)``.
    """
    n, m = run.y.shape
    sums = np.zeros((5, n))
    sums[4] = m
    factor = run.factor
    tested = fit.tested[run.locations]
    if factor.dof < 1 or not tested.any():
        return sums
    residuals = residuals_tile(factor, run.y)
    sums[2], sums[3] = np.abs(residuals).sum(axis=1), m
    free = 1.0 - _leverage(factor)
    own = free > _DETERMINED
    scaled = residuals[own][:, tested] ** 2 / fit.sigma2[run.locations][tested]
    sums[0, own] = scaled.sum(axis=1) / free[own]
    sums[1, own] = np.count_nonzero(tested)
    return sums


def _leverage(factor: Factor) -> Floats:
    """Leverage of each row of a factor, ``(n,)``: of its columns, and of its block's mean."""
    leverage: Floats = np.einsum("ij,ij->i", factor.basis, factor.basis)
    if factor.starts is None:
        return leverage
    sizes = np.diff(np.append(factor.starts, factor.n))
    return leverage + np.repeat(1.0 / sizes, sizes)
