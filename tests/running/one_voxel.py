"""Every model at one voxel, written down from its definition: with whole matrices, one voxel at a time.

Nothing here is shared with what is tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize, stats

Array = np.ndarray


@dataclass(frozen=True)
class Fit:
    """Coefficients (p,), their covariance (p, p), degrees of freedom, and what was estimated beside them."""

    b: Array
    cov: Array
    dof: float
    tau2: Array | None = None
    weights: Array | None = None
    scale: float | None = None

    def test(self, rows: Array) -> tuple[float, float]:
        """Statistic and p of rows (r, p) of a contrast; two-sided where it is one."""
        rows = np.atleast_2d(rows)
        effect, cov = rows @ self.b, rows @ self.cov @ rows.T
        if len(rows) == 1:
            t = float(effect[0] / np.sqrt(cov[0, 0]))
            return t, float(
                2 * (stats.norm.sf(abs(t)) if np.isinf(self.dof) else stats.t.sf(abs(t), self.dof))
            )
        q = float(effect @ linalg.solve(cov, effect))
        if np.isinf(self.dof):
            return q, float(stats.chi2.sf(q, len(rows)))
        return q / len(rows), float(stats.f.sf(q / len(rows), len(rows), self.dof))


def hat(x: Array) -> Array:
    """The matrix that makes fitted values of data."""
    return x @ linalg.pinv(x)


def least_squares(x: Array, y: Array) -> Fit:
    """Ordinary least squares."""
    n, p = x.shape
    b = linalg.pinv(x) @ y
    s2 = float(np.sum((y - x @ b) ** 2)) / (n - p)
    return Fit(b, s2 * linalg.inv(x.T @ x), n - p, scale=s2**0.5)


def sandwich(x: Array, y: Array, kind: str) -> Fit:
    """Least squares with errors that each have a variance of their own, hc0 to hc4."""
    n, p = x.shape
    h = np.diag(hat(x))
    e = y - hat(x) @ y
    omega = {
        "hc0": np.ones(n),
        "hc1": np.full(n, n / (n - p)),
        "hc2": 1 / (1 - h),
        "hc3": 1 / (1 - h) ** 2,
        "hc4": (1 - h) ** -np.minimum(4, n * h / p),
    }[kind]
    half = linalg.pinv(x)
    return Fit(half @ y, half @ np.diag(omega * e**2) @ half.T, n - p)


def clustered(x: Array, y: Array, codes: Array, kind: str, row: Array) -> Fit:
    """Least squares with errors that go together in clusters; degrees of freedom of one contrast (p,)."""
    n, p = x.shape
    names = np.unique(codes)
    residual, half = np.eye(n) - hat(x), linalg.pinv(x)
    adjust = np.zeros((n, n))
    for name in names:
        own = np.ix_(codes == name, codes == name)
        values, vectors = linalg.eigh(residual[own])
        power = {"c0": 0.0, "c1": 0.0, "c2": -0.5, "c3": -1.0}[kind]
        raised = (
            np.where(values > 1e-9, np.maximum(values, 1e-9) ** power, 0.0) if power else np.ones(len(values))
        )
        adjust[own] = vectors @ np.diag(raised) @ vectors.T
    if kind == "c1":
        adjust *= np.sqrt(len(names) / (len(names) - 1) * (n - 1) / (n - p))
    same = codes[:, None] == codes
    e = adjust @ residual @ y
    cov = half @ (np.outer(e, e) * same) @ half.T
    # Bell and McCaffrey: the variance is a quadratic form in independent errors, sum of (g'y)^2.
    load = row @ half
    g = np.column_stack([residual @ adjust.T @ np.where(codes == name, load, 0.0) for name in names])
    gram = g.T @ g
    return Fit(half @ y, cov, float(np.trace(gram) ** 2 / np.trace(gram @ gram)))


def weighted(x: Array, y: Array, s: Array, tau2: Array | float, *, adjusted: bool = False) -> Fit:
    """Weights 1 / (s + tau2), with Knapp and Hartung's factor if asked."""
    w = 1 / (s + tau2)
    cov = linalg.inv(x.T @ (w[:, None] * x))
    b = cov @ x.T @ (w * y)
    n, p = x.shape
    factor = float(w @ (y - x @ b) ** 2) / (n - p) if adjusted else 1.0
    return Fit(b, factor * cov, n - p, tau2=np.asarray(tau2), weights=w / w.sum())


