"""specgl's shuffles, through the functions that a run goes through, given a number of shuffles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from brain import Brain
from numpy.typing import NDArray

from specgl.design import Contrast, Design, Regressor
from specgl.engines import Threads
from specgl.images import Space
from specgl.images.grid import Grid
from specgl.inference import Forming, Inferred, Permutation, Permuted, Provisions, Tfce, infer
from specgl.kernels.shuffles import build_tree
from specgl.models import contrast_maps, fit
from specgl.models.schemes import make_schemes
from specgl.models.shuffled import shuffled_model

Singles = NDArray[np.float32]

FORMING_P = 0.001
_SEED = 20261122
_CONTRAST = "mean"

VOXEL = Permutation(name="maxT", statistic="voxel")
TFCE = Permutation(name="tfce", statistic="tfce", connectivity=6, tfce=Tfce())
"""Exact, 6 neighbours: what the language gives where nothing else is said."""


def clusters(connectivity: int) -> tuple[Permutation, ...]:
    """Extent and excess mass of the clusters above p < 0.001, both from one sweep over a map."""
    return tuple(
        Permutation(
            name=name,
            statistic=f"cluster_{name}",
            connectivity=connectivity,
            forming=Forming(p=FORMING_P),
            mass="excess",
        )
        for name in ("extent", "mass")
    )


@dataclass(frozen=True, eq=False)
class OneSample:
    """A group's maps with a design: the mean is tested by sign flips, two-sided.

    Attributes
    ----------
    data
        ``effect (observation, location)``.
    design
        A constant, and nuisance columns.
    stats
        Statistics of the contrast.
    space
        Where the locations lie.
    threads
        How many.
    """

    data: xr.Dataset
    design: Design
    stats: xr.Dataset
    space: Space
    threads: int

    @classmethod
    def prepare(cls, maps: Singles, brain: Brain, threads: int, nuisance: int = 0) -> OneSample:
        """Fit the design to maps ``(subjects, n_voxels)``; what is constant in the number of shuffles."""
        ids = tuple(f"sub-{index:03d}" for index in range(1, len(maps) + 1))
        data = xr.Dataset({"effect": (("observation", "location"), maps)}, coords={"observation": list(ids)})
        design = _design(ids, nuisance)
        engine = Threads(threads)
        stats = contrast_maps(fit(data, design, engine=engine), design, engine=engine)
        space = Space.from_mask(brain.mask, Grid(brain.mask.shape, brain.affine))
        return cls(data, design, stats, space, threads)

    def shuffled(self, asked: Sequence[Permutation]) -> Callable[[int], tuple[Inferred, ...]]:
        """Draw the shuffles, prepare the statistic and infer, from the start."""

        def call(n: int) -> tuple[Inferred, ...]:
            tree = build_tree(len(self.design.observations), ())
            schemes = make_schemes(
                self.design, tree, exchange=None, n=n, seed=_SEED, nuisance="freedman_lane"
            )
            statistics = shuffled_model(
                self.data,
                self.design,
                schemes,
                {_CONTRAST: np.isfinite(self.stats["p"].sel(contrast=_CONTRAST).values)},
                nuisance="freedman_lane",
            )
            permuted = Permuted(statistics, schemes, Threads(self.threads))
            return infer(self.stats, self.space, asked, Provisions(permuted=permuted))

        return call


def _design(ids: tuple[str, ...], nuisance: int) -> Design:
    columns = np.random.default_rng(_SEED).standard_normal((len(ids), nuisance))
    matrix = np.column_stack([np.ones(len(ids)), columns - columns.mean(axis=0)])
    names = ["Intercept", *(f"x{index}" for index in range(1, nuisance + 1))]
    weights = np.eye(1, nuisance + 1)
    return Design(
        matrix=matrix,
        regressors=tuple(Regressor(name, name) for name in names),
        observations=ids,
        contrasts=(Contrast(_CONTRAST, weights, "t", "two-sided", ("Intercept",)),),
        block=None,
        rank=nuisance + 1,
        dof=len(ids) - nuisance - 1,
        formula=" + ".join(["1", *names[1:]]),
        columns={},
    )
