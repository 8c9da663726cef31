"""What reading a small language gives besides its meaning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, or doubtful, in a text.

    Attributes
    ----------
    code
        Code of the catalogue.
    message
        What was seen and what was expected.
    start, end
        First character at fault, and one past the last.
    help
        What to write instead.
    """

    code: str
    message: str
    start: int
    end: int
    help: str | None = None


@dataclass(frozen=True, slots=True)
class NameUse:
    """A name, and where in the text it stands."""

    name: str
    start: int
    end: int
