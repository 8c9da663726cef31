"""How many columns of a design are independent, decided in one way for all that ask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RANK_TOLERANCE = 1e-10
"""A column counts as a combination of others when, all brought to length 1, less than this is left of it.
Rounding leaves about 1e-15 times the spread of a column's values against their size; columns that differ in
the tenth digit only are one column for any purpose."""


def column_ranks(columns: Floats) -> NDArray[np.int64]:
    """Rank of each of several matrices, column by column from the left.

    Gram-Schmidt, twice for each column (Giraud, Langou and Rozložník 2005, doi:10.1007/s00211-005-0615-4).
    Singular values would draw the line elsewhere: of nearly dependent columns the smallest one can lie far
    below what is left of any column, and a fit would then lack a column that the design has.

    Parameters
    ----------
    columns
        ``(n_mat, n, k)``, each column of length 1 or zero throughout.

    Returns
    -------
    ndarray
        ``(n_mat,)``.
    """
    n_mat, n, k = columns.shape
    basis = np.zeros((n_mat, n, k))
    ranks = np.zeros(n_mat, dtype=np.int64)
    for j in range(k):
        known, rest = basis[:, :, :j], columns[:, :, j, None]
        for _ in range(2):
            rest = rest - known @ (np.swapaxes(known, 1, 2) @ rest)
        left = np.linalg.norm(rest, axis=1, keepdims=True)
        new = left > RANK_TOLERANCE
        basis[:, :, j, None] = np.where(new, rest / np.where(new, left, 1.0), 0.0)
        ranks += new[:, 0, 0]
    return ranks
