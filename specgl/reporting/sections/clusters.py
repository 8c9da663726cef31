"""The table of clusters of one result, with the digits of a paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from specgl.bundle import names
from specgl.bundle.printed import worth_a_line
from specgl.bundle.printed.grid import Column, make_grid
from specgl.bundle.printed.notes import note_of
from specgl.bundle.printed.numbers import floats
from specgl.reporting import telling
from specgl.reporting.held import Held
from specgl.reporting.sections.tables import Head, head_of

MOST_CLUSTERS = 100
"""Clusters that are shown: a table without correction may have thousands."""


@dataclass(frozen=True, slots=True)
class Peak:
    """A row of the table.

    Attributes
    ----------
    label
        Number of the cluster, with a letter for a sub-peak.
    is_sub
        Whether it is a sub-peak.
    cells
        What follows the label, a text a column.
    place, coordinates
        Where it is: as printed, and as the viewer reads it.
    """

    label: str
    is_sub: bool
    cells: tuple[str, ...]
    place: str
    coordinates: str


@dataclass(frozen=True, slots=True)
class ClusterTable:
    """The table.

    Attributes
    ----------
    heads
        One a column.
    clusters
        Rows of each cluster, its highest peak first.
    note
        What the table tells of, in sentences.
    """

    heads: tuple[Head, ...]
    clusters: tuple[tuple[Peak, ...], ...]
    note: str


def make_cluster_table(held: Held, contrast: str, inference: str) -> ClusterTable | None:
    """The table of one result; None where the bundle has none.

    Parameters
    ----------
    held
        The bundle.
    contrast, inference
        The result.
    """
    table = held.bundle.tables.get((contrast, inference))
    if table is None:
        return None
    about = held.bundle.about(contrast, inference)
    told = worth_a_line(table, about)
    left_out = int(table["cluster"].nunique() - told["cluster"].nunique())
    shown = _highest(told)
    grid = make_grid(shown, about)
    note = note_of(shown, about, left_out)
    n_told, n_shown = told["cluster"].nunique(), shown["cluster"].nunique()
    if n_shown < n_told:
        note += (
            f" The {n_shown:,} clusters with the highest peaks of {n_told:,}; all are in "
            f"{names.cluster_table(contrast, inference)}."
        )
    label, *columns = grid.columns
    rows = [
        Peak(name, sub, cells, *_place(at))
        for name, sub, cells, (_, at) in zip(
            label.cells, grid.is_sub, _rows(columns, len(shown)), shown.iterrows(), strict=True
        )
    ]
    of_cluster = shown["cluster"].to_numpy()
    groups = [
        tuple(row for row, number in zip(rows, of_cluster, strict=True) if number == cluster)
        for cluster in dict.fromkeys(of_cluster.tolist())
    ]
    return ClusterTable(
        tuple(head_of(column.head, column.holds) for column in grid.columns), tuple(groups), note
    )


def _rows(columns: list[Column], n: int) -> list[tuple[str, ...]]:
    return [tuple(column.cells[row] for column in columns) for row in range(n)]


def _place(row: pd.Series) -> tuple[str, str]:
    """Where a row's peak is, as printed and as the viewer reads it."""
    at = (float(row["x"]), float(row["y"]), float(row["z"]))
    return telling.place(*at), telling.coordinates(*at)


def _highest(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the clusters with the highest peaks, in the table's own order."""
    main = table[floats(table["peak"]) == 1]
    if len(main) <= MOST_CLUSTERS:
        return table
    height = np.nan_to_num(np.abs(floats(main["z_score"])), nan=-1.0)
    kept = main["cluster"].to_numpy()[np.argsort(-height, kind="stable")[:MOST_CLUSTERS]]
    return table[table["cluster"].isin(kept)]
