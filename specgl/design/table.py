"""Reading a table: every cell as text, every row with its line, every fault at its place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from specgl.design.delimited import Record, decode, delimiter_of, parse, read_bytes
from specgl.design.records import Table
from specgl.errors import Finding, TableError, raise_errors
from specgl.grammar import did_you_mean, suggest

MISSING = frozenset({"", "n/a"})
"""What a missing cell holds, spaces around it aside."""

MAX_FINDINGS = 20
"""So many findings of one kind are shown one by one; the others are counted."""

FILL_IN = "fill in the table, or leave these rows out (`data.exclude`)"
"""What helps where cells are missing."""

_MAX_LISTED = 8


@dataclass(frozen=True, eq=False)
class TextTable(Table):
    """A table together with the text it was read from, so that a finding can point at a cell's characters.

    Attributes
    ----------
    text
        The file's text without its byte-order mark.
    delimiter
        What stands between cells.
    starts
        ``(n_rows,)`` int64, offset into `text` at which each row begins.
    """

    text: str = ""
    delimiter: str = "\t"
    starts: NDArray[np.int64] | None = None


def read_table(path: Path | str, *, id_columns: Sequence[str], name: str | None = None) -> TextTable:
    """Read a TSV or CSV file, one row an observation.

    Cells stay text (``001`` stays ``001``); ``n/a`` and empty cells are missing, while ``NA``, ``None`` and
    ``nan`` are text like any other. A byte-order mark, CRLF, empty lines and a saved index do no harm.

    Parameters
    ----------
    path
        The file: ``.tsv``, ``.csv``, or ``.txt`` (tab, comma or semicolon, whichever its header has most of).
    id_columns
        One column, or several to be joined by ``_``, that name each observation.
    name
        How messages call the table; the file's name when not given.

    Returns
    -------
    TextTable
        Rows in the file's order, indexed by observation id.

    Raises
    ------
    TableError
        With all findings: unreadable file, header, ragged rows, ids missing or not unique.
    """
    if not id_columns:
        raise ValueError("at least one id column is needed")
    file = _open(Path(path), name)
    shown = file.shown
    records = parse(file.text, file.delimiter, shown)
    if not records:
        raise TableError(
            Finding("E213", "the table is empty", file=shown, line=1, help="its first line names the columns")
        )
    header, *body = records
    kept, findings = _examine_header(header, body, shown)
    findings += _ragged(header, body, shown)
    findings += _lacking_ids(header, kept, id_columns, shown)
    raise_errors(findings, TableError)
    if not body:
        raise TableError(Finding("E213", "the table has a header and no rows", file=shown, line=header.line))

    table = _assemble(file, body, kept, id_columns, tuple(findings))
    raise_errors([*findings, *_id_findings(table, id_columns)], TableError)
    return table


def cell_place(table: Table, row: int, column: str) -> tuple[int, int, int | None]:
    """Where a cell stands in the file.

    Parameters
    ----------
    row
        Position of the row in ``table.frame``, from 0.
    column
        Name of the column.

    Returns
    -------
    tuple
        Line, the character at which the cell begins in that line, and one past its last character (``None``
        when the cell runs over several lines); all counted from 1, a tab being one character. For a table
        that was not read from a file the second is the column's position.
    """
    position = table.columns[column]
    if not isinstance(table, TextTable) or table.starts is None:
        return table.lines[row], position, None
    # A cell: an optional quoted part, in which a quotation mark is written twice, and the rest.
    cell = re.compile(rf'(?:"[^"]*(?:""[^"]*)*")?[^{table.delimiter}\r\n]*')
    start = begin = int(table.starts[row])

    def end_of(at: int) -> int:
        match = cell.match(table.text, at)
        return at if match is None else match.end()

    for _ in range(position - 1):
        begin = end_of(begin) + 1
    end = end_of(begin)
    before = re.split(r"\r\n|\r|\n", table.text[start:begin])
    column_from_1 = len(before[-1]) + 1
    within = table.text[begin:end]
    end_column = None if re.search(r"[\r\n]", within) else column_from_1 + len(within)
    return table.lines[row] + len(before) - 1, column_from_1, end_column


def at_cell(table: Table, row: int, column: str, code: str, message: str, help: str | None = None) -> Finding:
    """Build a finding that points at a cell of the table."""
    line, begin, end = cell_place(table, row, column)
    return Finding(code, message, file=table.name, line=line, column=begin, end_column=end, help=help)


def column_missing(table: Table, column: str, where: tuple[str | int, ...], *, on_key: bool) -> Finding:
    """Build the finding that a column named in the spec is not in the table."""
    near = suggest(column, table.columns)
    question = None if near is None else f"did you mean {near!r} (column {table.columns[near]})?"
    if near is not None and near.strip() != near:
        question = f"{question} the column's name has spaces around it: take them out of the table's header"
    return Finding(
        "E210",
        f"column {column!r} is not in {table.name}",
        where=where,
        on_key=on_key,
        help=question,
        notes=(f"columns: {listed(table.columns, 30)}",),
    )


def cells_missing(
    table: Table, column: str, lacking: Sequence[int], code: str, what: str, help: str
) -> Finding:
    """Build the finding that rows, by their positions in the table's frame, lack a cell of a column."""
    ids = listed(str(table.frame.index[k]) for k in lacking)
    return at_cell(
        table, lacking[0], column, code, f"{what} is missing for {ids} {in_rows(table, lacking)}", help
    )


