"""Orthonormal bases of designs whose columns differ from location to location: voxelwise covariates.

A column of the design at a location is a column of numbers from the table times the product of the voxelwise
covariates that take part in it (of none: the same column everywhere).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.estimators.place import as_kernels_want
from specgl.kernels.rank import RANK_TOLERANCE

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


class LocalBases(NamedTuple):
    """The design of each location, factorised.

    Attributes
    ----------
    basis
        ``(n_loc, n_obs, n_reg)`` orthonormal columns; zero where not `full`.
    spread
        ``(n_loc, n_reg, n_reg)`` coefficients from scores on the basis; zero where not `full`.
    full
        ``(n_loc,)`` whether all columns are independent there.
    """

    basis: Floats
    spread: Floats
    full: Booleans


def local_columns(matrix: Floats, covariates: Floats, used: Booleans) -> Floats:
    """The design of each location.

    Parameters
    ----------
    matrix
        ``(n_obs, n_reg)`` what the table says of each regressor.
    covariates
        ``(n_cov, n_obs, n_loc)`` voxelwise covariates.
    used
        ``(n_reg, n_cov)`` which covariates multiply which regressor.

    Returns
    -------
    ndarray
        ``(n_loc, n_obs, n_reg)``.

    Raises
    ------
    ValueError
        Shapes that do not fit each other.
    """
    matrix, covariates = as_kernels_want(matrix, covariates)
    used = _checked(matrix, covariates, used)
    columns = np.empty((covariates.shape[2], *matrix.shape))
    columns[:] = matrix
    for regressor, covariate in zip(*np.nonzero(used), strict=True):
        columns[:, :, regressor] *= covariates[covariate].T
    return columns


def local_bases(matrix: Floats, covariates: Floats, used: Booleans) -> LocalBases:
    """Factorise the design of each location by Gram-Schmidt, twice for each column.

    Columns are brought to length 1 first; one of which less than `RANK_TOLERANCE` is then left beside those
    before it is a combination of them (see `specgl.kernels.rank`).

    Parameters
    ----------
    matrix, covariates, used
        As for `local_columns`; without missing values.

    Returns
    -------
    LocalBases
        The bits of a location do not depend on which others are factorised with it.

    Raises
    ------
    ValueError
        Shapes that do not fit each other.
    """
    matrix, covariates = as_kernels_want(matrix, covariates)
    used = _checked(matrix, covariates, used)
    (n, p), m = matrix.shape, covariates.shape[2]
    result = LocalBases(np.empty((m, n, p)), np.empty((m, p, p)), np.empty(m, dtype=np.bool_))
    _factorise(matrix, covariates, used, result, np.empty((p, n)), np.empty((p, p)))
    return result


def _checked(matrix: Floats, covariates: Floats, used: Booleans) -> Booleans:
    used = np.ascontiguousarray(used, dtype=np.bool_)
    if covariates.ndim != 3 or covariates.shape[1] != len(matrix):
        raise ValueError(f"covariates {covariates.shape} do not fit a matrix {matrix.shape}")
    if used.shape != (matrix.shape[1], len(covariates)):
        raise ValueError(
            f"{used.shape} says nothing of {matrix.shape[1]} columns, {len(covariates)} covariates"
        )
    return used


@compiled
def _factorise(
    matrix: Floats, covariates: Floats, used: Booleans, result: LocalBases, rows: Floats, factor: Floats
) -> None:
    """Factorise location by location, in room for one of them."""
    n, p = matrix.shape
    for location in range(covariates.shape[2]):
        for j in range(p):
            for i in range(n):
                rows[j, i] = matrix[i, j]
            for c in range(covariates.shape[0]):
                if used[j, c]:
                    for i in range(n):
                        rows[j, i] *= covariates[c, i, location]
        full = _orthonormal(rows, factor)
        result.full[location] = full
        for i in range(n):
            for j in range(p):
                result.basis[location, i, j] = rows[j, i] if full else 0.0
        _write_spread(factor, result.spread[location], full)


@compiled
def _orthonormal(rows: Floats, factor: Floats) -> bool:
    """Make rows ``(p, n)`` orthonormal in place, with their triangular factor; whether that could be done."""
    p, n = rows.shape
    for j in range(p):
        largest = 0.0
        for i in range(n):
            largest = max(largest, abs(rows[j, i]))
        if not (largest > 0.0 and largest < np.inf):
            return False
        for i in range(n):  # squares of very small or large numbers would leave the range
            rows[j, i] /= largest
        length = _normalise(rows, j)
        for a in range(j):
            factor[a, j] = 0.0
        for _ in range(2):
            for a in range(j):
                score = 0.0
                for i in range(n):
                    score += rows[a, i] * rows[j, i]
                factor[a, j] += score
                for i in range(n):
                    rows[j, i] -= score * rows[a, i]
        factor[j, j] = _normalise(rows, j)
        if not factor[j, j] > RANK_TOLERANCE:
            return False
        for a in range(j + 1):
            factor[a, j] *= length * largest
    return True


@compiled
def _normalise(rows: Floats, j: int) -> float:
    """Bring a row to length 1 in place; the length that it had."""
    square = 0.0
    for i in range(rows.shape[1]):
        square += rows[j, i] * rows[j, i]
    length = math.sqrt(square)
    for i in range(rows.shape[1]):
        rows[j, i] /= length
    return length


@compiled
def _write_spread(factor: Floats, spread: Floats, full: bool) -> None:
    """Inverse of the triangular factor ``(p, p)``, or zero."""
    p = factor.shape[0]
    for a in range(p):
        for b in range(p):
            spread[a, b] = 0.0
    if not full:
        return
    for b in range(p):
        spread[b, b] = 1.0 / factor[b, b]
        for a in range(b - 1, -1, -1):
            total = 0.0
            for c in range(a + 1, b + 1):
                total += factor[a, c] * spread[c, b]
            spread[a, b] = -total / factor[a, a]
