"""Tables of a bundle: clusters, and what became of each row of the participants' table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from specgl.bundle.privacy import relative_to_root
from specgl.bundle.text import MISSING, read_tsv
from specgl.design import Rows
from specgl.inference import CLUSTER_COLUMNS

ID = "observation"
"""The column, first in every table about observations, that names them."""

KEPT = "kept"
DROPPED = "dropped"


def observations_table(rows: Rows, images: Mapping[str, Path], roots: Mapping[str, Path]) -> pd.DataFrame:
    """Every row of the table, in its order: kept or dropped, why, its line, and its image.

    Returns
    -------
    pandas.DataFrame
        Columns `observation`, `status`, `reason`, `line` and `image` (its path from the nearest root).
    """
    reasons = {dropped.observation: dropped.reason for dropped in rows.dropped}
    shown = {name: relative_to_root(path, roots)[1] for name, path in images.items()}
    ids = [str(name) for name in rows.table.frame.index]
    return pd.DataFrame(
        {
            ID: ids,
            "status": [DROPPED if name in reasons else KEPT for name in ids],
            "reason": [reasons.get(name, MISSING) for name in ids],
            "line": list(rows.table.lines),
            "image": [shown.get(name, MISSING) for name in ids],
        }
    )


def read_clusters(path: Path) -> pd.DataFrame:
    """Read a table of clusters back, with the types that inference gave its columns."""
    table = read_tsv(path, as_text=("sign", "region"))
    types = {column: kind for column, kind in CLUSTER_COLUMNS.items() if column in table.columns}
    return table.astype(types)
