"""Plain tables for the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NUMBER, WORDS = "number", "words"
"""What a column holds: numbers stand to the right."""


@dataclass(frozen=True, slots=True)
class Head:
    """Head of a column: what it is, and in small what is said of it, such as its unit."""

    words: str
    more: str = ""
    holds: str = NUMBER


@dataclass(frozen=True, slots=True)
class Line:
    """A row.

    Attributes
    ----------
    cells
        Texts, the first of which names the row.
    marked
        Whether it stands out.
    """

    cells: tuple[str, ...]
    marked: bool = False


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A table whose rows have names.

    Attributes
    ----------
    caption
        What it is.
    heads
        One a column.
    lines
        Its rows.
    note
        What is said under it; may be empty.
    sorts
        Whether a reader may sort and filter it.
    """

    caption: str
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    note: str = ""
    sorts: bool = False


def head_of(text: str, holds: str = NUMBER) -> Head:
    """A head whose brackets are said in small: ``p (peak, FWE)``."""
    words, bracket, more = text.partition(" (")
    return Head(words, more.removesuffix(")") if bracket else "", holds)


def cut(lines: Sequence[Line], most: int, file: str) -> tuple[tuple[Line, ...], str]:
    """The first lines of a long table, and where the others are.

    Parameters
    ----------
    lines
        All lines.
    most
        How many are shown.
    file
        The file of the bundle that holds them all.
    """
    if len(lines) <= most:
        return tuple(lines), ""
    return tuple(lines[:most]), f"The first {most:,} of {len(lines):,} rows; all are in {file}."
