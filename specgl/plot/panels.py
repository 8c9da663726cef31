"""Panels side by side at one scale in mm, a strip of words above each, and a colour bar beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from specgl.plot.figure import INK, SIZE, SMALL, TINT, Figure, new_figure
from specgl.plot.scales import Scale
from specgl.plot.text import fitted, width_of
from specgl.plot.volumes import Floats, Plane, Volume

WIDTH = 7.6
"""Inches that a figure of panels is wide at most."""

_MARGIN, _GAP, _STRIP = 0.08, 0.12, 0.22
_BAR, _BAR_GAP, _BAR_WORDS = 0.13, 0.2, 0.72
_LEAST = 0.3
"""Inches that a panel measures at least, however thin its brain is."""

_HEADED = 0.75
"""Inches that words above a panel of a grid may take."""

_ENDS = (("P", "A"), ("L", "R"), ("L", "R"))
"""What lies to the left and to the right of a cut across x, y, z, in a space whose axes point to the right,
to the front and upwards, as those of NIfTI do."""

LINE = 0.18
"""Inches from one line of a footnote to the next."""

NAMES = ("sagittal", "coronal", "axial")


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A figure with its panels.

    Attributes
    ----------
    figure
        The figure.
    panels
        Axes of each, in mm.
    bar
        Axes for the colour bar; None where none is wanted.
    """

    figure: Figure
    panels: tuple[Axes, ...]
    bar: Axes | None


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The part of space that panels show: edges in mm along x, y, z, (3, 2)."""

    edges: Floats

    @classmethod
    def around(cls, mask: Volume) -> Window:
        """The box around a mask with some room; all there is where the mask is empty."""
        edges = []
        for axis in range(3):
            others = tuple(other for other in range(3) if other != axis)
            held = np.flatnonzero(mask.values.any(axis=others))
            first, last = (held[0], held[-1]) if held.size else (0, mask.values.shape[axis] - 1)
            low = mask.low[axis] + (first - 0.5) * mask.step[axis]
            high = mask.low[axis] + (last + 0.5) * mask.step[axis]
            room = max(0.03 * (high - low), mask.step[axis])
            edges.append((low - room, high + room))
        return cls(np.array(edges))

    def size(self, axis: int) -> tuple[float, float]:
        """Width and height in mm of a cut across an axis."""
        across, up = (float(np.ptp(self.edges[other])) for other in range(3) if other != axis)
        return across, up

    def limit(self, axes: Axes, axis: int) -> None:
        """Let a panel show a cut across an axis, as far as the window goes."""
        across, up = (self.edges[other] for other in range(3) if other != axis)
        axes.set_xlim(*across)
        axes.set_ylim(*up)


def cut_axes(shape: Sequence[int]) -> tuple[int, ...]:
    """Axes across which there is something to see: all three, or the one that has a single voxel."""
    single = [axis for axis in range(3) if shape[axis] == 1]
    return (single[-1],) if single else (0, 1, 2)


def row(sizes: Sequence[tuple[float, float]], *, tallest: float = 2.6, bar: bool = True) -> Sheet:
    """Panels in one row, with the same inches a mm.

    Parameters
    ----------
    sizes
        Width and height of each in mm.
    tallest
        Inches that a panel is tall at most.
    bar
        Whether there is a colour bar.
    """
    room = WIDTH - _beside(bar) - 2 * _MARGIN - _GAP * (len(sizes) - 1)
    scale = min(room / sum(width for width, _ in sizes), tallest / max(height for _, height in sizes))
    inches = [(max(width * scale, _LEAST), max(height * scale, _LEAST)) for width, height in sizes]
    tall = max(height for _, height in inches)
    lefts = np.cumsum([_MARGIN, *(width + _GAP for width, _ in inches)])
    places = [
        (left, _MARGIN + (tall - height) / 2, width, height)
        for left, (width, height) in zip(lefts[:-1], inches, strict=True)
    ]
    return _sheet(places, float(lefts[-1]) - _GAP, tall + _STRIP, bar)


def grid(
    size: tuple[float, float],
    count: int,
    *,
    wide: float = 1.05,
    bar: bool = True,
    strip: float = _STRIP,
    foot: float = 0.0,
) -> Sheet:
    """Panels of one size in rows.

    Parameters
    ----------
    size
        Width and height of each in mm.
    count
        How many.
    wide
        Inches that a panel is wide, about.
    bar
        Whether there is a colour bar.
    strip
        Inches above each for its words.
    foot
        Inches below all of them for words, see `footnote`.
    """
    room = WIDTH - _beside(bar) - 2 * _MARGIN
    columns = min(max(round(room / (max(wide, _HEADED) + _GAP)), 1), count)
    rows = math.ceil(count / columns)
    columns = math.ceil(count / rows)  # as even as can be
    scale = min((room + _GAP) / columns - _GAP, 2.4) / size[0]
    scale = min(scale, 1.6 * wide / size[1]) if count > 1 else min(scale, 3.0 / size[1])
    width, height = max(size[0] * scale, _LEAST), max(size[1] * scale, _LEAST)
    pitch = max(width, _HEADED) + _GAP
    places = []
    for number in range(count):
        line, column = divmod(number, columns)
        bottom = _MARGIN + foot + (rows - 1 - line) * (height + strip + 0.04)
        places.append((_MARGIN + column * pitch + (pitch - _GAP - width) / 2, bottom, width, height))
    total = rows * (height + strip + 0.04) - 0.04 + foot
    return _sheet(places, _MARGIN + columns * pitch - _GAP, total, bar)


def _beside(bar: bool) -> float:
    return _BAR_GAP + _BAR + _BAR_WORDS if bar else 0.0


def _sheet(places: Sequence[tuple[float, ...]], right: float, tall: float, bar: bool) -> Sheet:
    """A figure that holds panels at places in inches: left, bottom, width, height."""
    width, height = right + _beside(bar) + _MARGIN, tall + 2 * _MARGIN
    short = 1.1 if bar else 0.0  # a bar wants room for its ticks, however low the panels are
    lift = max(short - height, 0.0) / 2
    height += 2 * lift
    figure = new_figure(width, height)
    axes = [
        figure.add_axes((x / width, (y + lift) / height, w / width, h / height), frame_on=False)
        for x, y, w, h in places
    ]
    for panel in axes:
        panel.set_axis_off()
    if not bar:
        return Sheet(figure, tuple(axes), None)
    long = min(height - 2 * _MARGIN - 0.1, 2.0)
    beside = figure.add_axes(
        ((right + _BAR_GAP) / width, (height - long) / 2 / height, _BAR / width, long / height)
    )
    return Sheet(figure, tuple(axes), beside)


def footnote(sheet: Sheet, *lines: str) -> None:
    """Write lines below the panels, smaller or shortened where they would not fit."""
    wide, tall = sheet.figure.get_figwidth(), sheet.figure.get_figheight()
    for row, line in enumerate(reversed(lines)):
        words, size = fitted(line, SMALL, wide - 2 * _MARGIN)
        bottom = (_MARGIN + 0.02 + LINE * row) / tall
        sheet.figure.text(_MARGIN / wide, bottom, words, fontsize=size, va="baseline")


def legend(sheet: Sheet, scale: Scale | None, words: str) -> None:
    """Draw the colour bar, or write where it would stand why there is none.

    Parameters
    ----------
    sheet
        The figure, with axes for the bar.
    scale
        What the bar shows; None where nothing is drawn.
    words
        What is written instead.
    """
    if sheet.bar is None:
        return
    if scale is not None:
        scale.bar(sheet.figure, sheet.bar)
        return
    sheet.bar.set_axis_off()
    sheet.bar.text(0.0, 0.5, words.replace(" ", "\n"), ha="left", va="center", fontsize=SIZE, clip_on=False)


def show(axes: Axes, plane: Plane | None, scale: Scale, **how: Any) -> None:
    """Draw a plane of a map into a panel, each voxel as a rectangle; nothing where there is none."""
    if plane is not None:
        axes.imshow(
            scale.shown(plane.values),
            cmap=scale.colours,
            norm=scale.norm,
            extent=plane.extent,
            origin="lower",
            interpolation="nearest",
            **how,
        )


def tint(
    axes: Axes, plane: Plane | None, colour: str = TINT, *, alpha: float = 1.0, over: bool = False
) -> None:
    """Fill those places of a panel where a mask is, under what else is drawn or over it."""
    if plane is not None and plane.values.any():
        x, y, values = _padded(plane)
        axes.contourf(
            x, y, values, levels=[0.5, 1.5], colors=[colour], alpha=alpha, zorder=0.5 if over else -1
        )


def outline(axes: Axes, plane: Plane | None, colour: str = INK, width: float = 0.9) -> None:
    """Draw the edge of a mask."""
    if plane is not None and plane.values.any():
        axes.contour(*_padded(plane), levels=[0.5], colors=[colour], linewidths=width)


def _padded(plane: Plane) -> tuple[Floats, Floats, NDArray[Any]]:
    """Centres and values of a plane with a rim of places around it, so that contours close."""
    rows, columns = plane.values.shape
    left, right, bottom, top = plane.extent
    across, up = (right - left) / columns, (top - bottom) / rows
    x = left + across * (np.arange(-1, columns + 1) + 0.5)
    y = bottom + up * (np.arange(-1, rows + 1) + 0.5)
    return x, y, np.pad(plane.values.astype(np.float64), 1)


def head(axes: Axes, words: str, axis: int, *, ends: bool = True) -> None:
    """Write above a panel what it shows, and which end is which, as far as there is room.

    Parameters
    ----------
    axes
        The panel.
    words
        What stands in the middle.
    axis
        Across which it cuts: 0, 1, 2.
    ends
        Whether the ends are named.
    """
    figure = axes.get_figure()
    assert figure is not None
    wide = float(axes.get_position().width * figure.get_figwidth())  # type: ignore[union-attr]  # no subfigures
    left, right = _ENDS[axis]
    room = width_of(words, SMALL) + 2 * width_of(f"{left}  ", SMALL)
    axes.set_title(words, fontsize=SMALL, pad=3, y=1.0)  # a given y spares a search for ticks
    if ends and wide >= room:
        axes.set_title(left, loc="left", fontsize=SMALL, pad=3, y=1.0)
        axes.set_title(right, loc="right", fontsize=SMALL, pad=3, y=1.0)
