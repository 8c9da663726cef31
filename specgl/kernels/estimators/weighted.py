"""Weighted least squares at many locations, each with weights of its own."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.estimators.place import as_kernels_want, by_location, check_shapes
from specgl.kernels.estimators.solving import orthogonalise

Floats = NDArray[np.float64]


class WeightedFit(NamedTuple):
    """A weighted fit at each location; NaN where the weights leave columns dependent.

    Attributes
    ----------
    scores
        ``(k, n_loc)`` coefficients ``s`` on the basis U.
    covariance
        ``(k, k, n_loc)`` their covariance ``(U'WU)^-1``, for weights that are reciprocals of variances.
    rss
        ``(n_loc,)`` weighted sum of squared residuals, ``r'Wr``.
    residuals
        ``(n_obs, n_loc)`` raw residuals ``r = y - Us``, in the unit of the data.
    leverage
        ``(n_obs, n_loc)`` diagonal of ``U (U'WU)^-1 U'W``, at most 1.
    """

    scores: Floats
    covariance: Floats
    rss: Floats
    residuals: Floats
    leverage: Floats


def fit_weighted(basis: Floats, y: Floats, weights: Floats) -> WeightedFit:
    """Fit data by weighted least squares (Aitken 1936, doi:10.1017/S0370164600014346).

    Parameters
    ----------
    basis
        ``(1, n_obs, k)`` orthonormal basis of the design for all locations, or ``(n_loc, n_obs, k)`` one for
        each. ``k`` may be 0.
    y
        ``(n_obs, n_loc)`` data without missing values.
    weights
        ``(n_obs, n_loc)`` weights, not negative.

    Returns
    -------
    WeightedFit
        The bits of a location do not depend on which others are fitted with it.

    Raises
    ------
    ValueError
        Shapes that do not fit each other.
    """
    basis, y, weights = as_kernels_want(basis, y, weights)
    check_shapes(basis, y, weights)
    n, m = y.shape
    k = basis.shape[2]
    fit = WeightedFit(
        scores=np.empty((m, k)),
        covariance=np.empty((m, k, k)),
        rss=np.empty(m),
        residuals=np.empty((m, n)),
        leverage=np.empty((m, n)),
    )
    data, own = by_location(y, weights)
    _fit(basis, data, own, fit, np.empty((k + 1, n)), np.zeros((k, k + 1)), np.zeros((k, k)))
    return WeightedFit(
        scores=fit.scores.T,
        covariance=np.moveaxis(fit.covariance, 0, 2),
        rss=fit.rss,
        residuals=fit.residuals.T,
        leverage=fit.leverage.T,
    )


@compiled
def _fit(
    basis: Floats, y: Floats, weights: Floats, fit: WeightedFit, rows: Floats, factor: Floats, inverse: Floats
) -> None:
    """Fit location by location, in room for one of them; all arrays have locations first."""
    m, n = y.shape
    k = basis.shape[2]
    for location in range(m):
        shelf = location if basis.shape[0] > 1 else 0
        for i in range(n):
            root = math.sqrt(weights[location, i])
            for a in range(k):
                rows[a, i] = root * basis[shelf, i, a]
            rows[k, i] = root * y[location, i]
        if orthogonalise(rows, factor):
            _invert(factor, inverse)
            _write(basis[shelf], y, weights, fit, rows, factor, inverse, location)
        else:
            fit.scores[location] = np.nan
            fit.covariance[location] = np.nan
            fit.rss[location] = np.nan
            fit.residuals[location] = np.nan
            fit.leverage[location] = np.nan


@compiled
def _invert(factor: Floats, inverse: Floats) -> None:
    """Inverse of an upper triangular factor ``(k, k)``; what lies below the diagonal is left as it is."""
    k = inverse.shape[0]
    for b in range(k):
        inverse[b, b] = 1.0 / factor[b, b]
        for a in range(b - 1, -1, -1):
            total = 0.0
            for c in range(a + 1, b + 1):
                total += factor[a, c] * inverse[c, b]
            inverse[a, b] = -total / factor[a, a]


@compiled
def _write(
    basis: Floats,
    y: Floats,
    weights: Floats,
    fit: WeightedFit,
    rows: Floats,
    factor: Floats,
    inverse: Floats,
    location: int,
) -> None:
    """One location's results from its factor and the factor's inverse."""
    n, k = basis.shape
    for a in range(k):
        score = 0.0
        for c in range(a, k):
            score += inverse[a, c] * factor[c, k]
        fit.scores[location, a] = score
        for b in range(a + 1):
            covariance = 0.0
            for c in range(a, k):
                covariance += inverse[a, c] * inverse[b, c]
            fit.covariance[location, a, b] = covariance
            fit.covariance[location, b, a] = covariance
    rss = 0.0
    for i in range(n):
        rest, leverage = y[location, i], 0.0
        for a in range(k):
            rest -= basis[i, a] * fit.scores[location, a]
            leverage += rows[a, i] * rows[a, i]
        fit.residuals[location, i] = rest
        fit.leverage[location, i] = min(leverage, 1.0)
        rss += weights[location, i] * rest * rest
    fit.rss[location] = rss
