"""Covariances that hold where observations of a cluster go together (families, sites).

``cov = sum_g L_g' A_g e_g e_g' A_g' L_g`` with the residuals e of least squares, rows ``L = U (contrast)'``
and an adjustment A_g of each cluster: none (c0, Liang and Zeger 1986, doi:10.1093/biomet/73.1.13), a common
factor (c1), ``(I - H_gg)^-1/2`` (c2, Bell and McCaffrey 2002, Survey Methodology 28:169), which makes the
expected covariance right where errors are in truth independent and alike, or ``(I - H_gg)^-1`` (c3, close to
a jackknife).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.estimators.kinds import ClusterCorrection
from specgl.kernels.estimators.sandwich import TILE

Floats = NDArray[np.float64]
Integers = NDArray[np.integer]

SINGULAR = 1e-10
"""Share of a direction within a cluster that the design leaves free, up to which nothing is left of it."""

CLUSTER_CORRECTIONS: dict[ClusterCorrection, float] = {"c0": 0.0, "c1": 0.0, "c2": -0.5, "c3": -1.0}
"""Power of ``I - H_gg`` in the adjustment."""


def cluster_adjustment(basis: Floats, codes: Integers, correction: ClusterCorrection) -> Floats:
    """What residuals are multiplied by.

    Parameters
    ----------
    basis
        ``(n_obs, k)`` orthonormal basis of the design.
    codes
        ``(n_obs,)`` cluster of each observation; any integers, observations of a cluster in any places.
    correction
        ``c1`` is Stata's: the square root of ``G / (G - 1) * (n - 1) / (n - k)`` for G clusters.

    Returns
    -------
    ndarray
        ``(n_obs, n_obs)`` symmetric, zero between clusters. Directions of a cluster that the design fits
        exactly (`SINGULAR`) get 0: no residual lies along them.

    Raises
    ------
    ValueError
        ``c1`` with fewer than two clusters or without residual degrees of freedom.
    """
    n, k = basis.shape
    _, cluster = np.unique(codes, return_inverse=True)
    n_clusters = int(cluster.max(initial=-1)) + 1
    if correction == "c1":
        if n_clusters < 2 or n <= k:
            raise ValueError(
                f"c1 needs two clusters and residuals: {n_clusters} clusters, {n} rows, rank {k}"
            )
        factor = float(np.sqrt(n_clusters / (n_clusters - 1) * (n - 1) / (n - k)))
        return np.diag(np.full(n, factor))
    adjustment = np.zeros((n, n))
    power = CLUSTER_CORRECTIONS[correction]
    if power == 0.0:
        np.fill_diagonal(adjustment, 1.0)
        return adjustment
    for g in range(n_clusters):
        members = np.flatnonzero(cluster == g)
        own = basis[members]
        values, axes = np.linalg.eigh(np.eye(len(members)) - own @ own.T)
        kept = values > SINGULAR
        scaled = np.where(kept, np.where(kept, values, 1.0) ** power, 0.0)
        adjustment[np.ix_(members, members)] = (axes * scaled) @ axes.T
    return adjustment


def cluster_covariance(rows: Floats, residuals: Floats, adjustment: Floats, codes: Integers) -> Floats:
    """Covariance of contrasts.

    Parameters
    ----------
    rows
        ``(n_obs, r)``: ``U L'`` for contrasts ``L (r, k)`` of the scores on an orthonormal basis U.
    residuals
        ``(n_obs, n_loc)`` of least squares, in the unit of the data.
    adjustment
        ``(n_obs, n_obs)`` of `cluster_adjustment`.
    codes
        ``(n_obs,)`` cluster of each observation.

    Returns
    -------
    ndarray
        ``(r, r, n_loc)``. Observations are added one after the other: the bits of a location do not depend on
        which others are computed with it, as those of a matrix product would.
    """
    m, r = residuals.shape[1], rows.shape[1]
    along = adjustment.T @ rows
    _, cluster = np.unique(codes, return_inverse=True)
    members = [np.flatnonzero(cluster == g) for g in range(int(cluster.max(initial=-1)) + 1)]
    covariance = np.zeros((r, r, m))
    for start in range(0, m, TILE):
        here = slice(start, start + TILE)
        for own in members:
            sums = np.zeros((r, covariance[0, :, here].shape[-1]))
            for i in own:
                for a in range(r):
                    sums[a] += along[i, a] * residuals[i, here]
            for a in range(r):
                for b in range(a + 1):
                    covariance[a, b, here] += sums[a] * sums[b]
    for a in range(r):
        covariance[:a, a] = covariance[a, :a]
    return covariance


def cluster_dof(basis: Floats, rows: Floats, adjustment: Floats, codes: Integers) -> float:
    """Degrees of freedom of a statistic with `cluster_covariance`, were errors independent and alike.

    For one row Satterthwaite's, from mean and variance of the estimated variance (Bell and McCaffrey 2002;
    Imbens and Kolesár 2016, doi:10.1162/REST_a_00552). For r rows the eta of the approximate Hotelling T2
    (Pustejovsky and Tipton 2018, doi:10.1080/07350015.2016.1247004, HTZ): with the Wald statistic Q,
    ``F = (eta - r + 1) / (eta r) * Q`` on ``(r, eta - r + 1)`` degrees of freedom. The estimated covariance
    is standardised by what it is expected to be, so that r = 1 is the same formula.

    Parameters
    ----------
    basis
        ``(n_obs, k)`` orthonormal basis of the design.
    rows, adjustment, codes
        As for `cluster_covariance`.

    Returns
    -------
    float
        NaN where the expected covariance is singular: all observations in one cluster, say. Not above
        ``r - 1`` with too few clusters for r rows: there is no F then.
    """
    r = rows.shape[1]
    along = adjustment.T @ rows
    _, cluster = np.unique(codes, return_inverse=True)
    n_clusters = int(cluster.max(initial=-1)) + 1
    products = np.zeros((n_clusters, r, n_clusters, r))
    own = np.zeros((n_clusters, basis.shape[1], r))
    for g in range(n_clusters):
        here = cluster == g
        products[g, :, g, :] = along[here].T @ along[here]
        own[g] = basis[here].T @ along[here]
    # Covariances of the clusters' sums: p_gs' (I - H) p_ht.
    products -= np.einsum("gka,hkb->gahb", own, own)
    lengths = np.linalg.norm(along, axis=0)  # no unit of a contrast makes the others look like nothing
    if r == 0 or not lengths.min() > 0:
        return float("nan")
    products /= lengths[:, None, None] * lengths
    values, axes = np.linalg.eigh(np.einsum("gagb->ab", products))
    if not values.min() > SINGULAR:
        return float("nan")
    root = (axes / np.sqrt(values)) @ axes.T
    products = np.einsum("as,gahb,bt->gsht", root, products, root, optimize=True)
    # Isserlis: cov(z_gs z_gt, z_hs z_ht) = cov(z_gs, z_hs) cov(z_gt, z_ht) + cov(z_gs, z_ht) cov(z_gt, z_hs).
    total = np.einsum("gshs,gtht->", products, products) + np.einsum("gsht,gths->", products, products)
    return float(r * (r + 1) / total)
