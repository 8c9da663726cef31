"""Colour tables, computed where lightness is what the eye takes for it.

A table is a path through CIE LCh(ab), the cylinder of CIELAB (CIE 15:2004, D65, 2 degrees): lightness rises
by equal steps, hue turns from one angle to another, chroma follows as far as sRGB (IEC 61966-2-1) goes. Red
to yellow against blue to cyan differ along the axis between yellow and blue, which deuteranopes and
protanopes see as everybody does; equal magnitudes of either sign are equally light.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from specgl.errors import UsageError

Floats = NDArray[np.float64]
Table = NDArray[np.uint8]

_WHITE = np.array([0.95047, 1.0, 1.08883])
"""XYZ of D65."""

_TO_LINEAR = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)
"""XYZ to linear sRGB."""


@dataclass(frozen=True, slots=True)
class _Path:
    """Ends of a path: lightness 0 to 100, hue in degrees, chroma."""

    lightness: tuple[float, float]
    hue: tuple[float, float] = (0.0, 0.0)
    chroma: tuple[float, float] = (0.0, 0.0)


_PATHS = {
    "positive": _Path((40.0, 88.0), (32.0, 98.0), (84.0, 84.0)),
    "negative": _Path((40.0, 88.0), (292.0, 200.0), (84.0, 46.0)),
    "sequential": _Path((22.0, 92.0), (300.0, 105.0), (42.0, 56.0)),
    "grey": _Path((0.0, 100.0)),
}

_PALE_TO = {
    "positive": _Path((96.0, 40.0), (60.0, 34.0), (2.0, 74.0)),
    "negative": _Path((96.0, 40.0), (250.0, 282.0), (2.0, 60.0)),
}
"""The two halves of ``diverging``, from 0 outwards."""

NAMES = ("positive", "negative", "signed", "sequential", "grey", "diverging")
"""The tables that there are."""


def lut(name: str, n: int = 256) -> Table:
    """A colour table.

    Parameters
    ----------
    name
        ``positive`` and ``negative``: from the threshold (dark) to the maximum (light). ``signed``:
        ``negative`` backwards, then ``positive``. ``diverging``: the same hues with a pale middle, for maps
        without a threshold. ``sequential``: for maps that have no sign. ``grey``: for what lies beneath.
    n
        Number of colours, at least 2.

    Returns
    -------
    table
        (n, 3), red, green and blue from 0 to 255.

    Raises
    ------
    UsageError
        When there is no such table, or n is less than 2.

    Examples
    --------
    >>> lut("grey", 3)
    array([[  0,   0,   0],
           [119, 119, 119],
           [255, 255, 255]], dtype=uint8)
    """
    if name not in NAMES:
        raise UsageError(f"there is no colour table '{name}'; there is {', '.join(NAMES)}")
    if n < 2:
        raise UsageError(f"a colour table has at least 2 colours, not {n}")
    return _table(name, n).copy()


@lru_cache(maxsize=64)
def _table(name: str, n: int) -> Table:
    below = n // 2
    if name == "signed":
        return np.concatenate([_halved("negative", below)[::-1], _halved("positive", n - below)])
    if name == "diverging":
        # An odd table has 0 in its middle, an even one between its two middle colours.
        sides = [_colours(_PALE_TO[sign], n - below) for sign in ("negative", "positive")]
        return np.concatenate([sides[0][n % 2 :][::-1], sides[1]])
    return _colours(_PATHS[name], n)


def _halved(name: str, n: int) -> Table:
    return _table(name, n) if n > 1 else _table(name, 2)[:1]


def _colours(path: _Path, n: int) -> Table:
    """Colours along a path, by equal steps of lightness."""
    lightness = np.linspace(*path.lightness, n)
    hue = np.linspace(*path.hue, n)
    wanted = np.linspace(*path.chroma, n)
    return _nearest(np.minimum(wanted, 0.98 * _most_chroma(lightness, hue)), lightness, hue)


def _most_chroma(lightness: Floats, hue: Floats) -> Floats:
    """The largest chroma that sRGB has at a lightness and hue, by bisection."""
    low, high = np.zeros_like(lightness), np.full_like(lightness, 150.0)
    for _ in range(30):
        middle = (low + high) / 2
        rgb = _linear(lightness, middle, hue)
        inside = ((rgb >= -1e-6) & (rgb <= 1 + 1e-6)).all(axis=1)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return low


def _linear(lightness: Floats, chroma: Floats, hue: Floats) -> Floats:
    """LCh(ab) as linear sRGB, (n, 3), outside 0 to 1 where sRGB does not reach."""
    angle = np.deg2rad(hue)
    y = (lightness + 16) / 116
    f = np.stack([y + chroma * np.cos(angle) / 500, y, y - chroma * np.sin(angle) / 200], axis=1)
    xyz = _WHITE * np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return np.asarray(xyz @ _TO_LINEAR.T)


def _nearest(chroma: Floats, lightness: Floats, hue: Floats) -> Table:
    """Bytes around each colour whose lightness is nearest, since a rounded ramp would stumble."""
    linear = np.clip(_linear(lightness, chroma, hue), 0.0, 1.0)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    if not chroma.any():  # greys stay grey
        return np.asarray(np.rint(255 * curved), dtype=np.uint8)
    below = np.floor(255 * curved)
    around = np.stack([np.minimum(below + corner, 255) for corner in product((0.0, 1.0), repeat=3)])
    best = np.abs(lightness_of(around) - lightness).argmin(axis=0)
    return np.asarray(around[best, np.arange(lightness.size)], dtype=np.uint8)


def lightness_of(rgb: NDArray[np.uint8] | Floats) -> Floats:
    """Lightness L* of colours.

    Parameters
    ----------
    rgb
        (..., 3), 0 to 255.

    Returns
    -------
    lightness
        (...), 0 (black) to 100 (white).
    """
    curved = np.asarray(rgb, dtype=np.float64) / 255
    linear = np.where(curved <= 0.04045, curved / 12.92, ((curved + 0.055) / 1.055) ** 2.4)
    y = linear @ np.array([0.2126729, 0.7151522, 0.0721750])
    return np.asarray(np.where(y > (6 / 29) ** 3, 116 * np.cbrt(y) - 16, y * (29 / 3) ** 3))
