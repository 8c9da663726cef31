"""The estimators by the formulas of the papers, one location at a time, with no thought of speed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize, special

Array = np.ndarray


def gls(x: Array, y: Array, variances: Array) -> tuple[Array, Array, Array]:
    """Coefficients, their covariance, and the matrix P with Py = W(y - Xb), of weights 1 / variances."""
    root = 1 / np.sqrt(variances)
    q, r = np.linalg.qr(x * root[:, None])
    b = np.linalg.solve(r, q.T @ (y * root))
    inverse = np.linalg.inv(r)
    p = root[:, None] * (np.eye(len(y)) - q @ q.T) * root
    return b, inverse @ inverse.T, p


# --- tau2 -----------------------------------------------------------------------------------------


def likelihoods(x: Array, y: Array, variances: Array, restricted: bool) -> Array:
    """Logarithm of the (restricted) likelihood of each row of variances, up to a constant."""
    root = 1 / np.sqrt(variances)
    q, r = np.linalg.qr(x * root[..., None])
    yw = y * root
    rest = yw - np.einsum("gik,gk->gi", q, np.einsum("gik,gi->gk", q, yw))
    told = -0.5 * np.log(variances).sum(axis=1) - 0.5 * (rest**2).sum(axis=1)
    return np.asarray(told - restricted * np.log(np.abs(np.einsum("gkk->gk", r))).sum(axis=1))


def score(x: Array, y: Array, variances: Array, restricted: bool) -> Array:
    """Derivative of `likelihood` by each observation's variance; their sum is that by a shared tau2."""
    _, _, p = gls(x, y, variances)
    return 0.5 * ((p @ y) ** 2 - (np.diag(p) if restricted else 1 / variances))


def by_dense_search(x: Array, y: Array, v: Array, restricted: bool) -> float:
    """tau2 of the global maximum: the best of 2,000 over 16 decades, then the root of the score there."""
    scale = v.mean() + y.var()
    grid = np.concatenate([[0.0], scale * np.geomspace(1e-12, 1e4, 2000)])
    told = likelihoods(x, y, v + grid[:, None], restricted)
    best = int(np.argmax(told))

    def slope(tau2: float) -> float:
        return float(score(x, y, v + tau2, restricted).sum())

    if best == 0 or (best == 1 and slope(0.0) <= 0):
        return 0.0
    low, high = grid[best - 1], grid[best + 1]
    return float(optimize.brentq(slope, low, high, xtol=1e-15 * scale, rtol=1e-14))


def by_moments(x: Array, y: Array, v: Array, groups: Array, weights: Array) -> Array:
    """DerSimonian and Laird's (weights 1/v) or Hedges' (weights 1) tau2 of each group.

    The expectation of a group's sum of w r^2, r = (I - H)y of the weighted fit, is linear in all tau2.
    Where one comes out negative it is 0, and the others are solved again without it.
    """
    n, n_groups = len(y), int(groups.max()) + 1
    h = x @ np.linalg.solve(x.T @ (weights[:, None] * x), x.T * weights)
    left = np.eye(n) - h
    squares = weights * (left @ y) ** 2
    share = weights[:, None] * left**2
    system = np.array(
        [[share[groups == a][:, groups == b].sum() for b in range(n_groups)] for a in range(n_groups)]
    )
    seen = np.array([squares[groups == a].sum() - (share[groups == a] @ v).sum() for a in range(n_groups)])
    free = list(range(n_groups))
    tau2 = np.zeros(n_groups)
    while free:
        tau2[:] = 0
        tau2[free] = np.linalg.solve(system[np.ix_(free, free)], seen[free])
        if (tau2 >= 0).all():
            break
        free = [g for g in free if tau2[g] > 0]
        tau2 = np.maximum(tau2, 0)
    return tau2


def paule_mandel(x: Array, y: Array, v: Array) -> float:
    """Root of y'P(tau2)y = n - p, which falls with tau2."""
    free = len(y) - x.shape[1]

    def excess(tau2: float) -> float:
        return float(y @ gls(x, y, v + tau2)[2] @ y) - free

    if excess(0.0) <= 0:
        return 0.0
    high = y.var() + v.mean()
    while excess(high) > 0:
        high *= 2
    return float(optimize.brentq(excess, 0, high, xtol=1e-15, rtol=1e-14, maxiter=1000))


def tau2_of(x: Array, y: Array, v: Array, method: str) -> float:
    """One tau2 for all observations."""
    one = np.zeros(len(y), dtype=int)
    table: dict[str, Callable[[], float]] = {
        "DL": lambda: float(by_moments(x, y, v, one, 1 / v)[0]),
        "HE": lambda: float(by_moments(x, y, v, one, np.ones(len(y)))[0]),
        "PM": lambda: paule_mandel(x, y, v),
        "ML": lambda: by_dense_search(x, y, v, False),
        "REML": lambda: by_dense_search(x, y, v, True),
    }
    return table[method]()


