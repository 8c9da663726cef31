"""Locations that share a pattern of missing values, their data, and how a shuffle moves the model there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.patterns import find_patterns, runs
from specgl.kernels.rank import RANK_TOLERANCE
from specgl.kernels.statistics.methods import Nuisance, make_recipe
from specgl.kernels.statistics.partition import Partition
from specgl.kernels.statistics.protocol import Rows, Signs
from specgl.kernels.statistics.separate_kernels import LANES, Shape
from specgl.kernels.statistics.tiles import PREPARED, ROUNDING
from specgl.kernels.statistics.weights import as_shuffles, gather
from specgl.kernels.welch import GroupGeometry, group_geometry

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_AT_ONCE = 16  # shuffles that share a walk over the data


@dataclass(frozen=True, eq=False)
class Moved:
    """Shuffles that share a geometry.

    Attributes
    ----------
    rows
        ``(B, n_rows, n)`` orthonormal rows of the model, moved.
    groups
        ``(B, n)`` index into the geometry's groups of what each observation carries.
    shape
        What the statistic needs of the design; ``None`` where the model has lost its tested part, or a group
        its last residual degree of freedom, and the statistic is 0.
    dof
        Smallest and largest degrees of freedom that can occur.
    """

    rows: Floats
    groups: Integers
    shape: Shape | None
    dof: tuple[float, float]

    @property
    def n(self) -> int:
        """Number of shuffles."""
        return len(self.rows)

    def only(self, which: Integers) -> Moved:
        """Some of the shuffles."""
        return replace(self, rows=self.rows[which], groups=self.groups[which])


@dataclass(frozen=True, eq=False)
class Part:
    """Locations of one pattern.

    Attributes
    ----------
    columns
        ``(m,)`` which locations.
    tiles
        ``(n_tiles, n, LANES)`` their data without the nuisance, of length 1; zeros past the last.
    kept
        ``(n,)`` observations that have a value.
    tested
        ``(n_obs, r)`` rows that move, ``(n_obs, n_rows)`` with nuisance that moves with them.
    nuisance
        ``(n, q)`` orthonormal nuisance.
    groups
        ``(n_obs,)`` group of each row of the design.
    geometry
        Where the data move; ``None`` where the model does, which has another for each shuffle.
    dof_left
        Residual degrees of freedom.
    signed
        Whether the statistic is v.
    dof
        Smallest and largest denominator degrees of freedom to be expected.
    """

    columns: Integers
    tiles: Floats
    kept: Integers
    tested: Floats
    nuisance: Floats
    groups: Integers
    geometry: GroupGeometry | None
    dof_left: float
    signed: bool
    dof: tuple[float, float]

    def move(self, rows: Rows, signs: Signs | None) -> Iterator[Moved]:
        """Shuffles ``(B, n_obs)`` of the model, or of the data, in their order, in runs of one geometry."""
        for start in range(0, len(rows), _AT_ONCE):
            here = slice(start, start + _AT_ONCE)
            part, flips = as_shuffles(rows[here], None if signs is None else signs[here])
            if self.geometry is not None:
                codes = np.searchsorted(self.geometry.groups, self.groups)
                moved = gather(self.tested, part, flips)
                yield Moved(
                    moved, codes[part].astype(np.int64), _make_shape(self.geometry, self.signed), self.dof
                )
            else:
                gathered = gather(self.tested, part, flips)[:, :, self.kept]
                yield from (self._of_model(each) for each in gathered)

    def only(self, places: Integers) -> Part:
        """The same for some of the locations."""
        lanes = self.tiles.transpose(1, 0, 2).reshape(self.tiles.shape[1], -1)[:, places]
        return replace(self, columns=self.columns[places], tiles=into_lanes(lanes))

    def _of_model(self, gathered: Floats) -> Moved:
        """A model whose tested part ``(r, n)`` has moved against nuisance and data that stay."""
        own = self.groups[self.kept]
        x = orthonormal(gathered.T, self.nuisance)
        lost = Moved(gathered[None], own[None], None, (1.0, 1.0))
        if x is None:
            return lost
        geometry = group_geometry(x, self.nuisance, own, self.dof_left)
        if not geometry.usable:
            return lost
        codes = np.searchsorted(geometry.groups, own).astype(np.int64)
        return Moved(
            np.ascontiguousarray(x.T[None]),
            codes[None],
            _make_shape(geometry, self.signed),
            geometry.dof_bounds(),
        )


@dataclass(frozen=True, eq=False)
class GroupedDesign:
    """What is the same for all locations.

    Attributes
    ----------
    parts
        The partitioned design.
    groups
        ``(n,)`` variance group of each of its rows.
    signed
        Whether the statistic is v.
    nuisance
        The way of shuffling with nuisance variables.
    invariant
        ``(n, n)`` projector onto the functions that no admissible shuffle changes, or None.
    """

    parts: Partition
    groups: Integers
    signed: bool
    nuisance: Nuisance
    invariant: Floats | None


def make_parts(
    data: NDArray[np.floating],
    row_of: NDArray[np.integer],
    columns: Integers,
    design: GroupedDesign,
    incomplete: bool,
) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Parts for the shuffles, and those whose identity is the observed statistic; mostly the same.

    Raises
    ------
    ValueError
        For ``huh_jhun``.
    """
    if design.nuisance == "huh_jhun":
        raise ValueError("Huh-Jhun's reduced data have no rows that variance groups could belong to")
    analysed = _Analysed(data, row_of)
    patterns = find_patterns(data[:, columns])
    if incomplete or not patterns.complete:
        found = []
        for pattern, places in runs(patterns, 0, columns.size):
            kept = np.flatnonzero(patterns.present[pattern][row_of])
            part = _available(analysed, columns[places], kept, design)
            found += [] if part is None else [part]
        return tuple(found), tuple(found)
    made = _complete(analysed, columns, design)
    if design.nuisance == "ter_braak":
        # The observed statistic is the model's own: only the shuffles are of its residuals.
        return made, _complete(analysed, columns, replace(design, nuisance="freedman_lane"))
    return made, made


