"""Which rows of the table are analysed, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import pandas as pd

from specgl.design.columns import (
    by_value,
    check_columns,
    check_labels,
    raise_for,
    spelling_key,
)
from specgl.design.records import Dropped, Rows, Table, Variable
from specgl.design.table import MAX_FINDINGS, MISSING, at_cell, column_missing, in_rows, listed
from specgl.errors import Finding, TableError
from specgl.grammar import suggest

_KEPT = "kept"
_DROPPED = "dropped"
_NONE = "n/a"


def select_rows(
    table: Table,
    *,
    include: Mapping[str, Sequence[str]],
    exclude: Mapping[str, Sequence[str]],
    variables: Mapping[str, Variable],
    block: str | None,
    missing_covariate: Literal["error", "drop"],
) -> Rows:
    """Choose rows: first `include`, then `exclude`, both by text (``n/a``: missing), then missing covariates.

    Parameters
    ----------
    table
        The table as read.
    include, exclude
        For each column, the values that a row must have one of to be kept, or that make it be left out.
    variables
        The variables that the model uses, and no others: rows that lack one are refused or dropped.
    block
        Column whose blocks' means are taken out. It must have no missing cell in the rows kept.
    missing_covariate
        Whether rows that lack a variable are an error or are dropped.

    Returns
    -------
    Rows
        Kept rows in the table's order; every other row with its reason.

    Raises
    ------
    TableError or DesignError
        With all findings; a `DesignError` when one of them is the spec's fault.
    """
    reasons: dict[str, str] = {}
    findings = [*_filter(table, "include", include, reasons), *_filter(table, "exclude", exclude, reasons)]
    if missing_covariate == "drop":
        _drop_missing(table, [name for name in variables if name in table.columns], reasons)
    rows = _settle(table, reasons)
    if rows.kept:
        findings += check_columns(rows, variables)
        if block is not None:
            findings += _check_block(rows, block)
    else:
        findings += _unknown_columns(table, variables, block)
        findings.append(_nothing_left(rows))
    raise_for(findings)
    return replace(rows, findings=tuple(findings))


def drop_rows(rows: Rows, dropped: Mapping[str, str]) -> Rows:
    """Take further rows out, such as those whose image is missing.

    Levels may lose their last observation by this: `typed_columns` checks again.

    Parameters
    ----------
    rows
        The rows analysed so far.
    dropped
        Id of each row to be dropped, with the reason in words.

    Raises
    ------
    ValueError
        For an id that is not among the analysed rows.
    TableError
        When no row is left.
    """
    unknown = [observation for observation in dropped if observation not in set(rows.kept)]
    if unknown:
        raise ValueError(f"not among the analysed rows: {', '.join(unknown)}")
    reasons = {row.observation: row.reason for row in rows.dropped} | dict(dropped)
    left = _settle(rows.table, reasons)
    if not left.kept:
        raise TableError(_nothing_left(left))
    return replace(left, findings=rows.findings)


def observation_table(
    rows: Rows, refs: Mapping[str, str], variances: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Every row of the table: whether it is analysed, why not, and its image.

    Parameters
    ----------
    rows
        The analysed rows.
    refs
        Image of each observation as text; an observation without one gets ``n/a``.
    variances
        Likewise its first-level variance; none where variances play no part.

    Returns
    -------
    pandas.DataFrame
        Columns ``observation``, ``status`` (kept or dropped), ``reason`` and ``image``, with variances also
        ``variance``, all text, in the table's order.
    """
    reasons = {row.observation: row.reason for row in rows.dropped}
    ids = [str(observation) for observation in rows.table.frame.index]
    return pd.DataFrame(
        {
            "observation": ids,
            "status": [_DROPPED if observation in reasons else _KEPT for observation in ids],
            "reason": [reasons.get(observation, _NONE) for observation in ids],
            "image": [refs.get(observation, _NONE) for observation in ids],
            **({"variance": [variances.get(observation, _NONE) for observation in ids]} if variances else {}),
        },
        dtype=object,
    )


def _settle(table: Table, reasons: Mapping[str, str]) -> Rows:
    """Rows of a table, given the reason of each one that is dropped."""
    ids = [str(observation) for observation in table.frame.index]
    return Rows(
        table=table,
        kept=tuple(observation for observation in ids if observation not in reasons),
        dropped=tuple(
            Dropped(observation, reasons[observation], line)
            for observation, line in zip(ids, table.lines, strict=True)
            if observation in reasons
        ),
    )


