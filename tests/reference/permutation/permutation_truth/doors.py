"""The package's side: a case through the public doors, from a design to corrected p-values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from specgl.design.records import Block, Contrast, Design
from specgl.engines import Threads
from specgl.images.grid import Grid
from specgl.images.space import Space
from specgl.inference import Forming, Inferred, Permutation, Permuted, Provisions, Tfce, infer
from specgl.kernels.ols import factorise
from specgl.kernels.shuffles import Level, Tree, build_tree
from specgl.models import contrast_maps, fit
from specgl.models.schemes import Scheme, make_schemes
from specgl.models.shuffled import shuffled_model

VOXEL = Permutation(
    name="voxel",
    statistic="voxel",
    correction="fwe",
    alpha=0.05,
    connectivity=26,
    forming=None,
    mass="total",
    tfce=None,
    scale="t",
    across="none",
    tail="counts",
)


def asked(name: str, **changes: Any) -> Permutation:
    """One inference; what is not named is as in `VOXEL`."""
    return replace(VOXEL, name=name, **changes)


def forming(u: float) -> Forming:
    """A threshold on the statistic's own scale."""
    return Forming(p=None, stat=u)


def forming_p(p: float) -> Forming:
    """A threshold by the p-value of the statistic."""
    return Forming(p=p, stat=None)


def enhancement(e: float = 0.5, h: float = 2.0, dh: float | None = None) -> Tfce:
    """Settings of TFCE."""
    return Tfce(E=e, H=h, dh=dh)


def space(shape: tuple[int, int, int]) -> Space:
    """All voxels of a grid of 2 mm."""
    return Space.from_mask(np.ones(shape, dtype=bool), Grid(shape, np.diag([2.0, 2.0, 2.0, 1.0])))


def design(case: Any, contrasts: Mapping[str, tuple[Sequence[Sequence[float]], str, str]]) -> Design:
    """The design of a case with contrasts: weights, kind and alternative by name."""
    matrix, n = case.matrix, len(case.matrix)
    rank = factorise(matrix, case.blocks).rank
    block = None
    if case.blocks is not None:
        codes = np.asarray(case.blocks, dtype=np.int64)
        block = Block("subject", codes, tuple(str(code) for code in np.unique(codes)))
    groups = None
    if case.groups is not None:
        codes = np.asarray(case.groups, dtype=np.int64)
        groups = Block("site", codes, tuple(str(code) for code in np.unique(codes)))
    made = tuple(
        Contrast(name, np.atleast_2d(np.asarray(weights, dtype=float)), kind, side, (name,))
        for name, (weights, kind, side) in contrasts.items()
    )
    ids = tuple(f"sub-{i:02}" for i in range(n))
    return Design(matrix, (), ids, made, block, rank, n - rank, "x", {}, (), groups)


def tree(case: Any, n: int | None = None) -> Tree:
    """What may be exchanged."""
    levels = [
        Level(np.asarray(codes), how, None if order is None else np.asarray(order))
        for codes, how, order in case.levels
    ]
    return build_tree(len(case.matrix) if n is None else n, levels)


@dataclass(frozen=True, eq=False)
class Answer:
    """What the package says: the observed maps, the schemes, and an `Inferred` by (inference, contrast)."""

    stats: xr.Dataset
    schemes: tuple[Scheme, ...]
    inferred: dict[tuple[str, str], Inferred]


def answer(
    case: Any,
    inferences: Sequence[Permutation],
    contrasts: Mapping[str, tuple[Sequence[Sequence[float]], str, str]] | None = None,
    *,
    n: int | None = None,
    seed: int = 11,
    threads: int = 1,
) -> Answer:
    """Carry a case through design, schemes, shuffled model, fit and inference."""
    side = "two-sided" if case.kind == "F" else case.alternative
    made = design(case, contrasts or {"only": (case.weights, case.kind, side)})
    ids = list(made.observations)
    data = xr.Dataset({"effect": (("observation", "location"), case.y)}, coords={"observation": ids})
    engine = Threads(threads)
    stats = contrast_maps(fit(data, made, engine=engine), made, engine=engine)
    schemes = make_schemes(
        made,
        tree(case),
        exchange=case.exchange if case.asked else None,
        n=n,
        seed=seed,
        nuisance=case.nuisance,
        contrasts=None,
    )
    analysed = {
        str(name): np.isfinite(stats["p"].sel(contrast=name).values) for name in stats["contrast"].values
    }
    statistics = shuffled_model(data, made, schemes, analysed, nuisance=case.nuisance)
    permuted = Permuted(statistics, schemes, engine, None, None, None)
    found = infer(stats, space(case.shape), inferences, Provisions(permuted=permuted))
    return Answer(stats, schemes, {(one.inference, one.contrast): one for one in found})
