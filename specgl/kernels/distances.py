"""How far each observation is from the others, in the few directions in which the residuals vary most.

With more locations than observations there is no covariance matrix to invert. The distance is Mahalanobis'
in the space of the leading principal components of the standardised residuals, which are found from the
products of observations alone, ``(n, n)``, added up over tiles of locations.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

_MOST_COMPONENTS = 10
_EMPTY = 1e-10  # of the largest eigenvalue: rounding leaves some 1e-15 where the model took a direction out


class Distances(NamedTuple):
    """Distances of the observations, and the components that they were measured in.

    Attributes
    ----------
    distance
        ``(n,)`` Mahalanobis distances, at most ``(n - 1) / sqrt(n)``.
    n_components
        Number of components, at most the number asked for: the degrees of freedom of `reference`.
    """

    distance: Floats
    n_components: int


def components(n_obs: int) -> int:
    """Number of principal components in which distances are measured: a third of n - 1, from 1 to 10.

    With as many components as residuals have degrees of freedom, every observation is equally far from all
    others, whatever it looks like: a third leaves three observations for each direction. More than ten would
    add directions of noise, in which an outlying observation drowns.
    """
    return max(1, min(_MOST_COMPONENTS, (n_obs - 1) // 3))


def gram_tile(residuals: Floats) -> Floats:
    """Products of the observations over a tile of locations, to be added up.

    Parameters
    ----------
    residuals
        ``(n, n_loc)`` residuals in units of each location's residual standard deviation, so that no location
        weighs more than another. A NaN counts as 0, its expectation.

    Returns
    -------
    ndarray
        ``(n, n)``.
    """
    known = np.nan_to_num(residuals.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    products: Floats = known @ known.T
    return products


def mahalanobis(gram: Floats, n_components: int) -> Distances:
    """Distances ``d_i^2 = (n - 1) sum_k u_ik^2`` with the leading eigenvectors u of the centred products.

    The scores on component k are ``u_k`` times the root of its eigenvalue, and their variance is that
    eigenvalue over n - 1: the eigenvalues cancel (Mardia, Kent and Bibby 1979, chapter 8).

    Parameters
    ----------
    gram
        ``(n, n)`` products of the observations, n at least 2.
    n_components
        Components asked for; directions without variance are not counted.

    Returns
    -------
    Distances
        NaN distances and no component where nothing varies.
    """
    n = gram.shape[0]
    rows = gram - gram.mean(axis=0)
    centred = rows - rows.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh((centred + centred.T) / 2)
    values, vectors = values[::-1], vectors[:, ::-1]
    size = np.abs(np.diag(gram)).max(initial=0.0)
    full = int(np.count_nonzero(values > _EMPTY * max(values[0], _EMPTY * size)))
    kept = min(n_components, full) if values[0] > _EMPTY * size else 0
    if kept == 0:
        return Distances(np.full(n, np.nan), 0)
    leading = vectors[:, :kept]
    return Distances(np.sqrt((n - 1) * np.einsum("ik,ik->i", leading, leading)), kept)


def reference(n_components: int, probability: float) -> float:
    """Distance that an observation of a normal sample exceeds with a probability.

    The root of chi-square's quantile with a degree of freedom for each component. It is that of a large
    sample and of directions known beforehand: those found in the data themselves lean towards the furthest
    observations. It is a line to look at, and no test.
    """
    return float(np.sqrt(special.chdtri(n_components, probability)))
