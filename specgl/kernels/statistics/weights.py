"""Rows of a design as shuffles move them: what a statistic is a product of, one set for each shuffle.

All sums run in one fixed order, in float64: a shuffle's weights do not depend on which others are made with
it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.rank import RANK_TOLERANCE
from specgl.kernels.statistics.methods import Recipe
from specgl.kernels.statistics.protocol import Rows, Signs

Floats = NDArray[np.float64]


class Weights(NamedTuple):
    """Moved rows of several shuffles.

    Attributes
    ----------
    raw
        ``(B, k, m)`` orthonormal rows on the reduced data: tested ones first, then moving nuisance.
    lifted
        ``(B, k, n)`` the same for the data as they are: what is taken out of the data is taken out of them.
    """

    raw: Floats
    lifted: Floats


def is_identity(rows: Rows, signs: Signs | None) -> NDArray[np.bool_]:
    """Which shuffles leave everything where it is, ``(B,)``."""
    same: NDArray[np.bool_] = np.all(rows == np.arange(rows.shape[1]), axis=1)
    return same if signs is None else same & np.all(signs > 0, axis=1)


def make_weights(recipe: Recipe, rows: Rows, signs: Signs | None) -> Weights:
    """Move the rows of a recipe.

    Parameters
    ----------
    recipe
        The method.
    rows, signs
        ``(B, m)`` shuffles.

    Returns
    -------
    Weights
        Zero throughout for a shuffle whose tested part is lost in a nuisance that stays.
    """
    rows, signs = as_shuffles(rows, signs)
    raw = gather(np.concatenate([recipe.tested, recipe.moving], axis=1), rows, signs)
    if recipe.orthonormalise:
        _orthonormalise(raw, recipe.fixed, RANK_TOLERANCE)
        return Weights(raw, raw)
    if recipe.reduce.shape[1]:
        return Weights(raw, _expand(raw, recipe.reduce))
    lifted = raw.copy()
    _take_out(lifted, recipe.remove)
    return Weights(raw, lifted)


def rows_to_survey(recipe: Recipe, rows: Rows, signs: Signs | None, weights: Weights) -> Floats:
    """Rows ``(B, k', n)`` that tell a survey the statistics: tested ones, then nuisance or the rest.

    Parameters
    ----------
    recipe
        The method.
    rows, signs
        ``(B, m)`` shuffles.
    weights
        Theirs.

    Returns
    -------
    array
        Those of `weights` as they are, unless the recipe knows what remains in fewer rows.
    """
    if not recipe.remaining.shape[1]:
        return weights.lifted
    rest = gather(recipe.remaining, *as_shuffles(rows, signs))
    _take_out(rest, recipe.remove)
    return np.concatenate([weights.lifted[:, : recipe.tested.shape[1]], rest], axis=1)


def as_shuffles(rows: Rows, signs: Signs | None) -> tuple[Rows, Signs]:
    """Shuffles as the kernels read them; no signs are an array without rows."""
    none = np.empty((0, rows.shape[1]), dtype=np.int8)
    given = none if signs is None else np.ascontiguousarray(signs, dtype=np.int8)
    return np.ascontiguousarray(rows, dtype=np.int32), given


@compiled
def gather(columns: Floats, rows: Rows, signs: Signs) -> Floats:
    """``(B, k, m)`` moved columns ``(m, k)``; signs may have no rows."""
    n_shuffles, m = rows.shape
    k = columns.shape[1]
    result = np.empty((n_shuffles, k, m))
    for b in range(n_shuffles):
        for i in range(m):
            sign = 1.0 if signs.shape[0] == 0 else float(signs[b, i])
            for j in range(k):
                result[b, j, i] = sign * columns[rows[b, i], j]
    return result


@compiled
def _take_out(weights: Floats, basis: Floats) -> None:
    """Make all rows orthogonal to a basis ``(n, q)``, in place."""
    n, q = basis.shape
    for b in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            for c in range(q):
                score = 0.0
                for i in range(n):
                    score += basis[i, c] * weights[b, j, i]
                for i in range(n):
                    weights[b, j, i] -= score * basis[i, c]


@compiled
def _orthonormalise(weights: Floats, basis: Floats, tolerance: float) -> None:
    """Make each shuffle's rows orthogonal to a basis and orthonormal, in place; zero where one is lost.

    Gram-Schmidt, twice (Giraud, Langou and Rozložník 2005, doi:10.1007/s00211-005-0615-4).
    """
    n_shuffles, k, n = weights.shape
    for b in range(n_shuffles):
        lost = False
        for j in range(k):
            row = weights[b, j]
            before = np.sqrt(np.sum(row * row))
            for _ in range(2):
                for c in range(basis.shape[1]):
                    score = 0.0
                    for i in range(n):
                        score += basis[i, c] * row[i]
                    for i in range(n):
                        row[i] -= score * basis[i, c]
                for other in range(j):
                    score = 0.0
                    for i in range(n):
                        score += weights[b, other, i] * row[i]
                    for i in range(n):
                        row[i] -= score * weights[b, other, i]
            after = np.sqrt(np.sum(row * row))
            if after <= tolerance * before:
                lost = True
                break
            row /= after
        if lost:
            weights[b] = 0.0


@compiled
def _expand(weights: Floats, basis: Floats) -> Floats:
    """``(B, k, n)`` rows ``(B, k, m)`` times the transpose of a basis ``(n, m)``."""
    n_shuffles, k, m = weights.shape
    n = basis.shape[0]
    result = np.empty((n_shuffles, k, n))
    for b in range(n_shuffles):
        for j in range(k):
            for i in range(n):
                total = 0.0
                for c in range(m):
                    total += basis[i, c] * weights[b, j, c]
                result[b, j, i] = total
    return result