@dataclass(frozen=True, eq=False)
class _Analysed:
    """The data, and the row of each observation in them."""

    data: NDArray[np.floating]
    row_of: NDArray[np.integer]

    def tiles(self, columns: Integers, kept: Integers, basis: Floats) -> Floats:
        """Data of some locations without what a basis can fit, of length 1, in tiles."""
        result = np.empty((kept.size, columns.size))
        for start in range(0, columns.size, PREPARED):
            here = slice(start, start + PREPARED)
            y = self.data[:, columns[here]][self.row_of[kept]].astype(np.float64)
            before = np.einsum("ij,ij->j", y, y)
            for _ in range(2):  # what rounding leaves of a large nuisance goes the second time
                y -= basis @ (basis.T @ y)
            square = np.einsum("ij,ij->j", y, y)
            known = square > ROUNDING**2 * before
            result[:, here] = np.where(known, y / np.sqrt(np.where(known, square, 1.0)), 0.0)
        return into_lanes(result)


def _complete(analysed: _Analysed, columns: Integers, design: GroupedDesign) -> tuple[Part, ...]:
    parts = design.parts
    recipe = make_recipe(design.nuisance, parts, design.invariant)
    geometry = group_geometry(parts.x, parts.z, design.groups, parts.dof)
    if not columns.size or not geometry.usable:
        return ()
    every = np.arange(len(parts.x))
    tested = np.ascontiguousarray(np.concatenate([recipe.tested, recipe.moving], axis=1))
    part = Part(
        columns=columns,
        tiles=analysed.tiles(columns, every, recipe.remove),
        kept=every,
        tested=tested,
        nuisance=parts.z,
        groups=design.groups,
        geometry=None if recipe.orthonormalise else geometry,
        dof_left=float(parts.dof),
        signed=design.signed,
        dof=_expected(geometry, parts.r) if recipe.orthonormalise else geometry.dof_bounds(),
    )
    return (part,)


def _available(analysed: _Analysed, columns: Integers, kept: Integers, design: GroupedDesign) -> Part | None:
    """Draper and Stoneman on the rows that have a value; None where these have no statistic."""
    parts = design.parts
    z = _basis(parts.z[kept])
    x = orthonormal(parts.x0[kept], z)
    if x is None:
        return None
    dof = float(kept.size - z.shape[1] - x.shape[1])
    geometry = group_geometry(x, z, design.groups[kept], dof)
    if not geometry.usable:
        return None
    return Part(
        columns=columns,
        tiles=analysed.tiles(columns, kept, z),
        kept=kept,
        tested=np.ascontiguousarray(parts.x0),
        nuisance=z,
        groups=design.groups,
        geometry=None,
        dof_left=dof,
        signed=design.signed,
        dof=_expected(geometry, parts.r),
    )


def _expected(geometry: GroupGeometry, r: int) -> tuple[float, float]:
    """Bounds for models that move: a tested part takes up to r degrees of freedom from one group."""
    left = np.maximum(geometry.residual - r, np.minimum(geometry.residual, 1.0))
    low, _ = replace(geometry, residual=left).dof_bounds()
    return low, geometry.dof_bounds()[1]


def orthonormal(columns: Floats, basis: Floats) -> Floats | None:
    """Orthonormal columns ``(n, r)`` of what is left beside a basis; None where one of them is lost.

    Gram-Schmidt, twice: with one column the direction keeps its sign.
    """
    found: list[Floats] = []
    for column in columns.T:
        rest = column.astype(np.float64)
        before = np.linalg.norm(rest)
        known: Sequence[Floats] = [basis, *(each[:, None] for each in found)]
        for _ in range(2):
            for each in known:
                rest = rest - each @ (each.T @ rest)
        after = np.linalg.norm(rest)
        if after <= RANK_TOLERANCE * before:
            return None
        found.append(rest / after)
    return np.stack(found, axis=1)


def _basis(columns: Floats) -> Floats:
    """Orthonormal basis of the rows that are left of an orthonormal one."""
    left, values, _ = np.linalg.svd(columns, full_matrices=False)
    return np.ascontiguousarray(left[:, values > RANK_TOLERANCE])


def into_lanes(values: Floats) -> Floats:
    """Data ``(n, m)`` in tiles ``(n_tiles, n, LANES)``, zeros past the last location."""
    n, m = values.shape
    n_tiles = -(-m // LANES)
    padded = np.zeros((n, n_tiles * LANES))
    padded[:, :m] = values
    return np.ascontiguousarray(padded.reshape(n, n_tiles, LANES).transpose(1, 0, 2))


def _make_shape(geometry: GroupGeometry, signed: bool) -> Shape:
    """A geometry as the kernels read it."""
    return Shape(
        np.ascontiguousarray(geometry.gram),
        np.ascontiguousarray(geometry.axes),
        np.ascontiguousarray(geometry.loads),
        geometry.residual,
        geometry.sizes,
        geometry.scale,
        1 / geometry.dof,
        signed,
    )
