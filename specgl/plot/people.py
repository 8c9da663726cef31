"""The data: how many observations each voxel has, what was analysed, and what each observation looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from specgl.errors import UsageError
from specgl.plot.beneath import beneath
from specgl.plot.figure import BLUE, INK, RED, SMALL, Figure, styled
from specgl.plot.panels import LINE, Sheet, Window, footnote, grid, legend, outline, show, tint
from specgl.plot.scales import Scale
from specgl.plot.slices import mosaic, places
from specgl.plot.text import number, short
from specgl.plot.volumes import AXES, Floats, Volume, volume_of

if TYPE_CHECKING:
    from specgl.bundle import Bundle, Quality

MOST = 60
"""Observations that are all shown."""

FURTHEST = 40
"""Observations that are shown where there are more."""

_FULL = "#56B4E9"
_VEIL = 0.4
"""How much of the underlay a tint hides."""

_ENOUGH = 99.0
"""Percentile of magnitudes that has the last colour of the thumbnails: one wild voxel would pale them all."""


@styled
def coverage(source: Bundle, *, axis: str = "z", n: int | None = None) -> Figure:
    """Show how many observations have a value at each voxel of the mask, over the underlay.

    Parameters
    ----------
    source
        The bundle.
    axis, n
        Across which the mosaic cuts, and how often; see `slices`.

    Returns
    -------
    figure
        Voxels where every observation has a value are tinted in one colour, others coloured by their number.

    Raises
    ------
    UsageError
        When the bundle has no observations.

    Examples
    --------
    >>> coverage(specgl.open("results"))  # doctest: +SKIP
    """
    held = _quality(source)
    counts = volume_of(held.coverage)
    total = len(held.observations)
    within = counts.with_values(np.nan_to_num(counts.values) > 0)
    full = within.with_values(counts.values >= total)
    some = np.where(within.values & ~full.values, counts.values, np.nan)
    fewer = int(np.isfinite(some).sum())
    scale = _fewer(some, total) if fewer else None
    below = beneath(within, source.underlay)
    sheet = mosaic(None, below, None, axis=axis, n=n, bar=fewer > 0, foot=2 * LINE)
    _over(sheet, within, axis, n, full, counts.with_values(some) if fewer else None, scale)
    if scale is not None:
        legend(sheet, scale, "")
    complete = f"all {total:,} observations: {int(full.values.sum()):,} voxels (blue)"
    rest = (
        f"; fewer: {fewer:,} voxels (colour bar), at least {number(float(np.nanmin(some)))}" if fewer else ""
    )
    analysed = int(np.asarray(source.mask.values).astype(bool).sum())
    footnote(sheet, complete + rest, f"analysed: {analysed:,} voxels; {_beneath(source.underlay)}")
    return sheet.figure


@styled
def mask(source: Bundle, *, axis: str = "z", n: int | None = None) -> Figure:
    """Show the analysed mask over the underlay.

    Parameters
    ----------
    source
        The bundle.
    axis, n
        Across which the mosaic cuts, and how often; see `slices`.

    Raises
    ------
    UsageError
        When the bundle has no mask, as that of a run that stopped.

    Examples
    --------
    >>> mask(specgl.open("results"), axis="x", n=8)  # doctest: +SKIP
    """
    if source.manifest.get("space") is None:
        raise UsageError("the bundle has no mask: its run did not complete")
    array = source.mask
    within = volume_of(array)
    within = within.with_values(np.nan_to_num(within.values) != 0)
    sheet = mosaic(None, beneath(within, source.underlay), None, axis=axis, n=n, bar=False, foot=LINE)
    _over(sheet, within, axis, n, within, None, None)
    count = int(np.asarray(array.values).astype(bool).sum())
    litres = count * abs(float(np.linalg.det(np.asarray(array.attrs["affine"], dtype=np.float64)[:3, :3])))
    size = f"{number(litres / 1000)} cm³" if litres >= 1000 else f"{number(litres)} mm³"
    footnote(sheet, f"{count:,} voxels analysed (blue), {size}; {_beneath(source.underlay)}")
    return sheet.figure


def _over(
    sheet: Sheet,
    within: Volume,
    axis: str,
    n: int | None,
    full: Volume,
    some: Volume | None,
    scale: Scale | None,
) -> None:
    """Draw a tinted part and a coloured part into the panels of a mosaic."""
    across = _across(within, axis)
    for panel, place in zip(sheet.panels, places(within, across, n or len(sheet.panels)), strict=True):
        tint(panel, full.cut(across, place), _FULL, alpha=_VEIL, over=True)
        if some is not None and scale is not None:
            show(panel, some.cut(across, place), scale)
        outline(panel, within.cut(across, place), BLUE)


def _across(within: Volume, axis: str) -> int:
    single = [place for place in range(3) if within.values.shape[place] == 1]
    return single[-1] if single else AXES.index(axis)


def _fewer(some: Floats, total: int) -> Scale:
    """Colours of counts that are not full; room for a bar where there is one count only."""
    low, high = float(np.nanmin(some)), float(total - 1)
    return Scale("sequential", low if high > low else low - 1, high, 0.0, "observations", whole=True)


def _beneath(underlay: xr.DataArray | None) -> str:
    if underlay is None:
        return "no underlay"
    return (
        "over the mean of the maps" if underlay.attrs.get("source") == "mean image" else "over the underlay"
    )


@styled
def observations(source: Bundle) -> Figure:
    """Show a slice of every observation's map, those furthest from the group first, outliers framed.

    Parameters
    ----------
    source
        The bundle.

    Returns
    -------
    figure
        Thumbnails on one symmetric scale; of more than 60 observations the 40 furthest from the group.

    Raises
    ------
    UsageError
        When the bundle has no observations.

    Examples
    --------
    >>> observations(specgl.open("results"))  # doctest: +SKIP
    """
    held = _quality(source)
    table = held.observations
    order = table["distance"].sort_values(ascending=False, kind="stable", na_position="last").index
    shown = list(order if len(order) <= MOST else order[:FURTHEST])
    slabs = held.slices
    ids = [str(name) for name in slabs.coords["observation"].values]
    volumes = [volume_of(slabs.isel(observation=ids.index(str(name)))) for name in shown]
    magnitudes = np.abs(slabs.values[np.isfinite(slabs.values)])
    largest = float(np.percentile(magnitudes, _ENOUGH)) if magnitudes.size else 1.0
    scale = Scale("diverging", -(largest or 1.0), largest or 1.0, 0.0, "value, units of the data")
    across = min(range(3), key=lambda axis: volumes[0].values.shape[axis])
    at = float(volumes[0].centres(across)[volumes[0].values.shape[across] // 2])
    known = np.any([np.isfinite(one.values) for one in volumes], axis=0)
    window = Window.around(volumes[0].with_values(known))
    sheet = grid(window.size(across), len(shown), wide=0.72, strip=0.4, foot=2 * LINE)
    for panel, name, one in zip(sheet.panels, shown, volumes, strict=True):
        show(panel, one.cut(across, at), scale)
        window.limit(panel, across)
        _title(panel, str(name), table.loc[name])
    legend(sheet, scale, "")
    outliers = int(table["outlier"].sum())
    left_out = len(order) - len(shown)
    more = f"; the {left_out:,} nearest of {len(order):,} are not shown" if left_out else ""
    footnote(
        sheet,
        f"{AXES[across]} = {number(at)} mm; ordered by distance from the group (1 is expected){more}",
        f"outliers, framed: {outliers or 'none'}; 1 % of the values lie beyond the colour bar",
    )
    return sheet.figure


def _title(panel: Axes, name: str, row: pd.Series[float]) -> None:
    """Name and distance of an observation; a frame around an outlier."""
    outlier, distance = bool(row["outlier"]), float(row["distance"])
    panel.set_title(
        f"{short(name, 11)}\n{'n/a' if np.isnan(distance) else f'{distance:.2f}'}",
        fontsize=SMALL - 1,
        pad=4,
        y=1.0,
        linespacing=1.05,
        color=RED if outlier else INK,
        fontweight="bold" if outlier else "normal",
    )
    if outlier:
        frame = Rectangle((0, 0), 1, 1, transform=panel.transAxes, fill=False, edgecolor=RED, linewidth=2)
        frame.set_clip_on(False)
        panel.add_patch(frame)


def _quality(source: Bundle) -> Quality:
    held = source.quality
    if held is None:
        raise UsageError(
            "the bundle holds no values of observations: its maps were ready-made, or its run stopped"
        )
    return held
