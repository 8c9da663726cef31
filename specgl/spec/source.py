"""The text of a spec, and where in it each key and each value stands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from specgl.errors import Finding

Where = tuple[str | int, ...]


class Place(NamedTuple):
    """Characters of the text that a key and its value take, first and one past the last.

    ``text`` is where the value's own text begins when the file holds it letter by letter, so that a span in
    the value is a span in the file; None where escapes or folded lines stand between.
    """

    start: int
    end: int
    text: int | None = None
    key: tuple[int, int] | None = None


class Lines:
    """Lines and columns, counted from 1, of the characters of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(i + 1 for i, letter in enumerate(text) if letter == "\n")]

    def at(self, index: int) -> tuple[int, int]:
        """Line and column of a character."""
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def span(self, start: int, end: int) -> tuple[int, int, int]:
        """Line, first column and one past the last column of a stretch, cut at the end of its first line."""
        line, column = self.at(start)
        stop = self.text.find("\n", start)
        last = len(self.text) if stop < 0 else stop
        written = self.text[start : min(end, last)].rstrip()
        return line, column, column + max(len(written), 1)


@dataclass(frozen=True, eq=False)
class Source:
    r"""A spec's text and the places in it.

    Attributes
    ----------
    path
        The file; None for a text that came from elsewhere.
    name
        How messages name it.
    text
        The text, its line ends as ``\n``.
    given
        The text as it was given, with its byte-order mark and its own line ends.
    places
        Place of every value, by the keys that lead to it.
    """

    path: Path | None
    name: str
    text: str
    places: Mapping[Where, Place] = field(default_factory=dict, repr=False)
    given: str = field(default="", repr=False)

    @cached_property
    def lines(self) -> Lines:
        """Lines and columns of the text."""
        return Lines(self.text)

    def locate(
        self, where: Where, span: tuple[int, int] | None = None, on_key: bool = False
    ) -> tuple[int, int, int]:
        """Line, first column and one past the last column (all from 1) of a value, its key, or a part of it.

        A ``where`` that the text does not have, such as a default's, is shortened until it is there; so a
        contrast's ``hypothesis`` is found where the contrast is written as a bare text. A list of one that is
        written without its brackets is found too.
        """
        if where not in self.places and (bare := tuple(key for key in where if key != 0)) in self.places:
            where = bare
        known = next(where[:n] for n in range(len(where), -1, -1) if where[:n] in self.places or n == 0)
        place = self.places.get(known)
        if place is None:
            return self.lines.span(0, 1)
        empty = place.start == place.end
        if place.key is not None and (empty or (on_key and known == where)):
            return self.lines.span(*place.key)
        if span is not None and place.text is not None:
            return self.lines.span(place.text + span[0], place.text + max(span[1], span[0] + 1))
        return self.lines.span(place.start, place.end)


def locate(finding: Finding, source: Source) -> Finding:
    """The same finding with file, line and columns; one that has its own place stays as it is."""
    if finding.line is not None or finding.file is not None:
        return finding
    line, column, end_column = source.locate(finding.where, finding.span, finding.on_key)
    return replace(finding, file=source.name, line=line, column=column, end_column=end_column)
