"""Sums and small systems of equations in place, for what runs at each location.

Nothing here allocates, and the order of every sum is fixed.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.rank import RANK_TOLERANCE

Floats = NDArray[np.float64]

_PIVOT = 1e-10  # share of a diagonal entry below which a system counts as singular


@compiled
def dot(rows: Floats, a: int, b: int) -> float:
    """Product of two rows of a matrix ``(r, n)``; four sums, so that an addition need not await the last."""
    n = rows.shape[1]
    whole = n - n % 4
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    for i in range(0, whole, 4):
        s0 += rows[a, i] * rows[b, i]
        s1 += rows[a, i + 1] * rows[b, i + 1]
        s2 += rows[a, i + 2] * rows[b, i + 2]
        s3 += rows[a, i + 3] * rows[b, i + 3]
    for i in range(whole, n):
        s0 += rows[a, i] * rows[b, i]
    return (s0 + s1) + (s2 + s3)


@compiled
def orthogonalise(rows: Floats, factor: Floats) -> bool:
    """Make all rows but the last orthonormal, and the last orthogonal to them, in place.

    Modified Gram-Schmidt with the data as one more column solves a least-squares problem as stably as
    Householder's reflections do (Björck 1967, doi:10.1007/BF01934122); products of columns would square the
    condition, which weights that differ by a million have already made large.

    Parameters
    ----------
    rows
        ``(k + 1, n)`` columns of a design, then the data.
    factor
        ``(k, k + 1)`` receives the triangular factor, and beside it the data's scores.

    Returns
    -------
    bool
        False where a column is a combination of those before it; nothing is then of use.
    """
    last, n = rows.shape[0] - 1, rows.shape[1]
    for a in range(last):
        square = dot(rows, a, a)
        whole = square
        for b in range(a):
            whole += factor[b, a] * factor[b, a]
        if not square > RANK_TOLERANCE * RANK_TOLERANCE * whole:
            return False
        length = math.sqrt(square)
        factor[a, a] = length
        inverse = 1.0 / length
        for i in range(n):
            rows[a, i] *= inverse
        for b in range(a + 1, last + 1):
            score = dot(rows, a, b)
            factor[a, b] = score
            for i in range(n):
                rows[b, i] -= score * rows[a, i]
    return True


@compiled
def solve_positive(matrix: Floats, right: Floats, size: int) -> bool:
    """Solve a symmetric system of the first `size` rows by Cholesky's factor, in place.

    Parameters
    ----------
    matrix
        Its lower triangle is read, and overwritten by the factor.
    right
        The right side, overwritten by the solution.

    Returns
    -------
    bool
        False where the matrix is not positive definite; both are then spoiled.
    """
    for a in range(size):
        floor = _PIVOT * matrix[a, a]
        for b in range(a + 1):
            value = matrix[a, b]
            for c in range(b):
                value -= matrix[a, c] * matrix[b, c]
            if a == b:
                if not (value > floor and value > 0.0):
                    return False
                matrix[a, a] = math.sqrt(value)
            else:
                matrix[a, b] = value / matrix[b, b]
    for a in range(size):
        for c in range(a):
            right[a] -= matrix[a, c] * right[c]
        right[a] /= matrix[a, a]
    for a in range(size - 1, -1, -1):
        for c in range(a + 1, size):
            right[a] -= matrix[c, a] * right[c]
        right[a] /= matrix[a, a]
    return True


@compiled
def solve(matrix: Floats, right: Floats, size: int) -> bool:
    """Solve a system of the first `size` rows by Gauss' elimination with row pivots, in place.

    Returns
    -------
    bool
        False where the matrix is singular, its rows brought to one size; both are then spoiled.
    """
    for a in range(size):
        largest = 0.0
        for c in range(size):
            largest = max(largest, abs(matrix[a, c]))
        if not largest > 0.0:
            return False
        for c in range(size):
            matrix[a, c] /= largest
        right[a] /= largest
    for a in range(size):
        if not _pivot(matrix, right, size, a):
            return False
        for b in range(a + 1, size):
            share = matrix[b, a] / matrix[a, a]
            for c in range(a, size):
                matrix[b, c] -= share * matrix[a, c]
            right[b] -= share * right[a]
    for a in range(size - 1, -1, -1):
        for c in range(a + 1, size):
            right[a] -= matrix[a, c] * right[c]
        right[a] /= matrix[a, a]
    return True


@compiled
def _pivot(matrix: Floats, right: Floats, size: int, a: int) -> bool:
    """Exchange row `a` for the one after it with the largest entry in its column; whether that is not 0."""
    pivot = a
    for b in range(a + 1, size):
        if abs(matrix[b, a]) > abs(matrix[pivot, a]):
            pivot = b
    if pivot != a:
        for c in range(size):
            matrix[a, c], matrix[pivot, c] = matrix[pivot, c], matrix[a, c]
        right[a], right[pivot] = right[pivot], right[a]
    return bool(abs(matrix[a, a]) > _PIVOT)
