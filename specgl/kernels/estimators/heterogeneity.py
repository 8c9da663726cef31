"""Variance between observations beyond their first-level variances: tau2, Q and the typical variance.

The model at a location: ``y = U s + b + e`` with ``var e_i = S_i`` known and ``var b_i = tau2`` (of the group
of i) to be estimated. Which method when, and their small-sample behaviour: Viechtbauer 2005,
doi:10.3102/10769986030003261; Veroniki and others 2016, doi:10.1002/jrsm.1164.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.estimators.kinds import Tau2Method
from specgl.kernels.estimators.likelihood import Slopes, make_slopes, maximise
from specgl.kernels.estimators.moments import Equations, make_equations, solve_moments, solve_paule_mandel
from specgl.kernels.estimators.place import (
    NO_FREEDOM,
    Place,
    as_kernels_want,
    by_location,
    check_shapes,
    left_over,
    make_place,
    read_place,
    set_free,
    whiten,
)

__all__ = [
    "TAU2_METHODS",
    "Heterogeneity",
    "Tau2Method",
    "cochran_q",
    "estimate_tau2",
    "typical_variance",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

TAU2_METHODS: dict[Tau2Method, int] = {"dl": 0, "hedges": 1, "pm": 2, "ml": 3, "reml": 4}
"""Every method, by the number that compiled functions know it by."""

_DL, _HEDGES, _PM, _ML, _REML = (TAU2_METHODS[each] for each in ("dl", "hedges", "pm", "ml", "reml"))


class Heterogeneity(NamedTuple):
    """Variance between observations at each location.

    Attributes
    ----------
    tau2
        ``(G, n_loc)`` of each group, in squared units of the data, not negative. NaN for a group without
        observations; all NaN where no estimate can be had.
    converged
        ``(n_loc,)`` whether the equations were solved; where not, tau2 is the last step's or NaN.
    steps
        ``(n_loc,)`` steps of the iteration; 1 for what has a closed form, 0 where nothing was tried.
    q, typical
        ``(n_loc,)`` Cochran's Q and the typical first-level variance, see `cochran_q` and `typical_variance`;
        NaN where nothing was tried.
    """

    tau2: Floats
    converged: Booleans
    steps: Integers
    q: Floats
    typical: Floats


def estimate_tau2(
    basis: Floats, y: Floats, variances: Floats, groups: NDArray[np.integer], method: Tau2Method
) -> Heterogeneity:
    """Estimate the variance between observations of each group, at each location.

    Parameters
    ----------
    basis
        ``(1, n_obs, k)`` orthonormal basis of the design for all locations, or ``(n_loc, n_obs, k)`` one for
        each. ``k`` may be 0.
    y
        ``(n_obs, n_loc)`` data without missing values.
    variances
        ``(n_obs, n_loc)`` first-level variances S, above 0, in squared units of the data.
    groups
        ``(n_obs,)`` group of each observation, codes from 0 on; all 0 for one tau2.
    method
        ``dl``, ``hedges`` and ``pm`` compare moments, ``ml`` and ``reml`` maximise a likelihood; see
        `moments` and `likelihood`. Below 0 there is no variance: 0.

    Returns
    -------
    Heterogeneity
        A group without residual degrees of freedom (one saturated by its own regressors, or all of them when
        ``n_obs == k``) leaves nothing to estimate from: NaN, not converged. The bits of a location do not
        depend on which others are estimated with it.

    Raises
    ------
    ValueError
        Shapes that do not fit each other, or negative groups.
    """
    basis, y, variances = as_kernels_want(basis, y, variances)
    check_shapes(basis, y, variances)
    effects, own = by_location(y, variances)
    codes = np.ascontiguousarray(groups, dtype=np.int64)
    (n, m), k = y.shape, basis.shape[2]
    if codes.shape != (n,) or (n and codes.min() < 0):
        raise ValueError(f"groups {codes.shape} from 0 on do not fit {n} observations")
    n_groups = int(codes.max(initial=0)) + 1
    tau2, converged = np.full((n_groups, m), np.nan), np.zeros(m, dtype=np.bool_)
    q, typical = np.full((2, m), np.nan)
    found = Heterogeneity(tau2, converged, np.zeros(m, dtype=np.int64), q, typical)
    sizes = np.bincount(codes, minlength=n_groups).astype(np.int64)
    place, number = make_place(n, k), TAU2_METHODS[method]
    if method in ("ml", "reml"):
        _by_likelihood(number, basis, effects, own, codes, sizes, found, place, make_slopes(n_groups, k))
    else:
        _by_moments(number, basis, effects, own, codes, sizes, found, place, make_equations(n_groups, k))
    return found


@compiled
def _by_likelihood(
    method: int,
    basis: Floats,
    y: Floats,
    variances: Floats,
    groups: Integers,
    sizes: Integers,
    found: Heterogeneity,
    place: Place,
    slopes: Slopes,
) -> None:
    """ML and REML, location by location."""
    tau2, freedom = np.zeros(sizes.size), np.zeros(sizes.size)
    for location in range(len(y)):
        read_place(place, basis, y, variances, location)
        if not _has_freedom(place, groups, sizes, freedom):
            continue
        converged, steps = maximise(place, tau2, groups, sizes, method == _REML, slopes)
        _keep(found, location, tau2, sizes, converged, steps)
        if _whiten_precisely(place):
            found.q[location], found.typical[location] = _spread(place)


@compiled
def _by_moments(
    method: int,
    basis: Floats,
    y: Floats,
    variances: Floats,
    groups: Integers,
    sizes: Integers,
    found: Heterogeneity,
    place: Place,
    equations: Equations,
) -> None:
    """DerSimonian-Laird, Hedges and Paule-Mandel, location by location."""
    tau2, freedom, sums = np.zeros(sizes.size), np.zeros(sizes.size), np.zeros((sizes.size, 3))
    for location in range(len(y)):
        read_place(place, basis, y, variances, location)
        if not _has_freedom(place, groups, sizes, freedom):
            continue
        steps = 1
        if method == _PM:
            converged, steps = solve_paule_mandel(place, tau2, groups, sizes, sums)
        else:
            converged = solve_moments(place, tau2, groups, sizes, method == _DL, equations)
            if not converged:
                tau2[:] = np.nan
        _keep(found, location, tau2, sizes, converged, steps)
        # DerSimonian and Laird's equations have these very weights.
        if (method == _DL and converged) or _whiten_precisely(place):
            found.q[location], found.typical[location] = _spread(place)


@compiled
def _whiten_precisely(place: Place) -> bool:
    """Whiten with weights 1/S; whether all columns are independent then."""
    for i in range(place.weights.size):
        place.weights[i] = 1.0 / place.variances[i]
    independent = whiten(place)
    set_free(place)
    return bool(independent)


@compiled
def _spread(place: Place) -> tuple[float, float]:
    """Q and the typical variance, after whitening with weights 1/S."""
    n, k, trace = place.weights.size, place.columns.shape[0] - 1, 0.0
    for i in range(n):
        trace += place.weights[i] * place.free[i]
    return left_over(place), (n - k) / trace if n > k else np.nan


@compiled
def _has_freedom(place: Place, groups: Integers, sizes: Integers, freedom: Floats) -> bool:
    """Whether the numbers are fit for estimation and every group has residual degrees of freedom."""
    rows, n = place.columns.shape
    freedom[:] = 0.0
    for i in range(n):
        free = 1.0
        for a in range(rows - 1):
            free -= place.columns[a, i] * place.columns[a, i]
        freedom[groups[i]] += free
        if not (np.isfinite(place.columns[rows - 1, i]) and 0.0 < place.variances[i] < np.inf):
            return False
    for g in range(sizes.size):
        if sizes[g] > 0 and not freedom[g] > NO_FREEDOM:
            return False
    return bool(n > 0)


@compiled
def _keep(
    found: Heterogeneity, location: int, tau2: Floats, sizes: Integers, converged: bool, steps: int
) -> None:
    """Write one location's estimates; a group without observations keeps its NaN."""
    finite = True
    for g in range(sizes.size):
        if sizes[g] > 0:
            found.tau2[g, location] = tau2[g]
            finite &= np.isfinite(tau2[g])
    found.converged[location] = converged and finite
    found.steps[location] = steps


