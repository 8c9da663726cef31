"""Which rows of a design are equal, so that a shuffle that exchanges them changes nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EQUAL = 1e-9
"""Share of a column's largest value below which two values of it are the same."""


def classes_of(columns: NDArray[np.float64]) -> NDArray[np.int64]:
    """Codes of equal rows.

    Parameters
    ----------
    columns
        ``(n, k)`` the rows.

    Returns
    -------
    ndarray
        ``(n,)`` codes from 0, in the order in which they are met.
    """
    size = np.abs(columns).max(axis=0, initial=0.0)
    scaled = columns / np.where(size > 0, size, 1.0)
    codes = np.zeros(len(columns), dtype=np.int64)
    for column in scaled.T:
        # Values are grouped by gaps, not rounded: no edge of a rounding step can part equal ones.
        order = np.argsort(column, kind="stable")
        step = np.zeros(len(column), dtype=np.int64)
        step[order] = np.cumsum(np.diff(column[order], prepend=column[order[:1]]) > EQUAL)
        _, codes = np.unique(codes * len(column) + step, return_inverse=True)
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    met: NDArray[np.int64] = np.argsort(np.argsort(first))[inverse].astype(np.int64)
    return met
