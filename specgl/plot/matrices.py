"""Tables of numbers as coloured cells, with names along two sides."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from specgl.plot.colours import lightness_of
from specgl.plot.figure import INK, SMALL, Figure, new_figure
from specgl.plot.panels import WIDTH
from specgl.plot.scales import Scale
from specgl.plot.text import short, width_of
from specgl.plot.volumes import Floats

_SLANT = math.radians(45)
_PAD = 0.08
_BAR_SPACE, _BAR = 1.08, 0.13
_NAME_APART = 0.19
"""Inches between slanted names, so that they do not touch."""

LONGEST = 28
"""Characters of a name."""

_SMALLEST = 5.0
"""Points below which values are not written: nobody would read them."""

_DARK = 62.0
"""Lightness below which letters in a cell are white."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What is shown.

    Attributes
    ----------
    values
        (rows, columns).
    rows, columns
        Names; no row is named where `rows` is empty.
    label
        What the colour bar says.
    largest
        Magnitude with the last colour.
    told
        How a value is written into its cell; None where none is.
    """

    values: Floats
    rows: Sequence[str]
    columns: Sequence[str]
    label: str
    largest: float
    told: Callable[[float], str] | None


def cells_figure(cells: Cells, *, wide: float, tall: float, side: str = "") -> Figure:
    """Draw a table of cells.

    Parameters
    ----------
    cells
        What is shown.
    wide, tall
        Inches of a cell; it gets narrower where the figure would be too wide.
    side
        Words along the left edge.
    """
    n_rows, n_columns = cells.values.shape
    rows = [short(name, LONGEST) for name in cells.rows]
    names = [short(name, LONGEST) for name in cells.columns]
    left = _PAD + max((width_of(name, SMALL) for name in rows), default=0.0) + 0.08 + (0.22 if side else 0.0)
    longest = max(width_of(name, SMALL) for name in names)
    wide = min(wide, (WIDTH - left - _BAR_SPACE - 0.3) / n_columns)
    top = longest * math.sin(_SLANT) + 0.2
    across = [
        (place + 0.5) * wide + width_of(name, SMALL) * math.cos(_SLANT) + 0.1
        for place, name in enumerate(names)
    ]
    body = n_columns * wide
    beyond = max([*across, body]) - body  # names on the right lean over the edge
    width = left + body + max(beyond, _BAR_SPACE) + _PAD
    height = top + max(n_rows * tall, 1.0) + _PAD
    figure = new_figure(width, height)
    bottom = height - top - n_rows * tall
    axes = figure.add_axes((left / width, bottom / height, body / width, n_rows * tall / height))
    scale = Scale("diverging", -cells.largest, cells.largest, 0.0, cells.label)
    axes.imshow(
        scale.shown(cells.values),
        cmap=scale.colours,
        norm=scale.norm,
        aspect="auto",
        interpolation="nearest",
    )
    _names(axes, rows, names, wide)
    if side:
        figure.text(
            0.16 / width, (bottom + n_rows * tall / 2) / height, side, rotation=90, ha="center", va="center"
        )
    if cells.told is not None:
        told = [
            [cells.told(float(value)) if np.isfinite(value) else "" for value in row] for row in cells.values
        ]
        _write(axes, cells.values, told, scale)
    long = min(max(n_rows * tall, 1.0), 1.8)
    low = height - top - long
    scale.bar(
        figure, figure.add_axes(((left + body + 0.2) / width, low / height, _BAR / width, long / height))
    )
    return figure


def _names(axes: Axes, rows: Sequence[str], names: Sequence[str], wide: float) -> None:
    every = max(1, math.ceil(_NAME_APART / wide))
    axes.xaxis.tick_top()
    axes.set_xticks(range(0, len(names), every), names[::every])
    for name in axes.get_xticklabels():
        name.set(rotation=math.degrees(_SLANT), ha="left", va="bottom", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0, pad=2)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _write(axes: Axes, values: Floats, told: Sequence[Sequence[str]], scale: Scale) -> None:
    """Values in the cells, as large as they fit."""
    figure = axes.get_figure()
    assert figure is not None
    across = axes.get_position().width * figure.get_figwidth()  # type: ignore[union-attr]  # no subfigures
    wide = float(across) / values.shape[1]
    most = max((width_of(text, SMALL) for row in told for text in row), default=0.0)
    size = SMALL * min(1.0, 0.9 * wide / most) if most else SMALL
    if size < _SMALLEST:
        return
    for row, texts in enumerate(told):
        for column, text in enumerate(texts):
            colour = scale.colours(scale.norm(values[row, column]))
            light = float(lightness_of(np.array(to_rgb(colour)) * 255))
            axes.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                fontsize=size,
                color="white" if light < _DARK else INK,
            )
