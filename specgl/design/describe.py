"""A design on paper: the table of its rows, and what its columns and contrasts mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from specgl.design.lints import inflation
from specgl.design.records import (
    Block,
    CategoricalColumn,
    Conjunction,
    Contrast,
    Design,
    Regressor,
    TypedColumn,
)


def design_table(design: Design) -> pd.DataFrame:
    """The matrix with names, as ``design.tsv`` holds it: of voxelwise covariates what they are multiplied by.

    Parameters
    ----------
    design
        The design.

    Returns
    -------
    DataFrame
        One row an observation, indexed by ``observation``; one column a regressor, float64.
    """
    return pd.DataFrame(
        design.matrix,
        index=pd.Index(design.observations, name="observation"),
        columns=[regressor.name for regressor in design.regressors],
    )


def variable_table(design: Design, clusters: Block | None = None) -> pd.DataFrame:
    """What the model knows of each observation, before coding: as ``variables.tsv`` holds it.

    Parameters
    ----------
    design
        The design.
    clusters
        Clusters within which errors go together.

    Returns
    -------
    DataFrame
        Indexed by ``observation``; a column for each variable of the formula (levels as text, numbers in
        their own unit, as they were before they were centred and scaled), for the blocks whose means are
        taken out, for the variance groups and for the clusters.
    """
    told: dict[str, Any] = {name: _raw(column) for name, column in design.columns.items()}
    for block in (design.block, design.variance_groups, clusters):
        if block is not None:
            told.setdefault(block.name, np.array(block.labels, dtype=object)[block.codes])
    return pd.DataFrame(told, index=pd.Index(design.observations, name="observation"))


def _raw(column: TypedColumn) -> Any:
    if isinstance(column, CategoricalColumn):
        return np.array(column.levels, dtype=object)[column.codes]
    # Twelve digits: what was centred and is put back has lost its last ones.
    return np.array([float(f"{value:.12g}") for value in column.values * column.scale + column.center])


def describe_design(design: Design) -> dict[str, Any]:
    """Meaning of a design's columns and contrasts, as ``design.json`` holds it.

    Parameters
    ----------
    design
        The design.

    Returns
    -------
    dict
        Only text, numbers, lists and mappings.
    """
    names = [regressor.name for regressor in design.regressors]
    inflated = inflation(design)
    told = {
        "formula": design.formula,
        "n_observations": len(design.observations),
        "rank": design.rank,
        "dof": design.dof,
        "regressors": {
            regressor.name: _regressor(regressor) | {"vif": inflated.get(regressor.term)}
            for regressor in design.regressors
        },
        "variables": {name: _variable(column) for name, column in design.columns.items()},
        "block": None
        if design.block is None
        else {"column": design.block.name, "n_blocks": len(design.block.labels)},
        "variance_groups": None if design.variance_groups is None else _groups(design.variance_groups),
        "contrasts": {contrast.name: _contrast(contrast, names) for contrast in design.contrasts},
        "conjunctions": {one.name: _conjunction(one) for one in design.conjunctions},
    }
    # Said where there are any.
    return told | ({"voxelwise": list(design.voxelwise)} if design.voxelwise else {})


def _groups(groups: Block) -> dict[str, Any]:
    counts = np.bincount(groups.codes, minlength=len(groups.labels))
    return {
        "column": groups.name,
        "counts": {label: int(n) for label, n in zip(groups.labels, counts, strict=True)},
    }


def _regressor(regressor: Regressor) -> dict[str, Any]:
    told: dict[str, Any] = {
        "term": regressor.term,
        "factors": [{"variable": name, "level": level} for name, level in regressor.factors],
        "coding": dict(regressor.codings),
    }
    return told | ({"covariates": list(regressor.covariates)} if regressor.covariates else {})


def _variable(column: TypedColumn) -> dict[str, Any]:
    if isinstance(column, CategoricalColumn):
        counts = np.bincount(column.codes, minlength=len(column.levels))
        return {
            "type": "categorical",
            "levels": list(column.levels),
            "reference": column.levels[0] if column.coding == "treatment" else None,
            "coding": column.coding,
            "counts": {level: int(n) for level, n in zip(column.levels, counts, strict=True)},
        }
    return {"type": "continuous", "center": column.center, "scale": column.scale, "unit": column.unit}


def _contrast(contrast: Contrast, names: list[str]) -> dict[str, Any]:
    return {
        "kind": contrast.kind,
        "alternative": contrast.alternative,
        "words": list(contrast.words),
        "weights": [
            {name: float(weight) for name, weight in zip(names, row, strict=True) if weight != 0.0}
            for row in contrast.weights
        ],
    }


def _conjunction(conjunction: Conjunction) -> dict[str, Any]:
    return {
        "alternative": conjunction.alternative,
        "words": list(conjunction.words),
        "members": list(conjunction.members),
    }
