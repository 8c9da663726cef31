"""Each location's own fitted tail, for uncorrected p-values: a second pass, over few locations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specgl.inference.permutation.observed import directed
from specgl.inference.permutation.pvalues import TAIL_BELOW, PValues, counted, replaced
from specgl.inference.permutation.work import ContrastWork, SchemeWork
from specgl.kernels.statistics import BLOCK, ShuffledStatistic
from specgl.kernels.tail_models import Pareto, gamma_tail, gpd_tail, with_shape

if TYPE_CHECKING:
    from specgl.engines import Engine

Floats = NDArray[np.float64]

CELLS = 4_000_000
"""Values that a tile of locations holds at once: 32 MB. A constant, like the tiles that follow from it."""

WIDEST = 1024
"""Locations in a tile at most, so that there is work for all threads."""

RUN = 64 * BLOCK
"""Shuffles whose statistics are asked for at once."""


@dataclass(frozen=True, eq=False)
class LocalWork:
    """What every tile needs.

    Attributes
    ----------
    statistic
        The contrast's statistic.
    asks
        Whether the upper and the lower side are asked for.
    rows, signs
        The shuffles.
    tail
        ``gpd`` or ``gamma``.
    """

    statistic: ShuffledStatistic
    asks: tuple[bool, bool]
    rows: NDArray[np.int32]
    signs: NDArray[np.int8] | None
    tail: str


def run_tile(work: LocalWork, locations: NDArray[np.int64]) -> Floats:
    """Fit the tail of each location of a tile.

    Parameters
    ----------
    work
        What every tile needs.
    locations
        Which locations, (m,).

    Returns
    -------
    fits
        (m, 5): with ``gpd`` the fields of `Pareto`, with ``gamma`` the natural logarithm of the observed
        value's p first; NaN where nothing fits.
    """
    parts = []
    for start in range(0, len(work.rows), RUN):
        run = slice(start, start + RUN)
        signs = None if work.signs is None else work.signs[run]
        parts.append(work.statistic.values(work.rows[run], signs, locations))
    null = directed(np.concatenate(parts), work.asks)
    fits = np.full((locations.size, 5), np.nan)
    for fit, values in zip(fits, null.T, strict=True):
        if work.tail == "gpd":
            pareto = gpd_tail(values)
            if pareto is not None:
                fit[:] = pareto.start, pareto.share, pareto.shape, pareto.scale, pareto.a2
        else:
            gamma = gamma_tail(values)
            if gamma is not None:
                fit[0] = gamma.log_sf(values[:1])[0]
    return fits


def local_p_values(
    contrast: ContrastWork,
    scheme: SchemeWork,
    counts: NDArray[np.int64],
    analysed: NDArray[np.bool_],
    tail: str,
    engine: Engine,
) -> PValues:
    """Uncorrected p-values of a contrast's own shuffles at each location.

    Parameters
    ----------
    contrast, scheme
        The contrast and its shuffles.
    counts
        In how many shuffles each location reaches its observed value, (n_loc,).
    analysed
        Locations that have a p-value, (n_loc,).
    tail
        ``counts``, ``gpd`` or ``gamma``. A fit takes the place of counted p-values below `TAIL_BELOW`. The
        shape of ``gpd`` is the median of all locations whose own fit is accepted: one location's tail is too
        short to tell it, and the scale is the location's own.
    engine
        Where the fits are made.

    Returns
    -------
    p_values
        NaN where nothing was analysed, (n_loc,).
    """
    values = counted(np.where(analysed, counts / len(scheme.rows), np.nan))
    small = np.flatnonzero(analysed & (values.p < TAIL_BELOW)) if tail != "counts" else np.empty(0, np.int64)
    if small.size == 0:
        return values
    work = LocalWork(contrast.statistic, contrast.asks, scheme.rows, scheme.signs, tail)
    width = max(1, min(WIDEST, CELLS // len(scheme.rows)))
    tiles = [small[start : start + width] for start in range(0, small.size, width)]
    fits = np.concatenate(
        [fit for _, fit in sorted(engine.stream(run_tile, work, tiles), key=lambda one: one[0])]
    )
    usable = np.isfinite(fits[:, 0])
    if not usable.any():
        return values
    logs = fits[usable, 0] if tail == "gamma" else _pooled(contrast, fits[usable], small[usable])
    told = np.zeros(values.p.size, dtype=bool)
    finite = np.isfinite(logs)
    told[small[usable][finite]] = True
    return replaced(
        values, told, np.clip(logs[finite], np.log(np.finfo(np.float64).tiny), np.log(TAIL_BELOW))
    )


def _pooled(contrast: ContrastWork, fits: Floats, locations: NDArray[np.int64]) -> Floats:
    """Natural logarithms of p by tails of one shape, (m,); NaN where the value lies below its tail."""
    statistic = contrast.statistic
    observed = directed(statistic.observed_z if statistic.varying else statistic.observed, contrast.asks)
    shape = float(np.median(fits[:, 2]))
    logs = np.full(len(fits), np.nan)
    for place, (fit, value) in enumerate(zip(fits, observed[locations], strict=True)):
        if value > fit[0]:
            logs[place] = with_shape(Pareto(*map(float, fit)), shape, float(value)).log_sf(value)
    return logs
