"""Slices: three cuts through a place, or many across one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from specgl.errors import UsageError
from specgl.plot.beneath import Beneath, beneath, underlay_of
from specgl.plot.choosing import choose
from specgl.plot.figure import INK, Figure, styled
from specgl.plot.glass import NOTHING, mask_volume
from specgl.plot.panels import Sheet, Window, cut_axes, grid, head, legend, outline, row, show
from specgl.plot.scales import Scale, scale_of
from specgl.plot.text import millimetres
from specgl.plot.volumes import AXES, Volume, volume_of

if TYPE_CHECKING:
    from specgl.bundle import Bundle

MANY = 12
"""Cuts of a mosaic, where nobody says how many."""

_STRONG = 99.0
"""Percentile of the magnitudes from which a map without survivors is opaque: one wild voxel would pale it."""

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
    through: Sequence[float] = (),
    underlay: xr.DataArray | None = None,
    mask: xr.DataArray | None = None,
    threshold: float | None = None,
    transparent: bool = False,
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
    through
        Places along `axis` in mm, such as those of peaks, the most important first: of the cuts of a mosaic
        the nearest moves to each, as far as there are cuts.
    underlay
        ``(i, j, k)`` on a grid of its own; None takes the bundle's. Its grey goes from the 2nd to the 98th
        percentile of its values that are not 0. Without one the mask is tinted.
    mask
        Where was analysed; None takes the bundle's, or where the map is not NaN.
    threshold
        Magnitude below which the map is clear.
    transparent
        Whether the whole map is shown, weaker values more transparent, with a line around what survives
        `inference`: results are highlighted, and the others not hidden (Taylor and others 2023,
        doi:10.1016/j.neuroimage.2023.120138). Full colour begins at the smallest magnitude that survives, or
        at the 99th percentile of all where nothing does; below it opacity falls with the square.
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
    >>> slices(bundle, contrast="mean", inference="fdr", transparent=True)  # doctest: +SKIP
    >>> slices(bundle.maps.effect, contrast="mean", axis="x", n=8)  # doctest: +SKIP
    """
    if axis not in AXES or len(axis) != 1:
        raise UsageError(f"there is no axis '{axis}'; there is x, y and z")
    if n is not None and n < 1:
        raise UsageError(f"a mosaic has at least one cut, not {n}")
    chosen = choose(source, contrast, None if transparent else inference, variable, mask, label)
    values = volume_of(chosen.array)
    within = mask_volume(values, chosen.mask)
    below = beneath(within, underlay_of(source) if underlay is None else underlay)
    if transparent and threshold is None:
        threshold = 0.0  # a scale whose colours begin at 0, as those of what survives begin at its threshold
    scale = scale_of(
        values.values,
        int(within.values.sum()),
        chosen.label,
        signed=chosen.signed,
        threshold=threshold,
        vmax=vmax,
    )
    lit = None
    if transparent:
        lit = _highlight(source, contrast, inference, variable, values)
    if at is not None:
        return _through(values, below, scale, _place(values, at), lit)
    empty = nothing_in(values, scale)
    sheet = mosaic(None if empty else values, below, scale, axis=axis, n=n, through=through, lit=lit)
    legend(sheet, None if empty else scale, NOTHING)
    return sheet.figure


@dataclass(frozen=True, slots=True, eq=False)
class Highlight:
    """How what survives stands out of a whole map.

    Attributes
    ----------
    surviving
        What survives is not 0; None where nobody asked.
    opaque
        Magnitude from which the map hides what lies beneath.
    """

    surviving: Volume | None
    opaque: float

    def draw(self, panel: Axes, values: Volume, scale: Scale, axis: int, at: float) -> None:
        """Draw a cut of the map into a panel, and the edge of what survives."""
        plane = values.cut(axis, at)
        if plane is None:
            return
        share = np.abs(np.nan_to_num(plane.values, nan=0.0)) / self.opaque
        show(panel, plane, scale, alpha=np.clip(share, 0.0, 1.0) ** 2)
        held = None if self.surviving is None else self.surviving.cut(axis, at)
        if held is not None:
            outline(panel, replace(held, values=np.nan_to_num(held.values) != 0), width=0.7)


def _highlight(
    source: xr.DataArray | Bundle, contrast: str | None, inference: str | None, variable: str, whole: Volume
) -> Highlight:
    """What survives, where an inference says so, and from which magnitude the map is opaque."""
    surviving = None
    if inference is not None:
        surviving = volume_of(choose(source, contrast, inference, variable, None, None).array)
        size = np.abs(surviving.values[np.isfinite(surviving.values) & (surviving.values != 0)])
        if size.size:
            return Highlight(surviving, float(size.min()))
    size = np.abs(whole.values[np.isfinite(whole.values)])
    return Highlight(surviving, (float(np.percentile(size, _STRONG)) if size.size else 0.0) or 1.0)


def mosaic(
    values: Volume | None,
    below: Beneath,
    scale: Scale | None,
    *,
    axis: str = "z",
    n: int | None = None,
    through: Sequence[float] = (),
    bar: bool = True,
    foot: float = 0.0,
    lit: Highlight | None = None,
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
    axis, n, through
        See `slices`.
    bar
        Whether room is left for a colour bar.
    foot
        Inches that are left below the panels.
    lit
        How what survives stands out; None shows the map as it is.
    """
    single = cut_axes(below.mask.values.shape)
    across = single[0] if len(single) == 1 else AXES.index(axis)
    cuts = moved(places(below.mask, across, n or MANY), through, below.mask, across)
    window = Window.around(below.mask)
    sheet = grid(window.size(across), len(cuts), bar=bar, foot=foot)
    for number, (panel, place) in enumerate(zip(sheet.panels, cuts, strict=True)):
        below.draw(panel, across, place)
        if values is not None and scale is not None:
            _draw(panel, values, scale, across, place, lit)
        window.limit(panel, across)
        words = f"{AXES[across]} = {millimetres(place)} mm" if number == 0 else millimetres(place)
        head(panel, words, across, ends=number == 0)
    return sheet


def _draw(panel: Axes, values: Volume, scale: Scale, axis: int, at: float, lit: Highlight | None) -> None:
    if lit is None:
        show(panel, values.cut(axis, at), scale)
    else:
        lit.draw(panel, values, scale, axis, at)


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


def moved(cuts: list[float], through: Sequence[float], mask: Volume, axis: int) -> list[float]:
    """Cuts of which the nearest has moved to each of some places, mm.

    Parameters
    ----------
    cuts
        Centres of voxels.
    through
        Places, the most important first; those outside the map, and those for which no cut is left, are
        passed over.
    mask
        The mask, for its grid.
    axis
        Across which is cut.

    Returns
    -------
    cuts
        As many as there were, ascending, none twice.
    """
    free, held = list(cuts), []
    centres = mask.centres(axis)
    for place in through:
        index = mask.index(axis, place)
        if index is None:
            continue
        centre = float(centres[index])
        if centre in held:
            continue
        if not free:
            break
        free.remove(min(free, key=lambda cut: abs(cut - centre)))
        held.append(centre)
    return sorted({*free, *held})


def _through(values: Volume, below: Beneath, scale: Scale, at: Place, lit: Highlight | None) -> Figure:
    """Three cuts through a place."""
    axes = cut_axes(values.values.shape)
    window = Window.around(below.mask)
    empty = nothing_in(values, scale)
    sheet = row([window.size(axis) for axis in axes])
    for panel, axis in zip(sheet.panels, axes, strict=True):
        below.draw(panel, axis, at[axis])
        if not empty:
            _draw(panel, values, scale, axis, at[axis], lit)
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
