"""v and G with variance groups, ready to be shuffled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.statistics.exact import DIRECTIONS, least_counted, turned
from specgl.kernels.statistics.methods import Nuisance
from specgl.kernels.statistics.partition import Partition
from specgl.kernels.statistics.protocol import Maps, Rows, Scale, Scan, Signs
from specgl.kernels.statistics.separate_kernels import all_statistics
from specgl.kernels.statistics.separate_parts import GroupedDesign, Moved, Part, make_parts
from specgl.kernels.statistics.separate_scan import Counted, Found, Table, no_candidates, scan_tiles
from specgl.kernels.statistics.separate_tables import bars_for, make_table
from specgl.kernels.statistics.weights import is_identity
from specgl.kernels.statistics.zscale import ZSurface, read_table
from specgl.kernels.tails import Alternative

Floats = NDArray[np.float64]

_ROOM = 4096  # undecided counts of a run of shuffles; where there are more, the run is done again


@dataclass(frozen=True, eq=False)
class SeparateStatistic:
    """v or G of one contrast at all locations, ready to be shuffled.

    The groups belong to the rows of the design: data that a shuffle moves take the variance of the group that
    they come to. Where the model moves instead (Dekker, Draper-Stoneman), data and groups stay. Still-White
    leaves the nuisance out of the fit, and weighs the tested part as the whole model would.

    Attributes
    ----------
    kind
        ``v`` or ``G``.
    parts
        The locations by pattern of missing values.
    surface
        z by table for the degrees of freedom that can occur.
    n_obs, n_loc
        Length of a shuffle, and number of locations, analysed or not.
    observed, observed_z, observed_inverse
        ``(n_loc,)`` the statistic of the identity, its z and the reciprocal of its dof, 0 where a location
        is not analysed.
    """

    kind: Literal["v", "G"]
    parts: tuple[Part, ...]
    surface: ZSurface
    table: Table
    n_obs: int
    n_loc: int
    observed: Floats
    observed_z: Floats
    observed_inverse: Floats

    @classmethod
    def prepare(
        cls,
        data: NDArray[np.floating],
        parts: Partition,
        groups: NDArray[np.integer],
        *,
        kind: Literal["v", "G"],
        nuisance: Nuisance = "freedman_lane",
        invariant: Floats | None = None,
        analysed: NDArray[np.bool_] | None = None,
        row_of: NDArray[np.integer] | None = None,
        incomplete: bool = False,
    ) -> SeparateStatistic:
        """Take the nuisance out of the data and compute the observed statistic.

        Parameters
        ----------
        data
            ``(n_data, n_loc)`` float32 or float64. Where any analysed location has a missing value (NaN or
            infinite), all are shuffled by Draper-Stoneman on the rows that have one.
        parts
            The partitioned design.
        groups
            ``(n,)`` variance group of each row of the design.
        kind
            ``v`` (a contrast of one row) or ``G``.
        nuisance
            The way of shuffling with nuisance variables; ``huh_jhun`` has no rows that groups could belong
            to.
        invariant
            ``(n, n)`` projector onto the functions that no admissible shuffle changes, or ``None``.
        analysed
            ``(n_loc,)`` which locations count; ``None`` for all. Those whose groups cannot be estimated do
            not.
        row_of
            ``(n,)`` row of the data of each observation of the design; ``None`` for their own order.
        incomplete
            Whether to shuffle as if a value were missing, because that is so for another contrast.

        Returns
        -------
        SeparateStatistic
            Holds a copy of the data in float64.

        Raises
        ------
        ValueError
            For ``huh_jhun``.
        """
        n_obs, n_loc = len(parts.x), data.shape[1]
        order = np.arange(n_obs) if row_of is None else np.asarray(row_of)
        columns = np.arange(n_loc) if analysed is None else np.flatnonzero(analysed)
        design = GroupedDesign(parts, np.asarray(groups, dtype=np.int64), kind == "v", nuisance, invariant)
        made, reference = make_parts(data, order, columns, design, incomplete)
        low = max(0.5, min((part.dof[0] for part in made), default=1.0))
        high = max(low, max((part.dof[1] for part in made), default=1.0))
        surface, table = make_table(kind, parts.r, low, high)
        observed, z, inverse = np.zeros(n_loc), np.zeros(n_loc), np.zeros(n_loc)
        identity = np.arange(n_obs, dtype=np.int32)
        for part in reference:
            moved = next(part.move(identity[None], None))
            observed[part.columns], inverse[part.columns] = _all_of(part, moved)
            z[part.columns] = surface.exact(observed[part.columns], inverse[part.columns])
        return cls(kind, made, surface, table, n_obs, n_loc, observed, z, inverse)

    @property
    def signed(self) -> bool:
        """Whether the statistic has a sign."""
        return self.kind == "v"

    @property
    def varying(self) -> bool:
        """Degrees of freedom differ at each location and with each shuffle."""
        return True

    def scan(
        self, rows: Rows, signs: Signs | None, *, alternative: Alternative, count: bool, scale: Scale
    ) -> Scan:
        """Maxima of z and counts, see `ShuffledStatistic.scan`."""
        direction = DIRECTIONS[alternative if self.signed else "greater"]
        here = is_identity(rows, signs)
        there = np.flatnonzero(~here)
        maxima = np.full((len(rows), 2), -np.inf)
        counts = np.zeros(self.n_loc, dtype=np.int64) if count else None
        for part in self.parts:
            known = self.observed_z[part.columns]
            maxima[here] = np.maximum(maxima[here], (known.max(), (-known).max()))
            if counts is not None:
                counts[part.columns] += np.count_nonzero(here)
            chosen = None if signs is None else signs[there]
            counted = self._counted(part, direction, count)
            first = 0
            for moved in part.move(rows[there], chosen):
                which = there[first : first + moved.n]
                first += moved.n
                found, totals = self._scan(part, moved, counted, count)
                maxima[which] = np.maximum(maxima[which], found)
                if counts is not None:
                    counts[part.columns] += totals
        if not self.parts:
            maxima[:] = 0.0
        if not self.signed:
            maxima[:, 1] = np.nan
        return Scan(maxima[:, 0], maxima[:, 1], counts)

    def fill(self, rows: Rows, signs: Signs | None, out: Maps, *, scale: Scale) -> None:
        """Maps of z, see `ShuffledStatistic.fill`."""
        out[:] = 0.0
        for b, part, stat, inverse in self._statistics(rows, signs):
            if out.dtype == np.float64:
                z = self.surface.exact(stat, inverse)
            else:
                z = read_table(self.surface, stat, inverse)
                outside = np.flatnonzero(np.isnan(z))
                z[outside] = self.surface.exact(stat[outside], inverse[outside])
            out[b, part.columns] = z
        out[is_identity(rows, signs)] = self.observed_z

    def values(self, rows: Rows, signs: Signs | None, locations: NDArray[np.integer]) -> Floats:
        """The z at a few locations, see `ShuffledStatistic.values`."""
        wanted = np.asarray(locations)
        found = np.zeros((len(rows), wanted.size))
        for part in self.parts:
            place = np.full(self.n_loc, -1)
            place[part.columns] = np.arange(part.columns.size)
            own = np.flatnonzero(place[wanted] >= 0)
            if not own.size:
                continue
            few = part.only(place[wanted[own]])
            for b, _, stat, inverse in _walk((few,), rows, signs):
                found[b, own] = self.surface.exact(stat, inverse)
        found[is_identity(rows, signs)] = self.observed_z[wanted]
        return found

    def _statistics(self, rows: Rows, signs: Signs | None) -> Iterator[tuple[int, Part, Floats, Floats]]:
        return _walk(self.parts, rows, signs)

    def _counted(self, part: Part, direction: int, count: bool) -> Counted:
        if not count:
            nothing = np.empty(0)
            return Counted(nothing, nothing, nothing, nothing, nothing, direction)
        least = least_counted(self.observed_z[part.columns], direction)
        bar = least_counted(self.observed[part.columns], direction)
        exact = turned(self.observed[part.columns], direction)
        sure, possible = bars_for(self.table, least)
        # A tie is a tie on either scale: rounding must not put the bar above the observed statistic.
        return Counted(
            sure, np.minimum(possible, bar), least, exact, self.observed_inverse[part.columns], direction
        )

    def _scan(
        self, part: Part, moved: Moved, counted: Counted, count: bool
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Maxima ``(B, 2)`` and counts ``(m,)`` of shuffles that share a geometry."""
        m = part.columns.size
        if moved.shape is None:
            zeros = np.zeros((moved.n, m))
            return np.zeros((moved.n, 2)), _reached(zeros, counted, moved.n if count else 0)
        if not self._covers(moved):
            return self._scan_exactly(part, moved, counted, count)
        room = _ROOM
        while True:
            totals = np.zeros(m if count else 0, dtype=np.int32)
            found = no_candidates(moved.n, room)
            scan_tiles(
                part.tiles,
                m,
                moved.rows,
                moved.groups,
                moved.shape,
                self.table,
                count,
                counted,
                totals,
                found,
            )
            if found.n_open[0] <= room:
                break
            room = int(found.n_open[0])
        maxima = self._settle(found)
        lost = np.flatnonzero((found.size < 0).any(axis=1))
        if lost.size:
            maxima[lost] = self._scan_exactly(part, moved.only(lost), counted, False)[0]
        n = int(found.n_open[0])
        exact = self.surface.exact(found.open_stat[:n], found.open_inverse[:n])
        counts = totals.astype(np.int64)
        np.add.at(counts, found.place[:n][exact >= counted.least[found.place[:n]]], 1)
        return maxima, counts

    def _covers(self, moved: Moved) -> bool:
        low, high = moved.dof
        width = self.surface.half * (1 + 1e-9)
        return abs(1 / low - self.surface.middle) <= width and abs(1 / high - self.surface.middle) <= width

    def _settle(self, found: Found) -> Floats:
        valid = np.arange(found.stat.shape[2]) < found.size[:, :, None]
        z = np.full(found.stat.shape, -np.inf)
        z[valid] = self.surface.exact(found.stat[valid], found.inverse_dof[valid])
        best: Floats = z.max(axis=2)
        return best

    def _scan_exactly(
        self, part: Part, moved: Moved, counted: Counted, count: bool
    ) -> tuple[Floats, NDArray[np.int64]]:
        """The same by exact tails everywhere."""
        z = np.stack([self.surface.exact(*_all_of(part, moved, b)) for b in range(moved.n)])
        maxima = np.stack([z.max(axis=1), (-z).max(axis=1)], axis=1)
        return maxima, _reached(z, counted, moved.n if count else 0)


def _reached(z: Floats, counted: Counted, n: int) -> NDArray[np.int64]:
    """How many of the first ``n`` shuffles ``z (B, m)`` count at each location."""
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    reached: NDArray[np.int64] = np.count_nonzero(turned(z, counted.direction) >= counted.least, axis=0)
    return reached


def _all_of(part: Part, moved: Moved, b: int = 0) -> tuple[Floats, Floats]:
    """Statistics and reciprocals of dof ``(m,)`` of one shuffle at all locations of a part."""
    stat, inverse = np.zeros(part.columns.size), np.ones(part.columns.size)
    if moved.shape is not None:
        all_statistics(part.tiles, moved.rows[b], moved.groups[b], moved.shape, stat, inverse)
    return stat, inverse


def _walk(
    parts: tuple[Part, ...], rows: Rows, signs: Signs | None
) -> Iterator[tuple[int, Part, Floats, Floats]]:
    """Each shuffle and part, with its statistics and the reciprocals of their dof."""
    for part in parts:
        first = 0
        for moved in part.move(rows, signs):
            for b in range(moved.n):
                yield first + b, part, *_all_of(part, moved, b)
            first += moved.n