def _as_cell(value: str) -> str | None:
    """A value of the spec as the table's cells hold it."""
    return None if value.strip() in MISSING else value


def _filter(
    table: Table,
    key: Literal["include", "exclude"],
    wanted: Mapping[str, Sequence[str]],
    reasons: dict[str, str],
) -> list[Finding]:
    """Apply `include` or `exclude` to the rows not dropped yet, adding to `reasons`."""
    findings: list[Finding] = []
    for column, values in wanted.items():
        where = ("data", key, column)
        if column not in table.columns:
            findings.append(column_missing(table, column, where, on_key=True))
            continue
        cells: list[str | None] = table.frame[column].tolist()
        listed_cells = {_as_cell(value) for value in values}
        findings += _check_values(table, column, values, cells, where)
        for observation, cell in zip(table.frame.index, cells, strict=True):
            if observation in reasons or (cell in listed_cells) is (key == "include"):
                continue
            what = f"`{column}` is {_NONE if cell is None else repr(cell)}"
            end = "does not name" if key == "include" else "names"
            reasons[observation] = f"{what}, which `{key}` {end}"
    return findings


def _check_values(
    table: Table,
    column: str,
    values: Sequence[str],
    cells: Sequence[str | None],
    where: tuple[str | int, ...],
) -> list[Finding]:
    """Values that the column never has, and cells that are a listed value in another spelling."""
    found = by_value((row, cell) for row, cell in enumerate(cells) if cell is not None)
    # Of several cells in one spelling family the first stands for all.
    families: dict[str | float, str] = {}
    for cell in found:
        families.setdefault(spelling_key(cell), cell)
    findings = []
    wanted: dict[str | float, str] = {}
    for k, value in enumerate(values):
        if _as_cell(value) is None:
            continue
        if value in found:
            wanted[spelling_key(value)] = value
            continue
        near = families.get(spelling_key(value)) or suggest(value, found)
        findings.append(
            Finding(
                "E224",
                f"{value!r} is not a value of column {column!r}",
                where=(*where, k),
                help=None if near is None else f"did you mean {near!r}?",
                notes=(f"values: {listed(map(repr, found), 12)}",),
            )
        )
    named = set(values)
    for cell, rows in found.items() if wanted else ():
        meant = wanted.get(spelling_key(cell))
        if meant is None or cell in named:
            continue
        message = (
            f"{cell!r} in `{column}` is not {meant!r}, which `{where[1]}` lists; did you mean {meant!r}? "
            f"{in_rows(table, rows)}"
        )
        help = f"mend the table; if {cell!r} is another value, rename one of the two"
        findings.append(at_cell(table, rows[0], column, "E226", message, help))
    return findings[:MAX_FINDINGS]


def _drop_missing(table: Table, columns: Sequence[str], reasons: dict[str, str]) -> None:
    """Drop rows that lack one of the columns, adding to `reasons`."""
    if not columns:
        return
    lacking = table.frame[list(columns)].isna().to_numpy()
    for observation, flags in zip(table.frame.index, lacking, strict=True):
        if observation not in reasons and flags.any():
            absent = [f"`{column}`" for column, flag in zip(columns, flags, strict=True) if flag]
            reasons[observation] = f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} missing"


def _check_block(rows: Rows, block: str) -> list[Finding]:
    """Missing cells and doubtful spellings of the block column."""
    return check_labels(rows, block, ("model", "block"), "E227", "block")


def _unknown_columns(table: Table, variables: Mapping[str, Variable], block: str | None) -> list[Finding]:
    """Columns that the table lacks, where there are no rows by which to look further."""
    findings = [
        column_missing(table, name, ("variables", name), on_key=True)
        for name in variables
        if name not in table.columns
    ]
    if block is not None and block not in table.columns:
        findings.append(column_missing(table, block, ("model", "block"), on_key=False))
    return findings


def _nothing_left(rows: Rows) -> Finding:
    """Build the finding that no row remains, with how many went for which reason."""
    counts: dict[str, int] = {}
    for row in rows.dropped:
        counts[row.reason] = counts.get(row.reason, 0) + 1
    most = sorted(counts.items(), key=lambda item: -item[1])
    return Finding(
        "E213",
        f"none of the {len(rows.dropped)} rows of {rows.table.name} is left to analyse",
        file=rows.table.name,
        help="look at `include`, `exclude` and `missing` under `data`",
        notes=tuple(f"{count} dropped: {reason}" for reason, count in most[:8]),
    )
