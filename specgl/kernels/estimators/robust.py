"""Robust regression at many locations: Huber's and Tukey's M-estimators by reweighted least squares.

A residual counts with weight ``min(1, c s / |r|)`` (Huber 1964, doi:10.1214/aoms/1177703732), c = 1.345, or
``(1 - (r / c s)^2)^2`` within c s and 0 beyond (Beaton and Tukey 1974, doi:10.1080/00401706.1974.10489171),
c = 4.685: each has 95 % efficiency for normal errors. The scale s is the median absolute residual about 0
over 0.6745, renewed at each step (Holland and Welsch 1977, doi:10.1080/03610927708827533; ``MASS::rlm``).

Huber's fit starts from least squares; Tukey's, which can have several solutions, from Huber's.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.estimators.kinds import Loss
from specgl.kernels.estimators.place import as_kernels_want, by_location, check_shapes
from specgl.kernels.estimators.solving import dot, solve_positive

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

LOSSES: dict[Loss, int] = {"huber": 0, "bisquare": 1}
"""Every loss, by the number that compiled functions know it by."""

TUNING: dict[Loss, float] = {"huber": 1.345, "bisquare": 4.685}
"""Scales beyond which a residual counts less, or no more."""

STEPS = 1000
"""Most steps of one loss; some twenty are usual."""

_TOLERANCE = 1e-10  # change of the residuals, as a share of their weighted length, that ends a fit
_MAD = 0.6745  # the third quartile of the normal, in the digits that it is usually given
_NOUGHT = 1e-14  # share of the data's size that is nothing but rounding
_HUBER = LOSSES["huber"]


class RobustFit(NamedTuple):
    """A robust fit at each location.

    Attributes
    ----------
    scores
        ``(k, n_loc)`` coefficients on the basis.
    scale
        ``(n_loc,)`` s, in the unit of the data; 0 where most residuals vanish.
    weights
        ``(n_obs, n_loc)`` 0 to 1.
    variance
        ``(n_loc,)`` what the covariance of the scores is a multiple of, ``variance * (U'U)^-1``, in squared
        units of the data. NaN where not `converged`.
    residuals
        ``(n_obs, n_loc)`` raw residuals.
    converged
        ``(n_loc,)`` whether the fit came to rest; never where the scale is 0 or ``n_obs == k``.
    steps
        ``(n_loc,)`` steps, both losses' together.
    """

    scores: Floats
    scale: Floats
    weights: Floats
    variance: Floats
    residuals: Floats
    converged: Booleans
    steps: Integers


class _Room(NamedTuple):
    """One location.

    ``rows (k + 1, n)`` are the basis' columns, then the residuals, ``heavy`` the same weighted, ``sizes`` the
    residuals without their sign, ``middle`` which of them were the middle ones last time.
    """

    rows: Floats
    heavy: Floats
    weights: Floats
    sizes: Floats
    mixed: Floats
    middle: Integers
    scores: Floats
    gram: Floats
    step: Floats


def fit_robust(basis: Floats, y: Floats, loss: Loss) -> RobustFit:
    """Fit data robustly.

    The variance is Huber's (1981, Robust Statistics, equation 6.5 of chapter 7): with psi' the derivative of
    ``w(u) u`` at the standardised residuals, ``S (K / mean psi')^2``, ``S = sum (w r)^2 / (n - k)`` and
    ``K = 1 + k var(psi') / (n mean(psi')^2)``.

    Parameters
    ----------
    basis
        ``(1, n_obs, k)`` orthonormal basis of the design for all locations, or ``(n_loc, n_obs, k)`` one for
        each. ``k`` may be 0.
    y
        ``(n_obs, n_loc)`` data without missing values.
    loss
        ``huber`` or ``bisquare``.

    Returns
    -------
    RobustFit
        Where not converged, scores, weights and residuals are the last step's. The bits of a location do not
        depend on which others are fitted with it.

    Raises
    ------
    ValueError
        Shapes that do not fit each other.
    """
    basis, y = as_kernels_want(basis, y)
    check_shapes(basis, y)
    (n, m), k = y.shape, basis.shape[2]
    fit = RobustFit(
        scores=np.empty((m, k)),
        scale=np.empty(m),
        weights=np.empty((m, n)),
        variance=np.empty(m),
        residuals=np.empty((m, n)),
        converged=np.empty(m, dtype=np.bool_),
        steps=np.empty(m, dtype=np.int64),
    )
    room = _make_room(n, k)
    (data,) = by_location(y)
    _fit(LOSSES[loss], TUNING["huber"], TUNING["bisquare"], basis, data, fit, room)
    return fit._replace(scores=fit.scores.T, weights=fit.weights.T, residuals=fit.residuals.T)


def _make_room(n: int, k: int) -> _Room:
    """Room for one location of `n` observations and `k` columns."""
    return _Room(
        rows=np.empty((k + 1, n)),
        heavy=np.empty((k + 1, n)),
        weights=np.empty(n),
        sizes=np.empty(n),
        mixed=np.empty(n),
        middle=np.zeros(2, dtype=np.int64),
        scores=np.empty(k),
        gram=np.empty((k, k)),
        step=np.empty(k),
    )


@compiled
def _fit(
    loss: int, huber: float, bisquare: float, basis: Floats, y: Floats, fit: RobustFit, room: _Room
) -> None:
    """Fit location by location; all arrays have locations first."""
    n, k = basis.shape[1], basis.shape[2]
    for location in range(len(y)):
        size = _least_squares(basis, y, location, room)
        scale, converged, steps = _iterate(_HUBER, huber, size, room)
        if loss != _HUBER and converged:
            scale, converged, more = _iterate(loss, bisquare, size, room)
            steps += more
        variance = np.nan
        if converged:
            variance = _variance(loss, huber if loss == _HUBER else bisquare, scale, room)
        fit.scale[location] = scale
        fit.steps[location] = steps
        fit.variance[location] = variance
        fit.converged[location] = converged and variance == variance
        for a in range(k):
            fit.scores[location, a] = room.scores[a]
        for i in range(n):
            fit.weights[location, i] = room.weights[i]
            fit.residuals[location, i] = room.rows[k, i]


@compiled
def _least_squares(basis: Floats, y: Floats, location: int, room: _Room) -> float:
    """Start from least squares; the data's root mean square."""
    n, k = basis.shape[1], basis.shape[2]
    if basis.shape[0] > 1 or location == 0:
        for i in range(n):
            for a in range(k):
                room.rows[a, i] = basis[location, i, a]
    square = 0.0
    for i in range(n):
        room.rows[k, i] = y[location, i]
        room.weights[i] = 1.0
        square += room.rows[k, i] * room.rows[k, i]
    room.scores[:] = 0.0
    for _ in range(2):  # what rounding leaves of a large mean goes the second time
        for a in range(k):
            score = dot(room.rows, a, k)
            room.scores[a] += score
            for i in range(n):
                room.rows[k, i] -= score * room.rows[a, i]
    return math.sqrt(square / max(n, 1))


@compiled
def _iterate(loss: int, tuning: float, size: float, room: _Room) -> tuple[float, bool, int]:
    """Reweight until the residuals rest; the scale, whether they do, and the steps."""
    k, n = room.scores.size, room.weights.size
    nought = _NOUGHT * size
    if n <= k:
        return 0.0, False, 0
    for step in range(1, STEPS + 1):
        scale = _scale(room)
        if not scale > nought:
            return 0.0, False, step
        _weigh(loss, tuning, scale, room)
        for a in range(k + 1):
            for i in range(n):
                room.heavy[a, i] = room.weights[i] * room.rows[a, i]
        for a in range(k):
            room.step[a] = _across(room, a, k)
            for b in range(a + 1):
                room.gram[a, b] = _across(room, a, b)
        length = _across(room, k, k)
        if not solve_positive(room.gram, room.step, k):
            return scale, False, step
        change = 0.0
        for a in range(k):
            change += room.step[a] * room.step[a]  # the basis is orthonormal: the change of the residuals
            room.scores[a] += room.step[a]
            for i in range(n):
                room.rows[k, i] -= room.step[a] * room.rows[a, i]
        if change <= _TOLERANCE * _TOLERANCE * length:
            scale = _scale(room)
            _weigh(loss, tuning, scale, room)
            return scale, True, step
    scale = _scale(room)
    _weigh(loss, tuning, scale, room)
    return scale, False, STEPS


@compiled
def _across(room: _Room, a: int, b: int) -> float:
    """Weighted product of two rows; four sums, so that an addition need not await the last."""
    rows, heavy = room.rows, room.heavy
    n = rows.shape[1]
    whole = n - n % 4
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    for i in range(0, whole, 4):
        s0 += heavy[a, i] * rows[b, i]
        s1 += heavy[a, i + 1] * rows[b, i + 1]
        s2 += heavy[a, i + 2] * rows[b, i + 2]
        s3 += heavy[a, i + 3] * rows[b, i + 3]
    for i in range(whole, n):
        s0 += heavy[a, i] * rows[b, i]
    return (s0 + s1) + (s2 + s3)


def weights_of(scaled: Floats, loss: Loss) -> Floats:
    """Weights of residuals in units of the scale, of the same shape; NaN stays NaN."""
    if loss == "huber":
        return TUNING[loss] / np.maximum(np.abs(scaled), TUNING[loss])
    inside: Floats = np.maximum(0.0, 1.0 - (scaled / TUNING[loss]) ** 2)
    return inside**2


@compiled
def _weigh(loss: int, tuning: float, scale: float, room: _Room) -> None:
    """Set the weights of the residuals."""
    k, n = room.scores.size, room.weights.size
    edge = tuning * scale
    if loss == _HUBER:
        for i in range(n):
            size = room.sizes[i]
            room.weights[i] = edge / (size if size > edge else edge)
    else:
        for i in range(n):
            u = room.rows[k, i] / edge
            weight = 1.0 - u * u
            weight = weight if weight > 0.0 else 0.0
            room.weights[i] = weight * weight


@compiled
def _scale(room: _Room) -> float:
    """Median absolute residual about 0, as a standard deviation of normal errors; sets `sizes`.

    The observations that were in the middle last time mostly still are, which two counts settle.
    """
    k, n = room.scores.size, room.weights.size
    for i in range(n):
        room.sizes[i] = abs(room.rows[k, i])
    below = n // 2
    lower, upper = room.sizes[room.middle[0]], room.sizes[room.middle[1]]
    under_lower, under_upper = 0, 0
    for i in range(n):
        under_lower += 1 if room.sizes[i] < lower else 0
        under_upper += 1 if room.sizes[i] < upper else 0
    if under_upper != below or (n % 2 == 0 and under_lower != below - 1):
        for i in range(n):
            room.mixed[i] = room.sizes[i]
        upper = select(room.mixed, below)
        lower = room.mixed[0]
        for i in range(1, below):
            lower = max(lower, room.mixed[i])
        for i in range(n):
            if room.sizes[i] == upper:
                room.middle[1] = i
            elif room.sizes[i] == lower:
                room.middle[0] = i
    return float(upper if n % 2 == 1 else 0.5 * (lower + upper)) / _MAD


@compiled
def select(values: Floats, rank: int) -> float:
    """The number of a rank (from 0 on) among ``(n,)``, which change places: no lower one stands after it.

    Hoare 1961, doi:10.1145/366622.366647.
    """
    low, high = 0, values.size - 1
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if rank <= right:
            high = right
        elif rank >= left:
            low = left
        else:
            break
    return float(values[rank])


@compiled
def _variance(loss: int, tuning: float, scale: float, room: _Room) -> float:
    """Huber's variance; NaN where psi does not rise on the whole, as it may far from normal data."""
    k, n = room.scores.size, room.weights.size
    square, total = 0.0, 0.0
    for i in range(n):
        r = room.rows[k, i]
        u = r / (tuning * scale)
        if loss == _HUBER:
            rise = 1.0 if abs(u) <= 1.0 else 0.0
        else:
            rise = (1.0 - u * u) * (1.0 - 5.0 * u * u) if abs(u) < 1.0 else 0.0
        room.sizes[i] = rise
        total += rise
        square += (room.weights[i] * r) ** 2
    mean = total / n
    if not mean > 0.0:
        return np.nan
    spread = 0.0
    for i in range(n):
        spread += (room.sizes[i] - mean) ** 2
    factor = 1.0 + k * spread / (n - 1) / (n * mean * mean) if n > 1 else 1.0
    return float(square / (n - k) * (factor / mean) ** 2)
