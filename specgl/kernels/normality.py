"""Whether residuals look normal: the omnibus test of D'Agostino and Pearson.

``K^2`` is the sum of squares of two deviates, of the sample's skewness (D'Agostino 1970,
doi:10.1093/biomet/57.3.679) and of its kurtosis (Anscombe and Glynn 1983, doi:10.1093/biomet/70.1.227), and
is compared with chi-square of 2 degrees of freedom (D'Agostino and Pearson 1973,
doi:10.1093/biomet/60.3.613).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_OBSERVATIONS = 8
"""Observations below which the skewness has no deviate, and no p is given."""

_CONSTANT = 1e-10  # of the column's own size: what varies less has residuals of rounding
_CELLS = 2**20


def omnibus_p(residuals: Floats) -> Floats:
    """P-values of the omnibus test of normality.

    Residuals of a model are correlated and nearer to normal than the errors are, so that the test is
    conservative where the model has many columns beside its observations.

    Parameters
    ----------
    residuals
        ``(n, n_loc)``; a column with a NaN gives NaN.

    Returns
    -------
    ndarray
        ``(n_loc,)``: small where the residuals are skewed, or have heavy or light tails. NaN for fewer than
        `LEAST_OBSERVATIONS` rows and for columns that do not vary.
    """
    n, n_loc = residuals.shape
    found = np.full(n_loc, np.nan)
    if n < LEAST_OBSERVATIONS:
        return found
    from scipy.stats import normaltest  # here: it is slow to import, and seldom wanted

    step = max(1, _CELLS // n)
    for start in range(0, n_loc, step):
        part = residuals[:, start : start + step].astype(np.float64)
        part[:, ~np.isfinite(part).all(axis=0)] = 0.0
        centred = part - part.mean(axis=0)
        size = np.abs(part).max(axis=0)
        varies = np.abs(centred).max(axis=0) > _CONSTANT * size
        if varies.any():
            # In units of their own size: powers of four of tiny residuals would vanish.
            kept = centred[:, varies] / size[varies]
            found[start : start + step][varies] = normaltest(kept, axis=0).pvalue
    return found