def two_by_search(x: Array, y: Array, v: Array, groups: Array, restricted: bool) -> Array:
    """tau2 of two groups: a grid over both, then each at its own maximum in turn until neither moves."""
    scale = v.mean() + y.var()
    grid = np.concatenate([[0.0], scale * np.geomspace(1e-4, 1e2, 60)])
    pairs = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1).reshape(-1, 2)
    tau2 = pairs[np.argmax(likelihoods(x, y, v + pairs[:, groups], restricted))].copy()
    for _ in range(500):
        before = tau2.copy()
        for g in range(2):

            def slope(value: float, g: int = g) -> float:
                here = tau2.copy()
                here[g] = value
                return float(score(x, y, v + here[groups], restricted)[groups == g].sum())

            # The score rises before it falls: the bracket stays on the falling side of the grid's best value.
            low, high = max(tau2[g] / 2, 0.0), max(tau2[g] * 2, 1e-4 * scale)
            while low > 1e-9 * scale and slope(low) <= 0:
                low /= 2
            if slope(low) <= 0:
                low = 0.0
            if low == 0 and slope(0.0) <= 0:
                tau2[g] = 0.0
                continue
            while slope(high) > 0:
                high *= 2
            tau2[g] = optimize.brentq(slope, low, high, xtol=1e-16 * scale, rtol=1e-15)
        if np.abs(tau2 - before).max() <= 1e-13 * scale:
            return tau2
    raise AssertionError("the search of two tau2 does not settle")


# --- sandwiches -----------------------------------------------------------------------------------


def hc(x: Array, y: Array, kind: str) -> Array:
    """Covariance of the coefficients: MacKinnon & White 1985 (HC0 to HC3), Cribari-Neto 2004 (HC4)."""
    n, p = x.shape
    q, r = np.linalg.qr(x)
    h = (q**2).sum(axis=1)
    e = y - q @ (q.T @ y)
    rows = q @ np.linalg.inv(r).T
    omega = {
        "HC0": np.ones(n),
        "HC1": np.full(n, n / (n - p)),
        "HC2": 1 / (1 - h),
        "HC3": 1 / (1 - h) ** 2,
        "HC4": (1 - h) ** -np.minimum(4, h * n / p),
    }[kind]
    return np.asarray((rows.T * (omega * e**2)) @ rows)


def adjustments(x: Array, codes: Array, kind: str) -> Array:
    """``(n, n)``, block by block: what multiplies the residuals (Bell & McCaffrey 2002)."""
    n, p = x.shape
    hat = x @ np.linalg.pinv(x)
    clusters = np.unique(codes)
    made = np.zeros((n, n))
    for g in clusters:
        rows = np.flatnonzero(codes == g)
        values, turned = np.linalg.eigh(np.eye(len(rows)) - hat[np.ix_(rows, rows)])
        alive = values > 1e-10
        power = {"HC0": 0.0, "HC1": 0.0, "HC2": -0.5, "HC3": -1.0}[kind]
        raised = np.where(alive | (power == 0), np.where(alive, values, 1.0) ** power, 0.0)
        made[np.ix_(rows, rows)] = (turned * raised) @ turned.T
    g = len(clusters)
    return made * (np.sqrt(g / (g - 1) * (n - 1) / (n - p)) if kind == "HC1" else 1.0)


def cluster_pieces(x: Array, codes: Array, kind: str, weights: Array) -> list[Array]:
    """Each cluster's ``(r, n)`` matrix T: the sandwich of a contrast is the sum of Ty(Ty)'."""
    hat = x @ np.linalg.pinv(x)
    left = np.eye(len(x)) - hat
    adjusted = adjustments(x, codes, kind)
    rows = weights @ np.linalg.pinv(x)
    return [(rows * (codes == g)) @ adjusted @ left for g in np.unique(codes)]


def cluster(x: Array, y: Array, codes: Array, kind: str) -> Array:
    """Covariance of the coefficients."""
    parts = [piece @ y for piece in cluster_pieces(x, codes, kind, np.eye(x.shape[1]))]
    return np.sum([np.outer(part, part) for part in parts], axis=0)


