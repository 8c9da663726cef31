"""The model at one place: values adjusted for what is not of interest, fitted values and their intervals.

A voxelwise covariate has its values at that place; a fit with weights has those of that place.
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
from specgl.plot.estimating import Estimated, estimate
from specgl.plot.estimating import Place as Here
from specgl.plot.text import millimetres
from specgl.plot.volumes import Floats
from specgl.variables import WEIGHT

if TYPE_CHECKING:
    from specgl.bundle import Bundle

SAME_PLACE = 1e-3
"""mm within which two places are one."""

_NOUGHT = 1e-9
"""Share of a sum's parts that is nothing but rounding."""

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
    fit
        The model's estimates there.
    level
        What was added to fitted values: with blocks the grand mean, else 0.
    weights
        Weights of the observations in the fit (n,); None where it has none.
    covariates
        Values of voxelwise covariates at the place, (n,) each, by their names.
    at_zero
        Voxelwise covariates on which the contrast depends, which takes them at 0.
    """

    values: Floats
    rows: Floats
    names: tuple[str, ...]
    interest: tuple[str, ...]
    shown: tuple[str, ...]
    others: tuple[str, ...]
    block: str | None
    blocks: NDArray[np.int64] | None
    fit: Estimated
    level: float
    weights: Floats | None
    covariates: Mapping[str, Floats]
    at_zero: tuple[str, ...]

    @property
    def b(self) -> Floats:
        """Coefficients (p,)."""
        return self.fit.b

    def interval(self, rows: Floats) -> tuple[Floats, Floats]:
        """Fitted values of rows of the design, (m, p), and half the width of their intervals, (m,).

        The half width is NaN where the model leaves no degree of freedom.
        """
        fitted = rows @ self.b + self.level
        parts = [
            (
                part.variance * ((rows @ part.lead) ** 2).sum(axis=1),
                part.dof(rows) if callable(part.dof) else np.full(len(rows), part.dof),
            )
            for part in self.fit.parts
        ]
        if not parts or any((dof <= 0).any() for _, dof in parts):
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
    found = _found(bundle, words, at)
    interest = _variables(words, _weighted(words, contrast))
    names = found.regressors
    nuisance = [
        place
        for place, name in enumerate(names)
        if (of := _variables(words, [name])) and not set(of) & set(interest)
    ]
    kept = [name for place, name in enumerate(names) if place not in nuisance]
    fit = estimate(found.here, found.model)
    x = found.here.x
    rows = x.copy()
    rows[:, nuisance] = x[:, nuisance].mean(axis=0)
    return Adjusted(
        values=found.here.y - (x - rows) @ fit.b + found.level,
        rows=rows,
        names=found.ids,
        interest=interest,
        shown=tuple(dict.fromkeys([*interest, *_variables(words, kept)])),
        others=_variables(words, [names[place] for place in nuisance]),
        block=found.block,
        blocks=found.here.blocks,
        fit=fit,
        level=found.level,
        weights=found.here.weights,
        covariates=found.covariates,
        at_zero=_at_zero(words, contrast, names, found.table),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What a bundle holds of a place: ids (n,), what is fitted, regressors and their table (n_obs, p)."""

    ids: tuple[str, ...]
    here: Here
    level: float
    block: str | None
    covariates: Mapping[str, Floats]
    regressors: list[str]
    table: Floats
    model: Mapping[str, Any]


def _found(bundle: Bundle, words: Mapping[str, Any], at: Place) -> _Found:
    """Read what is known of the observations that have all values at a peak."""
    design = bundle.design
    if design is None or bundle.quality is None:
        raise UsageError("the bundle holds no values of observations: its maps were ready-made")
    ids = pd.Index([str(name) for name in design.index])
    y = np.asarray(_values_at(bundle.quality.peaks, at).reindex(ids), dtype=np.float64)
    beside = _beside(bundle.quality.beside, at, ids)
    held = np.logical_and.reduce([np.isfinite(one) for one in (y, *beside.values())])
    if not held.any():
        raise UsageError("no observation has a value at this peak")
    covariates = {name: beside.pop(name) for name in words.get("voxelwise") or () if name in beside}
    weights = beside.get(WEIGHT)
    regressors = [str(name) for name in design.columns]
    table = np.asarray(design, dtype=np.float64)
    x, y = _with_covariates(table, regressors, words, covariates)[held], y[held]
    column = (words.get("block") or {}).get("column")
    blocks = None if column is None else _codes(bundle, column, design.index)[held]
    level = 0.0
    if blocks is not None:
        level = float(y.mean())
        x, y = _without_means(x, blocks), _without_means(y[:, None], blocks)[:, 0]
    model: Mapping[str, Any] = (bundle.spec or {}).get("model") or {}
    here = Here(
        x=x,
        y=y,
        weights=None if weights is None else weights[held],
        groups=_groups(bundle, words, design.index, held),
        blocks=blocks,
        clusters=_clusters(bundle, design.index, held, model),
    )
    known = {name: values[held] for name, values in covariates.items()}
    return _Found(tuple(map(str, ids[held])), here, level, column, known, regressors, table, model)


