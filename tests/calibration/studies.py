"""Null studies: many small data sets side by side, and how often each is called significant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from scipy import ndimage

from specgl.design.records import Block, Contrast, Design
from specgl.engines import Threads
from specgl.images.grid import Grid
from specgl.images.space import Space
from specgl.inference import Forming, Permutation, Permuted, Provisions, Tfce, infer
from specgl.kernels.ols import factorise
from specgl.kernels.shuffles import Level, build_tree
from specgl.models import contrast_maps, fit
from specgl.models.schemes import Scheme, make_schemes
from specgl.models.shuffled import shuffled_model

SHAPE = (5, 5, 5)
N_LOC = 125
SHUFFLES = 200
ALPHA = 0.05
DATA_SETS = 4000
AT_ONCE = 100
"""Data sets that share one set of shuffles; each set of shuffles has its own seed."""
SEED = 20261101
TIE = 1e-9

Draw = Callable[[np.random.Generator, int], np.ndarray]


@dataclass(frozen=True, eq=False)
class Study:
    """A design, a question of which the null is true, and how the errors come about.

    Attributes
    ----------
    matrix, weights
        Design (n, p) and contrast (p,).
    draw
        Errors of so many data sets, (n_sets, n, n_loc).
    alternative
        Direction of the test.
    exchange
        What is asked for, or None for what the design's algebra says.
    blocks
        Blocks whose means are taken out, or None.
    levels
        Exchangeability blocks, the outer first.
    groups
        Variance groups, or None.
    """

    matrix: np.ndarray
    weights: np.ndarray
    draw: Draw
    alternative: str = "two-sided"
    exchange: str | None = None
    blocks: np.ndarray | None = None
    levels: tuple[Level, ...] = ()
    groups: np.ndarray | None = None

    @property
    def design(self) -> Design:
        n = len(self.matrix)
        rank = factorise(self.matrix, self.blocks).rank
        contrast = Contrast("c", np.atleast_2d(self.weights).astype(float), "t", self.alternative, ("c",))
        ids = tuple(f"sub-{i:02}" for i in range(n))
        block, groups = block_of("subject", self.blocks), block_of("site", self.groups)
        return Design(self.matrix, (), ids, (contrast,), block, rank, n - rank, "x", {}, (), groups)

    def but(self, **changes: Any) -> Study:
        """The same study analysed in another way."""
        return replace(self, **changes)


def block_of(name: str, codes: np.ndarray | None) -> Block | None:
    """Codes with a name."""
    if codes is None:
        return None
    return Block(name, codes.astype(np.int64), tuple(str(code) for code in np.unique(codes)))


def smoothed(errors: np.ndarray) -> np.ndarray:
    """Errors (n_sets, n, n_loc), neighbours alike, of unit variance."""
    volumes = errors.reshape(*errors.shape[:2], *SHAPE)
    volumes = ndimage.gaussian_filter(volumes, (0, 0, 0.6, 0.6, 0.6), mode="wrap")
    return (volumes / volumes.std()).reshape(errors.shape)


def parts(study: Study, n_sets: int) -> Iterator[tuple[np.ndarray, Scheme]]:
    """Errors of `AT_ONCE` data sets at a time, and shuffles of their own for them."""
    design, tree = study.design, build_tree(len(study.matrix), study.levels)
    for part in range(n_sets // AT_ONCE):
        rng = np.random.default_rng((SEED, part))
        (scheme,) = make_schemes(
            design,
            tree,
            exchange=study.exchange,
            n=SHUFFLES,
            seed=SEED + part,
            nuisance="freedman_lane",
            contrasts=None,
        )
        assert scheme.n == SHUFFLES
        yield study.draw(rng, AT_ONCE), scheme


def dataset(study: Study, y: np.ndarray) -> xr.Dataset:
    """Data (n, n_loc) as the models take them."""
    return xr.Dataset(
        {"effect": (("observation", "location"), y)},
        coords={"observation": list(study.design.observations)},
    )


def by_maximum(study: Study, n_sets: int = DATA_SETS) -> float:
    """Share of null data sets in which some location survives the maximum statistic."""
    found = 0
    design = study.design
    for errors, scheme in parts(study, n_sets):
        side_by_side = np.concatenate(list(errors), axis=1)
        n_loc = side_by_side.shape[1]
        statistic = shuffled_model(
            dataset(study, side_by_side),
            design,
            (scheme,),
            {"c": np.ones(n_loc, dtype=bool)},
            nuisance="freedman_lane",
        )["c"]
        shuffles = scheme.shuffles()
        values = statistic.values(shuffles.rows, shuffles.signs, np.arange(n_loc))
        sided = {"two-sided": np.abs(values), "greater": values, "less": -values}[study.alternative]
        maxima = sided.reshape(SHUFFLES, len(errors), N_LOC).max(axis=2)
        reached = maxima >= maxima[0] - TIE * np.abs(maxima[0])
        found += int((reached.sum(axis=0) <= ALPHA * SHUFFLES + TIE).sum())
    return found / n_sets


def whole_way(study: Study, n_sets: int) -> dict[str, float]:
    """The same for all statistics, each data set fitted, shuffled and inferred by itself."""
    common = {"alpha": ALPHA, "connectivity": 6}
    asked = [
        Permutation("voxel", "voxel", **common),
        Permutation("clusterExtent", "cluster_extent", forming=Forming(p=0.02), **common),
        Permutation("clusterMass", "cluster_mass", forming=Forming(p=0.02), **common),
        Permutation("tfce", "tfce", tfce=Tfce(), **common),
    ]
    space = Space.from_mask(np.ones(SHAPE, dtype=bool), Grid(SHAPE, np.diag([3.0, 3.0, 3.0, 1.0])))
    found = dict.fromkeys((one.name for one in asked), 0)
    design, engine = study.design, Threads(1)
    for errors, scheme in parts(study, n_sets):
        for y in errors:
            data = dataset(study, y)
            stats = contrast_maps(fit(data, design, engine=engine), design)
            everywhere = {"c": np.ones(N_LOC, dtype=bool)}
            statistics = shuffled_model(data, design, (scheme,), everywhere, nuisance="freedman_lane")
            permuted = Permuted(statistics, (scheme,), engine, None, None, None)
            for one in infer(stats, space, asked, Provisions(permuted=permuted)):
                found[one.inference] += one.n_surviving > 0
    return {name: count / n_sets for name, count in found.items()}


# Designs and errors -----------------------------------------------------------------------------


def normal(n: int) -> Draw:
    """Independent normal errors."""
    return lambda rng, sets: smoothed(rng.standard_normal((sets, n, N_LOC)))


def heavy(n: int) -> Draw:
    """Symmetric errors with heavy tails: each observation has a variance of its own, drawn anew."""

    def draw(rng: np.random.Generator, sets: int) -> np.ndarray:
        return smoothed(rng.standard_normal((sets, n, N_LOC))) * rng.chisquare(3, (sets, n, 1)) ** 0.5

    return draw


def skewed(n: int) -> Draw:
    """Errors whose right tail is long (lognormal), with mean 0."""

    def draw(rng: np.random.Generator, sets: int) -> np.ndarray:
        errors = np.exp(smoothed(rng.standard_normal((sets, n, N_LOC))))
        return errors - np.exp(0.5)

    return draw


def repeated(codes: np.ndarray, share: float) -> Draw:
    """Observations of one block share part of their errors."""

    def draw(rng: np.random.Generator, sets: int) -> np.ndarray:
        own = smoothed(rng.standard_normal((sets, len(codes), N_LOC)))
        common = smoothed(rng.standard_normal((sets, int(codes.max()) + 1, N_LOC)))
        return np.sqrt(1 - share) * own + np.sqrt(share) * common[:, codes]

    return draw


def unequal(sizes: np.ndarray) -> Draw:
    """Normal errors, each observation with its own standard deviation."""
    return lambda rng, sets: smoothed(rng.standard_normal((sets, len(sizes), N_LOC))) * sizes[:, None]


_UNBALANCED = np.repeat([0, 1], [6, 18])
_SITES = np.repeat([0, 1], [8, 16])
_COVARIATE = np.random.default_rng(5).gamma(2.0, 1.0, 24)
_SUBJECTS = np.repeat(np.arange(8), 3)
_VISITS = np.tile([0, 1, 2], 8)
_BETWEEN = np.random.default_rng(6).standard_normal(8)[_SUBJECTS]

STUDIES: dict[str, Study] = {
    "oneSample": Study(np.ones((16, 1)), np.array([1.0]), heavy(16)),
    "twoGroupsSkewed": Study(
        np.column_stack([np.ones(24), _UNBALANCED == 0, _COVARIATE]),
        np.array([0.0, 1.0, 0.0]),
        skewed(24),
    ),
    "withinBlocks": Study(
        (_VISITS - 1.0)[:, None],
        np.array([1.0]),
        repeated(_SUBJECTS, 0.7),
        blocks=_SUBJECTS,
        levels=(Level(_SUBJECTS, "within", None),),
    ),
    "wholeBlocks": Study(
        np.column_stack([np.ones(24), _BETWEEN]),
        np.array([0.0, 1.0]),
        repeated(_SUBJECTS, 0.7),
        levels=(Level(_SUBJECTS, "whole", _VISITS),),
    ),
    "unequalVariances": Study(
        np.eye(2)[_SITES],
        np.array([1.0, -1.0]),
        unequal(np.where(_SITES == 0, 2.0, 1.0)),
        groups=_SITES,
        exchange="flip",
    ),
}

WRONG: dict[str, Study] = {
    "twoGroupsSkewed, signs flipped": STUDIES["twoGroupsSkewed"].but(exchange="flip"),
    "wholeBlocks, exchanged freely": STUDIES["wholeBlocks"].but(levels=()),
    "unequalVariances, plain t": STUDIES["unequalVariances"].but(groups=None),
    "unequalVariances, permuted": STUDIES["unequalVariances"].but(exchange="permute"),
    "unequalVariances, permuted, plain t": STUDIES["unequalVariances"].but(exchange="permute", groups=None),
}
"""The same data analysed as they should not be."""
