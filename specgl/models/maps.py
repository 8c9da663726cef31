"""Maps of the model itself, beside those of its contrasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.engines import Threads
from specgl.kernels.ols import residuals_tile
from specgl.models.fit import GroupFit
from specgl.models.stretches import Progress, Run, match_rows, walk

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
        Names in the vocabulary; those of other maps are left to whoever makes them.
    fit
        The fitted model.
    data, design
        What was fitted.
    engine
        Where it runs.

    Returns
    -------
    dict
        ``r2`` and ``sigma`` ``(n_loc,)`` in float64, ``residuals`` ``(n_obs, n_loc)`` as `residuals` gives
        them.
    """
    makers: dict[str, Callable[[], Values]] = {
        "r2": lambda: fit.r2,
        "sigma": lambda: np.sqrt(fit.sigma2),
        "residuals": lambda: residuals(data, design, fit, engine=engine),
    }
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
    rows = match_rows(data, design)
    result = np.full(rows.values.shape, np.nan, dtype=rows.values.dtype)

    def visit(run: Run) -> None:
        factor = run.factor
        if factor.dof > 0:
            result[np.ix_(run.rows, run.locations)] = residuals_tile(factor, run.y)

    walk(rows, design, fit.patterns, visit, engine=engine, progress=progress)
    return result
