"""One location with its first-level variances: its numbers, and the same divided by their deviations.

With weights ``w`` a model ``U`` and data ``y`` become ``sqrt(w) U = Q R`` and ``sqrt(w) y``; what is left of
the data beside ``Q`` is ``e``. All that estimates of the variance between observations need is made of Q, e
and w, since ``P = W - W U (U'WU)^-1 U'W = sqrt(W) (I - QQ') sqrt(W)``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.estimators.solving import orthogonalise

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NO_FREEDOM = 1e-8
"""Residual degrees of freedom up to which a group of observations has none: rounding leaves some 1e-14."""


class Place(NamedTuple):
    """One location. Written and read by compiled functions.

    Attributes
    ----------
    columns
        ``(k + 1, n)`` the basis' columns, then the data.
    variances
        ``(n,)`` first-level variances.
    white
        ``(k + 1, n)`` the columns Q, then e, for the weights.
    factor
        ``(k, k + 1)`` the triangular factor R, and beside it the scores.
    weights
        ``(n,)``.
    free
        ``(n,)`` one minus the leverage, see `set_free`.
    """

    columns: Floats
    variances: Floats
    white: Floats
    factor: Floats
    weights: Floats
    free: Floats


def make_place(n: int, k: int) -> Place:
    """Room for one location of `n` observations and `k` columns."""
    return Place(
        columns=np.empty((k + 1, n)),
        variances=np.empty(n),
        white=np.empty((k + 1, n)),
        factor=np.zeros((k, k + 1)),
        weights=np.empty(n),
        free=np.empty(n),
    )


def as_kernels_want(*arrays: ArrayLike) -> list[Floats]:
    """Arrays as float64 in C order, so that a kernel is compiled once."""
    return [np.ascontiguousarray(array, dtype=np.float64) for array in arrays]


def by_location(*arrays: ArrayLike) -> list[Floats]:
    """Arrays ``(n_obs, n_loc)`` as ``(n_loc, n_obs)`` float64, each location's numbers beside each other.

    Numbers of one location that lie a tile's row apart would share few lines of a processor's cache.
    """
    return [np.ascontiguousarray(np.asarray(array, dtype=np.float64).T) for array in arrays]


def check_shapes(basis: Floats, y: Floats, *others: Floats) -> None:
    """Refuse what a compiled function would read beyond its end.

    Raises
    ------
    ValueError
        The basis is not ``(1 or n_loc, n_obs, k)`` for data ``(n_obs, n_loc)``, or the other arrays do not
        have the shape of the data.
    """
    if y.ndim != 2 or basis.ndim != 3 or basis.shape[0] not in (1, y.shape[1]) or basis.shape[1] != len(y):
        raise ValueError(f"a basis {basis.shape} does not fit data {y.shape}")
    for other in others:
        if other.shape != y.shape:
            raise ValueError(f"shapes differ: {other.shape} beside data {y.shape}")


@compiled
def read_place(place: Place, basis: Floats, y: Floats, variances: Floats, location: int) -> None:
    """Fetch a location's basis, and its data and variances from arrays ``(n_loc, n_obs)``."""
    n, k = basis.shape[1], basis.shape[2]
    if basis.shape[0] > 1 or location == 0:  # one basis for all need not be fetched again
        for i in range(n):
            for a in range(k):
                place.columns[a, i] = basis[location, i, a]
    for i in range(n):
        place.columns[k, i] = y[location, i]
        place.variances[i] = variances[location, i]


@compiled
def whiten(place: Place) -> bool:
    """Divide by the deviations that the weights stand for; whether all columns are independent then."""
    rows, n = place.columns.shape
    for i in range(n):
        place.free[i] = math.sqrt(place.weights[i])
    for a in range(rows):
        for i in range(n):
            place.white[a, i] = place.free[i] * place.columns[a, i]
    return bool(orthogonalise(place.white, place.factor))


@compiled
def set_weights(place: Place, tau2: Floats, groups: Integers) -> None:
    """Weights ``1 / (S + tau2)``, with the `tau2` of each observation's group."""
    n = place.weights.size
    if tau2.size == 1:
        shift = tau2[0]
        for i in range(n):
            place.weights[i] = 1.0 / (place.variances[i] + shift)
    else:
        for i in range(n):
            place.weights[i] = 1.0 / (place.variances[i] + tau2[groups[i]])


@compiled
def set_free(place: Place) -> None:
    """One minus the leverage of each observation, after `whiten`."""
    rows, n = place.white.shape
    for i in range(n):
        place.free[i] = 1.0
    for a in range(rows - 1):
        for i in range(n):
            place.free[i] -= place.white[a, i] * place.white[a, i]


@compiled
def left_over(place: Place) -> float:
    """Sum of squares of e, which is ``y'Py``, after `whiten`."""
    k, n = place.white.shape[0] - 1, place.white.shape[1]
    total = 0.0
    for i in range(n):
        total += place.white[k, i] * place.white[k, i]
    return total
