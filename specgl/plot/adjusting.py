"""The model at one place: values adjusted for what is not of interest, fitted values and their intervals.

The model is ordinary least squares. Where groups have variances of their own, intervals take each group's
residual variance, with the degrees of freedom of Satterthwaite (1946, doi:10.2307/3002019).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from specgl.errors import UsageError
from specgl.inference import CONFIDENCE
from specgl.plot.choosing import missing
from specgl.plot.contrast import words_of
from specgl.plot.text import millimetres
from specgl.plot.volumes import Floats

if TYPE_CHECKING:
    from specgl.bundle import Bundle

SAME_PLACE = 1e-3
"""mm within which two places are one."""

_RANK = 1e-9
"""Relative to the largest singular value, below which there is none."""

Place = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """Values at a place, adjusted, with the model that they follow.

    Attributes
    ----------
    values
        Adjusted values, (n,), of the observations that have one.
    rows
        The design with what is not of interest at its mean, (n, p); with blocks, without their means.
    names
        Ids of the observations.
    interest
        Variables of interest, in the order of the design.
    shown
        Variables of interest, and those that stand beside them in a regressor.
    others
        Variables that were adjusted for.
    block
        Column whose means were taken out; None without blocks.
    blocks
        Block of each observation, counted from 0; None without blocks.
    b, spread
        Least-squares fit (p,); and what gives the variance of a combination, see `interval`.
    level
        What was added to fitted values: with blocks the grand mean, else 0.
    """

    values: Floats
    rows: Floats
    names: tuple[str, ...]
    interest: tuple[str, ...]
    shown: tuple[str, ...]
    others: tuple[str, ...]
    block: str | None
    blocks: NDArray[np.int64] | None
    b: Floats
    spread: tuple[tuple[Floats, float, float], ...]
    level: float

    def interval(self, rows: Floats) -> tuple[Floats, Floats]:
        """Fitted values of rows of the design, (m, p), and half the width of their intervals, (m,).

        The half width is NaN where the model leaves no degree of freedom.
        """
        parts = [
            (variance * ((rows @ lead) ** 2).sum(axis=1), dof)
            for lead, variance, dof in self.spread
            if dof > 0
        ]
        fitted = rows @ self.b + self.level
        if len(parts) < len(self.spread) or not parts:
            return fitted, np.full(len(rows), np.nan)
        total = np.sum([part for part, _ in parts], axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            dof = total**2 / np.sum([part**2 / dof for part, dof in parts], axis=0)
            half = stdtrit(np.where(total > 0, dof, 1.0), (1 + CONFIDENCE) / 2) * np.sqrt(total)
        return fitted, np.asarray(half)


def adjusted(bundle: Bundle, contrast: str, at: Place) -> Adjusted:
    """Values at a peak, adjusted for what a contrast does not ask about.

    Parameters
    ----------
    bundle
        The bundle.
    contrast
        A contrast or a conjunction.
    at
        The peak, x, y, z in mm.

    Raises
    ------
    UsageError
        When there is no such contrast or peak, or no value there.
    """
    words = words_of(bundle)
    design = bundle.design
    if design is None or bundle.quality is None:
        raise UsageError("the bundle holds no values of observations: its maps were ready-made")
    weighted = _weighted(words, contrast)
    interest = _variables(words, weighted)
    y = _values_at(bundle.quality.peaks, at).reindex(pd.Index([str(name) for name in design.index]))
    held = y.notna().to_numpy()
    if not held.any():
        raise UsageError("no observation has a value at this peak")
    x = np.asarray(design, dtype=np.float64)[held]
    values = np.asarray(y, dtype=np.float64)[held]
    column = (words.get("block") or {}).get("column")
    blocks = None if column is None else _codes(bundle, column, design.index)[held]
    level = 0.0
    if blocks is not None:
        level = float(values.mean())
        x, values = _without_means(x, blocks), _without_means(values[:, None], blocks)[:, 0]
    regressors = [str(name) for name in design.columns]
    nuisance = [
        place
        for place, name in enumerate(regressors)
        if (of := _variables(words, [name])) and not set(of) & set(interest)
    ]
    kept = [name for place, name in enumerate(regressors) if place not in nuisance]
    b, spread = _fit(x, values, _groups(bundle, words, design.index, held), blocks)
    rows = x.copy()
    rows[:, nuisance] = x[:, nuisance].mean(axis=0)
    return Adjusted(
        values=values - (x - rows) @ b + level,
        rows=rows,
        names=tuple(np.array([str(name) for name in design.index], dtype=object)[held]),
        interest=interest,
        shown=tuple(dict.fromkeys([*interest, *_variables(words, kept)])),
        others=_variables(words, [regressors[place] for place in nuisance]),
        block=column,
        blocks=blocks,
        b=b,
        spread=spread,
        level=level,
    )


def _weighted(words: Mapping[str, Any], contrast: str) -> list[str]:
    """Regressors with a weight in a contrast, or in a member of a conjunction."""
    contrasts, conjunctions = words["contrasts"], words.get("conjunctions") or {}
    if contrast not in contrasts and contrast not in conjunctions:
        raise UsageError(missing("contrast", contrast, [*contrasts, *conjunctions]))
    members = [contrast] if contrast in contrasts else conjunctions[contrast]["members"]
    rows = [row for member in members for row in contrasts[member]["weights"]]
    return list(dict.fromkeys(name for row in rows for name, weight in row.items() if weight != 0))


def _variables(words: Mapping[str, Any], regressors: Iterable[str]) -> tuple[str, ...]:
    """Variables in the factors of regressors, each once."""
    return tuple(
        dict.fromkeys(
            str(factor["variable"])
            for name in regressors
            for factor in words["regressors"].get(name, {}).get("factors", ())
        )
    )


def _values_at(peaks: pd.DataFrame, at: Place) -> pd.Series[float]:
    """Values of the observations at a peak, by their ids."""
    places = peaks.iloc[:, :3].to_numpy(dtype=np.float64)
    if not len(places):
        raise UsageError("the bundle holds no peak: nothing survives")
    away = np.abs(places - np.array(at, dtype=np.float64)).max(axis=1)
    nearest = int(away.argmin())
    if away[nearest] > SAME_PLACE:
        told, near = (", ".join(millimetres(float(v)) for v in place) for place in (at, places[nearest]))
        raise UsageError(f"there is no peak at ({told}) mm; the nearest is at ({near}) mm")
    values = peaks.iloc[nearest, 3:]
    return pd.Series(values.to_numpy(dtype=np.float64), index=[str(name) for name in values.index])


def _codes(bundle: Bundle, column: str, index: pd.Index[Any]) -> NDArray[np.int64]:
    """A column about observations as codes from 0."""
    table = bundle.variables
    if table is None or column not in table.columns:
        raise UsageError(f"the bundle does not say '{column}' of its observations")
    return np.asarray(pd.factorize(table[column].reindex(index))[0], dtype=np.int64)


def _groups(
    bundle: Bundle, words: Mapping[str, Any], index: pd.Index[Any], held: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Variance group of each observation, counted from 0; one where there are none."""
    column = (words.get("variance_groups") or {}).get("column")
    if column is None:
        return np.zeros(int(held.sum()), dtype=np.int64)
    return np.unique(_codes(bundle, column, index)[held], return_inverse=True)[1].astype(np.int64)


