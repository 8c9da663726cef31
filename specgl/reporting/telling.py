"""Numbers and places as the page prints them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from specgl.bundle.printed.notes import statistic_words
from specgl.bundle.printed.numbers import fixed, millimetres, p_value

NO_BREAK = "\N{NO-BREAK SPACE}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number of things: ``1 voxel``, ``1,822 voxels``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def p_words(p: float) -> str:
    """A p-value with its sign: ``p = .012``, ``p < .001``."""
    told = p_value(p)
    sign, digits = (told[0], told[1:]) if told[:1] in ("<", ">") else ("=", told)
    return f"p{NO_BREAK}{sign}{NO_BREAK}{digits}"


def place(x: float, y: float, z: float) -> str:
    """Coordinates in mm, as a triple: integers where all are, else with one decimal."""
    told = millimetres([np.array([value], dtype=np.float64) for value in (x, y, z)])
    return f"({', '.join(axis[0] for axis in told)})"


def coordinates(x: float, y: float, z: float) -> str:
    """Coordinates in mm for the viewer, to a ten-thousandth."""
    return " ".join(
        f"{round(value, 4) + 0.0:g}" if value == round(value) else f"{value:.4f}" for value in (x, y, z)
    )


def statistic_facts(row: Mapping[str, Any]) -> str:
    """Statistic, direction, n and degrees of freedom of a row of results."""
    return ", ".join(statistic_words(row)).replace(" = ", f"{NO_BREAK}={NO_BREAK}")


def short(value: float, digits: int = 3) -> str:
    """A number with so many digits, nothing for NaN."""
    return "" if math.isnan(value) else f"{value:.{digits}g}"


def decimals(value: float, places: int = 2) -> str:
    """A number with so many decimals, nothing for NaN."""
    return fixed(float(value), places)


def listed(words: Sequence[str]) -> str:
    """Several words as a sentence lists them."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def seconds(value: float) -> str:
    """A duration with two or three digits and its unit."""
    if value < 1:
        return f"{1000 * value:.0f} ms"
    if value < 120:
        return f"{value:.3g} s"
    return f"{value / 60:.3g} min" if value < 7200 else f"{value / 3600:.3g} h"


def bytes_in_words(number: int) -> str:
    """A size with its unit."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number} bytes"
