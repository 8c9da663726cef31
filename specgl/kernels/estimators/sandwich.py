"""Covariances that hold where each observation has a variance of its own.

``cov = (X'X)^-1 X' diag(omega e^2) X (X'X)^-1`` with the residuals e of least squares (White 1980,
doi:10.2307/1912934). The corrections differ by what omega makes of the leverage h: 1 (hc0), ``n / (n - p)``
(hc1, Hinkley 1977), ``1 / (1 - h)`` (hc2), ``1 / (1 - h)^2`` (hc3, both MacKinnon and White 1985,
doi:10.1016/0304-4076(85)90158-7) and ``(1 - h)^-min(4, h / mean h)`` (hc4, Cribari-Neto 2004,
doi:10.1016/S0167-9473(02)00366-3).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.estimators.kinds import HcKind

Floats = NDArray[np.float64]

PINNED = 1e-10
"""One minus the leverage up to which an observation is fitted exactly whatever its value."""

TILE = 4096
"""Locations worked on together: their sums stay in a processor's cache. No result depends on it."""


def _hc0(free: Floats, rank: int) -> Floats:
    return np.ones_like(free)


def _hc1(free: Floats, rank: int) -> Floats:
    n = len(free)
    return np.full_like(free, n / (n - rank) if n > rank else np.nan)


def _hc2(free: Floats, rank: int) -> Floats:
    return 1 / free


def _hc3(free: Floats, rank: int) -> Floats:
    return 1 / (free * free)


def _hc4(free: Floats, rank: int) -> Floats:
    power = np.minimum(4.0, (1 - free) * (len(free) / rank)) if rank else np.zeros_like(free)
    result: Floats = free**-power
    return result


HC_KINDS: dict[HcKind, Callable[[Floats, int], Floats]] = {
    "hc0": _hc0,
    "hc1": _hc1,
    "hc2": _hc2,
    "hc3": _hc3,
    "hc4": _hc4,
}
"""Factors from one minus the leverage, and the rank, by kind."""


def hc_factors(leverage: Floats, kind: HcKind, rank: int) -> Floats:
    """What squared residuals are multiplied by.

    Parameters
    ----------
    leverage
        ``(n_obs,)`` or ``(n_obs, n_loc)`` diagonal of the hat matrix.
    kind
        Which correction.
    rank
        Rank of the design, p; the mean leverage is ``p / n_obs``.

    Returns
    -------
    ndarray
        Of the same shape. 0 for an observation of leverage 1 (`PINNED`): its residual is 0 whatever its
        value, so that it says nothing of its variance, and what rounding left of it is not blown up. NaN for
        hc1 without residual degrees of freedom.
    """
    leverage = np.asarray(leverage, dtype=np.float64)
    free = 1 - leverage
    pinned = free <= PINNED
    return np.where(pinned, 0.0, HC_KINDS[kind](np.where(pinned, 1.0, free), rank))


def hc_covariance(rows: Floats, residuals: Floats, factors: Floats) -> Floats:
    """Covariance of contrasts, ``sum_i rows_i rows_i' omega_i e_i^2``.

    Parameters
    ----------
    rows
        ``(1, n_obs, r)`` for all locations or ``(n_loc, n_obs, r)``: ``U L'`` for contrasts ``L (r, k)`` of
        the scores on an orthonormal basis U.
    residuals
        ``(n_obs, n_loc)`` of least squares, in the unit of the data.
    factors
        ``(n_obs,)`` or ``(n_obs, n_loc)`` of `hc_factors`.

    Returns
    -------
    ndarray
        ``(r, r, n_loc)``. Observations are added one after the other: the bits of a location do not depend on
        which others are computed with it, as those of a matrix product would.

    Raises
    ------
    ValueError
        Shapes that do not fit each other.
    """
    n, m = residuals.shape
    if rows.ndim != 3 or rows.shape[0] not in (1, m) or rows.shape[1] != n or len(factors) != n:
        raise ValueError(
            f"rows {rows.shape} or factors {factors.shape} do not fit residuals {residuals.shape}"
        )
    r = rows.shape[2]
    covariance = np.zeros((r, r, m))
    for start in range(0, m, TILE):
        here = slice(start, start + TILE)
        own = rows if rows.shape[0] == 1 else rows[here]
        for i in range(n):
            square = residuals[i, here] * residuals[i, here]
            square *= factors[i] if factors.ndim == 1 else factors[i, here]
            for a in range(r):
                along = square * own[:, i, a]
                for b in range(a + 1):
                    covariance[a, b, here] += along * own[:, i, b]
    _mirror(covariance)
    return covariance


def _mirror(covariance: Floats) -> None:
    """Copy the lower triangle to the upper."""
    for a in range(len(covariance)):
        covariance[:a, a] = covariance[a, :a]
