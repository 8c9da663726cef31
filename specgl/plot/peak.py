"""The subjects' own values at a peak, against what the contrast asks about."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from specgl.inference import CONFIDENCE
from specgl.plot.adjusting import SAME_PLACE, Adjusted, Place, adjusted
from specgl.plot.contrast import words_of
from specgl.plot.figure import BLUE, INK, PALE, SIZE, SMALL, Figure, new_figure, styled
from specgl.plot.text import fitted, millimetres, number, short, width_of
from specgl.plot.volumes import Floats

if TYPE_CHECKING:
    from specgl.bundle import Bundle

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A6D00", "#56B4E9", "#333333")
"""After Okabe and Ito, which colour-blind readers can tell apart, without those too light for white."""

_MARKERS = "os^Dvp*"
_MOST_LEVELS = 14
"""Levels that have a name in the legend; more would be no legend."""

_SIZE = (5.4, 3.9)
_LEFT, _BOTTOM, _TOP = 0.75, 0.62, 0.62
_LINE = 0.19
_MARK = 5.0
_LARGE, _LEAST = 8.5, 2.4
_EQUAL = 0.99
_GRID = 60
_GOLDEN = (math.sqrt(5) - 1) / 2

_INTERVAL = f"{CONFIDENCE:.0%}".replace("%", " %")


@styled
def peak(source: Bundle, *, contrast: str, at: Place) -> Figure:
    """Show the observations' own values at a peak, against the covariate or the group that is asked about.

    Values are adjusted: what the regressors that have nothing to do with the contrast's variables explain
    is taken out, and put back at their mean. Against one continuous variable there is a fitted line with
    its band; levels of a categorical one have their means with intervals; both together, a line for each
    level, as for a variable that stands beside a covariate of interest in a regressor. A voxelwise covariate
    has its values at the peak. Lines, means and intervals are those of the model, whatever its estimator and
    its errors; where observations weigh differently, the area of a point is its weight. With blocks their
    means are taken out of values and covariates, and the grand means put back. Against several continuous
    variables values are drawn over what the model fits. A value chosen because it is the largest looks
    larger than it is: intervals know nothing of the search.

    Parameters
    ----------
    source
        The bundle.
    contrast
        Name of a contrast or conjunction.
    at
        x, y, z in mm: a peak of its tables of clusters.

    Returns
    -------
    figure
        One point an observation; above it the effect with its interval, where a table tells it.

    Raises
    ------
    UsageError
        When there is no such contrast or peak; of a peak the nearest is named.

    Examples
    --------
    >>> bundle = specgl.open("results")  # doctest: +SKIP
    >>> first = bundle.tables["ageSlope", "fdr"].iloc[0]  # doctest: +SKIP
    >>> peak(bundle, contrast="ageSlope", at=(first.x, first.y, first.z))  # doctest: +SKIP
    """
    held = adjusted(source, contrast, at)
    further = _further(held)
    about: Mapping[str, Any] = words_of(source)["variables"]
    variables = source.variables
    table = (pd.DataFrame(index=list(held.names)) if variables is None else variables).reindex(
        list(held.names)
    )
    table = table.assign(**held.covariates)
    numbers = {name for name, words in about.items() if words.get("type") == "continuous"}
    numbers |= set(held.covariates)
    continuous = [name for name in held.shown if name in numbers]
    if not numbers & set(held.interest):
        continuous = []  # levels have means, whatever slopes they have
    shown = held.shown if continuous else held.interest
    factors = [name for name in shown if name not in numbers]
    levels = _levels(table, factors, about)
    if len(continuous) == 1:
        x = _abscissa(table[continuous[0]].to_numpy(dtype=np.float64), held)
        title = ", ".join(short(name, 20) for name in factors)
        figure, axes = _framed([*levels[1], title] if levels[1] else [], bool(further))
        _lines(axes, held, x, levels, title)
        axes.set_xlabel(_named(continuous[0], about, held))
        drawn = f"band: {_INTERVAL}"
    elif continuous:
        figure, axes = _framed([], bool(further))
        fitted, _ = held.interval(held.rows)
        _points(axes, fitted, held, np.arange(fitted.size), "o", BLUE)
        axes.axline((float(fitted.mean()), float(fitted.mean())), slope=1, color=PALE, linewidth=1)
        axes.set_xlabel(short(f"fitted from {_listed(shown)}", 60))
        drawn = "line: value as fitted"
    else:
        figure, axes = _framed([], bool(further))
        _strips(axes, held, levels)
        axes.set_xlabel(short(_listed(held.interest), 60) if held.interest else "all observations")
        drawn = f"bar: mean with {_INTERVAL} interval"
    _words(figure, axes, held, at, ["; ".join([*_effect(source, contrast, at), drawn]), *further])
    return figure


def _levels(
    table: pd.DataFrame, names: Sequence[str], about: Mapping[str, Any]
) -> tuple[NDArray[np.int64], list[str]]:
    """Which level each observation has, counted from 0, and their names; no name without such variables."""
    if not names:
        return np.zeros(len(table), dtype=np.int64), []
    columns = [table[name].astype(object).where(table[name].notna(), "n/a").map(str) for name in names]
    orders = [[str(level) for level in about.get(name, {}).get("levels", ())] for name in names]
    ranks = [
        {level: place for place, level in enumerate(dict.fromkeys([*order, *column]))}
        for order, column in zip(orders, columns, strict=True)
    ]
    rows = list(zip(*columns, strict=True))
    present = sorted(set(rows), key=lambda row: [rank[level] for rank, level in zip(ranks, row, strict=True)])
    codes = {row: code for code, row in enumerate(present)}
    return np.array([codes[row] for row in rows], dtype=np.int64), [", ".join(row) for row in present]


def _abscissa(raw: Floats, held: Adjusted) -> Floats:
    """A covariate as it is; with blocks without their means, about the grand mean."""
    if held.blocks is None:
        return raw
    means = pd.Series(raw).groupby(held.blocks).transform("mean").to_numpy(dtype=np.float64)
    return np.asarray(raw - means + np.nanmean(raw))


def _framed(legend: Sequence[str], further: bool) -> tuple[Figure, Axes]:
    """A figure and its axes.

    Parameters
    ----------
    legend
        Words for which there is room on the right, where there are some.
    further
        Whether there is room for a third line of words.
    """
    width, height = _SIZE
    height += _LINE * further
    beside = max((width_of(short(words, 20), SMALL) for words in legend), default=-0.45) + 0.55
    wide = width + beside - 0.1
    figure = new_figure(wide, height)
    rect = (_LEFT, _BOTTOM, width - _LEFT - 0.15, _SIZE[1] - _BOTTOM - _TOP)
    return figure, figure.add_axes((rect[0] / wide, rect[1] / height, rect[2] / wide, rect[3] / height))


def _points(
    axes: Axes,
    x: Floats,
    held: Adjusted,
    own: NDArray[np.int64],
    marker: str,
    colour: str,
    label: str | None = None,
) -> None:
    """Some observations' values over x; where weights differ, each with its weight as its area."""
    look: dict[str, Any] = {"color": colour, "alpha": 0.8, "markeredgewidth": 0}
    if not _differ(held):
        axes.plot(x, held.values[own], marker, markersize=_MARK, label=label, **look)
        return
    assert held.weights is not None
    shares = held.weights[own] / held.weights.max()
    for one, share, value in zip(x, shares, held.values[own], strict=True):
        axes.plot([one], [value], marker, markersize=max(_LARGE * math.sqrt(share), _LEAST), **look)
    if label is not None:
        axes.plot([], [], marker, markersize=_MARK, label=label, **look)