def _without_means(values: Floats, blocks: NDArray[np.int64]) -> Floats:
    _, of_row, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
    sums = np.zeros((sizes.size, values.shape[1]))
    np.add.at(sums, of_row, values)
    return values - (sums / sizes[:, None])[of_row]


def _fit(
    x: Floats, y: Floats, groups: NDArray[np.int64], blocks: NDArray[np.int64] | None
) -> tuple[Floats, tuple[tuple[Floats, float, float], ...]]:
    """Least squares; for each group what leads to its part of a variance, its variance and its dof."""
    left, singular, right = np.linalg.svd(x, full_matrices=False)
    kept = singular > _RANK * max(float(singular.max(initial=0.0)), 1e-300)
    left = left[:, kept]
    inverse = (right[kept].T / singular[kept]) @ left.T
    b = inverse @ y
    residual = y - x @ b
    free = 1 - (left**2).sum(axis=1)
    if blocks is not None:
        _, of_row, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
        free = free - 1 / sizes[of_row]
    parts = []
    for group in range(int(groups.max(initial=0)) + 1):
        own = groups == group
        dof = float(free[own].sum())
        dof = dof if dof > 1e-6 else 0.0
        variance = float((residual[own] ** 2).sum()) / dof if dof else np.nan
        parts.append((inverse[:, own], variance, dof))
    return b, tuple(parts)