def cluster_dof(x: Array, codes: Array, kind: str, weights: Array) -> float:
    """eta of the approximate Hotelling T2 (Pustejovsky & Tipton 2018), for one row Satterthwaite's.

    With errors of equal variances the sandwich is D = sum_g T_g e e'T_g', brought to expectation I; eta
    matches the total variance of the entries of D to that of a Wishart matrix.
    """
    pieces = cluster_pieces(x, codes, kind, weights)
    expected = np.sum([piece @ piece.T for piece in pieces], axis=0)
    values, turned = np.linalg.eigh(expected)
    white = (turned / np.sqrt(values)) @ turned.T
    pieces = [white @ piece for piece in pieces]
    r = len(weights)
    spread = 0.0
    for s in range(r):
        for t in range(r):
            form = np.sum([np.outer(piece[s], piece[t]) for piece in pieces], axis=0)
            form = (form + form.T) / 2
            spread += 2 * np.trace(form @ form)
    return float(r * (r + 1) / spread)


# --- robust ---------------------------------------------------------------------------------------

PSI: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "huber": (
        lambda u: 1 / np.maximum(1, np.abs(u) / 1.345),
        lambda u: (np.abs(u) <= 1.345).astype(float),
    ),
    "bisquare": (
        lambda u: (1 - np.minimum(1, np.abs(u / 4.685)) ** 2) ** 2,
        lambda u: np.where(np.abs(u) < 4.685, (1 - (u / 4.685) ** 2) * (1 - 5 * (u / 4.685) ** 2), 0.0),
    ),
}
"""Weight psi(u)/u and derivative of psi."""


def robust(x: Array, y: Array, loss: str, mad: float = 0.6745) -> dict[str, Array]:
    """Iterated weighted least squares with the scale median|r| / 0.6745 renewed at each step (Huber 1981)."""
    b = np.linalg.lstsq(x, y)[0] if loss == "huber" else robust(x, y, "huber", mad)["b"]
    weight, slope = PSI[loss]
    for _ in range(5000):
        rest = y - x @ b
        scale = np.median(np.abs(rest)) / mad
        w = weight(rest / scale)
        root = np.sqrt(w)
        b = np.linalg.lstsq(x * root[:, None], y * root)[0]
        new = y - x @ b
        if np.linalg.norm(new - rest) <= 1e-14 * np.linalg.norm(rest):
            break
    n, p = x.shape
    u = (y - x @ b) / scale
    psi1 = slope(u)
    kappa = 1 + p * psi1.var(ddof=1) / (n * psi1.mean() ** 2)
    spread = np.sqrt((((y - x @ b) * weight(u)) ** 2).sum() / (n - p)) * kappa / psi1.mean()
    inverse = np.linalg.pinv(x) @ np.linalg.pinv(x).T
    return {
        "b": b,
        "scale": scale,
        "weights": weight(u),
        "se": spread * np.sqrt(np.diag(inverse)),
        "stddev": spread,
    }


# --- effect sizes ---------------------------------------------------------------------------------


def total(density: Callable[[Array], Array], edges: Array) -> float:
    """Integral by Gauss's rule of 40 points between each edge and the next."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    half = np.diff(edges)[:, None] / 2
    values = density(edges[:-1, None] + half * (1 + nodes))
    return float((half * weights * values).sum())


def jzs(t: float, n: float, dof: float, r: float = np.sqrt(0.5)) -> float:
    """Bayes factor of Rouder et al. 2009 for a t of effective size n, in u = log g."""

    def density(u: Array) -> Array:
        g = np.exp(u)
        told = -0.5 * np.log1p(n * g) - (dof + 1) / 2 * np.log1p(t**2 / ((1 + n * g) * dof))
        prior = np.log(r) - 0.5 * np.log(2 * np.pi) - 0.5 * u - r**2 / (2 * g)
        return np.asarray(np.exp(told + prior + (dof + 1) / 2 * np.log1p(t**2 / dof)))

    return total(density, np.arange(-9, 62, 1.0))


def noncentrality(t: float, dof: float, share: float) -> float:
    """The noncentrality under which a t this small or smaller has the probability `share`."""

    def excess(ncp: float) -> float:
        # T = (Z + ncp) / S with S^2 a mean of dof squares: P(T <= t) is the mean of Phi(tS - ncp) over S.
        def density(s: Array) -> Array:
            log_pdf = (dof - 1) * np.log(s) - dof * s**2 / 2
            norm = dof / 2 * np.log(dof) - (dof / 2 - 1) * np.log(2) - special.gammaln(dof / 2)
            return np.asarray(special.ndtr(t * s - ncp) * np.exp(log_pdf + norm))

        return total(density, np.linspace(0, 1 + 12 / np.sqrt(dof), 60)) - share

    step = 6 + 2 * abs(t)
    return float(optimize.brentq(excess, t - step, t + step, xtol=1e-13))
