"""Numbers as JSON writes them."""

from __future__ import annotations

import math
import re

from specgl.spec.reader.events import ReadFault

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")

# Beyond this a double, and so canonical JSON, no longer tells neighbouring integers apart.
LARGEST_INTEGER = 2**53 - 1
LONGEST_INTEGER = 20


def read_number(text: str, start: int) -> int | float | None:
    """Value of a JSON number; None when the text is none.

    Raises
    ------
    ReadFault
        E005: the number is beyond what a double holds.
    """
    match = NUMBER.fullmatch(text)
    if match is None:
        return None
    if match[1] is None and match[2] is None:
        if len(text) <= LONGEST_INTEGER and abs(int(text)) <= LARGEST_INTEGER:
            return int(text)
    elif math.isfinite(value := float(text)):
        return value
    raise ReadFault(
        "E005",
        f"the number {text[:24]}{'…' if len(text) > 24 else ''} is too large to be kept exactly",
        start,
        start + len(text),
        "quote it if it is a name",
    )
