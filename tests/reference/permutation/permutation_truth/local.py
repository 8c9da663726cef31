"""Models of each location's own, refitted under every shuffle: weights, covariates, standard errors.

Written from the papers' formulas (Winkler 2014, doi:10.1016/j.neuroimage.2014.01.060; MacKinnon & White 1985,
doi:10.1016/0304-4076(85)90158-7; Cribari-Neto 2004, doi:10.1016/S0167-9473(02)00366-3) and from nothing of
the package. One location and one shuffle at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import linalg, stats

from permutation_truth import listing

CUT = 1e-9
"""Relative size below which a singular value is rounding."""


@dataclass(frozen=True, eq=False)
class Local:
    """A small study whose every location has a model of its own.

    Attributes
    ----------
    matrix, weights, kind
        Design (n, p), what covariates multiply included, and the contrast (q, p).
    y
        Data (n, n_loc), NaN where missing.
    scale, mode
        How scores become statistics, and what moves.
    covariates, used
        (c, n, n_loc), and which of them multiply a column (p, c).
    variances, tau2, groups
        (n, n_loc), (G, n_loc), (n,).
    blocks
        Whose means are taken out (n,).
    moves, flipped
        What may change places, in the words of `listing`, and whether signs change.
    normal
        Whether the reference distribution is that of known variances.
    """

    matrix: np.ndarray
    weights: Sequence[Sequence[float]]
    y: np.ndarray
    kind: str = "t"
    scale: str = "residual"
    mode: str = "residuals"
    covariates: np.ndarray | None = None
    used: np.ndarray | None = None
    variances: np.ndarray | None = None
    tau2: np.ndarray | None = None
    groups: np.ndarray | None = None
    blocks: np.ndarray | None = None
    moves: tuple = field(default=("free",))
    flipped: bool = False
    normal: bool = False

    @property
    def c(self) -> np.ndarray:
        """The contrast (q, p)."""
        return np.atleast_2d(np.asarray(self.weights, dtype=float))

    @property
    def r(self) -> int:
        """Its rank."""
        return int(np.linalg.matrix_rank(self.c))

    def shuffles(self) -> list[listing.Shuffle]:
        """Every shuffle: no two observations are alike where each has a weight of its own."""
        n = len(self.matrix)
        verb, *arguments = self.moves
        moves = [tuple(range(n))] if verb == "stay" else getattr(listing, verb)(*(arguments or [n]))
        signs = listing.flips(range(n)) if self.flipped else [(1,) * n]
        return listing.labellings(moves, signs, range(n))

    def columns(self, location: int) -> np.ndarray:
        """The design of a location (n, p)."""
        x = self.matrix.copy()
        if self.covariates is not None:
            for j, c in zip(*np.nonzero(self.used), strict=True):
                x[:, j] *= self.covariates[c, :, location]
        return x

    def roots(self, location: int) -> np.ndarray:
        """Roots of the weights (n,)."""
        if self.variances is None:
            return np.ones(len(self.matrix))
        total = self.variances[:, location].copy()
        if self.tau2 is not None:
            total += self.tau2[np.zeros(len(total), int) if self.groups is None else self.groups, location]
        return 1 / np.sqrt(total)

    def dummies(self) -> np.ndarray:
        """Of the blocks (n, n_blocks)."""
        if self.blocks is None:
            return np.zeros((len(self.matrix), 0))
        return np.eye(self.blocks.max() + 1)[self.blocks]

    def dof(self) -> np.ndarray:
        """Degrees of freedom (n_loc,)."""
        return np.array([self._dof(v) for v in range(self.y.shape[1])])

    def _dof(self, location: int) -> float:
        here = np.isfinite(self.y[:, location])
        x = np.hstack([self.columns(location), self.dummies()])[here]
        return np.inf if self.normal else float(here.sum() - np.linalg.matrix_rank(x))


def statistics(study: Local) -> tuple[np.ndarray, np.ndarray]:
    """Statistic and z of every shuffle, (J, n_loc) each."""
    listed = [listing.matrix_of(shuffle) for shuffle in study.shuffles()]
    way = _labels if study.mode == "labels" else _residuals
    each = [way(study, location) for location in range(study.y.shape[1])]
    stat = np.array([[one(p) for one in each] for p in listed])
    return stat, z_of(stat, study.dof(), study.r, study.kind)


def z_of(stat: np.ndarray, dof: np.ndarray, r: int, kind: str) -> np.ndarray:
    """The standard normal deviate with the same tail, from the nearer tail."""
    if kind == "t":
        return np.sign(stat) * stats.norm.isf(stats.t.sf(np.abs(stat), dof))
    normal = np.isinf(dof)
    finite = np.where(normal, 1.0, dof)
    upper = np.where(normal, stats.chi2.sf(r * stat, r), stats.f.sf(stat, r, finite))
    lower = np.where(normal, stats.chi2.cdf(r * stat, r), stats.f.cdf(stat, r, finite))
    return np.where(upper > 0.5, stats.norm.ppf(lower), stats.norm.isf(upper))


def _residuals(study: Local, location: int) -> Callable[[np.ndarray], float]:
    """Freedman and Lane's way, on whitened residuals; where a value is missing there is a residual of 0."""
    here = np.isfinite(study.y[:, location])
    root = study.roots(location)[here]
    x = root[:, None] * study.columns(location)[here]
    blocks = root[:, None] * study.dummies()[here]
    y = root * study.y[here, location]
    z = np.hstack([x @ linalg.null_space(study.c), blocks])
    hat = z @ np.linalg.pinv(z, rcond=CUT)
    residual = np.zeros(len(here))
    residual[here] = y - hat @ y
    test = _tester(study, np.hstack([x, blocks]), np.pad(study.c, ((0, 0), (0, blocks.shape[1]))))

    def one(p: np.ndarray) -> float:
        moved = (p.T @ residual)[here]
        if np.linalg.norm(moved - hat @ moved) < CUT * np.linalg.norm(residual):
            return 0.0  # the nuisance fits what moved: what is left to test is rounding
        return test(moved + hat @ y)

    return one