def fixed(x: Array, y: Array, s: Array) -> Fit:
    """Fixed effects, whose reference is normal."""
    found = weighted(x, y, s, 0.0)
    return Fit(found.b, found.cov, np.inf, weights=found.weights)


def projection(x: Array, v: Array) -> Array:
    """P of the weights 1 / v."""
    w = np.diag(1 / v)
    return w - w @ x @ linalg.solve(x.T @ w @ x, x.T @ w)


def cochran(x: Array, y: Array, s: Array) -> float:
    """Cochran's Q."""
    return float(y @ projection(x, s) @ y)


def between(x: Array, y: Array, s: Array, method: str) -> float:
    """The variance between observations, from its definition."""
    n, p = x.shape
    if method == "dl":
        first = projection(x, s)
        return max(0.0, float((y @ first @ y - (n - p)) / np.trace(first)))
    residual = np.eye(n) - hat(x)
    if method == "hedges":
        return max(0.0, float((y @ residual @ y - np.diag(residual) @ s) / (n - p)))
    if method == "pm":

        def surplus(tau2: float) -> float:
            return float(y @ projection(x, s + tau2) @ y) - (n - p)

        return 0.0 if surplus(0.0) <= 0 else float(optimize.brentq(surplus, 0, 1e4, xtol=1e-13))
    return float(most_likely(x, y, s, np.zeros(n, dtype=int), method)[0])


def most_likely(x: Array, y: Array, s: Array, codes: Array, method: str) -> Array:
    """Variances between observations, one a group, of the largest (restricted) likelihood."""

    def minus(tau2: Array) -> float:
        v = s + tau2[codes]
        total = np.log(v).sum() + y @ projection(x, v) @ y
        restricted = np.linalg.slogdet(x.T @ (x / v[:, None]))[1] if method == "reml" else 0.0
        return float(total + restricted)

    n_groups = codes.max() + 1
    best = None
    for start in (0.01, 1.0, 10.0):
        found = optimize.minimize(
            minus,
            np.full(n_groups, start),
            bounds=[(0, None)] * n_groups,
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-10},
        )
        if best is None or found.fun < best.fun:
            best = found
    assert best is not None
    return np.asarray(best.x)


def robust(x: Array, y: Array, loss: str) -> Fit:
    """An M-estimator by least squares weighted anew until nothing moves; bisquare begins with huber's.

    The scale and its covariance (Huber 1981) are as MASS has them, whose variance of psi' divides by n - 1.
    """
    n, p = x.shape
    b = linalg.lstsq(x, y)[0]
    for kind in dict.fromkeys(["huber", loss]):
        for _ in range(5000):
            e = y - x @ b
            scale = float(np.median(np.abs(e)) / 0.6745)
            w, slope = weight(e / scale, kind)
            before, b = b, linalg.solve(x.T @ (w[:, None] * x), x.T @ (w * y))
            if np.allclose(b, before, rtol=1e-13, atol=1e-14):
                break
    kappa = 1 + p * np.var(slope, ddof=1) / (n * np.mean(slope) ** 2)
    spread = np.sum((w * e) ** 2) / (n - p) * (kappa / np.mean(slope)) ** 2
    return Fit(b, spread * linalg.inv(x.T @ x), n - p, weights=w, scale=scale)


def weight(u: Array, loss: str) -> tuple[Array, Array]:
    """Weight of standardised residuals, and the derivative of psi."""
    size = np.abs(u)
    if loss == "huber":
        return 1.345 / np.maximum(size, 1.345), (size <= 1.345).astype(float)
    square = np.minimum(size / 4.685, 1.0) ** 2
    inside = size <= 4.685
    return np.where(inside, (1 - square) ** 2, 0.0), np.where(inside, (1 - square) * (1 - 5 * square), 0.0)
