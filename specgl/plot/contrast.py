"""The weights of a contrast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from specgl.errors import UsageError
from specgl.plot.choosing import missing
from specgl.plot.figure import Figure, styled
from specgl.plot.matrices import Cells, cells_figure
from specgl.plot.text import number

if TYPE_CHECKING:
    from specgl.bundle import Bundle

_MOST_WRITTEN = 14
"""Columns up to which weights are written into their cells."""


@styled
def contrast(source: Bundle | pd.DataFrame, name: str | None = None) -> Figure:
    """Show the weights of a contrast: rows down, regressors across.

    Parameters
    ----------
    source
        A bundle, or the weights, one row for each row of the contrast, one column a regressor.
    name
        Of a bundle: which contrast, or which conjunction, whose members' rows are shown. None shows every
        contrast. Of weights: a word before each row.

    Raises
    ------
    UsageError
        When there is no such contrast, or the bundle has no design.

    Examples
    --------
    >>> contrast(pd.DataFrame({"Intercept": [0.0], "age": [1.0]}, index=["age"]))  # doctest: +SKIP
    """
    weights = source if isinstance(source, pd.DataFrame) else weights_of(source, name)
    if weights.shape[0] == 0 or weights.shape[1] == 0:
        raise UsageError("the contrast has no rows or no columns")
    values = weights.to_numpy(dtype=np.float64)
    rows = [str(row) for row in weights.index]
    if isinstance(source, pd.DataFrame) and name is not None:
        rows = [f"{name} {row}" for row in rows]
    columns = [str(column) for column in weights.columns]
    largest = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    cells = Cells(values, rows, columns, "weight", largest, number if len(columns) <= _MOST_WRITTEN else None)
    return cells_figure(cells, wide=0.6, tall=0.3)


def weights_of(bundle: Bundle, name: str | None) -> pd.DataFrame:
    """Weights of a bundle's contrast, one row for each of its rows, one column for each regressor.

    Parameters
    ----------
    bundle
        The bundle.
    name
        A contrast or a conjunction; None for every contrast.

    Raises
    ------
    UsageError
        When there is no such contrast, or the bundle has no design.
    """
    words = words_of(bundle)
    contrasts: Mapping[str, Any] = words["contrasts"]
    conjunctions: Mapping[str, Any] = words.get("conjunctions") or {}
    if name is None:
        chosen: Sequence[str] = list(contrasts)
    elif name in contrasts:
        chosen = [name]
    elif name in conjunctions:
        chosen = list(conjunctions[name]["members"])
    else:
        raise UsageError(missing("contrast", name, [*contrasts, *conjunctions]))
    named = [
        (_row_name(one, contrasts[one], place), row)
        for one in chosen
        for place, row in enumerate(contrasts[one]["weights"])
    ]
    regressors = list(words["regressors"])
    values = [[float(row.get(regressor, 0.0)) for regressor in regressors] for _, row in named]
    return pd.DataFrame(values, index=[row for row, _ in named], columns=regressors, dtype=np.float64)


def words_of(bundle: Bundle) -> Mapping[str, Any]:
    """What a bundle says of its design.

    Raises
    ------
    UsageError
        When it has none.
    """
    words = bundle.design_words
    if words is None:
        raise UsageError("the bundle has no design: its maps were ready-made, or its run stopped before")
    return words


def _row_name(name: str, held: Mapping[str, Any], place: int) -> str:
    """How a row is named: by its contrast, and where this has several by what it says."""
    if len(held["weights"]) == 1:
        return name
    words = held["words"]
    return f"{name}: {words[place]}" if len(words) == len(held["weights"]) else f"{name} {place + 1}"
