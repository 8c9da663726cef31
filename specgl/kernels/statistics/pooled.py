"""t and F with one variance for all observations, on complete data, under every way of shuffling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.statistics.exact import DIRECTIONS, Form, evaluate_locations, least_counted, to_share
from specgl.kernels.statistics.methods import Nuisance, Recipe, make_recipe
from specgl.kernels.statistics.partition import Partition
from specgl.kernels.statistics.pooled_kernels import fill_tiles, scan_tiles
from specgl.kernels.statistics.protocol import BLOCK, Maps, Rows, Scale, Scan, Signs
from specgl.kernels.statistics.survey import Bars, Whole, error_bound, make_bars, no_candidates, whole_of
from specgl.kernels.statistics.tiles import TILE, Source, Tiles, prepare
from specgl.kernels.statistics.weights import (
    Weights,
    as_shuffles,
    is_identity,
    make_weights,
    rows_to_survey,
)
from specgl.kernels.statistics.zscale import ZTable, z_of
from specgl.kernels.tails import Alternative

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_PRODUCTS = 32  # rows of a product with one tile: with the tile they fit a processor's second cache


@dataclass(frozen=True, eq=False)
class PooledStatistic:
    """t or F of one contrast at all locations, ready to be shuffled.

    Attributes
    ----------
    kind
        ``t`` or ``F``.
    recipe
        The way of shuffling.
    tiles, source
        The data.
    form
        What kind of statistic it is.
    n_loc
        Number of locations, analysed or not.
    observed, observed_z
        ``(n_loc,)`` the statistic of the identity and its z, 0 where a location is not analysed.
    """

    kind: Literal["t", "F"]
    recipe: Recipe
    tiles: Tiles
    source: Source
    form: Form
    n_loc: int
    observed: Floats
    observed_z: Floats

    @classmethod
    def prepare(
        cls,
        data: NDArray[np.floating],
        parts: Partition,
        *,
        kind: Literal["t", "F"],
        nuisance: Nuisance = "freedman_lane",
        invariant: Floats | None = None,
        analysed: NDArray[np.bool_] | None = None,
        row_of: NDArray[np.integer] | None = None,
    ) -> PooledStatistic:
        """Take the nuisance out of the data and compute the observed statistic.

        Parameters
        ----------
        data
            ``(n_data, n_loc)`` float32 or float64, complete where analysed; kept, not copied.
        parts
            The partitioned design.
        kind
            ``t`` (a contrast of one row) or ``F``.
        nuisance
            The way of shuffling with nuisance variables.
        invariant
            ``(n, n)`` projector onto the functions that no admissible shuffle changes, or ``None``.
        analysed
            ``(n_loc,)`` which locations count; ``None`` for all.
        row_of
            ``(n,)`` row of the data of each observation of the design; ``None`` for their own order.

        Returns
        -------
        PooledStatistic
            Holds the data and a normalised copy of them in float32.
        """
        values = np.ascontiguousarray(data)
        n_loc = values.shape[1]
        order = np.arange(len(parts.x)) if row_of is None else np.asarray(row_of, dtype=np.int64)
        columns = np.arange(n_loc) if analysed is None else np.flatnonzero(analysed)
        form = Form(parts.r, kind == "t", float(parts.dof))
        recipe = make_recipe(nuisance, parts, invariant)
        tiles, source = prepare(values, order, columns, recipe)
        fitted = recipe
        reference = source
        if nuisance == "ter_braak":
            # The observed statistic is the model's own: only the shuffles are of its residuals.
            fitted = make_recipe("freedman_lane", parts, invariant)
            _, reference = prepare(values, order, columns, fitted)
        observed = np.zeros(n_loc)
        observed[columns] = _identity(fitted, reference, form)
        observed_z = np.zeros(n_loc)
        observed_z[columns] = z_of(observed[columns], kind, parts.r, parts.dof)
        return cls(kind, recipe, tiles, source, form, n_loc, observed, observed_z)

    @property
    def n_obs(self) -> int:
        """Length of a shuffle."""
        return self.recipe.n_shuffled

    @property
    def signed(self) -> bool:
        """Whether the statistic has a sign."""
        return self.form.signed

    @property
    def varying(self) -> bool:
        """Degrees of freedom are the same everywhere."""
        return False

    def scan(
        self, rows: Rows, signs: Signs | None, *, alternative: Alternative, count: bool, scale: Scale
    ) -> Scan:
        """Maxima and counts, see `ShuffledStatistic.scan`."""
        here = is_identity(rows, signs)
        there = np.flatnonzero(~here)
        maxima = np.full((len(rows), 2), np.nan)
        columns = self.source.columns
        totals = np.full(columns.size if count else 0, np.count_nonzero(here), dtype=np.int32)
        if columns.size:
            # The identity's are the observed statistics: every one of them reaches itself.
            if here.any():
                maxima[here] = self._known.max(), -self._known.min()
            at_once = max(1, _PRODUCTS // (self.form.r + self._n_others))
            for start in range(0, there.size, at_once):
                part = there[start : start + at_once]
                turned = None if signs is None else signs[part]
                chosen = make_weights(self.recipe, rows[part], turned)
                surveyed = rows_to_survey(self.recipe, rows[part], turned, chosen)
                maxima[part] = self._scan(chosen, surveyed, alternative, count, totals)
        counts = None
        if count:
            counts = np.zeros(self.n_loc, dtype=np.int64)
            counts[self._places] = totals
        if not self.signed:
            maxima[:, 1] = np.nan
        if scale == "z":
            maxima = z_of(maxima, self.kind, self.form.r, self.form.dof)
        return Scan(maxima[:, 0], maxima[:, 1], counts)

    def fill(self, rows: Rows, signs: Signs | None, out: Maps, *, scale: Scale) -> None:
        """Maps, see `ShuffledStatistic.fill`."""
        columns = self.source.columns
        here = is_identity(rows, signs)
        exact = out.dtype == np.float64
        together = 1 if exact else BLOCK  # bits may depend on what is multiplied together
        for start in range(0, len(rows), together):
            stop = min(start + together, len(rows))
            chosen = make_weights(self.recipe, rows[start:stop], None if signs is None else signs[start:stop])
            every = columns.size == self.n_loc
            maps = out[start:stop] if every else np.empty((stop - start, columns.size), dtype=out.dtype)
            self._fill(chosen, maps, together)
            if scale == "z" and exact:
                maps[...] = z_of(maps, self.kind, self.form.r, self.form.dof)
            elif scale == "z":
                self._table(maps, maps)
            if not every:
                out[start:stop] = 0.0
                out[start:stop, columns] = maps
        out[here] = self.observed_z if scale == "z" else self.observed

    def values(self, rows: Rows, signs: Signs | None, locations: NDArray[np.integer]) -> Floats:
        """Statistics at a few locations, see `ShuffledStatistic.values`."""
        found = np.zeros((len(rows), len(locations)))
        place = np.full(self.n_loc, -1)
        place[self.source.columns] = np.arange(self.source.columns.size)
        wanted = place[np.asarray(locations)]
        there = np.flatnonzero(wanted >= 0)
        weights = make_weights(self.recipe, rows, signs)
        found[:, there] = evaluate_locations(
            self.source, weights.lifted, weights.raw, self.form, wanted[there].astype(np.int64)
        )
        found[is_identity(rows, signs)] = self.observed[np.asarray(locations)]
        return found

    @property
    def _n_others(self) -> int:
        """Rows that are surveyed for each shuffle beside the tested ones."""
        return int(self.recipe.remaining.shape[1] or self.recipe.moving.shape[1])

    @property
    def _places(self) -> Integers | slice:
        """Where the analysed locations are; a slice is read without a copy."""
        return slice(None) if self.source.columns.size == self.n_loc else self.source.columns

    @cached_property
    def _known(self) -> Floats:
        """Observed statistics of the analysed locations."""
        return self.observed[self._places]

    @cached_property
    def _whole(self) -> Whole:
        return whole_of(self.n_obs, self.recipe.moving.shape[1], self.recipe.remaining.shape[1])

    @cached_property
    def _error(self) -> float:
        return error_bound(self.tiles.n, self.form.r, self._n_others, self.signed, self._whole)

    @cached_property
    def _table(self) -> ZTable:
        return ZTable(self.kind, self.form.r, self.form.dof)

    @cached_property
    def _bars(self) -> dict[int, Bars]:
        """What to reach, for each direction; made once and by whoever comes first."""
        directions = DIRECTIONS.values() if self.signed else (DIRECTIONS["greater"],)
        return {
            direction: make_bars(
                to_share(least_counted(self._known, direction), *self.form), direction, self._error
            )
            for direction in directions
        }

    def _scan(
        self,
        weights: Weights,
        surveyed: Floats,
        alternative: Alternative,
        count: bool,
        totals: NDArray[np.int32],
    ) -> Floats:
        direction = DIRECTIONS[alternative if self.signed else "greater"]
        nothing = np.empty(0, dtype=np.float32)
        n_shuffles = len(weights.lifted)
        maxima: Floats = scan_tiles(
            self.tiles.flat,
            self.tiles.first,
            surveyed.reshape(-1, self.tiles.n).astype(np.float32),
            self._whole,
            self.source,
            weights.lifted,
            weights.raw,
            self.form,
            2 * self._error,
            count,
            self._bars[direction] if count else Bars(nothing, nothing, direction),
            self._known if count else np.empty(0),
            no_candidates(3 * n_shuffles * TILE),
            totals,
        )
        return maxima

    def _fill(self, weights: Weights, maps: NDArray[np.floating], together: int) -> None:
        n_shuffles, k, n = weights.lifted.shape
        # A product's bits may depend on its shape: it has as many rows whatever the call.
        padded = np.zeros((together * k, n))
        padded[: n_shuffles * k] = weights.lifted.reshape(-1, n)
        fill_tiles(self.source, self.tiles.first, padded, weights.lifted, weights.raw, self.form, maps)


def _identity(recipe: Recipe, source: Source, form: Form) -> Floats:
    rows, signs = as_shuffles(np.arange(recipe.n_shuffled, dtype=np.int32)[None], None)
    weights = make_weights(recipe, rows, signs if signs.size else None)
    every: Integers = np.arange(source.columns.size)
    found: Floats = evaluate_locations(source, weights.lifted, weights.raw, form, every)[0]
    return found
