"""v and G: contrasts of a model whose groups of observations have variances of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.ols import PATTERN_CELLS, factorise_patterns
from specgl.kernels.patterns import runs
from specgl.kernels.rank import RANK_TOLERANCE
from specgl.kernels.statistics import unit_dummies
from specgl.kernels.tails import f_tails, t_tails
from specgl.kernels.welch import KINDS, GroupGeometry, group_geometry, separate_statistic
from specgl.models.fitted import GroupFit
from specgl.models.stretches import block_codes
from specgl.models.tested import Floats, Outcome, effect_of

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Contrast, Design


def separate_outcome(fit: GroupFit, design: Design, contrast: Contrast) -> Outcome:
    """Test one contrast where ``design.variance_groups`` have variances of their own.

    The estimate stays that of ordinary least squares. There is no Cohen's d: it divides by the one residual
    standard deviation that all observations share, and here there is none.

    Parameters
    ----------
    fit
        The fitted model, with residual sums of squares by group.
    design
        The design it was fitted with.
    contrast
        One of its contrasts.

    Returns
    -------
    Outcome
        v for a t contrast, G for an F, each with degrees of freedom of its own at each location (Welch and
        Satterthwaite). NaN where a group has no residual degree of freedom, or where nothing varies in the
        groups that the contrast draws on.
    """
    assert fit.group_rss is not None
    n_loc = fit.sigma2.size
    effects = np.stack([effect_of(fit, weights) for weights in contrast.weights])
    stat, dof, variance = (np.full(n_loc, np.nan) for _ in range(3))
    rank = 1
    for geometry, root, locations in _patterns(fit, design, contrast.weights):
        rank = max(rank, geometry.rank)
        sums = fit.group_rss[np.ix_(geometry.groups, locations)]
        found = separate_statistic(root @ effects[:, locations], sums, geometry)
        dof[locations] = np.where(found.floored, np.nan, found.dof)
        stat[locations] = np.where(found.floored, np.nan, found.stat)
        if len(root) == 1:  # the one row's estimate is its score times the root's reciprocal
            scale = np.abs(root[0]).max()
            variance[locations] = 1 / (scale**2 * found.precision)
    single = len(contrast.weights) == 1
    if contrast.kind == "t":
        stat = np.where(np.isnan(stat), np.nan, effects[0] / np.sqrt(variance))
        tails = t_tails(stat, dof)
        p = tails.p(contrast.alternative)
    else:
        tails = f_tails(stat, rank, dof)
        p = tails.p("greater")
    return Outcome(
        kind=KINDS[contrast.kind],
        stat=stat,
        z=tails.z(),
        p=p,
        dof1=rank,
        effect=effects[0] if single else None,
        variance=variance if single else None,
        dof=dof,
    )


def _patterns(
    fit: GroupFit, design: Design, weights: Floats
) -> Iterator[tuple[GroupGeometry, Floats, NDArray[np.int64]]]:
    """Geometry of the contrast, its root and the locations of each pattern that can test it.

    The root ``(r, q)`` takes estimates of the contrast's rows to scores on its orthonormal basis.
    """
    assert design.variance_groups is not None
    codes, blocks = design.variance_groups.codes, block_codes(design)
    usable = fit.testable(weights)
    at_once = max(1, PATTERN_CELLS // max(1, design.matrix.size))
    found = list(runs(fit.patterns, 0, fit.sigma2.size))
    for first in range(0, len(found), at_once):
        part = found[first : first + at_once]
        present = fit.patterns.present[[pattern for pattern, _ in part]]
        factors = factorise_patterns(design.matrix, blocks, present)
        for position, (_, locations) in enumerate(part):
            tested = locations[usable[locations]]
            if not tested.size:
                continue
            rows, factor = factors.rows(position), factors.factor(position)
            alive = factor.basis.any(axis=0)  # its columns past the rank are zero
            basis = factor.basis[:, alive]
            directions, root = directions_of(weights @ factor.spread[:, alive])
            x = basis @ directions
            rest = basis @ np.linalg.qr(directions, mode="complete")[0][:, directions.shape[1] :]
            z = rest if blocks is None else np.column_stack([rest, unit_dummies(blocks[rows])])
            geometry = group_geometry(x, z, codes[rows], factor.dof)
            if geometry.usable:
                yield geometry, root, tested


def directions_of(spread: Floats) -> tuple[Floats, Floats]:
    """Orthonormal directions ``(k, r)`` of a contrast in the basis' coordinates, and the root ``(r, q)``."""
    size = np.linalg.norm(spread, axis=1)
    if len(spread) == 1:
        return (spread / size).T, np.array([[1 / size[0]]])
    # Rows of length 1: which are dependent must not depend on the units of what they test.
    size = np.where(size > 0, size, 1.0)
    left, values, right = np.linalg.svd(spread / size[:, None], full_matrices=False)
    keep = values > RANK_TOLERANCE * values.max()
    return right[keep].T, (left[:, keep] / values[keep] / size[:, None]).T
