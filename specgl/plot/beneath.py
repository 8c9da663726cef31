"""What lies beneath a map: the underlay in grey, or the mask as a tint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from numpy.typing import NDArray

from specgl.plot.colours import lut
from specgl.plot.panels import tint
from specgl.plot.volumes import Volume, volume_of

if TYPE_CHECKING:
    from specgl.bundle import Bundle

PERCENTILES = (2.0, 98.0)
"""Of the values that are not 0: what is darkest, what is lightest."""

_DARKEST, _LIGHTEST = 40, 242
"""Of 255: black and white are left to what lies on top and around."""


@dataclass(frozen=True, slots=True, eq=False)
class Beneath:
    """What is drawn under a map.

    Attributes
    ----------
    mask
        Where was analysed.
    grey
        The underlay; None where there is none. Where it is 0 or NaN nothing is drawn.
    window
        Values that are darkest and lightest.
    """

    mask: Volume
    grey: Volume | None
    window: tuple[float, float]

    def draw(self, axes: Axes, axis: int, at: float) -> None:
        """Draw its cut into a panel."""
        if self.grey is None:
            tint(axes, self.mask.cut(axis, at))
            return
        cut = self.grey.cut(axis, at)
        if cut is not None:
            axes.imshow(
                np.ma.masked_array(cut.values, ~np.isfinite(cut.values) | (cut.values == 0)),
                cmap=_GREYS,
                vmin=self.window[0],
                vmax=self.window[1],
                extent=cut.extent,
                origin="lower",
                interpolation="nearest",
            )


_GREYS = ListedColormap(lut("grey")[_DARKEST : _LIGHTEST + 1] / 255)


def beneath(mask: Volume, underlay: xr.DataArray | None) -> Beneath:
    """What to draw under a map.

    Parameters
    ----------
    mask
        Where was analysed.
    underlay
        ``(i, j, k)`` on a grid of its own, or None.
    """
    if underlay is None:
        return Beneath(mask, None, (0.0, 1.0))
    held = volume_of(underlay)
    return Beneath(mask, held, _window(held.values))


def _window(values: NDArray[Any]) -> tuple[float, float]:
    """Percentiles of the values that are not 0; of shades of grey, often millions, by their counts."""
    if values.dtype == np.uint8:
        counts = np.bincount(values.ravel(), minlength=256)
        counts[0] = 0
        below = counts.cumsum()
        if not below[-1]:
            return 0.0, 1.0
        at = np.array(PERCENTILES) / 100 * (below[-1] - 1)
        first, second = (np.searchsorted(below, rank, side="right") for rank in (np.floor(at), np.ceil(at)))
        low, high = (float(value) for value in first + (at - np.floor(at)) * (second - first))
    else:
        held = values[np.isfinite(values) & (values != 0)]
        if not held.size:
            return 0.0, 1.0
        low, high = (float(value) for value in np.percentile(held, PERCENTILES))
    return (low, high) if high > low else (low - 1.0, high)


def underlay_of(source: xr.DataArray | Bundle) -> xr.DataArray | None:
    """The underlay that comes with a source."""
    return None if isinstance(source, xr.DataArray) else source.underlay
