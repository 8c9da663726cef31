"""Maps of the model itself, beside those of its contrasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.engines import Threads
from specgl.models.estimation import Robust
from specgl.models.fitted import GroupFit
from specgl.models.residuals import precision, robust_weights, run_residuals
from specgl.models.stretches import Floats, Progress, Run, match_rows, walk

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Design

Values = NDArray[np.floating]


def extra_maps(
    names: Iterable[str], fit: GroupFit, data: xr.Dataset, design: Design, *, engine: Threads
) -> dict[str, Values]:
    """Those of the asked-for maps that belong to the model, and not to a contrast.

    Parameters
    ----------
    names
        Names in the vocabulary; those of other maps are left to whoever makes them, and those that a model
        does not have are left out.
    fit
        The fitted model.
    data, design
        What was fitted.
    engine
        Where it runs.

    Returns
    -------
    dict
        ``r2``, ``sigma``, ``i2``, ``q`` and ``normality`` ``(n_loc,)`` and ``tau2`` ``(n_loc,)`` or, with
        variance groups, ``(n_groups, n_loc)``, in float64; ``residuals``, ``weights`` and ``leverage``
        ``(n_obs, n_loc)`` as `residuals` gives them.
    """
    makers: dict[str, Callable[[], Values]] = {
        "r2": lambda: fit.r2,
        "sigma": lambda: np.sqrt(fit.sigma2),
        "residuals": lambda: residuals(data, design, fit, engine=engine),
        "weights": lambda: weights(data, design, fit, engine=engine),
        "leverage": lambda: leverages(data, design, fit, engine=engine),
        "normality": lambda: normality(data, design, fit, engine=engine),
    }
    if fit.local is not None:
        held = {name: np.where(fit.tested, values, np.nan) for name, values in fit.local.maps.items()}
        for name, values in held.items():
            single = values.ndim == 2 and len(values) == 1
            makers[name] = partial(np.asarray, values[0] if single else values)
    if fit.local is None or not (fit.local.maps or isinstance(fit.local.estimation, Robust)):
        makers.pop("weights")
    return {name: makers[name]() for name in names if name in makers}


def residuals(
    data: xr.Dataset,
    design: Design,
    fit: GroupFit,
    *,
    engine: Threads,
    progress: Progress | None = None,
) -> Values:
    """Data minus fitted values.

    Parameters
    ----------
    data, design
        What was fitted.
    fit
        The fitted model.
    engine
        Where it runs.
    progress
        Called with parts done and their number.

    Returns
    -------
    ndarray
        ``(n_obs, n_loc)``, rows in the design's order, NaN where a value is missing or the location has no
        residual degree of freedom. Computed in float64 and held in the data's own type.
    """
    return _of_observations(
        lambda run: run_residuals(run, fit, design).raw, data, design, fit, engine=engine, progress=progress
    )


def weights(data: xr.Dataset, design: Design, fit: GroupFit, *, engine: Threads) -> Values:
    """Weight of each observation at each location.

    Parameters
    ----------
    data, design, fit, engine
        As for `residuals`.

    Returns
    -------
    ndarray
        ``(n_obs, n_loc)``: of a robust fit between 0 and 1, of one by variances shares that add up to 1.
    """

    def of_run(run: Run) -> Floats:
        assert fit.local is not None
        if isinstance(fit.local.estimation, Robust):
            return robust_weights(run_residuals(run, fit, design), fit.local.estimation.loss)
        own = precision(run, fit, design)
        return np.asarray(own / own.sum(axis=0))

    return _of_observations(of_run, data, design, fit, engine=engine)


def leverages(data: xr.Dataset, design: Design, fit: GroupFit, *, engine: Threads) -> Values:
    """Leverage of each observation at each location, ``(n_obs, n_loc)``, as `residuals`."""

    def of_run(run: Run) -> Floats:
        return np.broadcast_to(run_residuals(run, fit, design).leverage, run.y.shape)

    return _of_observations(of_run, data, design, fit, engine=engine)


def normality(data: xr.Dataset, design: Design, fit: GroupFit, *, engine: Threads) -> Floats:
    """p-value ``(n_loc,)`` of the omnibus test that studentised residuals are normal.

    NaN where there are fewer than eight of them, or no statistic. See `specgl.kernels.normality`.
    """
    from specgl.kernels.normality import omnibus_p

    result = np.full(fit.tested.size, np.nan)

    def visit(run: Run) -> None:
        tested = fit.tested[run.locations]
        if run.factor.dof > 0 and tested.any():
            found = run_residuals(run, fit, design).studentised[:, tested]
            result[run.locations[tested]] = omnibus_p(found[np.isfinite(found).all(axis=1)])

    walk(match_rows(data, design), design, fit.patterns, visit, engine=engine)
    return result


def _of_observations(
    of_run: Callable[[Run], Values],
    data: xr.Dataset,
    design: Design,
    fit: GroupFit,
    *,
    engine: Threads,
    progress: Progress | None = None,
) -> Values:
    """``(n_obs, n_loc)`` of what each run has for its observations; NaN where nothing is left over."""
    rows = match_rows(data, design)
    result = np.full(rows.values.shape, np.nan, dtype=rows.values.dtype)

    def visit(run: Run) -> None:
        if run.factor.dof > 0:
            result[np.ix_(run.rows, run.locations)] = of_run(run)

    walk(rows, design, fit.patterns, visit, engine=engine, progress=progress)
    return result
