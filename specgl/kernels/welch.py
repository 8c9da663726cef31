"""Statistics for groups of observations that have variances of their own: Welch's v, and G for several rows.

With ``W_g`` the reciprocal of group g's residual variance, ``G = b'C (C'(M'WM)^-1 C)^-1 C'b / (r L)`` for the
ordinary least-squares ``b``; v is its signed root for one row (Winkler 2014,
doi:10.1016/j.neuroimage.2014.01.060, equations 8 to 11; Welch 1951, doi:10.1093/biomet/38.3-4.330).

All is done in an orthonormal basis ``U`` of the model's columns whose last ``r`` are the tested part. Then
``M'WM`` is ``sum_g W_g U_g'U_g``, of the same small matrices at every location. Where these have common axes
(two groups always do, since the matrices add up to the identity) the sum is inverted axis by axis; else
the matrix in the middle of G is the last diagonal block of the sum's Cholesky factor times its transpose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

KINDS: dict[str, str] = {"t": "v", "F": "G"}
"""Letter of the statistic with variance groups, by that without."""

NO_RESIDUAL = 1e-6
"""Residual degrees of freedom of a group below which there are none: rounding leaves some 1e-13."""

FLOOR = 1e-8
"""A group's variance counts as at least this share of the largest one, so that a group whose values happen to
be equal (outside a lesion, say) leaves the statistic finite, and equal for equal data."""

_DEPENDENT = 1e-10
_COMMON = 1e-11  # what products between different axes may be, of matrices with entries up to 1
_CELLS = 2**20  # of the small matrices of the locations worked on together


def residual_dof(
    basis: Floats,
    groups: NDArray[np.integer],
    blocks: NDArray[np.integer] | None,
    n_groups: int,
) -> Floats:
    """Residual degrees of freedom of each group: what the model leaves of its observations.

    Parameters
    ----------
    basis
        ``(n, k)`` orthonormal basis of the model beside its blocks.
    groups
        ``(n,)`` group of each observation, in the basis' order.
    blocks
        ``(n,)`` block of each, in the same order, or None.
    n_groups
        Number of groups.

    Returns
    -------
    ndarray
        ``(n_groups,)``, 0 for a group without observations; up to `NO_RESIDUAL` there is none.
    """
    left = 1 - np.einsum("ij,ij->i", basis, basis)
    if blocks is not None:
        _, of_row, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
        left -= 1 / sizes[of_row]
    return np.bincount(groups, weights=left, minlength=n_groups).astype(np.float64)


@dataclass(frozen=True, eq=False)
class GroupGeometry:
    """What v or G of one contrast needs of the design, for one pattern of missing values.

    Attributes
    ----------
    gram
        ``(n_groups, k, k)`` the basis' products with itself within each group; they add up to the identity.
        The tested part stands last.
    axes
        ``(n_groups, k)`` the products along their common axes; of no length where there are none.
    loads
        ``(k, r)`` the tested part along those axes.
    residual
        ``(n_groups,)`` residual degrees of freedom of each group: the sum of its diagonal of R.
    sizes
        ``(n_groups,)`` observations of each group.
    groups
        ``(n_groups,)`` which groups: those that have an observation.
    rank
        Rank r of the contrast.
    dof
        Residual degrees of freedom of the model, n - rank.
    """

    gram: Floats
    axes: Floats
    loads: Floats
    residual: Floats
    sizes: Floats
    groups: NDArray[np.int64]
    rank: int
    dof: float

    @property
    def usable(self) -> bool:
        """Whether every group has residuals from which its variance can be estimated."""
        return self.dof > 0 and bool((self.residual > NO_RESIDUAL).all())

    @property
    def scale(self) -> float:
        """What the sum of Welch and Satterthwaite is multiplied by to give the reciprocal of dof."""
        return 3.0 / (self.rank * (self.rank + 2))

    def dof_bounds(self) -> tuple[float, float]:
        """Smallest and largest denominator degrees of freedom that any variances can give."""
        if len(self.groups) == 1:
            return self.dof, self.dof
        inverse = 1 / self.residual
        # The sum is convex in the shares of the groups: largest where one group has all the weight, and by
        # Cauchy's inequality no smaller than the second.
        most = float(inverse.sum() - inverse.min())
        least = (len(self.groups) - 1) ** 2 / float(self.residual.sum())
        return 1 / (self.scale * most), 1 / (self.scale * least)


@dataclass(frozen=True, eq=False)
class Separate:
    """The statistic at each location.

    Attributes
    ----------
    stat
        ``(n_loc,)`` G; for one row its square root too is wanted, see `precision`. NaN where no group has
        any residual variance.
    dof
        ``(n_loc,)`` denominator degrees of freedom.
    precision
        ``(n_loc,)`` for one row the reciprocal of the variance of the score on the tested part, so that
        ``v = score * sqrt(precision)``; for several rows the sum over them.
    floored
        ``(n_loc,)`` bool: the contrast draws on nothing but groups without residual variance.
    """

    stat: Floats
    dof: Floats
    precision: Floats
    floored: NDArray[np.bool_]


def group_geometry(x: Floats, z: Floats, groups: NDArray[np.integer], dof: float) -> GroupGeometry:
    """Prepare one contrast.

    Parameters
    ----------
    x
        ``(n, r)`` orthonormal basis of the tested part of the model.
    z
        ``(n, q)`` orthonormal basis of the rest of its columns.
    groups
        ``(n,)`` group of each observation.
    dof
        Residual degrees of freedom, ``n - r - q``.
    """
    held, codes = np.unique(groups, return_inverse=True)
    basis = np.column_stack([z, x])
    gram = np.stack([basis[codes == g].T @ basis[codes == g] for g in range(held.size)])
    sizes = np.bincount(codes, minlength=held.size).astype(np.float64)
    residual = sizes - np.einsum("gkk->g", gram)
    small = _reduced(gram, x.shape[1])
    axes, loads = _common_axes(small, x.shape[1])
    return GroupGeometry(
        gram=small,
        axes=axes,
        loads=loads,
        residual=residual,
        sizes=sizes,
        groups=held.astype(np.int64),
        rank=x.shape[1],
        dof=float(dof),
    )


def group_sums(residuals: Floats, groups: NDArray[np.integer], n_groups: int) -> Floats:
    """Sums of squares ``(n_groups, n_loc)`` of residuals ``(n, n_loc)``; 0 for groups without rows."""
    sums = np.zeros((n_groups, residuals.shape[1]))
    for group in range(n_groups):
        own = residuals[groups == group]
        sums[group] = np.einsum("ij,ij->j", own, own)
    return sums


def separate_statistic(scores: Floats, sums: Floats, geometry: GroupGeometry) -> Separate:
    """G at each location.

    Parameters
    ----------
    scores
        ``(r, n_loc)`` products of the tested part's basis with the data.
    sums
        ``(n_groups, n_loc)`` residual sums of squares of the geometry's groups.
    geometry
        A usable geometry.

    Returns
    -------
    Separate
        With one group: F and its degrees of freedom.
    """
    n_loc = scores.shape[1]
    stat, dof, precision = np.empty(n_loc), np.empty(n_loc), np.empty(n_loc)
    floored = np.empty(n_loc, dtype=bool)
    step = max(1, _CELLS // geometry.gram[0].size)
    for start in range(0, n_loc, step):
        here = slice(start, start + step)
        variance = sums[:, here] / geometry.residual[:, None]
        largest = variance.max(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):  # nothing varies: NaN
            weight = 1 / np.maximum(variance / largest, FLOOR)
            dof[here], spread = _degrees(geometry, weight)
            along = scores[:, here]
            if geometry.rank == 1:
                inner = _precision(geometry, weight)
                square = along[0] ** 2 * inner
            else:
                square, inner = _quadratic(geometry, weight, along)
            floored[here] = ~(inner < 0.25 / FLOOR)
            precision[here] = inner / largest
            stat[here] = square / (geometry.rank * spread * largest)
    return Separate(stat, dof, precision, floored)


def _precision(geometry: GroupGeometry, weight: Floats) -> Floats:
    """``(n_loc,)`` reciprocal of the variance of the score on one row's tested part."""
    if geometry.axes.size:
        variance: Floats = np.einsum("k,kl->l", geometry.loads[:, 0] ** 2, 1 / (geometry.axes.T @ weight))
        return 1 / variance
    inner: Floats = _cholesky(geometry, weight)[:, -1, -1] ** 2
    return inner


