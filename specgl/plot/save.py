"""Figures as bytes: the same figure gives the same bytes."""

from __future__ import annotations

import io
from typing import Any

from specgl.plot.figure import SHOWN_AT, Figure


def svg(figure: Figure) -> bytes:
    """A figure as SVG, its text as outlines, without date or name of a program.

    Parameters
    ----------
    figure
        One that this package made.

    Examples
    --------
    >>> svg(design_matrix(bundle))[:5]  # doctest: +SKIP
    b'<?xml'
    """
    return _saved(figure, format="svg", metadata={"Date": None, "Creator": None})


def png(figure: Figure, dpi: float = SHOWN_AT) -> bytes:
    """A figure as PNG.

    Parameters
    ----------
    figure
        One that this package made.
    dpi
        Dots per inch; a figure is 4 to 8 inches wide.

    Examples
    --------
    >>> Path("glass.png").write_bytes(png(glass_brain(bundle, contrast="mean")))  # doctest: +SKIP
    """
    return _saved(figure, format="png", dpi=dpi, metadata={"Software": None})


def _saved(figure: Figure, **how: Any) -> bytes:
    held = io.BytesIO()
    figure.savefig(held, **how)
    return held.getvalue()
