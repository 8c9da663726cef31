"""Permutation tests without a shortcut: refit each labelling by least squares, and count.

Written from the papers' formulas alone (Winkler 2014, doi:10.1016/j.neuroimage.2014.01.060; Winkler 2015,
doi:10.1016/j.neuroimage.2015.05.092; Smith & Nichols 2009, doi:10.1016/j.neuroimage.2008.03.061) and from
nothing of the package. Slow on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, ndimage, stats

from permutation_truth.listing import Shuffle, matrix_of

TIE = 1e-9
"""Relative difference below which two statistics are the same number."""
NOTHING = 1e-9
"""A statistic below this is a sum that cancels to 0; what is left of it is rounding, and it ties with 0."""


# Statistics of one fit --------------------------------------------------------------------------


@dataclass(frozen=True)
class Fit:
    """Statistic and degrees of freedom of its denominator, each (n_loc,)."""

    stat: np.ndarray
    dof: np.ndarray


def fit(a: np.ndarray, c: np.ndarray, y: np.ndarray, dof: int, groups: np.ndarray | None, *, t: bool) -> Fit:
    """Fit y (n, n_loc) to the model a (n, p) and test the contrast c (q, p): t, F, v or G."""
    beta = linalg.lstsq(a, y)[0]
    e = y - a @ beta
    n_loc = y.shape[1]
    r = int(np.linalg.matrix_rank(c))
    if groups is None:
        s2 = (e**2).sum(axis=0) / dof
        spread = c @ np.linalg.pinv(a.T @ a) @ c.T
        if t:
            stat = (c @ beta)[0] / np.sqrt(spread[0, 0] * s2)
        else:
            cb = c @ beta
            stat = np.einsum("iv,ij,jv->v", cb, np.linalg.pinv(spread), cb) / (r * s2)
        return Fit(stat, np.full(n_loc, float(dof)))
    residual = np.eye(len(a)) - a @ np.linalg.pinv(a)
    stat, dof2 = np.empty(n_loc), np.empty(n_loc)
    for v in range(n_loc):
        stat[v], dof2[v] = separate(a, c, beta[:, v], e[:, v], residual, groups, t=t)
    return Fit(stat, dof2)


def separate(
    a: np.ndarray,
    c: np.ndarray,
    beta: np.ndarray,
    e: np.ndarray,
    residual: np.ndarray,
    groups: np.ndarray,
    *,
    t: bool,
) -> tuple[float, float]:
    """v or G of one location: a weight for each group of observations of one variance."""
    names = np.unique(groups)
    r = int(np.linalg.matrix_rank(c))
    free_of = {g: residual.diagonal()[groups == g].sum() for g in names}
    weight_of = {g: free_of[g] / (e[groups == g] ** 2).sum() for g in names}
    w = np.array([weight_of[g] for g in groups])
    spread = c @ np.linalg.pinv(a.T @ np.diag(w) @ a) @ c.T
    total = sum((groups == g).sum() * weight_of[g] for g in names)
    unequal = sum((1 - (groups == g).sum() * weight_of[g] / total) ** 2 / free_of[g] for g in names)
    dof = r * (r + 2) / (3 * unequal)
    cb = c @ beta
    if t:
        return float(cb[0] / np.sqrt(spread[0, 0])), dof
    size = 1 + 2 * (r - 1) / (r * (r + 2)) * unequal
    return float(cb @ np.linalg.pinv(spread) @ cb / (size * r)), dof


def z_of(stat: np.ndarray, dof: np.ndarray, r: int, *, t: bool) -> np.ndarray:
    """The standard normal deviate with the same tail, taken from the nearer tail."""
    if t:
        return np.sign(stat) * stats.norm.isf(stats.t.sf(np.abs(stat), dof))
    upper = stats.norm.isf(stats.f.sf(stat, r, dof))
    lower = stats.norm.ppf(stats.f.cdf(stat, r, dof))
    return np.where(stats.f.sf(stat, r, dof) > 0.5, lower, upper)


# A shuffled statistic by the table of nuisance methods -------------------------------------------


@dataclass(frozen=True, eq=False)
class Model:
    """What is tested, in what, how.

    Attributes
    ----------
    matrix, weights
        Full model (n, p), dummies of blocks among its columns, and contrast (q, p).
    y
        Data (n, n_loc), NaN where missing.
    kind
        ``t`` or ``F``.
    groups
        Groups of observations with a variance of their own (n,), or None.
    nuisance
        How nuisance is dealt with.
    """

    matrix: np.ndarray
    weights: np.ndarray
    y: np.ndarray
    kind: str = "t"
    groups: np.ndarray | None = None
    nuisance: str = "freedman_lane"

    @property
    def tested(self) -> np.ndarray:
        """The part of the model along the contrast, X0 = M C⁺ (n, q)."""
        return self.matrix @ np.linalg.pinv(self.weights)

    @property
    def z(self) -> np.ndarray:
        """Orthonormal basis of the rest of the model, M null(C)."""
        rest = self.matrix @ linalg.null_space(self.weights)
        return linalg.orth(rest) if rest.size else np.zeros((len(self.matrix), 0))

    @property
    def dof(self) -> int:
        """Observations less the rank of the model."""
        return len(self.matrix) - int(np.linalg.matrix_rank(self.matrix))

    @property
    def rank(self) -> int:
        """Rank of the contrast."""
        return int(np.linalg.matrix_rank(self.weights))


def shuffled(model: Model, shuffle: Shuffle, *, first: bool) -> Fit:
    """Statistic of one shuffle, the data or the model moved and everything fitted again.

    `first` tells the identity, which for ter Braak is the observed statistic.
    """
    if np.isnan(model.y).any():
        return available(model, shuffle)
    return WAYS[model.nuisance](model, shuffle, first)


def _plain(model: Model, y: np.ndarray) -> Fit:
    return fit(model.matrix, model.weights, y, model.dof, model.groups, t=model.kind == "t")


def _freedman_lane(model: Model, shuffle: Shuffle, first: bool) -> Fit:
    hat = model.z @ model.z.T
    p = matrix_of(shuffle)
    return _plain(model, (p.T @ (np.eye(len(p)) - hat) + hat) @ model.y)


def _ter_braak(model: Model, shuffle: Shuffle, first: bool) -> Fit:
    if first:
        return _plain(model, model.y)
    hat = model.matrix @ np.linalg.pinv(model.matrix)
    p = matrix_of(shuffle)
    # The statistic is about beta* − beta, which is what the moved residuals alone give.
    return _plain(model, p.T @ (np.eye(len(p)) - hat) @ model.y)


def _manly(model: Model, shuffle: Shuffle, first: bool) -> Fit:
    return _plain(model, matrix_of(shuffle).T @ model.y)


def _still_white(model: Model, shuffle: Shuffle, first: bool) -> Fit:
    away = np.eye(len(model.y)) - model.z @ model.z.T
    return _moved(model, matrix_of(shuffle) @ away @ model.tested, np.zeros((len(away), 0)), away @ model.y)


def _dekker(model: Model, shuffle: Shuffle, first: bool) -> Fit:
    away = np.eye(len(model.y)) - model.z @ model.z.T
    return _moved(model, matrix_of(shuffle) @ away @ model.tested, model.z, model.y)


def _draper_stoneman(model: Model, shuffle: Shuffle, first: bool) -> Fit:
    return _moved(model, matrix_of(shuffle) @ model.tested, model.z, model.y)


def _moved(
    model: Model,
    x: np.ndarray,
    z: np.ndarray,
    y: np.ndarray,
    dof: int | None = None,
) -> Fit:
    """Test x in [x z]; where x loses rank against z there is nothing to test, and the statistic is 0."""
    dof = model.dof if dof is None else dof
    rank = np.linalg.matrix_rank(np.hstack([x, z]), tol=1e-8)
    if rank < model.rank + np.linalg.matrix_rank(z):
        return Fit(np.zeros(y.shape[1]), np.full(y.shape[1], float(dof)))
    q = x.shape[1]
    c = np.hstack([np.eye(q), np.zeros((q, z.shape[1]))])
    return fit(np.hstack([x, z]), c, y, dof, model.groups, t=model.kind == "t")


WAYS = {
    "freedman_lane": _freedman_lane,
    "ter_braak": _ter_braak,
    "manly": _manly,
    "still_white": _still_white,
    "dekker": _dekker,
    "draper_stoneman": _draper_stoneman,
}


def complement(model: Model) -> np.ndarray:
    """Orthonormal basis of what is not nuisance (n, n − 1), by Householder's reflection.

    For one column of nuisance the reflection is unique, and so is the basis that Huh and Jhun shuffle in.
    """
    if model.z.shape[1] != 1:
        raise ValueError("the basis depends on that of the nuisance")
    return np.asarray(linalg.qr(model.z)[0][:, 1:])


def huh_jhun(model: Model, q: np.ndarray, shuffle: Shuffle) -> Fit:
    """Rotate into the complement of the nuisance, q (n, n − rank z), and shuffle the rows that are left."""
    x, y = q.T @ model.tested, q.T @ model.y
    c = np.eye(x.shape[1])
    return fit(x, c, matrix_of(shuffle).T @ y, model.dof, None, t=model.kind == "t")


def available(model: Model, shuffle: Shuffle) -> Fit:
    """At each location the rows with a value: the labels move, the data and the nuisance stay."""
    x0, z = model.tested, model.z
    moved = matrix_of(shuffle) @ x0
    present = np.isfinite(model.y)
    stat, dof = np.full(present.shape[1], np.nan), np.full(present.shape[1], np.nan)
    for here in np.unique(present, axis=1).T:
        at = (present == here[:, None]).all(axis=0)
        free_here = int(here.sum()) - int(np.linalg.matrix_rank(np.hstack([x0, z])[here]))
        one = _moved(model, moved[here], z[here], model.y[np.ix_(here, at)], free_here)
        stat[at], dof[at] = one.stat, one.dof
    return Fit(stat, dof)


# Space ------------------------------------------------------------------------------------------


def neighbours(connectivity: int) -> np.ndarray:
    """Structuring element of 6, 18 or 26 neighbours."""
    return ndimage.generate_binary_structure(3, {6: 1, 18: 2, 26: 3}[connectivity])


def clusters(volume: np.ndarray, u: float, connectivity: int, mass: str | None) -> np.ndarray:
    """Each voxel's cluster's extent (mass None), or mass (``total`` or ``excess``); 0 outside clusters."""
    label, n = ndimage.label(volume >= u, neighbours(connectivity))
    worth = {None: np.ones_like(volume), "total": volume, "excess": volume - u}[mass]
    size = ndimage.sum_labels(worth, label, np.arange(n + 1))
    size[0] = 0.0
    return np.asarray(size)[label]


def tfce(
    volume: np.ndarray, connectivity: int, e: float = 0.5, h: float = 2.0, dh: float | None = None
) -> np.ndarray:
    """Integrate extent^E height^H, at every distinct height, or in steps of dh."""
    enhanced = np.zeros_like(volume)
    heights = np.unique(volume[volume > 0])
    if dh is not None:
        heights = np.arange(1, int(np.floor(volume.max() / dh * (1 + 1e-12))) + 1) * dh
    below = 0.0
    for height in heights:
        label, n = ndimage.label(volume >= height, neighbours(connectivity))
        extent = np.bincount(label.ravel(), minlength=n + 1).astype(float)
        extent[0] = 0.0
        width = (height ** (h + 1) - below ** (h + 1)) / (h + 1) if dh is None else height**h * dh
        enhanced += extent[label] ** e * width
        below = height
    return enhanced


# Counting ---------------------------------------------------------------------------------------


def sided(values: np.ndarray, alternative: str) -> np.ndarray:
    """What is large when there is evidence."""
    return {"two-sided": np.abs(values), "greater": values, "less": -values, "F": values}[alternative]


def at_least(null: np.ndarray, observed: np.ndarray, tie: float = TIE) -> np.ndarray:
    """How many of null (J, ...) reach observed (...), ties being equal."""
    return (null >= observed - tie * np.abs(observed) - NOTHING).sum(axis=0)


@dataclass(frozen=True, eq=False)
class Truth:
    """What a case must give.

    Attributes
    ----------
    stat, z
        Of the data as they are, (n_loc,).
    uncorrected
        Shuffles that reach the observed statistic, (n_loc,).
    null
        For each measure, the maximum of each shuffle, (J,).
    observed
        For each measure, its observed map, large where there is evidence, (n_loc,).
    """

    stat: np.ndarray
    z: np.ndarray
    uncorrected: np.ndarray
    null: dict[str, np.ndarray]
    observed: dict[str, np.ndarray]


@dataclass(frozen=True)
class Spatial:
    """A statistic of space: measure ``extent``, ``total``, ``excess`` or ``tfce``, and its settings."""

    measure: str
    connectivity: int
    u: float = 0.0
    e: float = 0.5
    h: float = 2.0
    dh: float | None = None

    def map(self, volume: np.ndarray, alternative: str) -> np.ndarray:
        """Evidence at each voxel: both signs apart and added (they never meet), or the one that counts."""
        sides = {"two-sided": (1, -1), "greater": (1,), "less": (-1,), "F": (1,)}[alternative]
        return sum(self._side(sign * volume) for sign in sides)

    def _side(self, volume: np.ndarray) -> np.ndarray:
        if self.measure == "tfce":
            return tfce(volume, self.connectivity, self.e, self.h, self.dh)
        mass = None if self.measure == "extent" else self.measure
        return clusters(volume, self.u, self.connectivity, mass)


def statistics(
    model: Model, shuffles: Sequence[Shuffle], q: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Statistic and z of every shuffle, (J, n_loc) each."""
    fits = [
        shuffled(model, s, first=k == 0) if q is None else huh_jhun(model, q, s)
        for k, s in enumerate(shuffles)
    ]
    stat = np.stack([one.stat for one in fits])
    dof = np.stack([one.dof for one in fits])
    return stat, z_of(stat, dof, model.rank, t=model.kind == "t")


def truth(
    model: Model,
    shuffles: Sequence[Shuffle],
    alternative: str,
    shape: tuple[int, int, int],
    spatial: dict[str, Spatial],
    *,
    on_z: bool,
    analysed: np.ndarray,
    q: np.ndarray | None = None,
) -> Truth:
    """Everything that a case must give: the `analysed` (n_loc,) voxels of the grid `shape`, `on_z` on z."""
    stat, z = statistics(model, shuffles, q)
    stat[:, ~analysed], z[:, ~analysed] = 0.0, 0.0
    varying = on_z or model.groups is not None or bool(np.isnan(model.y).any())
    value = z if varying else stat
    voxel = sided(value, alternative)
    observed = {"voxel": voxel[0]}
    null = {"voxel": voxel[:, analysed].max(axis=1)}
    for name, how in spatial.items():
        maps = [how.map(one.reshape(shape), alternative).ravel() for one in value]
        observed[name], null[name] = maps[0], np.array([one.max() for one in maps])
    return Truth(stat[0], z[0], at_least(voxel, voxel[0]), null, observed)
