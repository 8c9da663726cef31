"""Null data for each estimator: many locations side by side, and how often each is called significant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import xarray as xr

from specgl.design.records import Block, Contrast, Design
from specgl.engines import Threads
from specgl.kernels.ols import factorise
from specgl.models import (
    Clustered,
    Estimation,
    FixedEffects,
    Hc,
    LeastSquares,
    MixedEffects,
    Robust,
    contrast_maps,
    fit,
)
from specgl.models.schemes import make_schemes
from specgl.models.shuffled import shuffled_model

N_LOC = 20_000
ALPHA = 0.05
SEED = 20261101
TAU2 = 0.5

Draw = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray | None]]
"""Errors (n, N_LOC), and first-level variances where there are any."""


@dataclass(frozen=True, eq=False)
class Case:
    """Data without an effect, and a way to analyse them.

    Attributes
    ----------
    matrix, weights
        Design (n, p) and contrast (p,).
    draw
        Data.
    estimation
        How they are analysed.
    groups
        Variance groups, or None.
    """

    matrix: np.ndarray
    weights: tuple[float, ...]
    draw: Draw
    estimation: Estimation
    groups: np.ndarray | None = None

    @property
    def design(self) -> Design:
        return design_of(self.matrix, self.weights, self.groups)

    def rate(self) -> float:
        """Share of the locations whose p is 0.05 or less."""
        y, variances = self.draw(np.random.default_rng(SEED))
        data, design = dataset(y, variances), self.design
        found = fit(data, design, engine=Threads(2), estimation=self.estimation)
        p = contrast_maps(found, design, engine=Threads(2))["p"].values[0]
        assert np.isfinite(p).mean() > 0.999
        return float(np.mean(p[np.isfinite(p)] <= ALPHA))


def design_of(matrix: np.ndarray, weights: tuple[float, ...], groups: np.ndarray | None = None) -> Design:
    """A design of numbers."""
    n, rank = len(matrix), factorise(matrix).rank
    contrast = Contrast("c", np.atleast_2d(weights).astype(float), "t", "two-sided", ("c",))
    ids = tuple(f"sub-{i:02}" for i in range(n))
    return Design(matrix, (), ids, (contrast,), None, rank, n - rank, "x", {}, (), block(groups))


def block(codes: np.ndarray | None) -> Block | None:
    """Codes with a name."""
    if codes is None:
        return None
    return Block("site", codes.astype(np.int64), tuple(str(code) for code in np.unique(codes)))


def dataset(y: np.ndarray, variances: np.ndarray | None) -> xr.Dataset:
    """Data as the models take them."""
    dims = ("observation", "location")
    held = {"effect": (dims, y)} | ({} if variances is None else {"variance": (dims, variances)})
    return xr.Dataset(held, coords={"observation": [f"sub-{i:02}" for i in range(len(y))]})


def studies_of(n: int, tau2: float = TAU2) -> Draw:
    """Studies of unequal precision that differ in truth: variances from 0.1 to some 3."""

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        variances = 0.1 + rng.chisquare(2, (n, N_LOC)) / 2 * 0.7
        return rng.standard_normal((n, N_LOC)) * np.sqrt(variances + tau2), variances

    return draw


def alike_in_precision(n: int) -> Draw:
    """Studies whose variances lie between 0.3 and 1.1."""

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        variances = rng.uniform(0.3, 1.1, (n, N_LOC))
        return rng.standard_normal((n, N_LOC)) * np.sqrt(variances + TAU2), variances

    return draw


def unequal(sizes: np.ndarray) -> Draw:
    """Normal errors, each observation with its own standard deviation."""
    return lambda rng: (rng.standard_normal((len(sizes), N_LOC)) * sizes[:, None], None)


def alike(codes: np.ndarray, share: float) -> Draw:
    """Normal errors of which a share of the variance is common to a cluster."""

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, None]:
        own = rng.standard_normal((len(codes), N_LOC))
        common = rng.standard_normal((int(codes.max()) + 1, N_LOC))
        return np.sqrt(1 - share) * own + np.sqrt(share) * common[codes], None

    return draw


def heavy(n: int) -> Draw:
    """Errors of Student's t with 3 degrees of freedom."""
    return lambda rng: (rng.standard_t(3, (n, N_LOC)), None)


def _mean(n: int, estimation: Estimation, draw: Draw | None = None) -> Case:
    return Case(np.ones((n, 1)), (1.0,), draw or studies_of(n), estimation)


_KNAPP_HARTUNG = MixedEffects("reml", "knapp_hartung")


_SITES = np.repeat([0, 1], [8, 16])
_SPREAD = unequal(np.where(_SITES == 0, 2.0, 1.0))


def _sites(estimation: Estimation, groups: np.ndarray | None = None) -> Case:
    return Case(np.eye(2)[_SITES], (1.0, -1.0), _SPREAD, estimation, groups)


def _clusters(n: int, estimation: Callable[[Block], Estimation]) -> Case:
    codes = np.repeat(np.arange(n), 4)
    matrix = np.column_stack([np.ones(4 * n), codes % 2])
    held = block(codes)
    assert held is not None
    return Case(matrix, (0.0, 1.0), alike(codes, 0.5), estimation(held))


def _slope(draw: Draw, estimation: Estimation) -> Case:
    return Case(np.column_stack([np.ones(20), np.linspace(-1, 1, 20)]), (0.0, 1.0), draw, estimation)