def _labels(study: Local, location: int) -> Callable[[np.ndarray], float]:
    """Draper and Stoneman's way: rows of the tested part come to other places, and take their weights."""
    here = np.isfinite(study.y[:, location])
    root = study.roots(location)[here]
    x = study.columns(location)
    null, rows = linalg.null_space(study.c), linalg.orth(study.c.T)
    if len(study.c) == 1:
        rows = np.linalg.pinv(study.c)
    used = np.any(rows != 0, axis=1)  # what stands where a value is missing is not looked at
    tested = x[:, used] @ rows[used]
    z = np.hstack([x[here] @ null, study.dummies()[here]])
    rank = study.r + _rank(z)
    c = np.hstack([np.eye(study.r), np.zeros((study.r, z.shape[1]))])

    def one(p: np.ndarray) -> float:
        full = root[:, None] * np.hstack([(p @ tested)[here], z])
        return 0.0 if _rank(full) < rank else _tester(study, full, c)(root * study.y[here, location])

    return one


def _rank(columns: np.ndarray) -> int:
    lengths = np.linalg.norm(columns, axis=0)
    return int(np.linalg.matrix_rank(columns / np.where(lengths > 0, lengths, 1), tol=1e-8))


def _tester(study: Local, x: np.ndarray, c: np.ndarray) -> Callable[[np.ndarray], float]:
    """The test of c in a fit of x, as a function of the data."""
    inverse = np.linalg.pinv(x, rcond=CUT)
    hat = x @ inverse
    rank = int(np.linalg.matrix_rank(x))
    factors = _factors(study.scale, np.diag(hat), rank) if study.scale.startswith("hc") else None

    def test(y: np.ndarray) -> float:
        e = y - hat @ y
        spread = inverse @ inverse.T
        if study.scale == "residual":
            spread = spread * (e @ e) / (len(y) - rank)
        elif factors is not None:
            spread = (inverse * (factors * e**2)) @ inverse.T
        cb, cov = c @ (inverse @ y), c @ spread @ c.T
        if study.kind == "t":
            return float(cb[0] / np.sqrt(cov[0, 0]))
        return float(cb @ np.linalg.pinv(cov, rcond=CUT) @ cb / study.r)

    return test


def _factors(scale: str, hat: np.ndarray, rank: int) -> np.ndarray:
    """Of squared residuals; an observation that the model fits whatever it is has none."""
    n = len(hat)
    certain = hat > 1 - 1e-9
    left = np.where(certain, 1.0, 1 - hat)
    factors = {
        "hc0": np.ones(n),
        "hc1": np.full(n, n / (n - rank)),
        "hc2": 1 / left,
        "hc3": 1 / left**2,
        "hc4": left ** -np.minimum(4, hat * n / rank),
    }[scale]
    return np.where(certain, 0.0, factors)
