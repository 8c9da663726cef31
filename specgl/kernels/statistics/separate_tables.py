"""Bounds of z between the fewest and the most degrees of freedom."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.statistics.separate_scan import Table
from specgl.kernels.statistics.zscale import ZSurface, make_surface, z_of

Floats = NDArray[np.float64]

_STEPS = 2048


def make_table(kind: str, r: int, low: float, high: float) -> tuple[ZSurface, Table]:
    """Tables of z for degrees of freedom between two numbers, and as bounds at either of them."""
    surface = make_surface(kind, r, low, high)
    signed = surface.signed
    # Statistics evenly in log(1 + w): dense where most locations lie, and up to what no data reach.
    w = np.expm1(np.linspace(0.0, math.log1p(1e4), _STEPS)) if signed else np.geomspace(1e-4, 1e8, _STEPS)
    stats = np.stack([w, w])
    z = np.stack([z_of(w, kind, r, dof) for dof in (low, high)])
    table = Table(
        signed,
        float(r),
        surface.start,
        surface.middle,
        surface.half,
        surface.coefficients,
        surface.error,
        stats,
        np.maximum.accumulate(z, axis=1),
    )
    return surface, table


def bars_for(table: Table, least: Floats) -> tuple[Floats, Floats]:
    """Statistics that reach a z for certain, and that cannot reach it, at any degrees of freedom.

    Parameters
    ----------
    table
        With a z for the fewest and the most degrees of freedom.
    least
        ``(m,)`` smallest z that counts.

    Returns
    -------
    tuple
        ``(m,)`` sure and ``(m,)`` possible: in between the degrees of freedom decide. Infinite where the
        bounds do not say.
    """
    if not table.signed:
        return _unsigned(table, least)
    size = np.abs(least)
    above = _at(table.stats[0], np.searchsorted(table.z[0], size, side="right"))
    below = _at(table.stats[1], np.searchsorted(table.z[1], size, side="left") - 1)
    sure = np.where(least > 0, above, -below)
    return sure, np.where(least > 0, below, -above)


def _unsigned(table: Table, least: Floats) -> tuple[Floats, Floats]:
    """For G: near and below the median z does not rise with dof throughout, and either bound may be it."""
    smaller, larger = np.minimum(*table.z), np.maximum(*table.z)
    above = _at(table.stats[0], np.searchsorted(smaller, least, side="right"))
    below = _at(table.stats[1], np.searchsorted(larger, least, side="left") - 1)
    sure_enough = least > 2.0
    return np.where(sure_enough, above, np.inf), np.where(sure_enough, below, -np.inf)


def _at(values: Floats, places: NDArray[np.integer]) -> Floats:
    """Values at places; infinite beyond either end."""
    padded = np.concatenate([[-np.inf], values, [np.inf]])
    found: Floats = padded[np.clip(places, -1, values.size) + 1]
    return found
