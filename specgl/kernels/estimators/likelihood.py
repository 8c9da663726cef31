"""Greatest (restricted) likelihood of the variances between observations, at one location.

The log likelihoods, up to a constant, with ``v = S + tau2`` and ``w = 1 / v``: ML has
``-1/2 sum log v - 1/2 y'Py``, REML also ``-1/2 log |U'WU|`` (Patterson and Thompson 1971,
doi:10.1093/biomet/58.3.545; Harville 1977, doi:10.1080/01621459.1977.10480998). Steps are Newton's where the
observed information is positive, else Fisher's, and halved until the likelihood does not fall; variances that
want to be negative stand at 0.

The likelihood can have several maxima when a few observations are far more precise than the others. The
search begins at the best of a ladder of values; where another one is nearly as good and lower ones lie
between them, a second search begins there, and the higher end counts. A narrow maximum between two rungs can
still be missed: of 5 to 30 observations whose variances differ by ten thousand, at one location in 20,000.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.estimators.place import Place, left_over, set_free, set_weights, whiten
from specgl.kernels.estimators.solving import dot, solve_positive

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

STEPS = 200
"""Most steps of one search; some six are usual."""

TOLERANCE = 1e-10
"""A step of less than this share of tau2 ends a search."""

_NOUGHT = 1e-13  # share of the typical variance that is nothing
_RUNG = 4.0  # ratio of one value of the ladder to the one before
_RUNGS = 40
_NEAR = 1.0  # of log likelihood: what a rung may lie below the maximum beside it
_FLAT = 0.1
_HALVINGS = 50
_ROUNDING = 1e-13  # share of a log likelihood that rounding may take away
_FAR = 1e120  # beyond, a product of variances is taken into its logarithm


class Slopes(NamedTuple):
    """Derivatives of twice the log likelihood by the variances of G groups. Written by compiled functions.

    Attributes
    ----------
    score
        ``(G,)`` first derivatives.
    expected, observed
        ``(G, G)`` the expected and the observed information.
    cross
        ``(G, k, k)`` products of Q with itself over each group, weighted.
    moved
        ``(G, k)`` products of Q with the weighted e of each group.
    matrix
        ``(G, G)`` room for a system of equations.
    step, origin
        ``(G,)`` its solution, and where it starts from.
    first
        ``(G,)`` variances at the end of a first search.
    free
        ``(G,)`` groups whose variance may move.
    """

    score: Floats
    expected: Floats
    observed: Floats
    cross: Floats
    moved: Floats
    matrix: Floats
    step: Floats
    origin: Floats
    first: Floats
    free: Integers


def make_slopes(n_groups: int, k: int) -> Slopes:
    """Room for the derivatives."""
    square = (n_groups, n_groups)
    return Slopes(
        score=np.empty(n_groups),
        expected=np.empty(square),
        observed=np.empty(square),
        cross=np.empty((n_groups, k, k)),
        moved=np.empty((n_groups, k)),
        matrix=np.empty(square),
        step=np.empty(n_groups),
        origin=np.empty(n_groups),
        first=np.empty(n_groups),
        free=np.empty(n_groups, dtype=np.int64),
    )


@compiled
def maximise(
    place: Place, tau2: Floats, groups: Integers, sizes: Integers, restricted: bool, slopes: Slopes
) -> tuple[bool, int]:
    """Find the variances ``(G,)`` of greatest likelihood, in place; whether found, and in how many steps."""
    unit, first, second = _starts(place, tau2, groups, restricted)
    if not first >= 0.0:
        return False, 0
    tau2[:] = first
    likelihood, converged, steps = _climb(place, tau2, groups, sizes, restricted, slopes, unit)
    if second >= 0.0:
        for g in range(tau2.size):
            slopes.first[g] = tau2[g]
        tau2[:] = second
        other, reached, more = _climb(place, tau2, groups, sizes, restricted, slopes, unit)
        steps += more
        if other > likelihood:
            converged = reached
        else:
            for g in range(tau2.size):
                tau2[g] = slopes.first[g]
    return converged, steps


@compiled
def _climb(
    place: Place,
    tau2: Floats,
    groups: Integers,
    sizes: Integers,
    restricted: bool,
    slopes: Slopes,
    unit: float,
) -> tuple[float, bool, int]:
    """Search for a maximum from the present variances; its log likelihood, whether found, and the steps."""
    likelihood = _likelihood(place, tau2, groups, restricted)
    for step in range(1, STEPS + 1):
        _differentiate(place, groups, restricted, slopes)
        if not _direction(tau2, sizes, slopes):
            return likelihood, False, step
        small = True
        for g in range(tau2.size):
            slopes.origin[g] = tau2[g]
            # Nothing says how far a likelihood that is all but flat may be trusted.
            slopes.step[g] = min(slopes.step[g], 10.0 * (tau2[g] + unit))
            small &= abs(slopes.step[g]) <= TOLERANCE * tau2[g] + _NOUGHT * unit
        share = 1.0
        lowest = likelihood - _ROUNDING * (abs(likelihood) + place.weights.size)
        for _ in range(_HALVINGS):
            for g in range(tau2.size):
                tau2[g] = max(0.0, slopes.origin[g] + share * slopes.step[g])
            likelihood = _likelihood(place, tau2, groups, restricted)
            if likelihood >= lowest or small:
                break
            share *= 0.5
        else:
            return likelihood, False, step
        if small:
            return likelihood, True, step
    return likelihood, False, STEPS


@compiled
def _likelihood(place: Place, tau2: Floats, groups: Integers, restricted: bool) -> float:
    """Log likelihood, up to a constant; NaN where the columns depend on each other."""
    set_weights(place, tau2, groups)
    if not whiten(place):
        return np.nan
    total, product = -left_over(place), 1.0
    for i in range(place.weights.size):
        product *= place.weights[i]
        if not 1.0 / _FAR < product < _FAR:
            total += math.log(product)
            product = 1.0
    if restricted:
        determinant = 1.0
        for a in range(place.factor.shape[0]):
            determinant *= place.factor[a, a] * place.factor[a, a]
            if not 1.0 / _FAR < determinant < _FAR:
                total -= math.log(determinant)
                determinant = 1.0
        total -= math.log(determinant)
    return 0.5 * (total + math.log(product))


@compiled
def _starts(place: Place, tau2: Floats, groups: Integers, restricted: bool) -> tuple[float, float, float]:
    """The typical variance, the best of a ladder of values for all groups, and another or -1; NaN for none.

    No stationary point of one common tau2 lies above the last rung: the score is positive only where
    ``(min S + tau2)**2 <= s2 (max S + tau2)``, with ``s2`` the residual variance of unweighted least squares.
    """
    n, k = place.variances.size, place.columns.shape[0] - 1
    least, most, precision = place.variances[0], place.variances[0], 0.0
    for i in range(n):
        least, most = min(least, place.variances[i]), max(most, place.variances[i])
        precision += 1.0 / place.variances[i]
        place.weights[i] = 1.0
    unit = n / precision
    if not whiten(place):
        return unit, np.nan, np.nan
    s2 = left_over(place) / (n - k)
    bound = 0.5 * (s2 + math.sqrt(s2 * s2 + 4.0 * s2 * most))
    tau2[:] = 0.0
    last = _likelihood(place, tau2, groups, restricted)
    if not math.isfinite(last):
        return unit, np.nan, np.nan
    best, second = -np.inf, -np.inf
    first, other = 0.0, -1.0
    at, rung, rising, beside = 0.0, least, True, -np.inf
    for _ in range(_RUNGS):
        within = rung < bound
        likelihood = -np.inf
        if within:
            tau2[:] = rung
            likelihood = _likelihood(place, tau2, groups, restricted)
        if rising and not likelihood > last:  # the value before is higher than both its neighbours
            if last > best:
                best, second = last, best
                first, other = at, first if second > -np.inf else -1.0
            elif last > second:
                second, other = last, at
        if at == 0.0:
            beside = likelihood
        if not within:
            break
        at, last, rising = rung, likelihood, likelihood > last
        rung *= _RUNG
    if second > best - _NEAR:
        return unit, first, other
    # A likelihood that hardly falls from 0 to the first rung may first fall and then rise beyond.
    return unit, first, least if first == 0.0 and beside > best - _FLAT else -1.0


@compiled
def _differentiate(place: Place, groups: Integers, restricted: bool, slopes: Slopes) -> None:
    """Derivatives at the present weights.

    With D_g the groups' dummies: score ``y'P D_g P y - tr(P D_g)``, expected information
    ``tr(P D_g P D_h)``, observed ``2 y'P D_g P D_h P y`` less the expected; ML has W for P in the traces.
    """
    k, n_groups = place.factor.shape[0], slopes.score.size
    set_free(place)
    slopes.score[:] = 0.0
    slopes.expected[:] = 0.0
    slopes.observed[:] = 0.0
    if n_groups == 1:
        _gather_one(place, restricted, slopes)
    else:
        slopes.cross[:] = 0.0
        slopes.moved[:] = 0.0
        _gather(place, groups, restricted, slopes)
    for g in range(n_groups):
        for h in range(g + 1):
            apart = 0.0
            for a in range(k):
                slopes.observed[g, h] -= 2.0 * slopes.moved[g, a] * slopes.moved[h, a]
                for b in range(a):
                    apart += 2.0 * slopes.cross[g, a, b] * slopes.cross[h, a, b]
                apart += slopes.cross[g, a, a] * slopes.cross[h, a, a]
            if restricted:
                slopes.expected[g, h] += apart
            slopes.observed[g, h] -= slopes.expected[g, h]


@compiled
def _gather_one(place: Place, restricted: bool, slopes: Slopes) -> None:
    """Sums over the observations, of one group: row by row of Q, so that they are quick."""
    k, n = place.factor.shape[0], place.weights.size
    score, expected, observed = 0.0, 0.0, 0.0
    for i in range(n):
        w, e, free = place.weights[i], place.white[k, i], place.free[i]
        score += w * (e * e - (free if restricted else 1.0))
        expected += w * w * (2.0 * free - 1.0 if restricted else 1.0)
        observed += 2.0 * w * w * e * e
        place.free[i] = math.sqrt(w)
    slopes.score[0], slopes.expected[0, 0], slopes.observed[0, 0] = score, expected, observed
    for a in range(k + 1):  # sqrt(w) Q: the next step makes it anew
        for i in range(n):
            place.white[a, i] *= place.free[i]
    for a in range(k):
        slopes.moved[0, a] = dot(place.white, a, k)
        for b in range(a + 1):
            slopes.cross[0, a, b] = dot(place.white, a, b)


@compiled
def _gather(place: Place, groups: Integers, restricted: bool, slopes: Slopes) -> None:
    """Sums over the observations of each group."""
    k = place.factor.shape[0]
    for i in range(place.weights.size):
        g, w, e, free = groups[i], place.weights[i], place.white[k, i], place.free[i]
        slopes.score[g] += w * (e * e - (free if restricted else 1.0))
        slopes.expected[g, g] += w * w * (2.0 * free - 1.0 if restricted else 1.0)
        slopes.observed[g, g] += 2.0 * w * w * e * e
        for a in range(k):
            slopes.moved[g, a] += w * e * place.white[a, i]
            for b in range(a + 1):
                slopes.cross[g, a, b] += w * place.white[a, i] * place.white[b, i]


@compiled
def _direction(tau2: Floats, sizes: Integers, slopes: Slopes) -> bool:
    """The step ``(G,)`` of all groups, 0 for those that stay at 0; whether there is one.

    A variance at 0 that the step would make negative stays (Bertsekas 1982, doi:10.1137/0320018), so that
    some share of the step makes the likelihood rise.
    """
    n_groups = tau2.size
    free = 0
    for g in range(n_groups):
        slopes.step[g] = 0.0
        if sizes[g] > 0 and (tau2[g] > 0.0 or slopes.score[g] > 0.0):
            slopes.free[free] = g
            free += 1
    while free > 0:
        if not (_solve_for(slopes.observed, free, slopes) or _solve_for(slopes.expected, free, slopes)):
            return False
        kept = 0
        for f in range(free):
            g = slopes.free[f]
            if tau2[g] > 0.0 or slopes.origin[f] > 0.0:
                slopes.free[kept] = g
                slopes.origin[kept] = slopes.origin[f]
                kept += 1
        if kept == free:
            for f in range(free):
                slopes.step[slopes.free[f]] = slopes.origin[f]
            return True
        free = kept
    return True


@compiled
def _solve_for(information: Floats, free: int, slopes: Slopes) -> bool:
    """Solve for the free groups' step, into `origin`; whether the information is positive."""
    for f in range(free):
        slopes.origin[f] = slopes.score[slopes.free[f]]
        for other in range(f + 1):
            g, h = slopes.free[f], slopes.free[other]
            slopes.matrix[f, other] = information[max(g, h), min(g, h)]
    return bool(solve_positive(slopes.matrix, slopes.origin, free))
