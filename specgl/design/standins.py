"""Numbers that stand for a covariate whose values differ from place to place, where no place is looked at.

Ranks, aliases, estimable contrasts and rows that are equal are settled before any image is read. They are
algebraic in the covariate's values, and so the same for all values but those of a set of measure 0: what
irregular numbers tell holds wherever the images are irregular too, and the fit finds the places where they
are not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SIGN = 1 << 63


def stand_in(covariate: str, observations: Sequence[str]) -> Array:
    """Irregular numbers for a covariate, which belong to its name and the observations' ids.

    So the same observation has the same number wherever its row stands.

    Parameters
    ----------
    covariate
        Its name.
    observations
        Ids of the rows.

    Returns
    -------
    ndarray
        ``(n_obs,)`` of either sign, with magnitudes from 0.5 to 1.5: columns of them and of their products
        are far from dependent.
    """
    numbers = np.empty(len(observations))
    for row, observation in enumerate(observations):
        digest = hashlib.sha256(f"{covariate}\0{observation}".encode()).digest()
        word = int.from_bytes(digest[:8], "big")
        magnitude = 0.5 + (word % _SIGN) / _SIGN
        numbers[row] = magnitude if word < _SIGN else -magnitude
    return numbers


def multiplied(matrix: Array, covariates: Sequence[tuple[str, ...]], values: Mapping[str, Array]) -> Array:
    """A design with its covariates' values in it.

    Parameters
    ----------
    matrix
        ``(n_obs, n_reg)`` what the table alone says.
    covariates
        Names of those that multiply each column.
    values
        ``(n_obs,)`` for each name.

    Returns
    -------
    ndarray
        ``(n_obs, n_reg)``; `matrix` itself where nothing multiplies it.
    """
    if not any(covariates):
        return matrix
    product = matrix.copy()
    for column, names in enumerate(covariates):
        for name in names:
            product[:, column] *= values[name]
    return product
