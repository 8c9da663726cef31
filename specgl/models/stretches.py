"""Walking through locations in stretches of a fixed length, pattern by pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.engines import Threads
from specgl.errors import ComputationError, Finding
from specgl.kernels.ols import PATTERN_CELLS, TILE, Factor, Factors, factorise_patterns
from specgl.kernels.patterns import Patterns, runs

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Design

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Rows:
    """Data whose rows have been matched with the design's.

    Attributes
    ----------
    values
        ``(n_obs, n_loc)`` data as they are held.
    of_design
        ``(n_obs,)`` row of `values` for each row of the design.
    variances
        ``(n_obs, n_loc)`` first-level variances, rows as those of `values`, or ``None``.
    covariates
        ``(n_cov, n_obs, n_loc)`` voxelwise covariates in the design's order, or ``None``.
    """

    values: NDArray[np.floating]
    of_design: NDArray[np.int64]
    variances: NDArray[np.floating] | None = None
    covariates: NDArray[np.floating] | None = None

    def part(self, held: slice) -> Rows:
        """The same at some locations; nothing is copied."""
        return Rows(
            self.values[:, held],
            self.of_design,
            None if self.variances is None else self.variances[:, held],
            None if self.covariates is None else self.covariates[:, :, held],
        )


@dataclass(frozen=True, eq=False)
class Run:
    """Neighbouring locations that share a pattern.

    Attributes
    ----------
    pattern
        Index of the pattern.
    locations
        ``(m,)`` which locations.
    rows
        ``(n,)`` rows of the design that have a value.
    factors
        Factors of several patterns, this one among them.
    position
        Where in `factors`.
    y
        ``(n, m)`` the data.
    variances
        ``(n, m)`` their first-level variances, or ``None``.
    covariates
        ``(n_cov, n, m)`` voxelwise covariates in the design's order, or ``None``.
    stretch
        First place of the stretch that it is part of: one thread visits all runs of a stretch.
    """

    pattern: int
    locations: NDArray[np.int64]
    rows: NDArray[np.int64]
    factors: Factors
    position: int
    y: NDArray[np.floating]
    variances: NDArray[np.floating] | None
    covariates: NDArray[np.floating] | None
    stretch: int

    @property
    def factor(self) -> Factor:
        """The pattern's factor, for `y`."""
        return self.factors.factor(self.position)


def match_rows(data: xr.Dataset, design: Design) -> Rows:
    """Match maps with rows of the design by the observations' ids.

    Parameters
    ----------
    data
        ``effect (observation, location)``; where they are used, ``variance`` of the same shape and
        ``voxelwise (covariate, observation, location)`` with the covariates' names along ``covariate``.
    design
        The design.

    Returns
    -------
    Rows
        Nothing is copied.

    Raises
    ------
    ComputationError
        E401, when an id is on one side only or twice.
    """
    effect = data["effect"].transpose("observation", "location")
    ids = [str(name) for name in effect["observation"].values]
    position = {name: row for row, name in enumerate(ids)}
    findings = [
        *_unmatched("maps without a row in the design", set(ids) - set(design.observations)),
        *_unmatched("rows of the design without a map", set(design.observations) - set(ids)),
        *_unmatched("ids that occur twice", {name for name in ids if ids.count(name) > 1}),
    ]
    if findings:
        raise ComputationError(*findings)
    rows = np.array([position[name] for name in design.observations], dtype=np.int64)
    variances = data["variance"].transpose("observation", "location").values if "variance" in data else None
    return Rows(np.asarray(effect.values), rows, variances, _covariates(data, design))


def _covariates(data: xr.Dataset, design: Design) -> NDArray[np.floating] | None:
    """Voxelwise covariates that the design uses, in its order; a view where the data hold these alone."""
    if not design.voxelwise:
        return None
    held = data["voxelwise"].transpose("covariate", "observation", "location")
    names = [str(name) for name in held["covariate"].values]
    if tuple(names) == design.voxelwise:
        return np.asarray(held.values)
    return np.asarray(held.values[[names.index(name) for name in design.voxelwise]])


def _unmatched(what: str, ids: set[str]) -> list[Finding]:
    if not ids:
        return []
    shown = ", ".join(f"'{name}'" for name in sorted(ids)[:_SHOWN])
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return [Finding("E401", f"{what}: {shown}{more}", help="give each observation one row and one map")]


def block_codes(design: Design) -> NDArray[np.int64] | None:
    """``(n_obs,)`` block of each observation, or ``None``."""
    return None if design.block is None else design.block.codes


def walk(
    rows: Rows,
    design: Design,
    patterns: Patterns,
    visit: Callable[[Run], None],
    *,
    engine: Threads,
    progress: Progress | None = None,
) -> None:
    """Call ``visit`` for every location, as part of one run.

    Stretches begin at fixed places of the locations sorted by pattern, so that a run's bits depend neither on
    the engine nor on memory.

    Parameters
    ----------
    rows
        The data.
    design
        The design.
    patterns
        Patterns of missing values, observations in the design's order.
    visit
        Called from several threads at once.
    engine
        Where it runs.
    progress
        Called with stretches done and their number.
    """
    n_loc = rows.values.shape[1]

    def stretch(start: int) -> None:
        for run in _runs(rows, design, patterns, start):
            visit(run)

    engine.map(stretch, range(0, n_loc, TILE), progress=progress)


def _runs(rows: Rows, design: Design, patterns: Patterns, start: int) -> Iterator[Run]:
    found = list(runs(patterns, start, start + TILE))
    places = patterns.order[start : start + TILE]
    tile = _columns(rows.values, places)
    variances = None if rows.variances is None else _columns(rows.variances, places)
    covariates = None if rows.covariates is None else [_columns(one, places) for one in rows.covariates]
    at_once = max(1, PATTERN_CELLS // max(1, design.matrix.size))
    column = 0
    for first in range(0, len(found), at_once):
        part = found[first : first + at_once]
        present = patterns.present[[pattern for pattern, _ in part]]
        factors = factorise_patterns(design.generic, block_codes(design), present)
        for position, (pattern, locations) in enumerate(part):
            chosen = factors.rows(position)
            held, here = rows.of_design[chosen], slice(column, column + locations.size)
            column += locations.size
            yield Run(
                pattern,
                locations,
                chosen,
                factors,
                position,
                tile[held, here],
                None if variances is None else variances[held, here],
                None if covariates is None else np.stack([one[held, here] for one in covariates]),
                start,
            )


def _columns(values: NDArray[np.floating], locations: NDArray[np.int64]) -> NDArray[np.floating]:
    """Columns of the data; a view where they are neighbours."""
    first, last = int(locations[0]), int(locations[-1])
    if last - first + 1 == locations.size and bool((np.diff(locations) == 1).all()):
        return values[:, first : last + 1]
    return values[:, locations]