def _weighted(words: Mapping[str, Any], contrast: str) -> list[str]:
    """Regressors with a weight in a contrast, or in a member of a conjunction."""
    rows = _rows(words, contrast)
    return list(dict.fromkeys(name for row in rows for name, weight in row.items() if weight != 0))


def _rows(words: Mapping[str, Any], contrast: str) -> list[Mapping[str, float]]:
    """Weights of a contrast's rows, or of those of a conjunction's members."""
    contrasts, conjunctions = words["contrasts"], words.get("conjunctions") or {}
    if contrast not in contrasts and contrast not in conjunctions:
        raise UsageError(missing("contrast", contrast, [*contrasts, *conjunctions]))
    members = [contrast] if contrast in contrasts else conjunctions[contrast]["members"]
    return [row for member in members for row in contrasts[member]["weights"]]


def _with_covariates(
    table: Floats, regressors: list[str], words: Mapping[str, Any], covariates: Mapping[str, Floats]
) -> Floats:
    """The design at a place: columns of the table times the covariates that multiply them there."""
    x = table.copy()
    for place, name in enumerate(regressors):
        for covariate in _multipliers(words, name):
            if covariate not in covariates:
                raise UsageError(f"the bundle keeps no values of '{covariate}' at its peaks")
            x[:, place] *= covariates[covariate]
    return x


def _multipliers(words: Mapping[str, Any], regressor: str) -> tuple[str, ...]:
    """Voxelwise covariates that multiply a regressor."""
    return tuple(words["regressors"].get(regressor, {}).get("covariates", ()))


def _at_zero(
    words: Mapping[str, Any], contrast: str, regressors: list[str], table: Floats
) -> tuple[str, ...]:
    """Voxelwise covariates that a contrast does not ask about, and whose value changes what it estimates.

    A contrast of the other regressors is a combination of rows of the design in which the covariates are 0.
    Does the same combination of what they multiply remain, their value matters.
    """
    moving = [place for place, name in enumerate(regressors) if _multipliers(words, name)]
    fixed = [place for place in range(len(regressors)) if place not in moving]
    found: dict[str, None] = {}
    for row in _rows(words, contrast) if moving else ():
        weights = np.array([row.get(name, 0.0) for name in regressors])
        if weights[moving].any():
            continue
        rows = np.linalg.pinv(table[:, fixed].T) @ weights[fixed]
        for place in moving:
            if abs(rows @ table[:, place]) > _NOUGHT * np.abs(rows) @ np.abs(table[:, place]):
                found |= dict.fromkeys(_multipliers(words, regressors[place]))
    return tuple(found)


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
    nearest = _nearest(peaks, at)
    values = peaks.iloc[nearest, 3:]
    return pd.Series(values.to_numpy(dtype=np.float64), index=[str(name) for name in values.index])


def _nearest(peaks: pd.DataFrame, at: Place) -> int:
    """Row of a peak in a table whose first columns are x, y and z."""
    places = peaks.iloc[:, :3].to_numpy(dtype=np.float64)
    if not len(places):
        raise UsageError("the bundle holds no peak: nothing survives")
    away = np.abs(places - np.array(at, dtype=np.float64)).max(axis=1)
    nearest = int(away.argmin())
    if away[nearest] > SAME_PLACE:
        told, near = (", ".join(millimetres(float(v)) for v in place) for place in (at, places[nearest]))
        raise UsageError(f"there is no peak at ({told}) mm; the nearest is at ({near}) mm")
    return nearest


def _beside(beside: pd.DataFrame | None, at: Place, ids: pd.Index[Any]) -> dict[str, Floats]:
    """Weights and voxelwise covariates at a peak, in the order of the ids."""
    if beside is None:
        return {}
    return {
        str(what): np.asarray(_values_at(rows.drop(columns="what"), at).reindex(ids), dtype=np.float64)
        for what, rows in beside.groupby("what", sort=False)
    }


def _codes(bundle: Bundle, column: str, index: pd.Index[Any]) -> NDArray[np.int64]:
    """A column about observations as codes from 0."""
    table = bundle.variables
    if table is None or column not in table.columns:
        raise UsageError(f"the bundle does not say '{column}' of its observations")
    return np.asarray(pd.factorize(table[column].reindex(index))[0], dtype=np.int64)


def _groups(
    bundle: Bundle,
    words: Mapping[str, Any],
    index: pd.Index[Any],
    held: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Variance group of each observation, counted from 0; one where there are none."""
    column = (words.get("variance_groups") or {}).get("column")
    if column is None:
        return np.zeros(int(held.sum()), dtype=np.int64)
    return np.unique(_codes(bundle, column, index)[held], return_inverse=True)[1].astype(np.int64)


def _clusters(
    bundle: Bundle, index: pd.Index[Any], held: NDArray[np.bool_], model: Mapping[str, Any]
) -> NDArray[np.int64] | None:
    """Cluster of each observation; None where errors have none, or the bundle does not say."""
    column, table = (model.get("errors") or {}).get("by"), bundle.variables
    if column is None or table is None or column not in table.columns:
        return None
    return _codes(bundle, column, index)[held]


def _without_means(values: Floats, blocks: NDArray[np.int64]) -> Floats:
    _, of_row, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
    sums = np.zeros((sizes.size, values.shape[1]))
    np.add.at(sums, of_row, values)
    return values - (sums / sizes[:, None])[of_row]
