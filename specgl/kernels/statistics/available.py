"""t and F on the observations that each location has, by Draper and Stoneman's shuffles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.ols import PATTERN_CELLS, factorise_patterns
from specgl.kernels.patterns import find_patterns
from specgl.kernels.statistics.available_kernels import (
    AMPLIFIED,
    Presence,
    evaluate_places,
    residuals,
    shape_patterns,
)
from specgl.kernels.statistics.available_tiles import fill_available, scan_available
from specgl.kernels.statistics.exact import DIRECTIONS, least_counted, to_share
from specgl.kernels.statistics.methods import split_nuisance
from specgl.kernels.statistics.partition import nuisance_on, partition
from specgl.kernels.statistics.protocol import BLOCK, Maps, Rows, Scale, Scan, Signs
from specgl.kernels.statistics.survey import Bars, error_bound, make_bars, no_candidates
from specgl.kernels.statistics.tiles import TILE, Tiles, lay_out, write_tiles
from specgl.kernels.statistics.weights import as_shuffles, gather, is_identity
from specgl.kernels.statistics.zscale import ZTable, z_of
from specgl.kernels.tails import Alternative

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_PRODUCTS = 32  # rows of a product with one tile
_SHAPES = 2**20  # patterns times shuffles held at a time: 4 MiB for a t


@dataclass(frozen=True, eq=False)
class AvailableStatistic:
    """t or F of one contrast where locations lack observations, ready to be shuffled.

    Degrees of freedom are a location's own, so that maxima and maps are of z.

    Attributes
    ----------
    kind
        ``t`` or ``F``.
    tested
        ``(n, r)`` rows that move.
    tiles, presence
        The data, locations sorted by degrees of freedom and pattern.
    dofs
        ``(n_groups,)`` degrees of freedom of each group of tiles.
    dof
        ``(m,)`` degrees of freedom of each analysed location, sorted as they are.
    squares
        ``(m,)`` squared length of its data beside its nuisance.
    n_loc
        Number of locations, analysed or not.
    observed, observed_z
        ``(n_loc,)`` the statistic of the identity and its z, 0 where a location is not analysed.
    """

    kind: Literal["t", "F"]
    tested: Floats
    tiles: Tiles
    presence: Presence
    dofs: Floats
    dof: Floats
    squares: Floats
    n_loc: int
    observed: Floats
    observed_z: Floats

    @classmethod
    def prepare(
        cls,
        data: NDArray[np.floating],
        matrix: Floats,
        weights: Floats,
        *,
        kind: Literal["t", "F"],
        block_codes: NDArray[np.integer] | None = None,
        invariant: Floats | None = None,
        analysed: NDArray[np.bool_] | None = None,
        row_of: NDArray[np.integer] | None = None,
    ) -> AvailableStatistic:
        """Find the patterns, take each one's nuisance out of the data, compute the observed statistic.

        Parameters
        ----------
        data
            ``(n_data, n_loc)`` float32 or float64; values that are not finite are missing. Kept, not copied.
        matrix, weights, block_codes
            The design, the contrast and the blocks, as for `partition`.
        kind
            ``t`` (a contrast of one row) or ``F``.
        invariant
            ``(n, n)`` projector onto the functions that no admissible shuffle changes, or ``None``.
        analysed
            ``(n_loc,)`` which locations count: those that can estimate the contrast and have a degree of
            freedom left. ``None`` for all.
        row_of
            ``(n,)`` row of the data of each observation of the design; ``None`` for their own order.

        Returns
        -------
        AvailableStatistic
            Holds the data and a normalised copy of them in float32.
        """
        values = np.ascontiguousarray(data)
        n, n_loc = len(matrix), values.shape[1]
        order = np.arange(n) if row_of is None else np.asarray(row_of, dtype=np.int64)
        columns = np.arange(n_loc) if analysed is None else np.flatnonzero(analysed)
        patterns = find_patterns(values if columns.size == n_loc else values[:, columns])
        here = np.ascontiguousarray(patterns.present[:, order])
        dof = _degrees(matrix, block_codes, here)[patterns.of_location]
        sort = np.lexsort((patterns.of_location, dof))
        codes = np.zeros(n, dtype=np.int64)
        if block_codes is not None:
            codes = np.unique(block_codes, return_inverse=True)[1].astype(np.int64)
        presence = Presence(
            data=values,
            row_of=order,
            columns=columns[sort],
            pattern=patterns.of_location[sort].astype(np.int64),
            here=here.astype(np.float64),
            nuisance=_nuisance(matrix, weights, block_codes, here),
            blocks=codes,
            n_blocks=0 if block_codes is None else int(codes.max()) + 1,
        )
        dofs, groups = np.unique(dof[sort], return_inverse=True)
        tiles = lay_out(groups, n)
        squares = _fill_tiles(tiles, presence)
        tested = _tested(matrix, weights, block_codes, invariant)
        signed, every = kind == "t", np.arange(columns.size)
        identity = np.ascontiguousarray(tested.T)[None]
        found = np.zeros(n_loc)
        found[columns[sort]] = evaluate_places(presence, identity, tested.shape[1], signed, dof[sort], every)[
            0
        ]
        z = np.zeros(n_loc)
        z[columns] = z_of(found[columns], kind, tested.shape[1], dof)
        return cls(kind, tested, tiles, presence, dofs, dof[sort], squares, n_loc, found, z)

    @property
    def n_obs(self) -> int:
        """Length of a shuffle."""
        return len(self.tested)

    @property
    def signed(self) -> bool:
        """Whether the statistic has a sign."""
        return self.kind == "t"

    @property
    def varying(self) -> bool:
        """Degrees of freedom differ among locations."""
        return True

    def scan(
        self, rows: Rows, signs: Signs | None, *, alternative: Alternative, count: bool, scale: Scale
    ) -> Scan:
        """Maxima (of z) and counts, see `ShuffledStatistic.scan`."""
        here = is_identity(rows, signs)
        there = np.flatnonzero(~here)
        columns = self.presence.columns
        maxima = np.full((len(rows), 2), np.nan)
        counts = np.zeros(self.n_loc, dtype=np.int64) if count else None
        totals = np.full(columns.size if count else 0, np.count_nonzero(here), dtype=np.int32)
        if columns.size:
            known = self.observed_z[columns]
            maxima[here] = known.max(), (-known).max()
            at_once = min(_PRODUCTS // self._r, _SHAPES // (len(self.presence.here) * self._r**2))
            at_once = max(1, at_once)
            for start in range(0, there.size, at_once):
                part = there[start : start + at_once]
                moved = self._moved(rows[part], None if signs is None else signs[part])
                maxima[part] = self._scan(moved, alternative, count, totals)
        if counts is not None:
            counts[columns] = totals
        if not self.signed:
            maxima[:, 1] = np.nan
        return Scan(maxima[:, 0], maxima[:, 1], counts)

    def fill(self, rows: Rows, signs: Signs | None, out: Maps, *, scale: Scale) -> None:
        """Maps of z, see `ShuffledStatistic.fill`."""
        columns = self.presence.columns
        out[:] = 0.0
        exact = out.dtype == np.float64
        together = 1 if exact else BLOCK  # bits may depend on what is multiplied together
        for start in range(0, len(rows), together):
            stop = min(start + together, len(rows))
            moved = self._moved(rows[start:stop], None if signs is None else signs[start:stop])
            maps = np.empty((stop - start, columns.size), dtype=out.dtype)
            fill_available(self.presence, self.squares, self.dof, moved, together, self.signed, maps)
            if exact:
                out[start:stop, columns] = z_of(maps, self.kind, self._r, self.dof)
                continue
            for table, first, last in self._tables:
                out[start:stop, columns[first:last]] = table(maps[:, first:last])
        out[is_identity(rows, signs)] = self.observed_z

    def values(self, rows: Rows, signs: Signs | None, locations: NDArray[np.integer]) -> Floats:
        """Exact z at a few locations, see `ShuffledStatistic.values`."""
        chosen = np.asarray(locations)
        found = np.zeros((len(rows), len(chosen)))
        place = np.full(self.n_loc, -1)
        place[self.presence.columns] = np.arange(self.presence.columns.size)
        there = np.flatnonzero(place[chosen] >= 0)
        wanted = place[chosen[there]].astype(np.int64)
        stats = evaluate_places(
            self.presence, self._moved(rows, signs), self._r, self.signed, self.dof, wanted
        )
        found[:, there] = z_of(stats, self.kind, self._r, self.dof[wanted])
        found[is_identity(rows, signs)] = self.observed_z[chosen]
        return found

    @property
    def _r(self) -> int:
        return int(self.tested.shape[1])

    @cached_property
    def _error(self) -> float:
        # A correlation is a score times at most AMPLIFIED, in units of the moved row's length.
        return 1.5 * AMPLIFIED * error_bound(self.tiles.n, self._r, 0, self.signed)

    @cached_property
    def _tables(self) -> list[tuple[ZTable, int, int]]:
        edges = [*np.searchsorted(self.dof, self.dofs, side="left").tolist(), self.dof.size]
        return [
            (ZTable(self.kind, self._r, float(dof)), edges[i], edges[i + 1])
            for i, dof in enumerate(self.dofs)
        ]

    @cached_property
    def _bars(self) -> dict[int, Bars]:
        known = self.observed[self.presence.columns]
        directions = DIRECTIONS.values() if self.signed else (DIRECTIONS["greater"],)
        return {
            direction: make_bars(
                to_share(least_counted(known, direction), self._r, self.signed, self.dof),
                direction,
                self._error,
            )
            for direction in directions
        }

    def _moved(self, rows: Rows, signs: Signs | None) -> Floats:
        moved: Floats = gather(self.tested, *as_shuffles(rows, signs))
        return moved

    def _scan(
        self, moved: Floats, alternative: Alternative, count: bool, totals: NDArray[np.int32]
    ) -> Floats:
        direction = DIRECTIONS[alternative if self.signed else "greater"]
        nothing = np.empty(0, dtype=np.float32)
        maxima = scan_available(
            self.tiles.flat,
            self.tiles.first,
            self.tiles.group,
            self.dofs,
            _singles(moved, len(moved)),
            shape_patterns(self.presence, moved),
            self.presence,
            moved,
            self.signed,
            2 * self._error,
            count,
            self._bars[direction] if count else Bars(nothing, nothing, direction),
            self.observed[self.presence.columns] if count else np.empty(0),
            no_candidates(3 * len(moved) * TILE),
            totals,
        )
        if not self.signed:
            maxima[:, :, 1] = 0.0
        z = z_of(maxima, self.kind, self._r, self.dofs[:, None, None])
        largest: Floats = z.max(axis=0)
        return largest


def _singles(moved: Floats, n_shuffles: int) -> NDArray[np.float32]:
    """``(n_shuffles * r, n)`` moved rows in float32, followed by zeros."""
    _, r, n = moved.shape
    result = np.zeros((n_shuffles * r, n), dtype=np.float32)
    result[: len(moved) * r] = moved.reshape(-1, n)
    return result


def _fill_tiles(tiles: Tiles, presence: Presence) -> Floats:
    """Write the tiles; return the squared lengths of what was written ``(m,)``."""
    squares = np.empty(presence.columns.size)
    for start in range(0, squares.size, 8 * TILE):
        here = slice(start, min(start + 8 * TILE, squares.size))
        y, squares[here] = residuals(presence, here.start, here.stop)
        write_tiles(tiles, start, y, squares[here])
    return squares


def _tested(
    matrix: Floats, weights: Floats, codes: NDArray[np.integer] | None, invariant: Floats | None
) -> Floats:
    """``(n, r)`` rows that move, of length 1, without the nuisance that stays where it is."""
    parts = partition(matrix, weights, codes)
    _, still = split_nuisance(parts.z, invariant)
    tested = parts.x0 - still @ (still.T @ parts.x0)
    lengths = np.linalg.norm(tested, axis=0)
    return np.ascontiguousarray(tested / np.where(lengths > 0, lengths, 1.0))


def _degrees(matrix: Floats, codes: NDArray[np.integer] | None, here: NDArray[np.bool_]) -> Floats:
    """``(n_pat,)`` residual degrees of freedom of each pattern."""
    result = np.empty(len(here))
    step = max(1, PATTERN_CELLS // max(1, matrix.size))
    for start in range(0, len(here), step):
        geometry = factorise_patterns(matrix, codes, here[start : start + step]).geometry
        result[start : start + step] = geometry.n - geometry.rank
    return result


def _nuisance(
    matrix: Floats, weights: Floats, codes: NDArray[np.integer] | None, here: NDArray[np.bool_]
) -> Floats:
    """``(n_pat, q, n)`` orthonormal nuisance of each pattern, blocks apart."""
    found: list[Floats] = []
    order = np.arange(len(matrix))
    step = max(1, PATTERN_CELLS // max(1, matrix.size))
    for start in range(0, len(here), step):
        factors = factorise_patterns(matrix, codes, here[start : start + step])
        order = factors.order
        for basis, spread in zip(factors.basis, factors.geometry.spread, strict=True):
            filled = np.any(basis != 0, axis=0)
            found.append(basis[:, filled] @ nuisance_on(weights, spread[:, filled]))
    result = np.zeros((len(here), max((each.shape[1] for each in found), default=0), len(matrix)))
    for rows, each in zip(result, found, strict=True):
        rows[: each.shape[1], order] = each.T
    return result
