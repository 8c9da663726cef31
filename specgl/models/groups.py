"""Residuals summed by variance group while a model is fitted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specgl.errors import Finding
from specgl.kernels.ols import residuals_tile
from specgl.kernels.patterns import Patterns
from specgl.kernels.welch import NO_RESIDUAL, group_sums, residual_dof
from specgl.models.stretches import Floats, Run, block_codes

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Design


@dataclass(frozen=True, eq=False)
class GroupSums:
    """Sums that the threads fill, each its own locations.

    Attributes
    ----------
    codes
        ``(n_obs,)`` variance group of each observation, in the design's order.
    blocks
        ``(n_obs,)`` block of each observation, or None.
    rss
        ``(n_groups, n_loc)`` residual sum of squares of each group.
    free
        ``(n_pat,)`` bool: whether every group that has an observation has a residual degree of freedom.
    """

    codes: NDArray[np.int64]
    blocks: NDArray[np.int64] | None
    rss: Floats
    free: NDArray[np.bool_]

    def visit(self, run: Run) -> None:
        """Add the locations of a run."""
        residuals, codes = residuals_tile(run.factor, run.y), self.codes[run.rows]
        self.rss[:, run.locations] = group_sums(residuals, codes, len(self.rss))
        self.free[run.pattern] = has_free_groups(run, self.codes, self.blocks, len(self.rss))


def has_free_groups(
    run: Run, codes: NDArray[np.int64], blocks: NDArray[np.int64] | None, n_groups: int
) -> bool:
    """Whether every group ``(n_obs,)`` that has an observation in a run has a residual degree of freedom."""
    here, own = codes[run.rows], None if blocks is None else blocks[run.rows]
    residual = residual_dof(run.factor.basis, here, own, n_groups)
    held = np.bincount(here, minlength=n_groups) > 0
    return bool((residual[held] > NO_RESIDUAL).all())


def blank_sums(design: Design, n_pat: int, n_loc: int) -> GroupSums | None:
    """Sums to be filled; None where a design has no variance groups, or one that holds all observations."""
    groups = design.variance_groups
    if groups is None or not design.varies_by_group:
        return None
    n_groups = int(groups.codes.max()) + 1
    return GroupSums(
        groups.codes, block_codes(design), np.full((n_groups, n_loc), np.nan), np.ones(n_pat, dtype=bool)
    )


def without_variance(groups: GroupSums, tested: NDArray[np.bool_], patterns: Patterns) -> Iterator[Finding]:
    """W282 where missing values leave a group without a residual degree of freedom."""
    lost = int(np.count_nonzero(tested & ~groups.free[patterns.of_location]))
    if lost:
        yield lost_to_groups(lost, tested.size)


def lost_to_groups(lost: int, n_loc: int) -> Finding:
    """W282, with how many of all locations it is about."""
    return Finding(
        "W282",
        f"a variance group has no residual degree of freedom at {lost} of {n_loc} locations, "
        "which get no statistic",
        where=("model", "variance_groups"),
    )
