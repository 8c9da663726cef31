"""Null distributions: what chance gives, and where the observed value stands in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from specgl.bundle.shuffled import compared_as
from specgl.bundle.statistics import SEVERAL, statistic_of_row
from specgl.plot.choosing import pair_named
from specgl.plot.figure import BLUE, RED, SIZE, SMALL, Figure, new_figure, styled
from specgl.plot.text import fitted, number, short
from specgl.plot.volumes import Floats

if TYPE_CHECKING:
    from specgl.bundle import Bundle

_SIZE = (5.4, 3.3)
_BINS = 51
"""An odd number, so that a constant stands in the middle of its bin."""

_BULK = 0.99
_FAR = 2.0
"""Times the range of the bulk: what is further out lies beyond the axis, and marks get an arrow."""

SIMULATION = "simulation"
"""Name of the index of simulated maps, none of which is the observed one."""


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """What is drawn."""

    values: Floats
    observed: float | None
    threshold: float | None
    label: str
    each: str


@styled
def null(
    source: Bundle | pd.Series[float],
    *,
    contrast: str | None = None,
    inference: str | None = None,
    observed: float | None = None,
    threshold: float | None = None,
    label: str | None = None,
) -> Figure:
    """Show a null distribution with the observed value and what it has to surpass.

    Parameters
    ----------
    source
        A bundle, or the distribution: a value a shuffle, the observed labelling first. Where its index is
        named ``simulation`` it holds simulated maps, none of them observed.
    contrast, inference
        Names, of a bundle; they need not be given where there is one null.
    observed
        The observed value; None takes the first of the shuffles.
    threshold
        Value from which one survives; None takes what the bundle says.
    label
        What the values are; None says it after the inference.

    Returns
    -------
    figure
        A histogram of the distribution.

    Raises
    ------
    UsageError
        When there is no such null, or more than one.

    Examples
    --------
    >>> null(specgl.open("results"), contrast="mean", inference="maxT")  # doctest: +SKIP
    >>> null(pd.Series([4.1, 2.0, 2.6, 1.9]), threshold=2.6, label="largest t")  # doctest: +SKIP
    """
    if isinstance(source, pd.Series):
        values = source
        words = "value"
    else:
        pair = pair_named(source.null, contrast, inference, "null distribution")
        values = source.null[pair]
        row = _row(source, pair)
        settings = ((source.spec or {}).get("inference") or {}).get(pair[1]) or {}
        words = _what(settings, row)
        if threshold is None:
            threshold = (row.get("shuffled") or row.get("simulations") or {}).get("critical")
        if observed is None and values.index.name == SIMULATION:
            observed = _largest(source.tables.get(pair), settings)
    simulated = values.index.name == SIMULATION
    numbers = np.asarray(values, dtype=np.float64)
    if observed is None and not simulated and numbers.size:
        observed = float(numbers[0])
    drawn = _Drawn(
        values=numbers[np.isfinite(numbers)],
        observed=observed,
        threshold=threshold,
        label=short(words if label is None else label, 60),
        each="simulated maps" if simulated else "shuffles",
    )
    return _draw(drawn)


def _row(bundle: Bundle, pair: tuple[str, str]) -> Mapping[str, Any]:
    """What the manifest says of a result."""
    rows = bundle.manifest["results"]
    return next((row for row in rows if (row["contrast"], row["inference"]) == pair), {})


def _largest(table: pd.DataFrame | None, settings: Mapping[str, Any]) -> float | None:
    """The largest cluster that survives, where simulated maps say nothing of what was observed."""
    column = {"cluster_extent": "size", "cluster_mass": "mass"}.get(str(settings.get("statistic")))
    if table is None or column not in table.columns:
        return None
    found = pd.to_numeric(table[column], errors="coerce").max()
    return None if pd.isna(found) else float(found)


def _what(settings: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """What a null is made of, in words."""
    statistic = settings.get("statistic")
    if settings.get("correction") == "tdp" or row.get("discoveries") is not None:
        return "−log₁₀ of the smallest m p(k) / k of a map"
    if statistic == "cluster_extent":
        return "largest cluster of a map, voxels"
    if statistic == "cluster_mass":
        return "largest mass of a cluster of a map"
    if statistic == "tfce":
        return "largest TFCE of a map"
    letter = compared_as(settings, statistic_of_row(row)) if row else "value"
    if row.get("statistic") in SEVERAL:
        return f"largest {letter} of a map"
    sided = {"two-sided": f"|{letter}|", "less": f"−{letter}"}
    return f"largest {sided.get(str(row.get('alternative')), letter)} of a map"


def _draw(drawn: _Drawn) -> Figure:
    figure = new_figure(*_SIZE)
    axes = figure.add_axes((0.12, 0.16, 0.84, 0.64))
    edges = _edges(drawn)
    axes.hist(drawn.values, bins=list(edges), color="#c9ced6", edgecolor="white", linewidth=0.3)
    room = 0.04 * float(edges[-1] - edges[0])
    axes.set_xlim(float(edges[0]) - room, float(edges[-1]) + room)
    axes.margins(y=0.05)
    beyond = int(((drawn.values < edges[0]) | (drawn.values > edges[-1])).sum())
    label = drawn.label + (f"; {beyond:,} of {drawn.values.size:,} lie beyond" if beyond else "")
    words, size = fitted(label, SIZE, _SIZE[0] * 0.8)
    axes.set_xlabel(words, fontsize=size)
    axes.set_ylabel(drawn.each)
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    share = _share(drawn)
    if drawn.threshold is not None:
        _mark(axes, drawn.threshold, f"threshold {number(drawn.threshold)}", BLUE, "--", 1.15)
    if drawn.observed is not None:
        _mark(axes, drawn.observed, f"observed {number(drawn.observed)}{share}", RED, "-", 1.05)
    return figure


def _edges(drawn: _Drawn) -> Floats:
    """Edges of the bins: over the bulk of the distribution, and the marks that are not far from it.

    Sizes and masses of clusters have tails so long that their bulk would be one bin.
    """
    values = drawn.values if drawn.values.size else np.zeros(1)
    bulk = float(np.quantile(values, _BULK))
    low, high = float(values.min()), float(values.max())
    if high - low > _FAR * (bulk - low) > 0:
        high = low + 1.25 * (bulk - low)
    span = max(high - low, 0.5 * abs(low))
    for mark in (drawn.observed, drawn.threshold):
        if mark is not None and low - _FAR * span <= mark <= high + _FAR * span:
            low, high = min(low, mark), max(high, mark)
    if (values == np.round(values)).all() and high - low < 1e6:
        step = math.ceil((high - low + 1) / _BINS)  # whole numbers stand in the middle of their bins
        return np.asarray(
            np.arange(math.floor(low), math.ceil(high) + 1 + step, step) - 0.5, dtype=np.float64
        )
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        wide = 0.5 * (abs(low) or 1.0)
        low, high = low - wide, high + wide
    return np.asarray(np.linspace(low, high, _BINS + 1), dtype=np.float64)


def _share(drawn: _Drawn) -> str:
    """How many of the distribution are as large as the observed value."""
    if drawn.observed is None or not drawn.values.size:
        return ""
    count = int((drawn.values >= drawn.observed).sum())
    return f" ({count:,} of {drawn.values.size:,} as large)"


def _mark(axes: Axes, value: float, words: str, colour: str, line: str, height: float) -> None:
    """A line at a value with its words above the axes; beyond the axes an arrow at their edge."""
    left, right = axes.get_xlim()
    inside = left <= value <= right
    across = axes.get_xaxis_transform()
    edge = right if value > right else left
    if inside:
        axes.axvline(value, color=colour, linestyle=line, linewidth=1.4)
    else:
        axes.plot(
            [edge],
            [0.5],
            marker=">" if value > right else "<",
            color=colour,
            transform=across,
            clip_on=False,
            markersize=8,
        )
    place = (min(max(value, left), right) - left) / (right - left)
    axes.text(
        place,
        height,
        words if inside else f"{words}, beyond the axis",
        transform=axes.transAxes,
        ha="left" if place < 0.35 else "right" if place > 0.65 else "center",
        va="center",
        fontsize=SMALL,
        color=colour,
    )
