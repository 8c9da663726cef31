"""Several rows of one participant, in a model that takes rows for independent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from specgl.design.columns import cells_of
from specgl.design.records import Rows
from specgl.errors import Finding
from specgl.grammar import read_formula


def repeated_rows(
    rows: Rows, id_columns: Sequence[str], *, formula: str, block: str | None
) -> tuple[Finding, ...]:
    """W239 where the first of several id columns names one participant in several of the analysed rows.

    Parameters
    ----------
    rows
        The analysed rows.
    id_columns
        Columns that name an observation together: the participant first, then session, run ...
    formula
        The model's formula; one that names the participant has its means in it already.
    block
        Column whose blocks' means are taken out; any block shows that dependence has been thought of.

    Returns
    -------
    tuple of Finding
        The warning, or nothing.
    """
    if block is not None or len(id_columns) < 2:
        return ()
    column = id_columns[0]
    if column in {use.name for use in read_formula(formula).names}:
        return ()
    counts = Counter(cell for _, cell in cells_of(rows, column))
    repeated = sum(count > 1 for count in counts.values())
    if not repeated:
        return ()
    return (
        Finding(
            "W239",
            f"{repeated} of {len(counts)} values of `{column}` stand in several analysed rows, and the model "
            "takes all rows for independent",
            ("model", "formula"),
            help=f"write `block: {column}` under `model` to compare within it, or analyse one row of each",
        ),
    )