def _quadratic(geometry: GroupGeometry, weight: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """``(n_loc,)`` the scores' squared length in the metric of G, and the metric's trace."""
    r = geometry.rank
    if geometry.axes.size:
        spread = np.einsum("ki,kj,kl->lij", geometry.loads, geometry.loads, 1 / (geometry.axes.T @ weight))
        known = np.isfinite(spread).all(axis=(1, 2))
        metric = np.full_like(spread, np.nan)
        metric[known] = np.linalg.inv(spread[known])
        return np.einsum("il,lij,jl->l", scores, metric, scores), np.einsum("lii->l", metric)
    root = _cholesky(geometry, weight)[:, -r:, -r:]
    along = np.einsum("lij,il->jl", root, scores)
    return np.einsum("jl,jl->l", along, along), np.einsum("lij,lij->l", root, root)


def _cholesky(geometry: GroupGeometry, weight: Floats) -> Floats:
    """``(n_loc, k, k)`` lower triangular factor of the weighted products; NaN where a weight is."""
    known = np.isfinite(weight.sum(axis=0))
    whole = np.einsum("gij,gl->lij", geometry.gram, np.where(known, weight, 1.0))
    return np.where(known[:, None, None], np.linalg.cholesky(whole), np.nan)


def _degrees(geometry: GroupGeometry, weight: Floats) -> tuple[Floats, Floats]:
    """Denominator degrees of freedom, and the factor that G is divided by, each ``(n_loc,)``."""
    if len(geometry.groups) == 1:
        return np.full(weight.shape[1], geometry.dof), np.ones(weight.shape[1])
    share = geometry.sizes[:, None] * weight
    share = share / share.sum(axis=0)
    total = ((1 - share) ** 2 / geometry.residual[:, None]).sum(axis=0)
    r = geometry.rank
    return 1 / (geometry.scale * total), 1 + 2 * (r - 1) / (r * (r + 2)) * total


def _reduced(gram: Floats, r: int) -> Floats:
    """The same products in a smaller basis, where the model has columns that the tested part never meets.

    The smallest space that holds the tested part and that every group's products map into itself is all
    that the result depends on: a Krylov space. Pairs whose means are taken out have as many columns as
    there are pairs, and yet a space of two.
    """
    k = gram.shape[1]
    kept = np.eye(k)[:, k - r :]
    fresh = kept
    while fresh.shape[1] and kept.shape[1] < k:
        found: list[Floats] = []
        for column in np.concatenate([g @ fresh for g in gram[:-1]] or [kept[:, :0]], axis=1).T:
            known = np.column_stack([kept, *found])
            rest = column - known @ (known.T @ column)
            rest -= known @ (known.T @ rest)
            length = np.linalg.norm(rest)
            if length > _DEPENDENT:
                found.append(rest / length)
        fresh = np.column_stack(found) if found else kept[:, :0]
        kept = np.column_stack([fresh, kept])
    result: Floats = np.einsum("ia,gij,jb->gab", kept, gram, kept)
    return result


def _common_axes(gram: Floats, r: int) -> tuple[Floats, Floats]:
    """The products along axes that all groups share, and the tested part along them; else nothing."""
    n_groups, k = gram.shape[:2]
    # Any mixture whose weights are no simple ratios has the common axes, if there are any.
    _, turn = np.linalg.eigh(np.einsum("g,gij->ij", np.sqrt(np.arange(n_groups) + 2.0), gram))
    turned = np.einsum("ia,gij,jb->gab", turn, gram, turn)
    axes = np.einsum("gkk->gk", turned).copy()
    turned -= np.einsum("gk,kl->gkl", axes, np.eye(k))
    if np.abs(turned).max(initial=0.0) > _COMMON:
        return np.empty((n_groups, 0)), np.empty((0, r))
    axes[np.abs(axes) < _COMMON] = 0.0
    return axes, turn[k - r :].T.copy()
