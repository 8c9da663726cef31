"""How smooth residuals are: what differences between neighbouring voxels tell of the noise.

Residuals of a location, divided by their length, are a direction in as many dimensions as there are degrees
of freedom (Kiebel 1999, doi:10.1006/nimg.1999.0508). The inner products of the differences to the next voxel
along each axis are the local roughness. What they tell of the noise:

* The mean cosine of two neighbours' directions is known for every correlation of the noise (Hotelling 1953),
  and so the correlation follows from it, in small samples and between voxels that are a finite step apart.
  With a Gaussian autocorrelation it is exp(-lambda / 2), where lambda = 4 ln 2 / fwhm^2.
* The root of the determinant, which resels per voxel are, has the noise's as its expectation in the limit of
  smooth noise, whatever the degrees of freedom nu (Worsley 1999, "An unbiased estimator for the roughness of
  a multivariate Gaussian random field"; Taylor and Worsley 2007, doi:10.1198/016214507000000815). A factor
  such as (nu - 2) / (nu - 1), which the products themselves want there, has no place under it. What finite
  steps, and groups with variances of their own, make of it is simulated, once, with the same nu.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]
Values = NDArray[np.floating]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

PER_RESEL = 4 * float(np.log(2.0))
"""lambda of a field whose full width at half maximum is one voxel."""

LEAST = 0.01
"""Neighbours that correlate less are as good as independent; the width is then 0.55 voxels."""

DRAWS = 2**16
"""Draws for the expected root of a determinant, which is then known to some 0.3 per cent."""

MANY_DOF = 100.0
"""Degrees of freedom from which on a hypergeometric series is summed term by term."""

_TILE = 4096
"""Locations whose differences are held together."""


@dataclass(frozen=True, eq=False)
class ResidualSmoothness:
    """How smooth the residuals of a fit are.

    Attributes
    ----------
    fwhm_voxels
        Full width at half maximum along the axes of the grid, in voxels; NaN along an axis of one voxel.
    rpv
        Resels per voxel at each location, ``(n_loc,)``; NaN where no statistic is.
    dof
        Degrees of freedom of the residuals, the smallest where they vary.
    """

    fwhm_voxels: tuple[float, float, float]
    rpv: Floats
    dof: float


@dataclass(frozen=True, eq=False)
class Beside:
    """The voxel beside each voxel along each axis that the voxels extend along.

    Attributes
    ----------
    axes
        The axes, ``(n_axes,)``.
    location
        The next voxel's location, or else the previous one's; -1 where there is neither, ``(n_loc, n_axes)``.
    forward
        Whether it is the next, ``(n_loc, n_axes)``: then the pair has not been met from its other side.
    """

    axes: tuple[int, ...]
    location: Integers
    forward: Booleans


def find_beside(voxels: ArrayLike, usable: Booleans, pattern: Integers | None = None) -> Beside:
    """Find the voxel beside each voxel.

    Parameters
    ----------
    voxels
        Indices i, j, k of each location, ``(n_loc, 3)``.
    usable
        Locations that have residuals, ``(n_loc,)``; others have nothing beside them, and are beside nothing.
    pattern
        Which observations each location has, ``(n_loc,)``: only locations with the same are beside each
        other. None where that does not matter.

    Returns
    -------
    Beside
        Without axes where no location is usable.
    """
    places = np.asarray(voxels, dtype=np.int64)
    here = np.flatnonzero(usable)
    if not here.size:
        return Beside((), np.empty((len(places), 0), np.int64), np.empty((len(places), 0), np.bool_))
    low = places[here].min(axis=0) - 1
    box = places[here].max(axis=0) - low + 2
    at = np.full(int(np.prod(box)), -1, dtype=np.int64)
    flat = np.ravel_multi_index(tuple((places[here] - low).T), tuple(box))
    at[flat] = here
    steps = (int(box[1] * box[2]), int(box[2]), 1)
    axes = tuple(axis for axis in range(3) if box[axis] > 3)  # one voxel with a margin on both sides is 3
    location = np.full((len(places), len(axes)), -1, dtype=np.int64)
    forward = np.zeros(location.shape, dtype=np.bool_)
    for column, axis in enumerate(axes):
        following, previous = at[flat + steps[axis]], at[flat - steps[axis]]
        if pattern is not None:
            # At -1 some pattern is looked at, and the answer is -1 whatever it is.
            following = np.where(pattern[following] == pattern[here], following, -1)
            previous = np.where(pattern[previous] == pattern[here], previous, -1)
        location[here, column] = np.where(following >= 0, following, previous)
        forward[here, column] = following >= 0
    return Beside(axes, location, forward)


def local_roughness(residuals: Values, centres: Integers, beside: Integers) -> Floats:
    """Inner products of the differences between each location's direction and those beside it.

    Parameters
    ----------
    residuals
        Standardised residuals of some locations, ``(n_rows, n_obs)``, NaN where a value is missing; their
        length does not matter.
    centres
        Rows of the locations that are asked about, ``(m,)``.
    beside
        Rows beside each of them, -1 for none, ``(m, n_axes)``.

    Returns
    -------
    ndarray
        ``(m, n_axes, n_axes)``, NaN in rows and columns of axes along which there is none. Two locations'
        directions are those of the observations that both of them have.
    """
    n_axes = beside.shape[1]
    products = np.empty((centres.size, n_axes, n_axes))
    present = np.isfinite(residuals)
    values = np.where(present, residuals, 0)
    complete = bool(present.all())
    if complete:  # then a location's direction is the same beside each of its neighbours
        values = _directions(values)
    for start in range(0, centres.size, _TILE):
        part = slice(start, start + _TILE)
        own = centres[part]
        steps = [
            _between(values, own, other) if complete else _in_common(values, present, own, other)
            for other in beside[part].T
        ]
        for a in range(n_axes):
            for b in range(a + 1):
                found = np.einsum("ij,ij->i", steps[a], steps[b])
                products[part, a, b] = products[part, b, a] = found
    for a in range(n_axes):
        alone = beside[:, a] < 0
        products[alone, a] = products[alone, :, a] = np.nan
    return products


def _between(directions: Values, own: Integers, other: Integers) -> Values:
    """From each location's direction to the other's, ``(m, n_obs)``."""
    step = directions[other]
    step -= directions[own]
    return step


def _in_common(values: Values, present: Booleans, own: Integers, other: Integers) -> Values:
    """The same for the observations that both have; 0 for others."""
    step = _directions(values[other] * present[own])
    step -= _directions(values[own] * present[other])
    return step


def _directions(values: Values) -> Values:
    """Values ``(m, n_obs)`` divided by each row's length; NaN where that is 0."""
    length = np.sqrt(np.einsum("ij,ij->i", values, values))
    length[length == 0] = np.nan
    values /= length[:, None]
    return values


