"""What both file formats are read as: a stream of events."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class Kind(Enum):
    """What an event announces."""

    MAPPING = auto()
    LIST = auto()
    END = auto()
    SCALAR = auto()
    ALIAS = auto()


Plain = str | int | float | bool | None


class Event(NamedTuple):
    """One event: ``raw`` is a scalar's text or an alias' name, ``value`` what the text is read as."""

    kind: Kind
    start: int
    end: int
    raw: str = ""
    value: Plain = None
    text: int | None = None
    anchor: str | None = None
    merge: bool = False


class ReadFault(Exception):
    """A fault of the text at given characters; reading may go on unless it was raised."""

    def __init__(
        self, code: str, message: str, start: int, end: int | None = None, help: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.start = start
        self.end = start + 1 if end is None else end
        self.help = help
