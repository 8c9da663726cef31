"""Figures of one page: each is made once, kept as a file, and embedded."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from specgl.errors import UsageError

if TYPE_CHECKING:
    from specgl.plot.figure import Figure

DPI = 144
"""Of figures of brains: two dots a point, which is sharp on fine screens and on paper."""

_POINTS = 96 / 72
"""Pixels of CSS in a point."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure in the page.

    Attributes
    ----------
    file
        Name of its file.
    uri
        The figure itself, as a ``data:`` address.
    width, height
        In pixels of CSS.
    alt
        What it shows, for whoever does not see it.
    caption
        What stands under it; may be empty.
    """

    file: str
    uri: str
    width: int
    height: int
    alt: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure that cannot be made from what the bundle holds.

    Attributes
    ----------
    what
        What it would have shown.
    why
        Why there is none, in a sentence.
    """

    what: str
    why: str


Shown = Picture | Missing


@dataclass(slots=True)
class Album:
    """Figures of a page by file name, as they are made."""

    files: dict[str, bytes] = field(default_factory=dict)

    def show(
        self, file: str, make: Callable[[], Figure], *, alt: str, caption: str = "", dpi: float = DPI
    ) -> Shown:
        """Make a figure, keep it and say how it is shown.

        Parameters
        ----------
        file
            Name of its file, whose ending chooses the format.
        make
            Makes it; a `UsageError` says that the bundle does not hold what it needs.
        alt, caption
            As in `Picture`.
        dpi
            Dots an inch, of a PNG.
        """
        from specgl.plot import save

        try:
            figure = make()
        except UsageError as error:
            return Missing(caption or alt, str(error))
        if file.endswith(".svg"):
            content = save.svg(figure)
            kind, (width, height) = "svg+xml", _svg_size(content)
        else:
            content = save.png(figure, dpi=dpi)
            kind, (width, height) = "png", _png_size(content, dpi)
        self.files[file] = content
        uri = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
        return Picture(file, uri, width, height, alt, caption)


def _png_size(content: bytes, dpi: float) -> tuple[int, int]:
    """Width and height as the header has them, in pixels of CSS."""
    width, height = struct.unpack(">II", content[16:24])
    return round(width / dpi * 96), round(height / dpi * 96)


def _svg_size(content: bytes) -> tuple[int, int]:
    """Width and height of an SVG whose lengths are in points, in pixels of CSS."""
    root = re.search(rb"<svg[^>]*>", content)
    told = {} if root is None else dict(re.findall(rb'\b(width|height)="([0-9.]+)pt"', root[0]))
    return round(float(told[b"width"]) * _POINTS), round(float(told[b"height"]) * _POINTS)
