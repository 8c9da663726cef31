"""Words in figures: strangers' names made short and harmless, numbers, and how wide a text is."""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache

from matplotlib.font_manager import FontProperties, findfont, get_font

FAMILY = "DejaVu Sans"
NO_GLYPH = "\u25a1"
"""An empty box, for characters that the font lacks."""

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ud800-\udfff]"
)
_FINE = 1200.0
"""Dots an inch at which texts are measured: coarse ones round each letter."""

_SLACK = 1.03
"""Letters are rounded to the dots of a screen when they are drawn."""

_SUBPIXELS = 64
"""FreeType tells lengths in this part of a pixel."""


@lru_cache(maxsize=1)
def _font_file() -> str:
    return str(findfont(FontProperties(family=[FAMILY])))


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    """Characters that the font has."""
    return frozenset(get_font(_font_file()).get_charmap())


def short(text: object, most: int = 32) -> str:
    """A name as figures show it: in one line, with glyphs that there are, and not longer than a limit.

    Parameters
    ----------
    text
        The name; whatever it holds comes out as text.
    most
        Characters that remain; where some are left out, an ellipsis stands in the middle, since the ends of
        names tell them apart.

    Examples
    --------
    >>> short("age at the first scan, years", 12)
    'age at… years'
    """
    composed = unicodedata.normalize("NFC", " ".join(str(text).split()))
    known = _glyphs()
    plain = "".join(c if ord(c) in known else NO_GLYPH for c in _UNSEEN.sub("", composed))
    if len(plain) <= most:
        return plain
    head = math.ceil((most - 1) / 2)
    tail = most - 1 - head
    return f"{plain[:head].rstrip()}…{plain[len(plain) - tail :]}"


@lru_cache(maxsize=4096)
def width_of(text: str, size: float) -> float:
    """Width of a text in inches, at a size in points."""
    font = get_font(_font_file())
    font.set_size(size, _FINE)
    font.set_text(text)
    return _SLACK * float(font.get_width_height()[0]) / _SUBPIXELS / _FINE


def fitted(text: str, size: float, inches: float) -> tuple[str, float]:
    """A text and its size so that it fits into a width: smaller down to three quarters, then shortened.

    Parameters
    ----------
    text
        One line.
    size
        Points that are wished for.
    inches
        Room that there is.
    """
    shrunk = max(0.75 * size, min(size, size * inches / max(width_of(text, size), 1e-9)))
    while len(text) > 1 and width_of(text, shrunk) > inches:
        text = short(text, len(text) - 1)
    return text, shrunk


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, or all before its point; with a true minus.

    Examples
    --------
    >>> number(-0.01234)
    '−0.0123'
    """
    if math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    if decimals > digits + 3 or decimals < -2 * digits:
        told = f"{value:.{digits - 1}e}"
    else:
        told = f"{value:,.{max(decimals, 0)}f}"
        told = told.rstrip("0").rstrip(".") if "." in told else told
    return told.replace("-", "−")


def millimetres(value: float) -> str:
    """A coordinate: an integer where it is one within a thousandth, else with one decimal."""
    told = f"{value:.0f}" if abs(value - round(value)) <= 1e-3 else f"{value:.1f}"
    return "0" if float(told) == 0 else told.replace("-", "−")