def _differ(held: Adjusted) -> bool:
    return held.weights is not None and bool(held.weights.min() < _EQUAL * held.weights.max())


def _further(held: Adjusted) -> list[str]:
    """What else is to be known of what is drawn: weights, errors, covariates at 0."""
    told = []
    if _differ(held):
        assert held.weights is not None
        least = float(held.weights.min() / held.weights.max())
        told.append(f"area: weight in the fit, the smallest {number(least, 2)} of the largest")
    if held.fit.told:
        told.append(f"interval: {short(held.fit.told, 40)}")
    if held.at_zero:
        told.append(f"the effect is that at {_listed([f'{name} = 0' for name in held.at_zero])}")
    return ["; ".join(told)] if told else []


def _lines(
    axes: Axes, held: Adjusted, x: Floats, levels: tuple[NDArray[np.int64], list[str]], title: str
) -> None:
    """Points over a covariate, a line with its band for each level."""
    codes, names = levels
    for code in range(max(len(names), 1)):
        own = (codes == code) & np.isfinite(x)
        if not own.any():
            continue
        colour = PALETTE[code % len(PALETTE)] if names else BLUE
        grid, fitted, half = _line(held, x[own], own)
        axes.fill_between(grid, fitted - half, fitted + half, color=colour, alpha=0.15, linewidth=0)
        axes.plot(grid, fitted, color=colour, linewidth=1.6)
        label = short(names[code], 20) if names and code < _MOST_LEVELS else None
        marker = _MARKERS[code % len(_MARKERS)]
        _points(axes, x[own], held, np.flatnonzero(own), marker, colour, label)
    if names:
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            borderaxespad=0,
            handletextpad=0.3,
            title=short(title, 20),
            title_fontsize=SMALL,
            alignment="left",
        )


