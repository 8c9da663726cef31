"""From the bytes of a delimited text file to records with their lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from specgl.errors import Finding, TableError
from specgl.grammar import did_you_mean

MAX_BYTES = 256 * 2**20
"""Largest table that is read; a table of a million rows and twenty columns takes about 150 MB."""

MAX_ROWS = 1_000_000

_DELIMITERS = {".tsv": "\t", ".csv": ","}
_SNIFFED = ".txt"
_MAX_BAD_LINES = 20
_MAX_NEIGHBOURS = 1000
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the file.

    Attributes
    ----------
    line
        Line on which it begins, from 1.
    start
        Offset into the text at which it begins.
    cells
        Its cells, quotation marks taken off.
    """

    line: int
    start: int
    cells: list[str]


def read_bytes(path: Path, shown: str) -> bytes:
    """Read a table's bytes.

    Raises
    ------
    TableError
        When there is no such file, or it is none that can be a table.
    """

    def refuse(message: str, help: str | None = None) -> TableError:
        return TableError(Finding("E216", message, where=("data", "table"), help=help))

    if path.is_symlink() and not _exists(path):
        raise refuse(
            f"{shown!r} is a link that leads nowhere", "mend the link, or get the file it stands for"
        )
    if not _exists(path):
        neighbours = _neighbours(path)
        raise refuse(f"there is no table {shown!r}", did_you_mean(path.name, neighbours))
    if not path.is_file():
        raise refuse(f"{shown!r} is not a file", "give the path of a TSV or CSV file")
    if path.suffix.lower() == ".gz":
        raise refuse(f"{shown!r} is compressed", "decompress it (gunzip): tables are read as plain text")
    if path.suffix.lower() not in {*_DELIMITERS, _SNIFFED}:
        raise refuse(
            f"{shown!r} is neither .tsv nor .csv", "save it as tab-separated text with the ending .tsv"
        )
    try:
        if path.stat().st_size > MAX_BYTES:
            raise refuse(f"{shown!r} has more than {MAX_BYTES // 2**20} MB", "keep the columns that are used")
        data = path.read_bytes()
    except OSError as error:
        raise refuse(f"{shown!r} cannot be read: {error.strerror or error}") from error
    if data.startswith(_GZIP):
        raise refuse(f"{shown!r} is compressed, whatever its ending says", "decompress it (gunzip)")
    return data


def _exists(path: Path) -> bool:
    """Whether there is anything at a path, however odd its name."""
    try:
        return path.exists()
    except (OSError, ValueError, RuntimeError):
        return False


def _neighbours(path: Path) -> list[str]:
    try:
        return [entry.name for entry in islice(path.parent.iterdir(), _MAX_NEIGHBOURS)]
    except (OSError, ValueError):
        return []


def decode(data: bytes, shown: str) -> str:
    """Decode a table's bytes as UTF-8, with or without a byte-order mark.

    Raises
    ------
    TableError
        With the line of each byte that is none of UTF-8.
    """
    help = "save the table as UTF-8 text"
    if data.startswith(_UTF16):
        raise TableError(Finding("E219", "the table is UTF-16 text", file=shown, line=1, help=help))
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        message = "the table holds zero bytes: it is no text (a spreadsheet's own format?)"
        raise TableError(Finding("E219", message, file=shown, line=line, help=help))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Line by line, since no character of UTF-8 but the line feed holds its byte.
        raise TableError(*_undecodable(data, shown, help)) from None


def _undecodable(data: bytes, shown: str, help: str) -> list[Finding]:
    findings: list[Finding] = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            column = len(line[: error.start].decode("utf-8")) + 1
            message = f"byte 0x{line[error.start]:02x} is not UTF-8 text"
            findings.append(Finding("E219", message, file=shown, line=number, column=column, help=help))
        if len(findings) == _MAX_BAD_LINES:
            break
    return findings


def delimiter_of(path: Path, text: str) -> str:
    """Separator of a table, by its ending; for ``.txt`` the most frequent of tab, comma and semicolon."""
    by_ending = _DELIMITERS.get(path.suffix.lower())
    if by_ending is not None:
        return by_ending
    header = next((line for line in io.StringIO(text) if line.strip()), "")
    return max("\t,;", key=header.count)


def parse(text: str, delimiter: str, shown: str) -> list[Record]:
    """Split a text into records; those without any value (empty lines, rows of separators) are passed over.

    Raises
    ------
    TableError
        For a quotation mark that is never closed or closed in mid-cell, or for too many rows.
    """
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    records: list[Record] = []
    while True:
        line, start = reader.line_num + 1, lines.consumed
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise TableError(_broken(error, line, shown)) from error
        if cells is None:
            return records
        # The header may consist of the separator alone only where nothing follows either.
        if any(cell.strip() for cell in cells):
            records.append(Record(line, start, cells))
        if len(records) > MAX_ROWS + 1:
            message = f"the table has more than {MAX_ROWS:,} rows"
            raise TableError(Finding("E216", message, file=shown, line=line))


def _broken(error: csv.Error, line: int, shown: str) -> Finding:
    return Finding(
        "E218",
        f"the row that begins here cannot be split into cells: {error}",
        file=shown,
        line=line,
        help="a quotation mark at the beginning of a cell opens a quoted cell, which must be closed at its "
        'end; one that is meant is written twice ("")',
    )


class _Lines:
    """Lines of a text with their ends, counting the characters handed out."""

    def __init__(self, text: str) -> None:
        # newline="" keeps \r\n and \r as they are, so that offsets are those of the text.
        self._lines = io.StringIO(text, newline="")
        self.consumed = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.consumed += len(line)
        return line
