"""The minimum of several statistics, as a conjunction takes it.

Nichols and others 2005, doi:10.1016/j.neuroimage.2004.12.005.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.tails import Alternative

Floats = NDArray[np.float64]


def least(values: Floats, alternative: Alternative, *, order: Floats | None = None) -> Floats:
    """The least extreme of several signed statistics in a direction.

    Parameters
    ----------
    values
        ``(n_members, n_loc)``.
    alternative
        ``greater``: the smallest; ``less``: the largest; ``two-sided``: the one nearest to 0 where all have
        one sign, else 0.
    order
        What decides which is least, ``(n_members, n_loc)``; the values themselves where left out.

    Returns
    -------
    ndarray
        ``(n_loc,)``, NaN where any of them is NaN.
    """
    order = values if order is None else order
    lacking = np.isnan(order).any(axis=0)
    chosen = _CHOSEN[alternative](np.where(lacking, 0.0, order))
    found: Floats = np.take_along_axis(values, chosen[None], axis=0)[0]
    found = np.where(mixed(order, alternative), 0.0, found)
    return np.where(lacking, np.nan, found)


_CHOSEN: dict[str, Callable[[Floats], NDArray[np.intp]]] = {
    "greater": lambda order: np.argmin(order, axis=0),
    "less": lambda order: np.argmax(order, axis=0),
    "two-sided": lambda order: np.argmin(np.abs(order), axis=0),
}


def mixed(values: Floats, alternative: Alternative) -> NDArray[np.bool_]:
    """Where statistics ``(n_members, n_loc)`` of a two-sided conjunction have no common sign."""
    if alternative != "two-sided":
        return np.zeros(values.shape[1], dtype=bool)
    agree = np.all(values > 0, axis=0) | np.all(values < 0, axis=0)
    return np.asarray(~(agree | np.isnan(values).any(axis=0)))
