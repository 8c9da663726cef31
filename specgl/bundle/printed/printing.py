"""Tables as one text."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from specgl.bundle.printed import forms
from specgl.bundle.printed.about import About
from specgl.bundle.printed.grid import make_grid
from specgl.bundle.printed.notes import note_of, title_of
from specgl.bundle.printed.numbers import floats
from specgl.bundle.text import tsv_bytes
from specgl.inference import CLUSTER_COLUMNS

FORMS = (*forms.FORMS, "tsv")
"""Forms in which tables can be printed."""


def print_tables(tables: Sequence[tuple[pd.DataFrame, About]], form: str) -> str:
    """Tables of clusters as one text, which ends with a line's end.

    Parameters
    ----------
    tables
        Each with what it tells of.
    form
        One of `FORMS`. Those for a paper leave out clusters in which no true discovery is certain, where an
        inference is about these, and say how many. ``tsv`` makes a single table of them, which says contrast
        and inference in its first columns and every number with all its digits.
    """
    if form == "tsv":
        return _as_tsv(tables)
    write = forms.FORMS[form]
    told = []
    for table, about in tables:
        shown = worth_a_line(table, about)
        left_out = int(table["cluster"].nunique() - shown["cluster"].nunique())
        told.append(write(make_grid(shown, about), title_of(about), note_of(shown, about, left_out)))
    return "\n".join(told)


def worth_a_line(table: pd.DataFrame, about: About) -> pd.DataFrame:
    """The table without clusters of which nothing is claimed; every region is worth its line."""
    if not about.of_discoveries or about.of_regions or "discoveries" not in table.columns:
        return table
    found = table.loc[floats(table["discoveries"]) > 0, "cluster"]
    return table[table["cluster"].isin(found)]


def _as_tsv(tables: Sequence[tuple[pd.DataFrame, About]]) -> str:
    held = [name for name in CLUSTER_COLUMNS if any(name in table.columns for table, _ in tables)]
    columns = ["contrast", "inference", *held]
    rows = []
    for table, about in tables:
        # As objects, so that no integer becomes a float where another table has no such column.
        cells = table.reindex(columns=held).astype(object).to_numpy().tolist()
        rows += [[about.contrast, about.inference, *row] for row in cells]
    return tsv_bytes(pd.DataFrame(rows, columns=columns, dtype=object)).decode()
