"""How a model is estimated at one place: coefficients, and what gives the variance of their combinations.

=====================  ======================================================================================
least squares          one residual variance; with variance groups one a group, degrees of freedom by
                       Satterthwaite (1946, doi:10.2307/3002019); HC errors and clusters by their sandwiches
fixed, mixed effects   weights are reciprocals of variances, so that ``(X'WX)^-1`` is the covariance
robust                 the fit itself, made again: Huber's covariance knows more than its weights
=====================  ======================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specgl.errors import UsageError
from specgl.kernels.estimators import cluster_adjustment, cluster_dof, hc_factors
from specgl.kernels.statistics import unit_dummies
from specgl.plot.volumes import Floats

Codes = NDArray[np.int64]
Dof = float | Callable[[Floats], Floats]

_RANK = 1e-9
"""Relative to the largest singular value, below which there is none."""

_FREE = 1e-6
"""Residual degrees of freedom that are none."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What adds to the variance of combinations ``(m, p)`` of the coefficients: ``variance |rows lead|^2``.

    Attributes
    ----------
    lead
        ``(p, q)``.
    variance
        NaN where nothing tells it.
    dof
        Degrees of freedom of the variance, infinite where it is known; or a function that gives them ``(m,)``
        for each of the rows.
    """

    lead: Floats
    variance: float
    dof: Dof


@dataclass(frozen=True, slots=True, eq=False)
class Estimated:
    """A fit at one place.

    Attributes
    ----------
    b
        Coefficients (p,).
    parts
        What the variance of a combination is the sum of.
    told
        What is to be known of the errors that intervals take, in a few words; empty for independent errors of
        one variance, or one a group.
    """

    b: Floats
    parts: tuple[Part, ...]
    told: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """What a model is estimated from at one place, n observations.

    Attributes
    ----------
    x, y
        The design (n, p) and the values (n,); with blocks, without their means.
    weights
        Of fixed, mixed and robust fits (n,); None for least squares.
    groups
        Variance group of each observation, counted from 0.
    blocks
        Block of each, counted from 0; None without blocks.
    clusters
        Cluster of each; None where errors have none, or where it is not known.
    """

    x: Floats
    y: Floats
    weights: Floats | None
    groups: Codes
    blocks: Codes | None
    clusters: Codes | None


def estimate(place: Place, model: Mapping[str, Any]) -> Estimated:
    """Fit the model at one place.

    Parameters
    ----------
    place
        The numbers.
    model
        The section ``model`` of the resolved spec; empty for least squares.

    Raises
    ------
    UsageError
        When weights are needed and not known.
    """
    estimator: Mapping[str, Any] = model.get("estimator") or {}
    method = estimator.get("method", "ols")
    if method in ("fixed_effects", "mixed_effects"):
        return _weighted(place, method == "mixed_effects", estimator.get("adjustment") == "knapp_hartung")
    if method == "robust":
        return _robust(place, estimator["loss"])
    solved = _solve(place)
    errors: Mapping[str, Any] = model.get("errors") or {}
    kind = str(errors.get("type", "homoscedastic"))
    if kind == "cluster":
        return _clustered(solved, place, errors)
    return _alike(solved, place) if kind == "homoscedastic" else _sandwich(solved, kind)


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    """Least squares: ``inverse (p, n)`` makes coefficients of data; the basis has columns for blocks."""

    inverse: Floats
    basis: Floats
    b: Floats
    residuals: Floats


def _solve(place: Place) -> _Solved:
    left, inverse = _inverse(place.x)
    basis = left if place.blocks is None else np.column_stack([left, unit_dummies(place.blocks)])
    b = inverse @ place.y
    return _Solved(inverse, basis, b, place.y - place.x @ b)


def _inverse(x: Floats) -> tuple[Floats, Floats]:
    """An orthonormal basis ``(n, k)`` and the pseudoinverse ``(p, n)``."""
    left, singular, right = np.linalg.svd(x, full_matrices=False)
    kept = singular > _RANK * max(float(singular.max(initial=0.0)), 1e-300)
    left = left[:, kept]
    return left, (right[kept].T / singular[kept]) @ left.T


def _alike(solved: _Solved, place: Place) -> Estimated:
    """Errors of one variance, or of one in each group."""
    free = 1 - (solved.basis**2).sum(axis=1)
    parts = []
    for group in range(int(place.groups.max(initial=0)) + 1):
        own = place.groups == group
        dof = float(free[own].sum())
        dof = dof if dof > _FREE else 0.0
        variance = float((solved.residuals[own] ** 2).sum()) / dof if dof else np.nan
        parts.append(Part(solved.inverse[:, own], variance, dof))
    return Estimated(solved.b, tuple(parts))


def _sandwich(solved: _Solved, kind: str) -> Estimated:
    """Errors of a variance each: hc0 to hc4, see `specgl.kernels.estimators.hc_factors`."""
    n, rank = solved.basis.shape
    factors = hc_factors((solved.basis**2).sum(axis=1), kind, rank)  # type: ignore[arg-type]  # a word that the spec has checked
    lead = solved.inverse * (np.sqrt(factors) * solved.residuals)
    return Estimated(solved.b, (Part(lead, 1.0, float(n - rank)),), f"{kind.upper()} errors")


def _clustered(solved: _Solved, place: Place, errors: Mapping[str, Any]) -> Estimated:
    """Errors that go together within clusters, degrees of freedom for each row (Bell and McCaffrey 2002)."""
    if place.clusters is None:
        alike = _alike(solved, place)
        return Estimated(alike.b, alike.parts, "as if errors were independent")
    _, codes = np.unique(place.clusters, return_inverse=True)
    n, rank = solved.basis.shape
    count = int(codes.max(initial=-1)) + 1
    told = f"{count} clusters of {errors['by']}"
    if count < 2 or n <= rank:
        return Estimated(solved.b, (Part(solved.inverse, np.nan, 0.0),), told)
    adjustment = cluster_adjustment(solved.basis, codes, errors["correction"])
    members = (codes[:, None] == np.arange(count)).astype(np.float64)
    lead = solved.inverse @ ((adjustment @ solved.residuals)[:, None] * members)

    def dof(rows: Floats) -> Floats:
        along = rows @ solved.inverse
        return np.array([cluster_dof(solved.basis, row[:, None], adjustment, codes) for row in along])

    return Estimated(solved.b, (Part(lead, 1.0, dof),), told)


def _weighted(place: Place, mixed: bool, adjusted: bool) -> Estimated:
    """Weights that are reciprocals of variances; of fixed effects these are known."""
    if place.weights is None:
        raise UsageError("the bundle keeps no weights of its peaks")
    root = np.sqrt(place.weights)
    left, inverse = _inverse(place.x * root[:, None])
    dof = float(len(left) - left.shape[1])
    b = inverse @ (root * place.y)
    scale = 1.0
    if adjusted:  # Knapp and Hartung 2003, doi:10.1002/sim.1482
        squares = float((place.weights * (place.y - place.x @ b) ** 2).sum())
        scale = squares / dof if dof > 0 else np.nan
    return Estimated(b, (Part(inverse, scale, dof if mixed else np.inf),))


def _robust(place: Place, loss: str) -> Estimated:
    from specgl.kernels.estimators.robust import fit_robust  # imports numba: half a second

    left, inverse = _inverse(place.x)
    found = fit_robust(left[None], place.y[:, None], loss)  # type: ignore[arg-type]  # likewise
    lead = inverse @ left
    dof = float(len(left) - left.shape[1])
    return Estimated(lead @ found.scores[:, 0], (Part(lead, float(found.variance[0]), dof),))
