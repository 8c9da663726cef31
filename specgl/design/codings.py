"""How the levels of a variable become regressors: the declaration decides, never the formula.

Treatment, sum, Helmert and polynomial coding are formulaic's; cell means are one indicator a level, always.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
from formulaic.materializers.types import FactorValues
from formulaic.transforms.contrasts import (
    Contrasts,
    HelmertContrasts,
    PolyContrasts,
    SumContrasts,
    TreatmentContrasts,
    encode_contrasts,
)

from specgl.design.records import CategoricalColumn, Coding


class CellMeansContrasts(TreatmentContrasts):
    """An indicator for every level, whatever else the formula holds."""

    FACTOR_FORMAT_REDUCED = "{name}[{field}]"

    @TreatmentContrasts.override
    def _apply(
        self, dummies: Any, levels: Sequence[Hashable], reduced_rank: bool = True, sparse: bool = False
    ) -> Any:
        return dummies

    @TreatmentContrasts.override
    def get_coding_column_names(
        self, levels: Sequence[Hashable], reduced_rank: bool = True
    ) -> Sequence[Hashable]:
        """Names of all levels."""
        return levels

    @TreatmentContrasts.override
    def get_spans_intercept(self, levels: Sequence[Hashable], reduced_rank: bool = True) -> bool:
        """No: what spans the intercept loses a column where the intercept is."""
        return False

    @TreatmentContrasts.override
    def get_drop_field(self, levels: Sequence[Hashable], reduced_rank: bool = True) -> Hashable:
        """No column is ever dropped."""
        return None


CODINGS: Mapping[Coding, Callable[[], Contrasts]] = {
    "treatment": TreatmentContrasts,
    "sum": SumContrasts,
    "helmert": HelmertContrasts,
    "polynomial": PolyContrasts,
    "cell_means": CellMeansContrasts,
}
# Codings of which each column speaks of one level; the columns of the others compare several.
_ONE_LEVEL: frozenset[Coding] = frozenset({"treatment", "sum", "cell_means"})


def encoded(column: CategoricalColumn) -> FactorValues[Any]:
    """The column as formulaic takes it, carrying its own coding.

    Parameters
    ----------
    column
        Codes, levels and coding.
    """
    contrasts = CODINGS[column.coding]()
    levels = list(column.levels)

    def encoder(
        values: Any, reduced_rank: bool, drop_rows: list[int], encoder_state: dict[str, Any], model_spec: Any
    ) -> Any:
        return encode_contrasts(
            values,
            contrasts=contrasts,
            levels=levels,
            reduced_rank=reduced_rank,
            _state=encoder_state,
            _spec=model_spec,
        )

    values = pd.Series(pd.Categorical.from_codes(column.codes, categories=pd.Index(levels)))
    return FactorValues(values, kind="categorical", spans_intercept=True, encoder=encoder)


def levels_of_columns(column: CategoricalColumn, *, n_columns: int) -> tuple[str | None, ...]:
    """Level that each encoded column speaks of, or ``None`` where it compares several.

    Parameters
    ----------
    column
        The coded variable.
    n_columns
        How many columns it was given: all its levels, or one fewer.
    """
    if n_columns == len(column.levels):
        return tuple(column.levels)
    if column.coding not in _ONE_LEVEL:
        return (None,) * n_columns
    names = CODINGS[column.coding]().get_coding_column_names(list(column.levels), reduced_rank=True)
    return tuple(str(name) for name in names)