def mean_cosine(correlation: float, dof: ArrayLike) -> Floats:
    """Expected cosine between two residual vectors whose observations correlate.

    Parameters
    ----------
    correlation
        Of the noise at the two locations.
    dof
        Degrees of freedom nu of the residuals, of any shape, at least 1.

    Returns
    -------
    ndarray
        ``rho (2 / nu) (gamma((nu + 1) / 2) / gamma(nu / 2))^2 F(1/2, 1/2; nu / 2 + 1; rho^2)``, as Hotelling
        1953 (doi:10.1111/j.2517-6161.1953.tb00135.x) gives it for ``nu + 1`` observations about their mean.
    """
    nu = np.asarray(dof, dtype=np.float64)
    ratio = special.poch(nu / 2, 0.5)
    small = np.minimum(nu, MANY_DOF)
    series = np.where(
        nu <= MANY_DOF, special.hyp2f1(0.5, 0.5, small / 2 + 1, correlation**2), _series(nu, correlation**2)
    )
    result: Floats = np.asarray(correlation * 2 / nu * ratio**2 * series)
    return result


def _series(nu: Floats, x: float) -> Floats:
    """F(1/2, 1/2; nu / 2 + 1; x) for many degrees of freedom, where the library's may be NaN."""
    k = np.arange(60)  # the ratio of terms is below k / (k + nu / 2): the last is 1e-30 of the first
    ratios = (k + 0.5) ** 2 / ((nu[..., None] / 2 + 1 + k) * (k + 1)) * x
    total: Floats = 1 + np.cumprod(ratios, axis=-1).sum(axis=-1)
    return total


def correlation_behind(cosine: float, dof: Floats, share: Floats) -> float:
    """Correlation of the noise from the mean cosine of neighbours' residuals.

    Parameters
    ----------
    cosine
        The mean.
    dof, share
        Degrees of freedom that occur, and their shares in it, ``(k,)`` each.

    Returns
    -------
    float
        From `LEAST` to below 1.
    """

    def surplus(correlation: float) -> float:
        return float(share @ mean_cosine(correlation, dof)) - cosine

    from scipy.optimize import brentq  # slow to import, and few runs get here

    if surplus(LEAST) >= 0:
        return LEAST
    most = 1 - 1e-12
    return most if surplus(most) <= 0 else float(brentq(surplus, LEAST, most, xtol=1e-14))