def listed(items: Iterable[str], most: int = _MAX_LISTED) -> str:
    """Items with commas between, at most so many, the others counted: ``a, b and 12 more``."""
    every = list(items)
    # One more is shown rather than "and 1 more", which would take the same room.
    if len(every) <= most + 1:
        return ", ".join(every)
    return f"{', '.join(every[:most])} and {len(every) - most} more"


def in_rows(table: Table, rows: Sequence[int]) -> str:
    """``(row 17)`` or ``(rows 17, 40)``: lines of the file, which is how a spreadsheet counts its rows."""
    word = "row" if len(rows) == 1 else "rows"
    return f"({word} {listed(str(table.lines[row]) for row in rows)})"


@dataclass(frozen=True)
class _File:
    """A file as read: where, how messages call it, its bytes, its text and what separates its cells."""

    path: Path
    shown: str
    data: bytes
    text: str
    delimiter: str


def _open(path: Path, name: str | None) -> _File:
    shown = path.name if name is None else name
    data = read_bytes(path, shown)
    text = decode(data, shown)
    return _File(path, shown, data, text, delimiter_of(path, text))


def _assemble(
    file: _File,
    body: Sequence[Record],
    kept: Mapping[str, int],
    id_columns: Sequence[str],
    findings: tuple[Finding, ...],
) -> TextTable:
    """Table of the records, indexed by id."""
    cells = {
        column: np.array([_as_cell(record.cells[k]) for record in body], dtype=object)
        for column, k in kept.items()
    }
    ids = _ids([cells[column] for column in id_columns])
    return TextTable(
        path=file.path,
        name=file.shown,
        frame=pd.DataFrame(cells, index=pd.Index(ids, dtype=object, name="observation"), dtype=object),
        lines=tuple(record.line for record in body),
        columns={column: position + 1 for column, position in kept.items()},
        findings=findings,
        size=len(file.data),
        sha256=hashlib.sha256(file.data).hexdigest(),
        text=file.text,
        delimiter=file.delimiter,
        starts=np.array([record.start for record in body], dtype=np.int64),
    )


def _as_cell(text: str) -> str | None:
    return None if text.strip() in MISSING else text


def _examine_header(
    header: Record, body: Sequence[Record], shown: str
) -> tuple[dict[str, int], list[Finding]]:
    """Columns to keep with their 0-based positions, and what is wrong with the header."""
    kept: dict[str, int] = {}
    findings: list[Finding] = []

    def say(code: str, message: str, help: str | None = None) -> None:
        findings.append(Finding(code, message, file=shown, line=header.line, help=help))

    for k, column in enumerate(header.cells):
        if not column.strip():
            empty = all(not r.cells[k].strip() for r in body if k < len(r.cells))
            if k == 0 and not empty:
                say("W220", "the first column has no name (a saved index?): it is left out")
            elif empty:
                say("W221", f"column {k + 1} has neither a name nor a value: it is left out")
            else:
                say("E217", f"column {k + 1} has values and no name", "name it in the header, or delete it")
        elif column in kept:
            say(
                "E217",
                f"two columns are called {column!r} (columns {kept[column] + 1} and {k + 1})",
                "give one of them another name",
            )
        else:
            kept[column] = k
            if column.strip() != column:
                say(
                    "W222",
                    f"the column's name {column!r} has spaces around it, which belong to the name",
                    f"did you mean {column.strip()!r}? take the spaces out of the header",
                )
    return kept, findings


