"""Rows of a table made in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest

from specgl.design import Rows, Table

MakeRows = Callable[[Mapping[str, Sequence[object]]], Rows]


@pytest.fixture(scope="session")
def make_rows() -> MakeRows:
    """Rows from columns; ids are s00, s01, ..."""

    def make(columns: Mapping[str, Sequence[object]]) -> Rows:
        frame = pd.DataFrame({name: [str(v) for v in values] for name, values in columns.items()})
        frame.index = pd.Index([f"s{i:02d}" for i in range(len(frame))])
        places = {name: i + 1 for i, name in enumerate(frame.columns)}
        table = Table(Path("t.tsv"), "t.tsv", frame, tuple(range(2, len(frame) + 2)), places)
        return Rows(table, tuple(frame.index))

    return make