def cochran_q(basis: Floats, y: Floats, variances: Floats) -> Floats:
    """Cochran's Q ``(n_loc,)``: the weighted residual sum of squares of the fixed-effects fit.

    It is ``y'P0y`` with the P of weights ``1/S`` (Cochran 1954, doi:10.2307/3001666), chi-squared with
    ``n_obs - k`` degrees of freedom where the first-level variances explain all differences.

    Parameters
    ----------
    basis, y, variances
        As for `estimate_tau2`.

    Raises
    ------
    ValueError
        Shapes that do not fit each other.
    """
    return _moments_of(basis, y, variances)[0]


def typical_variance(basis: Floats, variances: Floats) -> Floats:
    """Typical first-level variance ``(n_loc,)``: ``(n_obs - k) / tr P0``, in squared units of the data.

    With it ``I2 = tau2 / (tau2 + typical)`` (Higgins and Thompson 2002, doi:10.1002/sim.1186, equation 9, and
    its extension to regressors). NaN where there are no residual degrees of freedom.

    Parameters
    ----------
    basis, variances
        As for `estimate_tau2`.

    Raises
    ------
    ValueError
        Shapes that do not fit each other.
    """
    return _moments_of(basis, np.zeros_like(variances, dtype=np.float64), variances)[1]


def _moments_of(basis: Floats, y: Floats, variances: Floats) -> tuple[Floats, Floats]:
    """Q and the typical variance, each ``(n_loc,)``."""
    basis, y, variances = as_kernels_want(basis, y, variances)
    check_shapes(basis, y, variances)
    (n, m), k = y.shape, basis.shape[2]
    q, typical = np.full(m, np.nan), np.full(m, np.nan)
    effects, own = by_location(y, variances)
    _measure(basis, effects, own, make_place(n, k), q, typical)
    return q, typical


@compiled
def _measure(basis: Floats, y: Floats, variances: Floats, place: Place, q: Floats, typical: Floats) -> None:
    """Q and the typical variance, location by location."""
    for location in range(len(y)):
        read_place(place, basis, y, variances, location)
        if _whiten_precisely(place):
            q[location], typical[location] = _spread(place)