def expected_root(rho: Floats, dof: Floats) -> float:
    """Expected root of the determinant of local roughness, where neighbours correlate.

    Parameters
    ----------
    rho
        Correlation of the noise between neighbours along each axis, ``(n_axes,)``; across two axes it is
        the product.
    dof
        Degrees of freedom of the residuals, or of each group of them that is scaled by itself,
        ``(n_groups,)``.

    Returns
    -------
    float
        The mean of `DRAWS` draws from Wishart distributions (Bartlett 1933), always the same ones.
    """
    rng = np.random.Generator(np.random.Philox(key=0))
    correlations = np.outer(np.append(1.0, rho), np.append(1.0, rho))
    np.fill_diagonal(correlations, 1.0)
    root = np.linalg.cholesky(correlations)
    products = np.zeros((DRAWS, rho.size, rho.size))
    for nu in dof:
        size = rho.size + 1
        factor = np.tril(rng.standard_normal((DRAWS, size, size)), -1)
        for k in range(size):
            if nu > k:
                factor[:, k, k] = np.sqrt(rng.chisquare(nu - k, DRAWS))
            else:  # vectors of fewer dimensions than there are of them
                factor[:, :, k] = 0.0
        rows = root @ factor
        rows /= np.linalg.norm(rows, axis=2, keepdims=True)
        steps = rows[:, 1:] - rows[:, :1]
        products += nu / dof.sum() * (steps @ np.swapaxes(steps, 1, 2))
    return float(np.sqrt(np.maximum(np.linalg.det(products), 0.0)).mean())


def settle_smoothness(
    products: Floats, beside: Beside, tested: Booleans, dof: Floats, share: Floats
) -> ResidualSmoothness:
    """Smoothness from local roughness.

    Parameters
    ----------
    products
        What `local_roughness` gives for all locations, ``(n_loc, n_axes, n_axes)``.
    beside
        What they were taken between.
    tested
        Locations that have a statistic, ``(n_loc,)``.
    dof
        Degrees of freedom of the residuals, or of each group of them that is scaled by itself, under each
        pattern of missing values, ``(n_pat, n_groups)``.
    share
        Share of the locations that have the pattern, ``(n_pat,)``.

    Returns
    -------
    ResidualSmoothness
        ``dof`` is the smallest sum over groups. Locations without a neighbour along one of the axes have the
        mean of `rpv`. The widths' ratios are those of the axes' mean roughness, and ``prod 1 / fwhm`` is the
        mean of `rpv`.

    Raises
    ------
    ValueError
        When there is no location with a neighbour along each axis, or the residuals do not differ there.
    """
    n_axes = len(beside.axes)
    squares = [products[beside.forward[:, a], a, a] for a in range(n_axes)]
    squares = [one[np.isfinite(one)] for one in squares]
    usable = np.isfinite(products).all(axis=(1, 2)) & (n_axes > 0)
    if not usable.any() or any(not one.size for one in squares):
        raise ValueError("no voxel has neighbours along all axes")
    weights = share[:, None] * dof / dof.sum(axis=1, keepdims=True)
    occurring, index = np.unique(dof[dof > 0], return_inverse=True)
    weight = np.bincount(index, weights=weights[dof > 0]).astype(np.float64)
    rho = np.array(
        [correlation_behind(1 - float(one.mean()) / 2, occurring, weight) for one in squares],
        dtype=np.float64,
    )
    roughness = -2 * np.log(rho)
    local = np.sqrt(np.maximum(np.linalg.det(products[usable]), 0.0) * np.prod(roughness) / PER_RESEL**n_axes)
    expected = expected_root(rho, share @ dof)
    if not (expected > 0 and local.any()):
        raise ValueError("there are too few degrees of freedom")
    local /= expected
    mean = float(local.mean())
    rpv = np.where(tested, mean, np.nan)
    rpv[usable] = local
    widths = np.sqrt(PER_RESEL / roughness)
    widths *= (1 / mean / np.prod(widths)) ** (1 / n_axes)
    return ResidualSmoothness(_by_axis(beside.axes, widths), rpv, float(dof.sum(axis=1).min()))


def _by_axis(axes: Sequence[int], widths: Floats) -> tuple[float, float, float]:
    every = [float("nan")] * 3
    for axis, width in zip(axes, widths, strict=True):
        every[axis] = float(width)
    return every[0], every[1], every[2]
