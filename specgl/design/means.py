"""Rows of the design at chosen levels and values: the means and slopes that hypotheses speak of.

A mean is the model's prediction on a reference grid (Searle, Speed and Milliken 1980,
doi:10.1080/00031305.1980.10483031): factors that are not named are averaged with equal weights over their
levels, covariates stand at their means over the analysed rows, voxelwise ones at 0. Such a row times the
coefficients is the same number under every coding.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from specgl.design.formula import FormulaRefused, Model
from specgl.design.records import CategoricalColumn, ContinuousColumn, TypedColumn
from specgl.design.voxelwise import VoxelwiseColumn

Array = NDArray[np.float64]

# Where between its least and largest value a covariate is looked at to see whether its effect is a line;
# irregular, so that a curve cannot meet the line at all of them.
_BETWEEN = np.array([0.0, 0.0831, 0.2113, 0.3779, 0.5237, 0.6931, 0.8642, 1.0])
_STRAIGHT = 1e-8  # share of a column's change that rounding may bend it by
_SNAP = 1e-12  # weights this near a whole number are that number, up to rounding
_CANCELLED = 1e-12  # share of its parts that may be left of a mean that is 0


@dataclass(frozen=True)
class Point:
    """Levels and values at which the model is asked; what is not named is averaged."""

    cell: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)


class NotALine(Exception):
    """A covariate's effect is no straight line, so that it has no single slope."""


@dataclass(frozen=True, eq=False)
class ReferenceGrid:
    """The model's rows at points.

    Attributes
    ----------
    model
        The formula on the analysed rows.
    """

    model: Model

    def mean(self, cell: Mapping[str, str]) -> Array:
        """Row of a mean.

        Parameters
        ----------
        cell
            Level of each factor that is held; all others are averaged.

        Returns
        -------
        array
            ``(n_reg,)``.
        """
        return _snap(self.rows([Point(cell)])[0])

    def slope(self, covariate: str, cell: Mapping[str, str]) -> Array:
        """Row of a covariate's slope, for one unit of the centred and scaled column.

        Parameters
        ----------
        covariate
            The variable.
        cell
            Level of each factor that is held; all others are averaged.

        Returns
        -------
        array
            ``(n_reg,)``.

        Raises
        ------
        NotALine
            Where the formula bends the covariate.
        """
        column = self.model.columns[covariate]
        assert isinstance(column, ContinuousColumn)
        low, high = float(column.values.min()), float(column.values.max())
        if isinstance(column, VoxelwiseColumn):
            low, high = 0.0, 1.0
        width = high - low if high > low else 1.0
        places = low + _BETWEEN * width
        places[-1] = low + width
        try:
            rows = self.rows([Point(cell, {covariate: float(place)}) for place in places])
        except FormulaRefused as error:
            raise NotALine from error
        rise = rows[-1] - rows[0]
        line = rows[0] + np.outer((places - places[0]) / (places[-1] - places[0]), rise)
        size = np.abs(rows).max(axis=0)
        if (np.abs(rows - line) > _STRAIGHT * size).any():
            raise NotALine
        rise[np.abs(rise) <= 1e-14 * size] = 0.0
        return _snap(rise / (places[-1] - places[0]))

    def rows(self, points: Sequence[Point]) -> Array:
        """Rows at points, all in one build of the formula.

        Each term is averaged over the levels of its own factors only, which gives what averaging over the
        whole grid would, without its size.

        Parameters
        ----------
        points
            Where the model is asked.

        Returns
        -------
        array
            ``(n_points, n_reg)``.
        """
        shares = self._terms_by_factors()
        parts = [(i, factors) for i in range(len(points)) for factors in shares]
        grids = [self._grid(points[i], factors) for i, factors in parts]
        sizes = [len(grid) for grid in grids]
        every = [setting for grid in grids for setting in grid]
        values = [points[i].values for (i, _), size in zip(parts, sizes, strict=True) for _ in range(size)]
        matrix = self.model.at(self._columns(every, values), len(every))
        result = np.zeros((len(points), matrix.shape[1]))
        start = 0
        for (i, factors), size in zip(parts, sizes, strict=True):
            columns = shares[factors]
            result[i, columns] = _mean(matrix[start : start + size, columns])
            start += size
        return result

    def _factors(self) -> dict[str, CategoricalColumn]:
        return {n: c for n, c in self.model.columns.items() if isinstance(c, CategoricalColumn)}

    def _terms_by_factors(self) -> dict[tuple[str, ...], list[int]]:
        factors = self._factors()
        shares: dict[tuple[str, ...], list[int]] = {}
        for term in self.model.terms:
            key = tuple(sorted(v for v in term.variables if v in factors))
            shares.setdefault(key, []).extend(term.columns)
        return shares

    def _grid(self, point: Point, factors: tuple[str, ...]) -> list[dict[str, int]]:
        known = self._factors()
        choices = [
            [known[f].levels.index(point.cell[f])] if f in point.cell else range(len(known[f].levels))
            for f in factors
        ]
        return [dict(zip(factors, codes, strict=True)) for codes in itertools.product(*choices)]

    def _columns(
        self, settings: Sequence[Mapping[str, int]], values: Sequence[Mapping[str, float]]
    ) -> dict[str, TypedColumn]:
        columns: dict[str, TypedColumn] = {}
        for name, column in self.model.columns.items():
            if isinstance(column, CategoricalColumn):
                codes = np.array([setting.get(name, 0) for setting in settings], dtype=np.int64)
                columns[name] = replace(column, codes=codes)
            else:
                # The mean of a voxelwise covariate differs from place to place; it is not centred either.
                rest = 0.0 if isinstance(column, VoxelwiseColumn) else float(column.values.mean())
                asked = np.array([at.get(name, rest) for at in values], dtype=np.float64)
                columns[name] = replace(column, values=asked)
        return columns


def _mean(rows: Array) -> Array:
    """Mean over rows; 0 where they cancel, as codes that sum to 0 do up to rounding.

    What rounding leaves would else pass for a weight, and its noise along a covariate for a bend.
    """
    mean: Array = rows.mean(axis=0)
    return np.where(np.abs(mean) <= _CANCELLED * np.abs(rows).mean(axis=0), 0.0, mean)


def _snap(row: Array) -> Array:
    whole = np.round(row)
    return np.where(np.abs(row - whole) <= _SNAP * np.maximum(np.abs(whole), 1.0), whole + 0.0, row)
