"""Numbers as a paper prints them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALLEST_P = 0.001
MOST_DECIMALS = 6
WHOLE = 1e-3
"""mm: coordinates that are as near to integers are printed as integers; they have been through an affine."""


def floats(values: pd.Series[Any]) -> Floats:
    """Numbers of a column, NaN where there are none."""
    return np.asarray(pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=math.nan))


def p_value(p: float) -> str:
    """A p-value to three decimals, without the 0 before the point: ``.012``, ``<.001``, ``>.999``."""
    if math.isnan(p):
        return ""
    if p < SMALLEST_P:
        return "<.001"
    return ">.999" if p >= 0.9995 else f"{p:.3f}"[1:]


def at_least(share: float) -> str:
    """A lower bound on a share: two decimals, four below a hundredth; rounded down, so that it stays one."""
    if math.isnan(share):
        return ""
    decimals = 2 if share == 0 or share >= 0.01 - 1e-12 else 4
    # What is a hundredth but for the last bit of its float is that hundredth.
    return f"{math.floor(share * 10**decimals + 1e-9) / 10**decimals:.{decimals}f}"


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; nothing for NaN, and no minus before 0."""
    if math.isnan(value):
        return ""
    told = f"{value:.{decimals}f}"
    return told.removeprefix("-") if float(told) == 0 else told


def alike(values: Floats, significant: int) -> list[str]:
    """Numbers with the same decimals, as many as give the largest this many significant digits.

    Parameters
    ----------
    values
        The numbers, NaN where there is none.
    significant
        Digits of the largest; numbers too small or too large for that are told with an exponent.
    """
    return alike_together([values], significant)[0]


def alike_together(columns: Sequence[Floats], significant: int) -> list[list[str]]:
    """Several columns of numbers with the same decimals, as `alike` gives one."""
    every = np.abs(np.concatenate(columns))
    largest = float(np.max(every[np.isfinite(every)], initial=0.0))
    decimals = max(significant - 1 - math.floor(math.log10(largest)), 0) if largest else 0
    if decimals > MOST_DECIMALS or largest >= 10 ** (significant + 4):
        return [[_with_exponent(value, significant) for value in values] for values in columns]
    return [[fixed(value, decimals) for value in values] for values in columns]


def millimetres(columns: Sequence[Floats]) -> list[list[str]]:
    """Coordinates: integers where all are, else with one decimal."""
    every = np.concatenate(columns)
    every = every[np.isfinite(every)]
    decimals = 0 if np.all(np.abs(every - np.round(every)) <= WHOLE) else 1
    return [[fixed(value, decimals) for value in values] for values in columns]


def counts(values: Floats) -> list[str]:
    """Integers, nothing for NaN."""
    return [fixed(value, 0) for value in values]


def _with_exponent(value: float, significant: int) -> str:
    return "" if math.isnan(value) else f"{value:.{significant}g}"
