"""Tables of a bundle: clusters, and what became of each row of the participants' table."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from specgl.bundle.nulls import SHUFFLE, SIMULATION
from specgl.bundle.privacy import relative_to_root
from specgl.bundle.received import plain_file, unreadable
from specgl.bundle.text import read_tsv
from specgl.design import Block, Design, Rows, design_table, observation_table, variable_table
from specgl.inference import CLUSTER_COLUMNS

ID = "observation"
"""The column, first in every table about observations, that names them."""


def design_rows(design: Design) -> pd.DataFrame:
    """The design, one row an observation, ids in the first column."""
    # A regressor may bear the name of the ids' column.
    return design_table(design).rename_axis(index=ID).reset_index(allow_duplicates=True)


def variable_rows(design: Design, clusters: Block | None = None) -> pd.DataFrame:
    """The model's variables before coding, one row an observation, ids in the first column."""
    return variable_table(design, clusters).rename_axis(index=ID).reset_index(allow_duplicates=True)


def observations_table(
    rows: Rows, images: Mapping[str, Path], variances: Mapping[str, Path], roots: Mapping[str, Path]
) -> pd.DataFrame:
    """Every row of the table, kept or dropped and why, with its images' paths from the nearest root."""
    shown, beside = (
        {name: relative_to_root(path, roots)[1] for name, path in paths.items()}
        for paths in (images, variances)
    )
    return observation_table(rows, shown, beside)


def read_table(
    folder: Path, name: str, *, as_text: tuple[str, ...] = (), numbers: Collection[str] | None = None
) -> pd.DataFrame:
    """Read a table of a bundle, which may have been changed since it was written.

    Parameters
    ----------
    folder, name
        The bundle, and the table's name in it.
    as_text
        Columns that stay text whatever they look like.
    numbers
        Where given, the only columns that may hold numbers.

    Raises
    ------
    VerificationError
        E505, E507 or E509 where it is no plain file, missing, or no table.
    """
    path = plain_file(folder, name)
    try:
        return read_tsv(path, as_text=as_text, numbers=numbers)
    except (OSError, ValueError, csv.Error) as error:
        raise unreadable(name, str(error)) from error


def read_null(folder: Path, name: str) -> pd.Series[float]:
    """Read a null distribution back, indexed by the shuffle or the simulation.

    Raises
    ------
    VerificationError
        As `read_table`, and where it has other columns.
    """
    table = read_table(folder, name)
    try:
        return table.set_index(next(name for name in (SHUFFLE, SIMULATION) if name in table))["value"].astype(
            "float64"
        )
    except (StopIteration, KeyError, ValueError, TypeError) as error:
        raise unreadable(name, str(error)) from error


def read_clusters(folder: Path, name: str) -> pd.DataFrame:
    """Read a table of clusters back, with the types that inference gave its columns.

    Raises
    ------
    VerificationError
        As `read_table`.
    """
    table = read_table(folder, name, as_text=("sign", "region", "regions"))
    types = {column: kind for column, kind in CLUSTER_COLUMNS.items() if column in table.columns}
    try:
        return table.astype(types)
    except (ValueError, TypeError) as error:
        raise unreadable(name, str(error)) from error
