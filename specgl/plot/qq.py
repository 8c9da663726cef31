"""Observed p-values against those that chance would give."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import betaincinv

from specgl.errors import UsageError
from specgl.plot.figure import BLUE, PALE, Figure, new_figure, styled
from specgl.plot.volumes import Floats

_SIZE = (4.4, 4.7)
_PLOT, _LINE = 3.3, 0.22
"""Inches of the square, and of a further line above it."""

_ALL_OF = 150
"""Smallest p-values that are all drawn."""

_OTHERS = 150
"""Further points, evenly spaced on the axis."""

LEVEL = 0.95


@styled
def qq(p: xr.DataArray, *, alternative: str | None = None) -> Figure:
    """Show observed p-values against expected ones, both as −log10.

    Parameters
    ----------
    p
        Uncorrected p-values of any shape, such as ``bundle.maps.p.sel(contrast="mean")``; NaN is left out.
    alternative
        What the p-values are of: ``two-sided``, ``greater``, ``less``; None takes the array's own word.

    Returns
    -------
    figure
        Points, thinned where they lie dense; the line on which p-values lie where nothing is; and the band
        that holds 95 % of each order statistic (a Beta distribution) if locations were independent.

    Raises
    ------
    UsageError
        When there is no p-value, or one is not between 0 and 1.

    Examples
    --------
    >>> qq(specgl.open("results").maps.p.sel(contrast="mean"))  # doctest: +SKIP
    """
    if alternative is None and "alternative" in p.coords and p.coords["alternative"].ndim == 0:
        alternative = str(p.coords["alternative"].values)
    values = np.sort(np.asarray(p.values, dtype=np.float64), axis=None)
    values = values[~np.isnan(values)]
    if not values.size or values[0] < 0 or values[-1] > 1:
        raise UsageError("a QQ plot needs p-values between 0 and 1, and there are none or others")
    rank = chosen_ranks(values.size)
    expected = -np.log10(rank / (values.size + 1))
    observed, n_zero = _logarithms(values[rank - 1])
    width, height = _SIZE
    height += _LINE if n_zero else 0.0
    figure = new_figure(width, height)
    axes = figure.add_axes((0.13, 0.5 / height, 0.83, _PLOT / height))
    low, high = band(rank, values.size)
    axes.fill_between(
        expected,
        low,
        high,
        color="#dfe3e8",
        linewidth=0,
        label="95 % band, if neighbouring voxels\nwere not correlated (they are)",
    )
    axes.plot([0, expected[0]], [0, expected[0]], color=PALE, linewidth=1, label="nothing but chance")
    axes.plot(expected, observed, linestyle="", marker="o", markersize=2.6, color=BLUE, label="observed")
    axes.set_xlim(-0.02 * expected[0], 1.04 * expected[0])
    axes.set_ylim(-0.02 * observed.max(), 1.05 * max(observed.max(), float(high[0]), 0.1))
    axes.set_xlabel("expected −log₁₀ p")
    axes.set_ylabel("observed −log₁₀ p" + (f", {alternative}" if alternative else ""))
    if n_zero:
        axes.plot([], [], linestyle="", label=f"{n_zero:,} p-values of 0 stand at the top")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.06, 1.0), handlelength=1.4, borderpad=0.2)
    return figure


def chosen_ranks(n: int) -> NDArray[np.int64]:
    """Ranks that are drawn, from 1: the smallest p-values all, the others evenly spaced on −log10.

    Parameters
    ----------
    n
        Number of p-values.
    """
    first = np.arange(1, min(n, _ALL_OF) + 1)
    if n <= _ALL_OF:
        return first
    others = np.geomspace(_ALL_OF, n, _OTHERS)
    dense = np.linspace(1, n, _OTHERS // 5)  # or the lower left would be a gap in the line
    return np.unique(np.concatenate([first, np.rint(others), np.rint(dense)])).astype(np.int64)


def band(rank: NDArray[np.int64], n: int) -> tuple[Floats, Floats]:
    """Ends of the interval that holds an order statistic of n independent p-values, as −log10.

    The k-th smallest of n has the distribution Beta(k, n − k + 1).

    Parameters
    ----------
    rank
        Ranks, from 1.
    n
        Number of p-values.
    """
    tail = (1 - LEVEL) / 2
    return (
        -np.log10(betaincinv(rank, n - rank + 1, 1 - tail)),
        -np.log10(betaincinv(rank, n - rank + 1, tail)),
    )


def _logarithms(values: Floats) -> tuple[Floats, int]:
    """−log10 of p-values; those of 0 take the place of the largest finite one and a little more."""
    zero = values == 0
    with np.errstate(divide="ignore"):
        logs = -np.log10(values)
    largest = float(logs[~zero].max(initial=0.0))
    return np.where(zero, max(1.05 * largest, 1.0), logs) + 0.0, int(zero.sum())
