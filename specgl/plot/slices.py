"""Slices: three cuts through a place, or many across one axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from specgl.errors import UsageError
from specgl.plot.beneath import Beneath, beneath, underlay_of
from specgl.plot.choosing import choose
from specgl.plot.figure import INK, Figure, styled
from specgl.plot.glass import NOTHING, mask_volume
from specgl.plot.panels import Sheet, Window, cut_axes, grid, head, legend, row, show
from specgl.plot.scales import Scale, scale_of
from specgl.plot.text import millimetres
from specgl.plot.volumes import AXES, Volume, volume_of

if TYPE_CHECKING:
    from specgl.bundle import Bundle

MANY = 12
"""Cuts of a mosaic, where nobody says how many."""

Place = tuple[float, float, float]


@styled
def slices(
    source: xr.DataArray | Bundle,
    *,
    contrast: str | None = None,
    inference: str | None = None,
    variable: str = "stat",
    at: Place | None = None,
    axis: str = "z",
    n: int | None = None,
    underlay: xr.DataArray | None = None,
    mask: xr.DataArray | None = None,
    threshold: float | None = None,
    label: str | None = None,
    vmax: float | None = None,
) -> Figure:
    """Show a map on what lies beneath, in three cuts through a place or in a mosaic.

    Parameters
    ----------
    source
        A bundle, or a map ``(i, j, k)`` with ``attrs["affine"]`` (voxel to mm); ``(contrast, i, j, k)`` where
        `contrast` says which. 0 and NaN are clear.
    contrast, inference, variable
        Names, of a bundle; see `glass_brain`.
    at
        x, y, z in mm: three cuts through this place, with a crosshair. None gives a mosaic.
    axis
        ``x``, ``y`` or ``z``: across which a mosaic cuts.
    n
        Number of cuts of a mosaic, equally spaced through the mask; 12, or as many as there are voxels.
    underlay
        ``(i, j, k)`` on a grid of its own; None takes the bundle's. Its grey goes from the 2nd to the 98th
        percentile of its values that are not 0. Without one the mask is tinted.
    mask
        Where was analysed; None takes the bundle's, or where the map is not NaN.
    threshold
        Magnitude below which the map is clear.
    label, vmax
        Of the colour bar; see `glass_brain`.

    Returns
    -------
    figure
        Panels in mm and a colour bar; of a grid that is a single plane this plane alone.

    Raises
    ------
    UsageError
        When there is no such map or axis, or the place lies outside the map.

    Examples
    --------
    >>> bundle = specgl.open("results")  # doctest: +SKIP
    >>> slices(bundle, contrast="mean", inference="fdr", at=(6, 24, 50))  # doctest: +SKIP
    >>> slices(bundle.maps.effect, contrast="mean", axis="x", n=8)  # doctest: +SKIP
    """
    if axis not in AXES or len(axis) != 1:
        raise UsageError(f"there is no axis '{axis}'; there is x, y and z")
    if n is not None and n < 1:
        raise UsageError(f"a mosaic has at least one cut, not {n}")
    chosen = choose(source, contrast, inference, variable, mask, label)
    values = volume_of(chosen.array)
    within = mask_volume(values, chosen.mask)
    below = beneath(within, underlay_of(source) if underlay is None else underlay)
    scale = scale_of(
        values.values,
        int(within.values.sum()),
        chosen.label,
        signed=chosen.signed,
        threshold=threshold,
        vmax=vmax,
    )
    if at is not None:
        return _through(values, below, scale, _place(values, at))
    empty = nothing_in(values, scale)
    sheet = mosaic(None if empty else values, below, scale, axis=axis, n=n)
    legend(sheet, None if empty else scale, NOTHING)
    return sheet.figure


def mosaic(
    values: Volume | None,
    below: Beneath,
    scale: Scale | None,
    *,
    axis: str = "z",
    n: int | None = None,
    bar: bool = True,
    foot: float = 0.0,
) -> Sheet:
    """Cuts across one axis, equally spaced through the mask.

    Parameters
    ----------
    values
        The map; None for what lies beneath alone.
    below
        What is drawn beneath.
    scale
        Of the map.
    axis, n
        See `slices`.
    bar
        Whether room is left for a colour bar.
    foot
        Inches that are left below the panels.
    """
    single = cut_axes(below.mask.values.shape)
    across = single[0] if len(single) == 1 else AXES.index(axis)
    cuts = places(below.mask, across, n or MANY)
    window = Window.around(below.mask)
    sheet = grid(window.size(across), len(cuts), bar=bar, foot=foot)
    for number, (panel, place) in enumerate(zip(sheet.panels, cuts, strict=True)):
        below.draw(panel, across, place)
        if values is not None and scale is not None:
            show(panel, values.cut(across, place), scale)
        window.limit(panel, across)
        words = f"{AXES[across]} = {millimetres(place)} mm" if number == 0 else millimetres(place)
        head(panel, words, across, ends=number == 0)
    return sheet


def nothing_in(values: Volume, scale: Scale) -> bool:
    """Whether no value of a map is drawn."""
    return bool(scale.shown(values.values).mask.all())


def places(mask: Volume, axis: int, n: int) -> list[float]:
    """Centres of voxels at which a mosaic cuts, mm: equally spaced through a mask, none twice.

    Parameters
    ----------
    mask
        The mask; all there is where it is empty.
    axis
        Across which is cut.
    n
        How many at most.
    """
    others = tuple(other for other in range(3) if other != axis)
    held = np.flatnonzero(mask.values.any(axis=others))
    first, last = (held[0], held[-1]) if held.size else (0, mask.values.shape[axis] - 1)
    count = last - first + 1
    at = first + np.unique(np.floor((np.arange(n) + 0.5) * count / n).astype(int)) if n < count else held
    at = at if held.size else np.arange(first, last + 1)[:n]
    return [float(place) for place in mask.centres(axis)[at]]


def _through(values: Volume, below: Beneath, scale: Scale, at: Place) -> Figure:
    """Three cuts through a place."""
    axes = cut_axes(values.values.shape)
    window = Window.around(below.mask)
    empty = nothing_in(values, scale)
    sheet = row([window.size(axis) for axis in axes])
    for panel, axis in zip(sheet.panels, axes, strict=True):
        below.draw(panel, axis, at[axis])
        if not empty:
            show(panel, values.cut(axis, at[axis]), scale)
        across, up = (at[other] for other in range(3) if other != axis)
        panel.axvline(across, color="white", linewidth=1.6, alpha=0.6)
        panel.axhline(up, color="white", linewidth=1.6, alpha=0.6)
        panel.axvline(across, color=INK, linewidth=0.7)
        panel.axhline(up, color=INK, linewidth=0.7)
        window.limit(panel, axis)
        head(panel, f"{AXES[axis]} = {millimetres(at[axis])} mm", axis)
    legend(sheet, None if empty else scale, NOTHING)
    return sheet.figure


def _place(values: Volume, at: Place) -> Place:
    """A place in mm, within the map."""
    place = tuple(float(value) for value in at)
    if len(place) != 3 or any(values.index(axis, place[axis]) is None for axis in range(3)):
        edges = ", ".join(
            f"{AXES[axis]} {millimetres(low)} to {millimetres(high)}"
            for axis in range(3)
            for low, high in [values.edges(axis)]
        )
        told = ", ".join(millimetres(value) for value in place)
        raise UsageError(f"the place ({told}) mm lies outside the map, which goes from {edges} mm")
    return place[0], place[1], place[2]
