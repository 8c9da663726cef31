"""From values to colours: range, threshold, table, and the bar that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from specgl.plot.colours import lut
from specgl.plot.figure import SIZE, Figure
from specgl.plot.text import fitted, number, short

_STEPS = 512
"""Colours of a scale; even, so that none straddles 0."""

_CLEAR = (1.0, 1.0, 1.0, 0.0)

_A_LETTER = 3
"""Characters that stand above a bar; longer words stand along it."""

_EDGES = 0.15
"""Inches of a figure's height that no label takes."""

_CLOSE = 0.09
"""Share of a bar within which two ticks would touch."""

_NARROW = 0.95
"""Share of the maximum above which the smallest value leaves no room for colours."""

_WHOLE = 0.98
"""Share of places with a value other than 0 from which a map is not a thresholded one."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How values become colours.

    Attributes
    ----------
    table
        Name of the colour table, see `specgl.plot.colours.lut`.
    low, high
        Ends of the bar.
    floor
        Magnitude below which nothing is drawn, for tables that begin there; else 0.
    label
        What the bar says.
    whole
        Whether values are counts, so that ticks are whole numbers.
    """

    table: str
    low: float
    high: float
    floor: float
    label: str
    whole: bool = False

    @property
    def norm(self) -> Normalize:
        """Values to 0..1."""
        return Normalize(self.low, self.high, clip=True)

    @property
    def colours(self) -> Colormap:
        """0..1 to colours; clear where nothing is drawn."""
        if self.table != "signed" or self.floor == 0:
            table = lut(self.table, _STEPS) / 255
            made: Colormap = ListedColormap(table[::-1] if self.table == "negative" else table)
        else:
            edges = np.linspace(0, self.high, _STEPS // 2 + 1)
            share = np.clip((edges[1:] - self.floor) / (self.high - self.floor), 0, 1)
            at = np.rint(share * 255).astype(int)
            drawn = (edges[1:] > self.floor)[:, None]
            sides = [
                np.where(drawn, np.c_[lut(name) / 255, np.ones(256)][at], _CLEAR)
                for name in ("negative", "positive")
            ]
            made = ListedColormap(np.concatenate([sides[0][::-1], sides[1]]))
        return made.with_extremes(bad=_CLEAR)

    def shown(self, values: NDArray[Any]) -> np.ma.MaskedArray[Any, Any]:
        """Values of which those that are not drawn are masked: NaN, and what is below the threshold."""
        hidden = ~np.isfinite(values)
        if self.table != "sequential":
            with np.errstate(invalid="ignore"):
                hidden |= (np.abs(values) < self.floor) | (values == 0)
        return np.ma.masked_array(values, hidden)

    def bar(self, figure: Figure, axes: Axes) -> None:
        """Draw the colour bar into axes of its own, upright, its label beside it."""
        bar = figure.colorbar(ScalarMappable(self.norm, self.colours), cax=axes, label="")
        bar.outline.set_visible(False)
        ticks = self.ticks()
        bar.set_ticks(ticks, labels=[number(tick) for tick in ticks])
        label = short(self.label, 40)
        if len(label) <= _A_LETTER:
            axes.set_title(label, fontsize=SIZE, pad=6)
        else:
            label, size = fitted(label, SIZE, figure.get_figheight() - _EDGES)
            axes.set_ylabel(label, fontsize=size)

    def ticks(self) -> list[float]:
        """Values that the bar names: both ends, the threshold unless it is close to 0, round ones between."""
        span = self.high - self.low
        named = [self.low, self.high]
        if self.whole:
            ticks = MaxNLocator(5, integer=True).tick_values(self.low, self.high)
            return [float(tick) for tick in ticks if self.low <= tick <= self.high]
        if self.table == "signed" and self.floor > _CLOSE * span:
            named += [-self.floor, self.floor]
        elif self.low < 0 < self.high:
            named.append(0.0)
        for tick in MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high):
            inside = self.low < tick < self.high and (self.table != "signed" or abs(tick) >= self.floor)
            if inside and all(abs(tick - other) > _CLOSE * span for other in named):
                named.append(float(tick))
        return sorted(named)


def scale_of(
    values: NDArray[Any],
    places: int,
    label: str,
    *,
    signed: bool = True,
    threshold: float | None = None,
    vmax: float | None = None,
) -> Scale:
    """A scale that fits a map.

    Parameters
    ----------
    values
        The map; NaN where there is no value.
    places
        Number of places where it could have one.
    label
        What the bar says.
    signed
        Whether 0 is the middle of its values.
    threshold
        Magnitude below which nothing is drawn; None takes the smallest but 0, where most places are 0.
    vmax
        Magnitude that has the last colour; None takes the largest there is.

    Returns
    -------
    scale
        Symmetric about 0 where values have both signs; of one side where they have one.
    """
    finite = values[np.isfinite(values)]
    places = min(places, finite.size)
    if not signed:
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        return Scale("sequential", *_apart(low, high if vmax is None else vmax), 0.0, label)
    finite = finite[finite != 0]
    magnitude = np.abs(finite)
    if threshold is not None:
        finite = finite[magnitude >= threshold]
    full = threshold is None and finite.size >= _WHOLE * places
    largest = float(np.abs(finite).max(initial=0.0))
    high = vmax or largest or 1.0
    smallest = float(np.abs(finite).min(initial=np.inf))
    floor = 0.0 if full or not finite.size else threshold or smallest
    floor = floor if floor < _NARROW * high else 0.0
    if full and (finite < 0).any():
        return Scale("diverging", -high, high, 0.0, label)
    if (finite < 0).any() and (finite > 0).any():
        return Scale("signed", -high, high, floor, label)
    if (finite < 0).any():
        return Scale("negative", -high, -floor, floor, label)
    return Scale("positive", floor, high, floor, label)


def _apart(low: float, high: float) -> tuple[float, float]:
    """Ends that are not the same."""
    return (low, high) if high > low else (low - 0.5, low + 0.5)
