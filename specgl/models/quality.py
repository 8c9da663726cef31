"""How far each observation lies from what the model expects of it, over all locations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.engines import Threads
from specgl.kernels.distances import components, mahalanobis
from specgl.kernels.patterns import Patterns
from specgl.models.estimation import Robust
from specgl.models.fitted import GroupFit
from specgl.models.residuals import precision, robust_weights, run_residuals
from specgl.models.stretches import Floats, Run, match_rows, walk
from specgl.variables import WEIGHT

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Design

FAR = 3.5
"""Modified z-score from which a distance is an outlier (Iglewicz and Hoaglin 1993, How to detect and handle
outliers)."""

HALF = 0.5
"""Weight of a robust fit below which an observation counts as left half out."""

LEAST_FACTOR = 1.2
"""A distance nearer than this factor to the median is no outlier, however alike the others are."""


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
    mahalanobis
        ``(n_obs,)`` Mahalanobis distance among the leading principal components of the studentised residuals,
        see `specgl.kernels.distances`: large for one whose residuals have a pattern that the others' have
        not, however small they are.
    mean_weight
        ``(n_obs,)`` mean weight of a robust fit over the locations; None of other fits.
    downweighted
        ``(n_obs,)`` share of the locations where that weight is below `HALF`; None likewise.
    """

    mean: Floats
    distance: Floats
    outlier: NDArray[np.bool_]
    mean_absolute_residual: Floats
    n_values: NDArray[np.int64]
    mahalanobis: Floats
    mean_weight: Floats | None = None
    downweighted: Floats | None = None


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
    parts: dict[int, tuple[Floats, Floats]] = {}

    def visit(run: Run) -> None:
        mean[run.locations] = run.y.mean(axis=0, dtype=np.float64)
        # One thread visits all runs of a stretch, one after the other.
        total, gram = parts.setdefault(run.stretch, (np.zeros((7, n_obs)), np.zeros((n_obs, n_obs))))
        sums, products = _sums(run, fit, design)
        total[:, run.rows] += sums
        gram[np.ix_(run.rows, run.rows)] += products

    walk(rows, design, fit.patterns, visit, engine=engine)
    total, gram = np.zeros((7, n_obs)), np.zeros((n_obs, n_obs))
    for stretch in sorted(parts):  # in a fixed order: which thread came first changes no bit
        total += parts[stretch][0]
        gram += parts[stretch][1]
    squares, n_squares, size, n_residuals, n_values, weight, n_light = total
    is_robust = fit.local is not None and isinstance(fit.local.estimation, Robust)
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.sqrt(squares / n_squares)
        mean_absolute, mean_weight, light = (sums / n_residuals for sums in (size, weight, n_light))
    return Quality(
        mean=mean,
        distance=distance,
        outlier=far_from_others(distance),
        mean_absolute_residual=mean_absolute,
        n_values=n_values.astype(np.int64),
        mahalanobis=_mahalanobis(gram, n_squares),
        mean_weight=mean_weight if is_robust else None,
        downweighted=light if is_robust else None,
    )


def _mahalanobis(gram: Floats, n_squares: Floats) -> Floats:
    """``(n_obs,)`` from products of studentised residuals, as if each observation had as many values."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(n_squares > 0, n_squares.max(initial=0.0) / n_squares, 0.0)
    scaled = gram * np.sqrt(np.outer(share, share))
    return mahalanobis(scaled, components(len(gram))).distance


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


def beside_at(
    data: xr.Dataset, design: Design, fit: GroupFit, locations: NDArray[np.int64]
) -> dict[str, Floats]:
    """What the model has at some locations beside the observations' values.

    Parameters
    ----------
    data, design
        What was fitted.
    fit
        The fitted model.
    locations
        ``(m,)`` positions along ``location``.

    Returns
    -------
    dict
        ``(n_obs, m)`` in the design's order: `WEIGHT` of a fit with weights, and each voxelwise covariate by
        its name; empty where there are none.
    """
    told: dict[str, Floats] = {}
    rows = match_rows(data, design)
    if fit.local is not None and (fit.local.maps or isinstance(fit.local.estimation, Robust)):
        told[WEIGHT] = _weights_at(data.isel(location=locations), design, fit, locations)
    if rows.covariates is not None:
        for name, values in zip(design.voxelwise, rows.covariates, strict=True):
            told[name] = values[np.ix_(rows.of_design, locations)].astype(np.float64)
    return told


def _weights_at(part: xr.Dataset, design: Design, fit: GroupFit, locations: NDArray[np.int64]) -> Floats:
    """``(n_obs, m)`` weights of the fit at some locations, of which `part` has the data."""
    assert fit.local is not None
    estimation, here = fit.local.estimation, fit.part(locations)
    weights = np.full((len(design.observations), locations.size), np.nan)

    def visit(run: Run) -> None:
        if run.factor.dof > 0:
            weights[np.ix_(run.rows, run.locations)] = (
                robust_weights(run_residuals(run, here, design), estimation.loss)
                if isinstance(estimation, Robust)
                else precision(run, here, design)
            )

    codes = fit.patterns.of_location[locations]
    patterns = Patterns(fit.patterns.present, codes, np.argsort(codes, kind="stable"))
    if locations.size:
        walk(match_rows(part, design), design, patterns, visit, engine=Threads(1))
    return weights


def _sums(run: Run, fit: GroupFit, design: Design) -> tuple[Floats, Floats]:
    """Over the run's locations, for each of its observations: squared studentised residuals and their number,
    absolute residuals and their number, values, and weights of a robust fit and how many are low, ``(7, n)``;
    products of studentised residuals ``(n, n)``.
    """
    n, m = run.y.shape
    sums, products = np.zeros((7, n)), np.zeros((n, n))
    sums[4] = m
    tested = fit.tested[run.locations]
    if run.factor.dof < 1 or not tested.any():
        return sums, products
    found = run_residuals(run, fit, design)
    raw = found.raw[:, tested]
    sums[2], sums[3] = np.abs(raw).sum(axis=1), np.count_nonzero(tested)
    studentised = found.studentised[:, tested]
    own = np.isfinite(studentised)
    studentised = np.where(own, studentised, 0.0)
    sums[0], sums[1] = (studentised**2).sum(axis=1), np.count_nonzero(own, axis=1)
    if fit.local is not None and isinstance(fit.local.estimation, Robust):
        weights = robust_weights(found, fit.local.estimation.loss)[:, tested]
        sums[5], sums[6] = weights.sum(axis=1), np.count_nonzero(weights < HALF, axis=1)
    return sums, studentised @ studentised.T
