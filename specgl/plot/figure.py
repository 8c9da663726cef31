"""Figures that look the same everywhere: a style of their own, no pyplot, nothing global."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as _Figure

INK = "#333333"
"""Text and lines."""

PALE = "#8a8a8a"
"""Lines that stand back."""

TINT = "#ededed"
"""Surfaces that stand for a brain where nothing is shown."""

BLUE, RED = "#1f66b5", "#c4431c"
"""One mark, and the other that is compared with it."""

SIZE = 10.0
"""Points of ordinary text; pages show an inch as about 100 pixels."""

SMALL = 9.0
"""Points of ticks and notes."""

SHOWN_AT = 144
"""Dots per inch in a notebook."""

STYLE: dict[str, Any] = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.dpi": "figure",
    "font.family": ["DejaVu Sans"],  # which matplotlib brings along
    "font.size": SIZE,
    "axes.titlesize": SIZE,
    "axes.labelsize": SIZE,
    "axes.edgecolor": PALE,
    "axes.linewidth": 0.8,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.use_mathtext": False,
    "axes.formatter.limits": (-4, 5),
    "axes.grid": False,
    "text.color": INK,
    "text.hinting": "none",  # a text is as wide as it was measured, at any resolution
    "text.parse_math": False,  # a `$` in a name is a `$`
    "text.usetex": False,
    "xtick.color": PALE,
    "ytick.color": PALE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "image.composite_image": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "specgl",
}

P = ParamSpec("P")
R = TypeVar("R")


def styled(make: Callable[P, R]) -> Callable[P, R]:
    """Let a function work in the style of these figures, whatever the reader's own settings are."""

    @wraps(make)
    def made(*args: P.args, **kwargs: P.kwargs) -> R:
        with style.context(["default", STYLE]):
            return make(*args, **kwargs)

    return made


class Figure(_Figure):
    """A matplotlib figure that notebooks show by itself, and that is drawn in the style it was made in."""

    @styled
    def draw(self, renderer: Any) -> None:
        """Draw it; ticks are made only now, and have to be of the style."""
        super().draw(renderer)

    @styled
    def savefig(self, fname: Any, **kwargs: Any) -> None:
        """Write it, see `matplotlib.figure.Figure.savefig`."""
        super().savefig(fname, **kwargs)

    def _repr_png_(self) -> bytes:
        """The figure as a notebook shows it."""
        held = io.BytesIO()
        self.savefig(held, format="png", dpi=SHOWN_AT)
        return held.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """An empty figure.

    Parameters
    ----------
    width, height
        In inches.
    """
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure
