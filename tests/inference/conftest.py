"""Shuffled statistics by brute force: each shuffle's data are made and refitted, in float64, on a small box.

They stand in for the kernels, so that what inference makes of statistics is tested apart from how these are
computed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import permutations, product
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from scipy.sparse import csr_array

from specgl.engines import Threads
from specgl.inference import Permuted
from specgl.kernels.statistics.protocol import NOUGHT, TIE, Scan
from specgl.kernels.tails import f_tails, t_tails

REACH = {6: 1, 18: 2, 26: 3}


@dataclass(frozen=True)
class Box:
    """All voxels of a small box, 2 mm wide; or only those with an area each, as a mesh has them."""

    shape: tuple[int, int, int]
    areas: np.ndarray | None = None

    @cached_property
    def voxels(self) -> np.ndarray:
        return np.argwhere(np.ones(self.shape))

    @property
    def coordinates(self) -> np.ndarray:
        return self.voxels * 2.0

    @property
    def measure(self) -> float | np.ndarray:
        return 8.0 if self.areas is None else self.areas

    @cached_property
    def apart(self) -> tuple[np.ndarray, np.ndarray]:
        steps = np.abs(self.voxels[:, None] - self.voxels[None])
        return steps.max(axis=2), steps.sum(axis=2)

    def adjacency(self, connectivity: int, within: np.ndarray | None = None) -> csr_array:
        longest, total = self.apart
        touching = (longest == 1) & (total <= REACH[connectivity])
        return csr_array(touching if within is None else touching[np.ix_(within, within)])


@dataclass(frozen=True, eq=False)
class Refit:
    """t or F of columns `x` beside `nuisance`, Freedman and Lane's way; `calls` counts the maps made."""

    x: np.ndarray
    nuisance: np.ndarray
    data: np.ndarray
    analysed: np.ndarray
    varying: bool = False
    calls: list = field(default_factory=list)

    @property
    def kind(self) -> str:
        return "t" if self.x.shape[1] == 1 else "F"

    @property
    def signed(self) -> bool:
        return self.kind == "t"

    @property
    def n_obs(self) -> int:
        return len(self.data)

    @property
    def n_loc(self) -> int:
        return self.data.shape[1]

    @property
    def dof(self) -> int:
        return self.n_obs - self.x.shape[1] - self.nuisance.shape[1]

    @cached_property
    def reduced(self) -> np.ndarray:
        return self.data - self.nuisance @ np.linalg.pinv(self.nuisance) @ self.data

    def stat(self, rows: np.ndarray, signs: np.ndarray | None) -> np.ndarray:
        """The statistic (n_loc,) under one shuffle of the design's rows."""
        sign = 1.0 if signs is None else signs.astype(float)[:, None]
        x, z = sign * self.x[rows], sign * self.nuisance[rows]
        both = np.hstack([x, z])
        beta = np.linalg.pinv(both) @ self.reduced
        residual = np.sum((self.reduced - both @ beta) ** 2, axis=0)
        without = np.sum((self.reduced - z @ np.linalg.pinv(z) @ self.reduced) ** 2, axis=0)
        r = self.x.shape[1]
        residual = np.where(self.analysed, residual, 1.0)
        f = np.where(self.analysed, (without - residual) / r / (residual / self.dof), 0.0)
        return f if r > 1 else np.sign(beta[0]) * np.sqrt(np.maximum(f, 0.0))

    def z(self, stat: np.ndarray) -> np.ndarray:
        tails = t_tails(stat, self.dof) if self.signed else f_tails(stat, self.x.shape[1], self.dof)
        return np.where(self.analysed, tails.z(), 0.0)

    @cached_property
    def observed(self) -> np.ndarray:
        return self.stat(np.arange(self.n_obs), None)

    @cached_property
    def observed_z(self) -> np.ndarray:
        return self.z(self.observed)

    def maps(self, rows, signs, scale="t") -> np.ndarray:
        found = [self.stat(row, None if signs is None else signs[k]) for k, row in enumerate(rows)]
        return np.array([self.z(one) if self.varying or scale == "z" else one for one in found])

    def scan(self, rows, signs, *, alternative, count, scale):
        maps = self.maps(rows, signs, scale)
        here = maps[:, self.analysed]
        observed = self.observed_z if self.varying or scale == "z" else self.observed
        turned = {"two-sided": np.abs, "greater": np.positive, "less": np.negative}[
            alternative if self.signed else "greater"
        ]
        bar = turned(observed) - np.maximum(TIE * np.abs(observed), NOUGHT)
        counts = np.sum((turned(maps) >= bar) & self.analysed, axis=0) if count else None
        lower = -here.min(axis=1) if self.signed else np.full(len(rows), np.nan)
        return Scan(here.max(axis=1), lower, counts)

    def fill(self, rows, signs, out, *, scale):
        if out.dtype == np.float32:  # the others decide what these cannot
            self.calls.append(len(rows))
        out[:] = self.maps(rows, signs, scale)

    def values(self, rows, signs, locations):
        return self.maps(rows, signs, "t")[:, locations]


@dataclass(frozen=True, eq=False)
class Listed:
    """A given set of shuffles."""

    rows: np.ndarray
    signs: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Fixed:
    """A scheme of given shuffles."""

    contrasts: tuple[str, ...]
    listed: Listed
    exchange: str = "permute"
    exhaustive: bool = True

    @property
    def n(self) -> int:
        return len(self.listed.rows)

    @property
    def possible(self) -> int:
        return self.n

    def shuffles(self) -> Listed:
        return self.listed

    @property
    def mirror_of(self) -> np.ndarray:
        """With all flips in binary order, the last is the first one's mirror, and so on."""
        own = np.arange(self.n)
        turned = self.n - 1 - own
        signs = self.listed.signs
        mirrored = signs is not None and np.array_equal(signs, -signs[::-1])
        return np.minimum(own, turned) if mirrored else own


def flips(n: int) -> Listed:
    """All flips of n observations, none first."""
    signs = np.array(list(product([1, -1], repeat=n)), dtype=np.int8)
    return Listed(np.tile(np.arange(n, dtype=np.int32), (len(signs), 1)), signs)


def orders(n: int) -> Listed:
    """All orders of n observations, the given one first."""
    return Listed(np.array(list(permutations(range(n))), dtype=np.int32), None)


def drawn(n_obs: int, n: int, *, seed: int = 0, flip: bool = False) -> Listed:
    """Random orders, or flips, the given one first."""
    rng = np.random.default_rng(seed)
    rows = np.tile(np.arange(n_obs, dtype=np.int32), (n, 1))
    if flip:
        signs = rng.choice(np.array([1, -1], dtype=np.int8), (n, n_obs))
        signs[0] = 1
        return Listed(rows, signs)
    for row in rows[1:]:
        row[:] = rng.permutation(n_obs)
    return Listed(rows, None)


def stats_of(statistics: dict[str, Refit], alternatives: dict[str, str] | None = None) -> xr.Dataset:
    """What the models would hand to inference about these contrasts."""
    stat, z, p = [], [], []
    for name, one in statistics.items():
        alternative = (alternatives or {}).get(name, "two-sided")
        tails = (
            t_tails(one.observed, one.dof) if one.signed else f_tails(one.observed, one.x.shape[1], one.dof)
        )
        blank = np.where(one.analysed, 0.0, np.nan)
        stat.append(one.observed + blank)
        z.append(tails.z() + blank)
        p.append(tails.p(alternative if one.signed else "greater") + blank)
    dims = ("contrast", "location")
    return xr.Dataset(
        {"stat": (dims, np.array(stat)), "z": (dims, np.array(z)), "p": (dims, np.array(p))}
        | {"dof": ((), float(next(iter(statistics.values())).dof))},
        coords={
            "contrast": list(statistics),
            "kind": ("contrast", [one.kind for one in statistics.values()]),
            "alternative": ("contrast", [(alternatives or {}).get(name, "two-sided") for name in statistics]),
            "dof1": ("contrast", [one.x.shape[1] for one in statistics.values()]),
        },
    )


def permuted(statistics: dict[str, Refit], listed: Listed, **others) -> Permuted:
    """What shuffling needs, with one scheme for all."""
    scheme = Fixed(tuple(statistics), listed, "permute" if listed.signs is None else "flip")
    return Permuted(statistics, (scheme,), others.pop("engine", Threads(1)), **others)


@pytest.fixture(scope="session")
def bench() -> SimpleNamespace:
    """Everything above, for tests that shuffle."""
    return SimpleNamespace(
        Box=Box, Refit=Refit, flips=flips, orders=orders, drawn=drawn, stats_of=stats_of, permuted=permuted
    )
