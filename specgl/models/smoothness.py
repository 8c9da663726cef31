"""Smoothness of a fit's residuals, a few planes of voxels at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.engines import Threads
from specgl.errors import ComputationError, Finding
from specgl.kernels.fields import (
    Beside,
    ResidualSmoothness,
    average_near,
    find_beside,
    local_roughness,
    settle_smoothness,
)
from specgl.kernels.patterns import Patterns
from specgl.kernels.welch import NO_RESIDUAL, group_sums, residual_dof
from specgl.models.fitted import GroupFit
from specgl.models.residuals import run_residuals
from specgl.models.stretches import Floats, Rows, Run, block_codes, match_rows, walk

if TYPE_CHECKING:  # types only: neither the formula language nor nibabel is waited for
    from specgl.design import Design
    from specgl.images import Space

CELLS = 2**21
"""Residuals of a slab of planes that a thread holds at a time, in float32: 8 MiB, and as much again for their
directions; but one plane with its neighbours at least. A constant: bits depend neither on threads nor on
memory."""


ENOUGH = 1000
"""Locations with neighbours along all axes that tell the smoothness well."""


@dataclass(frozen=True, eq=False)
class _Slab:
    """Neighbouring planes: those asked about, and with the planes on either side of them."""

    asked: slice
    held: slice


def residual_smoothness(
    data: xr.Dataset,
    design: Design,
    fit: GroupFit,
    space: Space,
    *,
    engine: Threads,
    where: tuple[str | int, ...] = ("inference",),
) -> ResidualSmoothness:
    """Estimate how smooth the noise is from the residuals of a fit.

    Residuals are made again, a few planes of voxels at a time, and are divided by each location's standard
    deviation, with variance groups by that of each group; those of a weighted fit are multiplied by the roots
    of their weights first. Where values are missing, two neighbours are compared in the observations that
    both have.

    Parameters
    ----------
    data, design
        What was fitted.
    fit
        The fitted model.
    space
        The voxels of the locations.
    engine
        Where it runs; results do not depend on it.
    where
        The place in a spec that asks for it, for what cannot be told.

    Returns
    -------
    ResidualSmoothness
        As `specgl.kernels.fields.smoothness.settle_smoothness` tells, the resels per voxel averaged over
        their surroundings.

    Raises
    ------
    ComputationError
        E433, when there are no more residual degrees of freedom than axes, or no voxel has neighbours along
        all axes.
    """
    rows = match_rows(data, design)
    free = np.broadcast_to(np.asarray(fit.dof, dtype=np.float64), fit.tested.shape)
    beside = find_beside(space.voxels, fit.tested)
    usable = fit.tested & (free > len(beside.axes))
    if not usable.any():
        most = f"{int(free[fit.tested].max(initial=0.0))} residual degrees of freedom"
        raise _cannot_tell(f"{most} are too few for {len(beside.axes)} axes of voxels", where)
    if not usable[fit.tested].all():
        beside = find_beside(space.voxels, usable)
    if not fit.patterns.complete:
        beside = _alike(space, usable, fit.patterns, beside)
    groups = _Groups.of(design, len(fit.patterns.present))
    n_axes = len(beside.axes)
    products = np.full((usable.size, n_axes, n_axes), np.nan)

    def visit(slab: _Slab) -> None:
        low = slab.held.start
        residuals = _standardised(rows, design, fit, groups, slab.held)
        neighbours = beside.location[slab.asked]
        centres = np.arange(slab.asked.start, slab.asked.stop) - low
        # A location that is not usable has nothing beside it, and its row says NaN.
        inside = np.where(neighbours >= 0, neighbours - low, -1)
        products[slab.asked] = local_roughness(residuals, centres, inside)

    engine.map(visit, list(_slabs(space.voxels, len(rows.of_design))))
    dof, share = groups.dof(fit.patterns.of_location[usable])
    try:
        found = settle_smoothness(products, beside, fit.tested, dof, share)
    except ValueError as error:
        raise _cannot_tell(str(error), where) from error
    rpv = average_near(found.rpv, space.voxels, found.fwhm_voxels)
    return ResidualSmoothness(found.fwhm_voxels, rpv, float(free[fit.tested].min()))


def _alike(space: Space, usable: NDArray[np.bool_], patterns: Patterns, otherwise: Beside) -> Beside:
    """Neighbours that have the same observations, if there are enough of them.

    Fits to different observations differ, and so do their residuals, however smooth the noise is.
    """
    found = find_beside(space.voxels, usable, patterns.of_location)
    enough = np.count_nonzero((found.location >= 0).all(axis=1)) >= ENOUGH
    return found if enough and found.axes == otherwise.axes else otherwise


def _cannot_tell(reason: str, where: tuple[str | int, ...]) -> ComputationError:
    return ComputationError(
        Finding(
            "E433",
            f"the smoothness of the residuals cannot be estimated: {reason}",
            where,
            help="give it: `smoothness: {fwhm: [x, y, z]}` in mm, or use `method: permutation`",
        )
    )


def _slabs(voxels: NDArray[np.int32], n_obs: int) -> Iterator[_Slab]:
    """Slabs of whole planes of the first axis along which there is more than one."""
    spans = np.ptp(voxels, axis=0) > 0
    along = voxels[:, int(np.argmax(spans))]
    starts = np.flatnonzero(np.diff(along, prepend=along[0] - 1))
    edges = np.append(starts, len(voxels))
    first = 0
    while first < starts.size:
        last = first + 1
        while last < starts.size and (edges[last + 1] - edges[first]) * n_obs <= CELLS:
            last += 1
        yield _Slab(
            slice(int(edges[first]), int(edges[last])),
            slice(int(edges[max(first - 1, 0)]), int(edges[min(last + 1, starts.size)])),
        )
        first = last


def _standardised(
    rows: Rows, design: Design, fit: GroupFit, groups: _Groups, held: slice
) -> NDArray[np.float32]:
    """Residuals ``(n_held, n_obs)`` in units of their standard deviation; NaN where there is none."""
    codes = fit.patterns.of_location[held]
    part = Patterns(fit.patterns.present, codes, np.argsort(codes, kind="stable"))
    values, part_of_fit = rows.part(held), fit.part(held)
    result = np.full((codes.size, len(rows.of_design)), np.nan, dtype=np.float32)

    def visit(run: Run) -> None:
        if run.factor.dof > 0:
            found, first = groups.standardise(run, part_of_fit, design).T, int(run.locations[0])
            if run.locations[-1] - first + 1 == run.locations.size:  # a view, which is filled faster
                result[first : first + len(found), run.rows] = found
            else:
                result[np.ix_(run.locations, run.rows)] = found

    walk(values, design, part, visit, engine=Threads(1))
    return result


@dataclass(frozen=True, eq=False)
class _Groups:
    """Groups of observations whose residuals are scaled together: all of them, or the variance groups.

    Attributes
    ----------
    codes
        ``(n_obs,)`` group of each observation, in the design's order.
    blocks
        ``(n_obs,)`` block of each observation, or None.
    free
        ``(n_pat, n_groups)`` residual degrees of freedom under each pattern, filled in by `standardise`.
    """

    codes: NDArray[np.int64]
    blocks: NDArray[np.int64] | None
    free: Floats

    @classmethod
    def of(cls, design: Design, n_pat: int) -> _Groups:
        """The groups of a design."""
        codes = np.zeros(len(design.matrix), dtype=np.int64)
        if design.variance_groups is not None:
            codes = design.variance_groups.codes
        return cls(codes, block_codes(design), np.zeros((n_pat, int(codes.max()) + 1)))

    def standardise(self, run: Run, fit: GroupFit, design: Design) -> Floats:
        """Residuals of a run ``(n, m)``, each group's in units of its standard deviation at the location."""
        factor, codes = run.factor, self.codes[run.rows]
        n_groups = self.free.shape[1]
        blocks = None if self.blocks is None else self.blocks[run.rows]
        free = residual_dof(factor.basis, codes, blocks, n_groups)
        free[free <= NO_RESIDUAL] = 0.0
        self.free[run.pattern] = free  # by several slabs, with the same numbers
        residuals = run_residuals(run, fit, design).noise
        sums = group_sums(residuals, codes, n_groups)
        with np.errstate(divide="ignore", invalid="ignore"):
            per_sigma = np.sqrt(np.where(sums > 0, free[:, None] / sums, np.nan))
        return residuals * per_sigma[codes]

    def dof(self, patterns: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Degrees of freedom ``(n_pat, n_groups)`` of the patterns among these ``(m,)``, and their shares."""
        share = np.bincount(patterns, minlength=len(self.free)) / patterns.size
        return self.free[share > 0], share[share > 0]