_NORMAL = unequal(np.ones(20))
CASES: Mapping[str, Case] = {
    **{f"reml, {n}": _mean(n, MixedEffects("reml")) for n in (8, 20)},
    **{f"reml with Knapp-Hartung, {n}": _mean(n, _KNAPP_HARTUNG) for n in (8, 20)},
    "no tau squared: reml, 8": _mean(8, MixedEffects("reml"), studies_of(8, 0.0)),
    "no tau squared: reml with Knapp-Hartung, 8": _mean(8, _KNAPP_HARTUNG, studies_of(8, 0.0)),
    "alike: reml, 8": _mean(8, MixedEffects("reml"), alike_in_precision(8)),
    "alike: reml with Knapp-Hartung, 8": _mean(8, _KNAPP_HARTUNG, alike_in_precision(8)),
    **{f"dl, {n}": _mean(n, MixedEffects("dl")) for n in (8, 20)},
    **{f"studies by least squares, {n}": _mean(n, LeastSquares()) for n in (8, 20)},
    **{f"fixed effects, {n}": _mean(n, FixedEffects()) for n in (8, 20)},
    "sites by hc3": _sites(LeastSquares(Hc("hc3"))),
    "sites by hc0": _sites(LeastSquares(Hc("hc0"))),
    "sites by variance groups": _sites(LeastSquares(), _SITES),
    "sites by least squares": _sites(LeastSquares()),
    **{f"{n} clusters, c2": _clusters(n, lambda by: LeastSquares(Clustered(by))) for n in (6, 12)},
    **{f"{n} clusters, c0": _clusters(n, lambda by: LeastSquares(Clustered(by, "c0"))) for n in (6, 12)},
    **{f"{n} clusters by least squares": _clusters(n, lambda by: LeastSquares()) for n in (6, 12)},
    "slope by huber": _slope(_NORMAL, Robust("huber")),
    "slope by bisquare": _slope(_NORMAL, Robust("bisquare")),
    "heavy tails by huber": _slope(heavy(20), Robust("huber")),
    "heavy tails by bisquare": _slope(heavy(20), Robust("bisquare")),
    "heavy tails by least squares": _slope(heavy(20), LeastSquares()),
}
"""Every case by its name."""


# The maximum under shuffles --------------------------------------------------------------------------

MOST_SETS = 4000


@dataclass(frozen=True, eq=False)
class Shuffled:
    """Data sets of 125 locations without an effect, analysed by the maximum under shuffles."""

    matrix: np.ndarray
    weights: tuple[float, ...]
    draw: Callable[[np.random.Generator, int, ModuleType], tuple[np.ndarray, np.ndarray | None]]
    estimation: Estimation
    exchange: str | None = None

    def rate(self, studies: ModuleType, n_sets: int = MOST_SETS) -> float:
        """Share of data sets in which some location survives."""
        design, found = design_of(self.matrix, self.weights), 0
        for part in range(n_sets // studies.AT_ONCE):
            y, variances = self.draw(np.random.default_rng((SEED, part)), studies.AT_ONCE, studies)
            data = dataset(y, variances)
            (scheme,) = make_schemes(
                design,
                studies.build_tree(len(self.matrix), ()),
                exchange=self.exchange,
                n=studies.SHUFFLES,
                seed=SEED + part,
                nuisance="freedman_lane",
                contrasts=None,
            )
            fitted = fit(data, design, engine=Threads(2), estimation=self.estimation)
            every = {"c": np.ones(y.shape[1], dtype=bool)}
            statistic = shuffled_model(
                data, design, (scheme,), every, nuisance="freedman_lane", fit=fitted, engine=Threads(2)
            )["c"]
            shuffles = scheme.shuffles()
            values = np.abs(statistic.values(shuffles.rows, shuffles.signs, np.arange(y.shape[1])))
            maxima = values.reshape(studies.SHUFFLES, studies.AT_ONCE, studies.N_LOC).max(axis=2)
            reached = maxima >= maxima[0] - studies.TIE * np.abs(maxima[0])
            found += int((reached.sum(axis=0) <= ALPHA * studies.SHUFFLES + studies.TIE).sum())
        return found / n_sets


def _side_by_side(volumes: np.ndarray) -> np.ndarray:
    """Data sets (n_sets, n, n_loc) as (n, n_sets * n_loc)."""
    return np.ascontiguousarray(np.concatenate(list(volumes), axis=1))


def _smooth_studies(
    rng: np.random.Generator, sets: int, studies: ModuleType
) -> tuple[np.ndarray, np.ndarray]:
    """Twelve studies, neighbours alike; variances are a study's, times what differs from place to place."""
    own = 0.1 + rng.chisquare(2, (sets, 12, 1)) / 2 * 0.7
    variances = own * rng.uniform(0.7, 1.3, (sets, 12, studies.N_LOC))
    errors = studies.smoothed(rng.standard_normal((sets, 12, studies.N_LOC))) * np.sqrt(variances + TAU2)
    return _side_by_side(errors), _side_by_side(variances)


def _smooth_sites(rng: np.random.Generator, sets: int, studies: ModuleType) -> tuple[np.ndarray, None]:
    """The sites of unequal variance and size, neighbours alike."""
    return _side_by_side(studies.unequal(np.where(_SITES == 0, 2.0, 1.0))(rng, sets)), None


SHUFFLED: Mapping[str, Shuffled] = {
    "studies, reml, signs flipped": Shuffled(np.ones((12, 1)), (1.0,), _smooth_studies, MixedEffects("reml")),
    "two kinds of studies, reml, permuted": Shuffled(
        np.column_stack([np.ones(12), np.repeat([0, 1], 6)]),
        (0.0, 1.0),
        _smooth_studies,
        MixedEffects("reml"),
    ),
    "sites, hc3, permuted": Shuffled(np.eye(2)[_SITES], (1.0, -1.0), _smooth_sites, LeastSquares(Hc("hc3"))),
}
"""Every case of shuffles by its name."""