def _line(held: Adjusted, x: Floats, own: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Fitted values along a covariate with half their interval; rows of the design between observed ones.

    Exact where regressors are straight lines in the covariate, as rows then are; else as fine as the data.
    """
    order = np.argsort(x, kind="stable")
    places, first = np.unique(x[order], return_index=True)
    counts = np.diff(np.append(first, x.size))
    rows = np.add.reduceat(held.rows[own][order], first, axis=0) / counts[:, None]
    grid = np.unique(np.concatenate([places, np.linspace(places[0], places[-1], _GRID)]))
    between = np.stack([np.interp(grid, places, column) for column in rows.T], axis=1)
    return grid, *held.interval(between)


def _strips(axes: Axes, held: Adjusted, levels: tuple[NDArray[np.int64], list[str]]) -> None:
    """Points of each level side by side, beside them the level's mean with its interval."""
    codes, names = levels
    count = max(len(names), 1)
    for code in range(count):
        own = codes == code
        colour = PALETTE[code % len(PALETTE)] if names else BLUE
        members = np.flatnonzero(own)[np.argsort(held.values[own], kind="stable")]
        spread = ((np.arange(members.size) * _GOLDEN) % 1 - 0.5) * 0.36
        _points(axes, np.asarray(code - 0.08 + spread), held, members, "o", colour)
        mean, half = (float(part[0]) for part in held.interval(held.rows[own].mean(axis=0, keepdims=True)))
        axes.errorbar(
            code + 0.22, mean, yerr=None if math.isnan(half) else half, fmt="_", color=INK, markersize=14,
            capsize=4, linewidth=1.4, markeredgewidth=1.6,
        )  # fmt: skip
    side = 1.2 if count == 1 else 0.6
    axes.set_xlim(-side, count - 1 + side)
    if not names:
        axes.set_xticks([])
        return
    long = 22 if count <= 3 else 12
    shown = [short(name, long) for name in names]
    every = max(1, math.ceil(count / 20))
    room = (_SIZE[0] - _LEFT) / count
    slanted = max(width_of(name, SMALL) for name in shown) > room
    axes.set_xticks(range(0, count, every), shown[::every])
    if slanted:
        axes.tick_params(axis="x", labelrotation=90 if count > 8 else 20)


def _words(figure: Figure, axes: Axes, held: Adjusted, at: Place, told: Sequence[str]) -> None:
    """Labels: what the values are, where, and what else is told, a line each."""
    adjusted_for = [short(name, 30) for name in held.others[:3]]
    if len(held.others) > 3:
        adjusted_for.append(f"{len(held.others) - 3} more")
    if held.block is not None:
        adjusted_for.append(f"means of {short(held.block, 18)}")
    place = ", ".join(millimetres(value) for value in at)
    axes.set_ylabel("value, units of the data" + (" (adjusted)" if adjusted_for else ""))
    wide = figure.get_figwidth()
    lines = [f"at ({place}) mm, {len(held.values)} observations", *told]
    if adjusted_for:
        lines[0] += f"; adjusted for {_listed(adjusted_for)}"
    for row, line in enumerate(lines):
        words, size = fitted(line, SMALL, wide - 0.2)
        top = 1 - (0.16 + _LINE * row) / figure.get_figheight()
        figure.text(0.1 / wide, top, words, va="center", ha="left", fontsize=size)
    axes.xaxis.label.set_fontsize(SIZE)


def _effect(bundle: Bundle, contrast: str, at: Place) -> list[str]:
    """The effect at a peak with its interval, if a table tells it."""
    for (name, _), table in bundle.tables.items():
        if name != contrast or not {"effect", "effect_low", "effect_high"} <= set(table.columns):
            continue
        away = np.abs(table[["x", "y", "z"]].to_numpy(dtype=np.float64) - np.array(at)).max(
            axis=1, initial=0.0
        )
        for row in np.flatnonzero(away <= SAME_PLACE):
            told = table[["effect", "effect_low", "effect_high"]].iloc[row].to_numpy(dtype=np.float64)
            if np.isfinite(told).all():
                value, low, high = (number(float(one)) for one in told)
                return [f"effect {value}, {_INTERVAL} interval {low} to {high}"]
    return []


def _named(name: str, about: Mapping[str, Any], held: Adjusted) -> str:
    unit = about.get(name, {}).get("unit")
    told = short(name, 30) + (f" ({short(unit, 16)})" if unit else "")
    told += " at the peak" if name in held.covariates else ""
    return told if held.block is None else f"{told}, within {short(held.block, 18)}"


def _listed(names: Sequence[str]) -> str:
    shown = [short(name, 24) for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
