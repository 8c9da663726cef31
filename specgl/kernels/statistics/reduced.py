"""A contrast as two sets of coefficients: what it tests, and what it leaves to the nuisance.

Where every location has columns of its own, no basis serves all of them; coefficients do. They are found by
elimination, so that a contrast that picks columns leaves the other columns as they are: regressors of very
different units are not mixed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.rank import RANK_TOLERANCE

Floats = NDArray[np.float64]


def reduced_columns(matrix: Floats, weights: Floats) -> Floats:
    """Coefficients of the reduced model: all that a contrast does not see.

    Parameters
    ----------
    matrix
        ``(n, n_reg)`` design; where columns are multiplied by covariates of each location, their multipliers.
        Its columns' lengths are the units in which coefficients are compared.
    weights
        ``(q, n_reg)`` contrast that the design can estimate; dependent rows do no harm.

    Returns
    -------
    array
        ``(n_reg, n_reg - r)``, ``weights @ reduced_columns(...) = 0``: the columns of the reduced model at a
        location are ``X_l @ reduced_columns(...)``. The same for a contrast and its negative, to the last
        bit. Where columns of the design depend on one another, so do those of the reduced model.
    """
    return _eliminated(matrix, weights)[1]


def tested_columns(matrix: Floats, weights: Floats) -> Floats:
    """Coefficients along a contrast: the pseudo-inverse of its one row, for several a basis of their span.

    Parameters
    ----------
    matrix, weights
        As for `reduced_columns`.

    Returns
    -------
    array
        ``(n_reg, r)``; of a contrast and of its negative they are opposite, to the last bit.
    """
    if len(weights) == 1:
        return np.asarray(weights, dtype=np.float64).T / np.sum(weights**2)
    return _eliminated(matrix, weights)[0]


def _eliminated(matrix: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Bases ``(n_reg, r)`` and ``(n_reg, n_reg - r)`` of the weights' row space and of their null space.

    Gauss-Jordan elimination with the largest entry as pivot, of weights in units of the columns' lengths.
    """
    lengths = np.linalg.norm(matrix, axis=0)
    units = np.where(lengths > 0, lengths, 1.0)
    rows = np.asarray(weights, dtype=np.float64) / units
    sizes = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.where(sizes > 0, sizes, 1.0)
    pivots: list[int] = []
    for k in range(min(rows.shape)):
        row, column = divmod(k * rows.shape[1] + int(np.argmax(np.abs(rows[k:]))), rows.shape[1])
        if abs(rows[row, column]) <= RANK_TOLERANCE:
            break
        rows[[k, row]] = rows[[row, k]]
        rows[k] /= rows[k, column]
        others = np.arange(len(rows)) != k
        rows[others] -= rows[others, column, None] * rows[k]
        rows[others, column] = 0.0
        pivots.append(column)
    kept = rows[: len(pivots)]
    free = [column for column in range(rows.shape[1]) if column not in pivots]
    null = np.zeros((rows.shape[1], len(free)))
    null[free, np.arange(len(free))] = 1.0
    null[pivots] = -kept[:, free]
    null /= np.linalg.norm(null, axis=0)
    along = kept * units
    return (along / np.linalg.norm(along, axis=1, keepdims=True)).T, null / units[:, None]
