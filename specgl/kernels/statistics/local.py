"""t and F where weights, regressors or standard errors are each location's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.statistics import local_kernels
from specgl.kernels.statistics.exact import DIRECTIONS
from specgl.kernels.statistics.local_kernels import Local, Readings
from specgl.kernels.statistics.local_shuffles import fill_local, scan_local
from specgl.kernels.statistics.protocol import Maps, Rows, Scale, Scan, Signs
from specgl.kernels.statistics.reduced import reduced_columns, tested_columns
from specgl.kernels.statistics.weights import as_shuffles, is_identity
from specgl.kernels.statistics.zscale import ZTable, z_of
from specgl.kernels.tails import Alternative

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mode = Literal["residuals", "labels"]
LocalScale = Literal["known", "residual", "hc0", "hc1", "hc2", "hc3", "hc4"]

SCALES: dict[LocalScale, int] = {
    "known": local_kernels.KNOWN,
    "residual": local_kernels.RESIDUAL,
    "hc0": local_kernels.HC0,
    "hc1": local_kernels.HC1,
    "hc2": local_kernels.HC2,
    "hc3": local_kernels.HC3,
    "hc4": local_kernels.HC4,
}
"""How scores become statistics: by variances that are known, or that come from residuals."""

_MAXIMA = 2**20  # held at a time for each number of degrees of freedom: 16 MiB
_TABLES = 64  # numbers of degrees of freedom up to which each has a table of z


@dataclass(frozen=True, eq=False)
class LocalStatistic:
    """t or F of one contrast, the model of each location its own, ready to be shuffled.

    At a location the observations that have a value are whitened: data and columns are multiplied by the
    roots of the weights, 1 or ``1 / (variance + tau2)``. With ``residuals`` the whitened residuals of the
    reduced model change places or signs, and each shuffle is fitted anew (Freedman and Lane 1983,
    doi:10.1080/07350015.1983.10509354; Winkler et al. 2014, doi:10.1016/j.neuroimage.2014.01.060): a flip
    carries an observation's variance along. With ``labels`` the data stay, and rows of the tested part come
    to other places, whose weights they take (Draper and Stoneman 1966, doi:10.2307/1266312). Weights are the
    same for all shuffles: tau2 is that of the reduced model.

    Attributes
    ----------
    kind
        ``t`` or ``F``.
    readings
        The data of the analysed locations, not copied.
    model
        The model.
    dof
        ``(n_loc,)`` degrees of freedom of the reference distribution; infinite for the normal one.
    complete
        Whether no analysed location lacks an observation.
    varying
        Whether degrees of freedom differ among the analysed locations.
    n_loc
        Number of locations, analysed or not.
    observed, observed_z
        ``(n_loc,)`` the statistic of the identity and its z, 0 where a location is not analysed.
    """

    kind: Literal["t", "F"]
    readings: Readings
    model: Local
    dof: Floats
    complete: bool
    varying: bool
    n_loc: int
    observed: Floats
    observed_z: Floats

    @classmethod
    def prepare(
        cls,
        *,
        data: NDArray[np.floating],
        row_of: NDArray[np.integer] | None,
        matrix: Floats,
        covariates: NDArray[np.floating] | None,
        used: NDArray[np.bool_] | None,
        weights: Floats,
        kind: Literal["t", "F"],
        variances: NDArray[np.floating] | None,
        tau2: Floats | None,
        groups: NDArray[np.integer] | None,
        block_codes: NDArray[np.integer] | None,
        scale: LocalScale,
        mode: Mode,
        dof: Floats,
        analysed: NDArray[np.bool_] | None,
    ) -> LocalStatistic:
        """Write the model down and compute the observed statistic.

        Parameters
        ----------
        data
            ``(n_data, n_loc)`` float32 or float64; values that are not finite are missing. Kept, not copied,
            as are `covariates` and `variances`.
        row_of
            ``(n,)`` row of the data of each observation of the design; ``None`` for their own order.
        matrix
            ``(n, p)`` design; of columns that covariates multiply, what they are multiplied by.
        covariates, used
            ``(c, n_data, n_loc)`` covariates, and ``(p, c)`` which of them multiply a column; ``None`` for
            none.
        weights
            ``(q, p)`` contrast that the design can estimate; dependent rows do no harm.
        kind
            ``t`` (a contrast of one row) or ``F``.
        variances
            ``(n_data, n_loc)`` positive where there is a value; ``None`` for weights of 1.
        tau2
            ``(G, n_loc)`` what is added to them, in squared units of the data; ``None`` for nothing.
        groups
            ``(n,)`` whose tau2 an observation has, codes from 0 on; ``None`` for one of all.
        block_codes
            ``(n,)`` block of each observation, whose mean is nuisance; ``None`` for no blocks.
        scale
            ``known``: the score's variance is 1. ``residual``: it is estimated from the residual sum of
            squares, over observations less rank. ``hc0`` to ``hc4``: from each observation's residual
            (inference on ordinary least squares; MacKinnon and White 1985,
            doi:10.1016/0304-4076(85)90158-7).
        mode
            ``residuals`` or ``labels``.
        dof
            ``(n_loc,)`` degrees of freedom of the reference distribution, infinite for the normal one.
        analysed
            ``(n_loc,)`` which locations count: those that can estimate the contrast and have a degree of
            freedom left. ``None`` for all.

        Returns
        -------
        LocalStatistic
            Holds no copy of the data.

        Raises
        ------
        ValueError
            For ``labels`` with an HC scale, and where labels would carry covariates to places from locations
            that lack observations: those of the missing ones are not known.
        """
        n, n_loc = len(matrix), data.shape[1]
        columns = np.arange(n_loc) if analysed is None else np.flatnonzero(analysed)
        readings = _readings(data, variances, covariates, row_of, columns)
        nuisance, tested = reduced_columns(matrix, weights), tested_columns(matrix, weights)
        codes = np.zeros(n) if block_codes is None else np.unique(block_codes, return_inverse=True)[1]
        model = Local(
            matrix=np.ascontiguousarray(matrix, dtype=np.float64),
            used=np.zeros((matrix.shape[1], 0), bool) if used is None else np.ascontiguousarray(used, bool),
            tau2=np.empty((0, 0)) if tau2 is None else np.ascontiguousarray(tau2, dtype=np.float64),
            groups=np.zeros(n, dtype=np.int64) if groups is None else np.asarray(groups, dtype=np.int64),
            blocks=codes.astype(np.int64),
            n_blocks=0 if block_codes is None else int(codes.max()) + 1,
            coefficients=np.ascontiguousarray(np.concatenate([nuisance, tested], axis=1)),
            q=nuisance.shape[1],
            scale=SCALES[scale],
            labels=mode == "labels",
            signed=kind == "t",
        )
        complete = _complete(readings)
        _refuse(model, complete)
        every = np.asarray(dof, dtype=np.float64)
        observed, z = np.zeros(n_loc), np.zeros(n_loc)
        observed[columns] = _identity(readings, model)
        z[columns] = z_of(observed[columns], kind, tested.shape[1], every[columns])
        varying = np.unique(every[columns]).size > 1
        return cls(kind, readings, model, every, complete, varying, n_loc, observed, z)

    @property
    def n_obs(self) -> int:
        """Length of a shuffle."""
        return len(self.model.matrix)

    @property
    def signed(self) -> bool:
        """Whether the statistic has a sign."""
        return self.model.signed

    def scan(
        self, rows: Rows, signs: Signs | None, *, alternative: Alternative, count: bool, scale: Scale
    ) -> Scan:
        """Maxima and counts, see `ShuffledStatistic.scan`."""
        moves, turns = self._checked(rows, signs)
        columns = self.readings.columns
        dofs, group = self._groups
        maxima = np.full((len(rows), 2), np.nan)
        totals = np.zeros(columns.size if count else 0, dtype=np.int32)
        step = max(1, _MAXIMA // max(1, dofs.size))
        for start in range(0, len(rows) if columns.size else 0, step):
            run = slice(start, start + step)
            found = np.full((dofs.size, len(moves[run]), 2), -np.inf)
            scan_local(
                self.readings,
                self.model,
                moves[run],
                turns[run],
                group,
                self.observed[columns],
                DIRECTIONS[alternative if self.signed else "greater"],
                found,
                totals,
            )
            if not self.signed:
                found[:, :, 1] = 0.0  # no z of a negative F; told apart below
            if scale == "z" or self.varying:
                found = z_of(found, self.kind, self._r, dofs[:, None, None])
            maxima[run] = found.max(axis=0)
        counts = None
        if count:
            counts = np.zeros(self.n_loc, dtype=np.int64)
            counts[columns] = totals
        if not self.signed:
            maxima[:, 1] = np.nan
        return Scan(maxima[:, 0], maxima[:, 1], counts)

    def fill(self, rows: Rows, signs: Signs | None, out: Maps, *, scale: Scale) -> None:
        """Maps, see `ShuffledStatistic.fill`."""
        moves, turns = self._checked(rows, signs)
        columns = self.readings.columns
        on_z = scale == "z" or self.varying
        every = columns.size == self.n_loc and out.flags.c_contiguous
        maps = out if every else np.empty((len(rows), columns.size), dtype=out.dtype)
        fill_local(self.readings, self.model, moves, turns, maps)
        if on_z and out.dtype == np.float64:
            maps[...] = z_of(maps, self.kind, self._r, self.dof[columns])
        elif on_z:
            for places, dof in self._by_dof():
                if self._tables:
                    maps[:, places] = self._tables[dof](maps[:, places])
                else:
                    maps[:, places] = z_of(maps[:, places], self.kind, self._r, self.dof[columns[places]])
        if not every:
            out[...] = 0.0
            out[:, columns] = maps
        out[is_identity(rows, signs)] = self.observed_z if on_z else self.observed

    def values(self, rows: Rows, signs: Signs | None, locations: NDArray[np.integer]) -> Floats:
        """Statistics at a few locations, see `ShuffledStatistic.values`."""
        chosen = np.asarray(locations)
        moves, turns = self._checked(rows, signs)
        analysed = np.zeros(self.n_loc, dtype=bool)
        analysed[self.readings.columns] = True
        there = np.flatnonzero(analysed[chosen])
        wanted = chosen[there].astype(np.int64)
        stats = np.empty((len(rows), wanted.size))
        fill_local(self.readings._replace(columns=wanted), self.model, moves, turns, stats)
        if self.varying:
            stats = z_of(stats, self.kind, self._r, self.dof[wanted])
        found = np.zeros((len(rows), chosen.size))
        found[:, there] = stats
        return found

    @property
    def _r(self) -> int:
        return int(self.model.coefficients.shape[1]) - self.model.q

    @cached_property
    def _groups(self) -> tuple[Floats, Integers]:
        """Numbers of degrees of freedom that occur, and which of them each analysed location has."""
        if not self.varying:
            columns = self.readings.columns
            return self.dof[columns[:1]], np.zeros(columns.size, dtype=np.int64)
        dofs, group = np.unique(self.dof[self.readings.columns], return_inverse=True)
        return dofs, group.astype(np.int64)

    @cached_property
    def _tables(self) -> dict[float, ZTable]:
        """A table of z for each number of degrees of freedom; none where these are too many."""
        dofs = self._groups[0]
        if dofs.size > _TABLES:
            return {}
        return {float(dof): ZTable(self.kind, self._r, float(dof)) for dof in dofs}

    def _by_dof(self) -> Iterator[tuple[Integers | slice, float]]:
        """Analysed locations of each number of degrees of freedom; all at once where these are many."""
        dofs, group = self._groups
        if dofs.size == 1 or not self._tables:
            yield slice(None), float(dofs[0]) if dofs.size else np.inf
            return
        for g, dof in enumerate(dofs):
            yield np.flatnonzero(group == g), float(dof)

    def _checked(self, rows: Rows, signs: Signs | None) -> tuple[Rows, Signs]:
        """Shuffles as the kernels read them; refused where residuals would move from or to missing rows."""
        if not (self.complete or self.model.labels) and np.any(rows != np.arange(self.n_obs)):
            raise ValueError("a location lacks observations: its residuals may change signs, not places")
        return as_shuffles(rows, signs)


def _readings(
    data: NDArray[np.floating],
    variances: NDArray[np.floating] | None,
    covariates: NDArray[np.floating] | None,
    row_of: NDArray[np.integer] | None,
    columns: NDArray[np.integer],
) -> Readings:
    values = np.ascontiguousarray(data)
    # What there is none of has the data's type: no function is compiled for it alone.
    return Readings(
        data=values,
        variances=np.empty((0, 0), dtype=values.dtype)
        if variances is None
        else np.ascontiguousarray(variances),
        covariates=np.empty((0, 0, 0), dtype=values.dtype)
        if covariates is None
        else np.ascontiguousarray(covariates),
        row_of=np.arange(len(values)) if row_of is None else np.asarray(row_of, dtype=np.int64),
        columns=columns.astype(np.int64),
    )


def _complete(readings: Readings) -> bool:
    """Whether no analysed location lacks an observation."""
    every = readings.columns.size == readings.data.shape[1]
    for row in readings.row_of:  # row by row: no second array of the data's size
        values = readings.data[row]
        if not np.isfinite(values if every else values[readings.columns]).all():
            return False
    return True


def _refuse(model: Local, complete: bool) -> None:
    if not model.labels:
        return
    if model.scale >= local_kernels.HC0:
        raise ValueError("a statistic studentised by each observation's residual moves residuals, not labels")
    carried = np.any(model.coefficients[:, model.q :] != 0, axis=1)
    if not complete and model.used[carried].any():
        raise ValueError(
            "labels hold a covariate of each location, and an analysed location lacks observations: "
            "what they would carry is missing"
        )


def _identity(readings: Readings, model: Local) -> Floats:
    rows, signs = as_shuffles(np.arange(len(model.matrix), dtype=np.int32)[None], None)
    found = np.empty((1, readings.columns.size))
    fill_local(readings, model, rows, signs, found)
    observed: Floats = found[0]
    return observed