def _ragged(header: Record, body: Sequence[Record], shown: str) -> list[Finding]:
    """Rows that have more or fewer cells than the header has names."""
    wide = len(header.cells)
    wrong = [record for record in body if len(record.cells) != wide]
    if len(wrong) > 1 and len(wrong) == len(body) and all(len(r.cells) == wide + 1 for r in wrong):
        return [
            Finding(
                "E218",
                f"every row has one cell more than the header has names ({wide + 1} and {wide})",
                file=shown,
                line=header.line,
                help="row names were probably saved without a name: write them with a column name, or not at "
                "all (`row.names = FALSE` in R)",
            )
        ]
    findings = [
        Finding(
            "E218",
            f"the row has {len(record.cells)} cells, the header {wide} names",
            file=shown,
            line=record.line,
            help="a cell that holds the separator itself must be put in quotation marks",
        )
        for record in wrong[:MAX_FINDINGS]
    ]
    if len(wrong) > MAX_FINDINGS:
        more = len(wrong) - MAX_FINDINGS
        findings.append(Finding("E218", f"{more} more rows are ragged", file=shown, line=header.line))
    return findings


def _lacking_ids(
    header: Record, kept: dict[str, int], id_columns: Sequence[str], shown: str
) -> list[Finding]:
    """Id columns that the header does not name."""
    findings = []
    for column in id_columns:
        if column in kept:
            continue
        help = did_you_mean(column, kept) or "say in `data.id` which column names the observations"
        if len(header.cells) == 1 and re.search(r"[\t,;]| {2}", header.cells[0]):
            help = (
                "the header is one single name: the separator does not fit the ending "
                "(tabs for .tsv, commas for .csv, any of tab, comma and semicolon for .txt)"
            )
        findings.append(
            Finding(
                "E211",
                f"the table has no id column {column!r}",
                file=shown,
                line=header.line,
                column=1,
                help=help,
                notes=(f"columns: {listed(kept, 30)}",),
            )
        )
    return findings


def _ids(columns: Sequence[NDArray[np.object_]]) -> list[str]:
    """Ids of the observations: cells joined by ``_``; missing cells count as empty until they are refused."""
    return ["_".join(cell or "" for cell in cells) for cells in zip(*columns, strict=True)]


def _id_findings(table: Table, id_columns: Sequence[str]) -> list[Finding]:
    """Ids that are missing or not unique."""
    findings = []
    lacking: set[int] = set()
    for column in id_columns:
        rows = [int(k) for k in np.flatnonzero(table.frame[column].isna().to_numpy())]
        if rows:
            lacking.update(rows)
            message = f"the id in {column!r} is missing {in_rows(table, rows)}"
            findings.append(
                at_cell(table, rows[0], column, "E212", message, "every observation needs an id of its own")
            )
    places: dict[str, list[int]] = {}
    for row, observation in enumerate(table.frame.index):
        if row not in lacking:
            places.setdefault(observation, []).append(row)
    repeated = {observation: rows for observation, rows in places.items() if len(rows) > 1}
    help = (
        "where an observation is a subject in a session, join the columns: `id: [participant_id, session]`; "
        "otherwise delete the rows that are there twice"
    )
    for observation, rows in list(repeated.items())[:MAX_FINDINGS]:
        message = f"the id {observation!r} stands in {len(rows)} rows {in_rows(table, rows)}"
        findings.append(at_cell(table, rows[1], id_columns[0], "E214", message, help))
    if len(repeated) > MAX_FINDINGS:
        more = len(repeated) - MAX_FINDINGS
        findings.append(Finding("E214", f"{more} more ids stand in several rows", file=table.name))
    return findings
