"""v and G where each location has a design of its own: variance groups together with voxelwise covariates."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.welch import FLOOR
from specgl.models.stretches import Floats
from specgl.models.ways import Bases


class SeparateRun(NamedTuple):
    """One contrast at the locations of a run.

    Attributes
    ----------
    covariance
        ``(r, r, m)`` of the contrast's estimates, each group with its own variance.
    dof
        ``(m,)`` of Welch and Satterthwaite.
    factor
        ``(m,)`` what G is divided by; 1 for one row.
    """

    covariance: Floats
    dof: Floats
    factor: Floats


def separate_run(bases: Bases, residuals: Floats, loads: Floats, codes: NDArray[np.int64]) -> SeparateRun:
    """Covariance and degrees of freedom of one contrast (Winkler 2014, equations 8 to 11).

    Parameters
    ----------
    bases
        Of the run.
    residuals
        ``(n, m)`` of least squares.
    loads
        ``(d, r, k)`` of the contrast.
    codes
        ``(n,)`` variance group of each observation.
    """
    held, groups = np.unique(codes, return_inverse=True)
    belongs = (groups[None] == np.arange(held.size)[:, None]).astype(np.float64)
    free = belongs @ (1.0 - bases.leverage())
    sums = belongs @ residuals**2
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = sums / free
        variance = np.maximum(variance, FLOOR * variance.max(axis=0))
        weight = 1.0 / variance
    m = residuals.shape[1]
    inner = np.einsum("dnk,gn,dnl->dgkl", bases.basis, belongs, bases.basis, optimize=True)
    inner = np.broadcast_to(inner, (m, *inner.shape[1:]))
    whole = np.einsum("mgkl,gm->mkl", inner, weight)
    known = np.isfinite(whole).all(axis=(1, 2))
    inverse = np.full_like(whole, np.nan)
    inverse[known] = np.linalg.inv(whole[known])
    load = np.broadcast_to(loads, (m, *loads.shape[1:]))
    covariance = np.einsum("mrk,mkl,msl->rsm", load, inverse, load, optimize=True)
    share = belongs.sum(axis=1)[:, None] * weight
    with np.errstate(divide="ignore", invalid="ignore"):
        share = share / share.sum(axis=0)
        total = ((1.0 - share) ** 2 / free).sum(axis=0)
        r = loads.shape[1]
        dof = r * (r + 2) / (3.0 * total)
    return SeparateRun(covariance, dof, 1.0 + 2.0 * (r - 1) / (r * (r + 2)) * total)
