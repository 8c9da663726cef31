"""The design: its matrix, and how its regressors go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from specgl.errors import UsageError
from specgl.plot.figure import Figure, styled
from specgl.plot.matrices import Cells, cells_figure
from specgl.plot.volumes import Floats

if TYPE_CHECKING:
    from specgl.bundle import Bundle

MOST_ROWS = 60
"""Observations that are named; more are not."""

FEW = 12
"""Regressors below which correlations are written as numbers."""

_CONSTANT = 1e-10
"""Relative to a column's largest magnitude: what varies less is a rounded constant."""


@styled
def design_matrix(source: Bundle | pd.DataFrame) -> Figure:
    """Show a design matrix: observations down, regressors across.

    Parameters
    ----------
    source
        A bundle, or the matrix, one column a regressor.

    Returns
    -------
    figure
        Each column as a share of its own largest magnitude, from blue (−1) to red (1); observations are named
        where there are at most 60. The column of a voxelwise covariate is what multiplies its values.

    Raises
    ------
    UsageError
        When the bundle has no design, as that of ready-made maps.

    Examples
    --------
    >>> design_matrix(pd.DataFrame({"Intercept": [1, 1, 1], "age": [-9.0, 1.0, 8.0]}))  # doctest: +SKIP
    """
    table, matrix = numbers_of(source)
    largest = np.nanmax(np.abs(matrix), axis=0, initial=0.0)
    shares = matrix / np.where(largest > 0, largest, 1.0)
    rows = [str(name) for name in table.index] if len(table) <= MOST_ROWS else []
    cells = Cells(
        values=shares,
        rows=rows,
        columns=[str(name) for name in table.columns],
        label="share of the column's largest",
        largest=1.0,
        told=None,
    )
    tall = min(0.2, 4.0 / len(table)) if not rows else max(0.14, min(0.22, 4.0 / len(table)))
    return cells_figure(cells, wide=0.55, tall=tall, side="" if rows else f"{len(table)} observations")


@styled
def correlations(source: Bundle | pd.DataFrame) -> Figure:
    """Show the correlations between the regressors of a design.

    Constant regressors are left out, and so are those that a voxelwise covariate multiplies: how they
    correlate differs from voxel to voxel.

    Parameters
    ----------
    source
        A bundle, or the matrix, one column a regressor.

    Raises
    ------
    UsageError
        When the bundle has no design, or fewer than two such regressors.

    Examples
    --------
    >>> correlations(specgl.open("results"))  # doctest: +SKIP
    """
    table, matrix = numbers_of(source)
    spread = np.ptp(matrix, axis=0)
    varies = spread > _CONSTANT * np.abs(matrix).max(axis=0, initial=0.0)
    varies &= ~np.isin([str(name) for name in table.columns], sorted(voxelwise_regressors(source)))
    if varies.sum() < 2:
        raise UsageError("correlations need two regressors that vary; this design has fewer")
    names = [str(name) for name, keep in zip(table.columns, varies, strict=True) if keep]
    values = np.clip(np.corrcoef(matrix[:, varies], rowvar=False), -1.0, 1.0)
    written = len(names) < FEW
    cells = Cells(values, names, names, "correlation", 1.0, _two_decimals if written else None)
    size = 0.5 if written else max(0.17, min(0.4, 4.5 / len(names)))
    return cells_figure(cells, wide=size, tall=min(size, 0.36) if written else size)


def voxelwise_regressors(source: Bundle | pd.DataFrame) -> set[str]:
    """Names of the regressors that a voxelwise covariate multiplies."""
    words = None if isinstance(source, pd.DataFrame) else source.design_words
    if words is None:
        return set()
    return {str(name) for name, told in words["regressors"].items() if told.get("covariates")}


def numbers_of(source: Bundle | pd.DataFrame) -> tuple[pd.DataFrame, Floats]:
    """The design as table and as numbers.

    Raises
    ------
    UsageError
        When there is none.
    """
    table = source if isinstance(source, pd.DataFrame) else source.design
    if table is None:
        raise UsageError("the bundle has no design: its maps were ready-made, or its run stopped before")
    if table.shape[0] == 0 or table.shape[1] == 0:
        raise UsageError("the design has no rows or no columns")
    return table, table.to_numpy(dtype=np.float64)


def _two_decimals(value: float) -> str:
    told = f"{value:.2f}".replace("-", "−")
    return told.removeprefix("−") if float(told.replace("−", "-")) == 0 else told
