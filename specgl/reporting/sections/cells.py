"""Who is in which cell of the design, and what their covariates are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from specgl.bundle.printed.numbers import alike_together, floats
from specgl.reporting.sections.tables import WORDS, Head, Line, PlainTable

MOST_LEVELS = 12
"""Levels up to which each is looked at by itself; a variable with more names its rows, as subjects do."""

MOST_CELLS = 60
"""Combinations of levels that are listed."""


def cell_counts(variables: pd.DataFrame | None, words: Mapping[str, Any]) -> PlainTable | None:
    """How many observations have which levels: of two variables a cross table, of others a list.

    Parameters
    ----------
    variables
        Raw values of each variable, indexed by observation.
    words
        What the design says of its variables.

    Returns
    -------
    table
        None without categorical variables of a few levels.
    """
    names = _categorical(variables, words)
    if variables is None or not names:
        return None
    if len(names) == 2:
        return _crossed(variables, names[0], names[1], words)
    counts = variables.groupby(names, sort=False).size()
    ranks = {name: {level: i for i, level in enumerate(_levels(words, name, variables))} for name in names}
    keys = [key if isinstance(key, tuple) else (key,) for key in counts.index]
    order = sorted(
        range(len(keys)), key=lambda at: [ranks[n].get(k, 0) for n, k in zip(names, keys[at], strict=True)]
    )
    lines = [Line((*map(str, keys[at]), f"{int(counts.iloc[at]):,}")) for at in order]
    heads = (*(Head(name, holds=WORDS) for name in names), Head("Observations"))
    note = "" if len(lines) <= MOST_CELLS else f"The first {MOST_CELLS} of {len(lines):,} combinations."
    return PlainTable("Observations by level", heads, tuple(lines[:MOST_CELLS]), note)


def covariates(variables: pd.DataFrame | None, words: Mapping[str, Any]) -> PlainTable | None:
    """Mean, standard deviation and range of each continuous variable, overall and by level.

    Parameters
    ----------
    variables, words
        As `cell_counts`.
    """
    if variables is None:
        return None
    told = words["variables"]
    numbers = [n for n, v in told.items() if v["type"] == "continuous" and n in variables.columns]
    if not numbers:
        return None
    groups = [("all", variables)]
    for factor in _categorical(variables, words):
        for level in _levels(words, factor, variables):
            groups.append((f"{factor}: {level}", variables[variables[factor].astype(str) == level]))
    columns = [_spreads([group[name] for _, group in groups]) for name in numbers]
    lines = [Line((label, *cells)) for (label, _), *cells in zip(groups, *columns, strict=True)]
    heads = (
        Head("Observations", holds=WORDS),
        *(Head(name, str(told[name].get("unit") or "")) for name in numbers),
    )
    return PlainTable("Covariates", heads, tuple(lines), "Mean ± standard deviation (smallest to largest).")


def _categorical(variables: pd.DataFrame | None, words: Mapping[str, Any]) -> list[str]:
    """Variables whose levels are few enough to be looked at one by one."""
    if variables is None:
        return []
    named = [n for n, told in words["variables"].items() if told["type"] == "categorical"]
    for key in ("block", "variance_groups"):
        if words.get(key) is not None:
            named.append(words[key]["column"])
    several = [name for name in dict.fromkeys(named) if name in variables.columns]
    return [name for name in several if len(_levels(words, name, variables)) <= MOST_LEVELS]


def _levels(words: Mapping[str, Any], name: str, variables: pd.DataFrame) -> list[str]:
    told = words["variables"].get(name, {}).get("levels")
    return list(map(str, told)) if told else sorted(variables[name].astype(str).unique())


def _crossed(variables: pd.DataFrame, first: str, second: str, words: Mapping[str, Any]) -> PlainTable:
    rows, columns = (_levels(words, name, variables) for name in (first, second))
    pairs = list(zip(variables[first].astype(str), variables[second].astype(str), strict=True))
    counts = np.array([[pairs.count((row, column)) for column in columns] for row in rows])
    lines = [
        Line((row, *(f"{count:,}" for count in several), f"{several.sum():,}"))
        for row, several in zip(rows, counts, strict=True)
    ]
    lines.append(Line(("all", *(f"{count:,}" for count in counts.sum(axis=0)), f"{counts.sum():,}")))
    heads = (Head(first, holds=WORDS), *(Head(column) for column in columns), Head("all"))
    return PlainTable(f"Observations by {first} and {second}", heads, tuple(lines))


def _spreads(groups: Sequence[pd.Series[Any]]) -> list[str]:
    """Mean, standard deviation and range of a variable in several groups, with the same decimals in all."""
    values = [floats(group) for group in groups]
    values = [held[np.isfinite(held)] for held in values]
    means = np.array([held.mean() if held.size else np.nan for held in values])
    spreads = np.array([held.std(ddof=1) if held.size > 1 else np.nan for held in values])
    told = zip(values, *alike_together([means, spreads], 3), strict=True)
    return [
        f"{mean}{f' ± {spread}' if spread else ''} ({held.min():.4g} to {held.max():.4g})"
        if held.size
        else ""
        for held, mean, spread in told
    ]
