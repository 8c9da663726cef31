"""Glass brains: the strongest value along each line of sight, within the outline of the mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.plot.choosing import choose
from specgl.plot.figure import Figure, styled
from specgl.plot.panels import NAMES, Window, cut_axes, head, legend, outline, row, show, tint
from specgl.plot.scales import scale_of
from specgl.plot.volumes import Volume, volume_of

if TYPE_CHECKING:
    from specgl.bundle import Bundle

NOTHING = "nothing survives"
"""What stands in place of the colour bar, where no value is drawn."""


@styled
def glass_brain(
    source: xr.DataArray | Bundle,
    *,
    contrast: str | None = None,
    inference: str | None = None,
    variable: str = "stat",
    mask: xr.DataArray | None = None,
    label: str | None = None,
    vmax: float | None = None,
) -> Figure:
    """Show a map as if the brain were of glass: from the left, from the front, from above.

    Each place shows the value of largest magnitude along the line of sight. Right is on the right.

    Parameters
    ----------
    source
        A bundle, or a map ``(i, j, k)`` with ``attrs["affine"]`` (voxel to mm); ``(contrast, i, j, k)`` where
        `contrast` says which. 0 and NaN are not drawn.
    contrast, inference
        Names, of a bundle: the map as this inference left it. Without an inference the whole map is shown. A
        contrast need not be named where there is one.
    variable
        Of a bundle: which map, such as ``stat``, ``logp``, ``tdp``, ``effect``.
    mask
        Where was analysed, ``(i, j, k)``: its outline is drawn. None takes the bundle's, or where the map is
        not NaN.
    label
        What the colour bar says; None says the letter of the statistic, or the map's name and unit.
    vmax
        Magnitude with the last colour; None takes the largest there is.

    Returns
    -------
    figure
        Three panels in mm and a colour bar; one panel where the grid is a single plane.

    Raises
    ------
    UsageError
        When there is no such map.

    Examples
    --------
    >>> bundle = specgl.open("results")  # doctest: +SKIP
    >>> glass_brain(bundle, contrast="mean", inference="fdr")  # doctest: +SKIP
    """
    chosen = choose(source, contrast, inference, variable, mask, label)
    values = volume_of(chosen.array)
    within = mask_volume(values, chosen.mask)
    scale = scale_of(values.values, int(within.values.sum()), chosen.label, signed=chosen.signed, vmax=vmax)
    shown = scale.shown(values.values)
    empty = bool(shown.mask.all())
    window = Window.around(within)
    axes = cut_axes(values.values.shape)
    sheet = row([window.size(axis) for axis in axes])
    for panel, axis in zip(sheet.panels, axes, strict=True):
        silhouette = within.plane(axis, np.asarray(within.values.any(axis=axis)))
        tint(panel, silhouette)
        if not empty:
            show(panel, values.plane(axis, _strongest(shown, axis)), scale)
        outline(panel, silhouette)
        window.limit(panel, axis)
        head(panel, NAMES[axis], axis)
    legend(sheet, None if empty else scale, NOTHING)
    return sheet.figure


def mask_volume(values: Volume, mask: xr.DataArray | None) -> Volume:
    """The mask as a volume: as given, or where a map is not NaN, or not 0 where no place is NaN."""
    if mask is not None:
        given = volume_of(mask)
        return given.with_values(np.nan_to_num(given.values) != 0)
    known = np.isfinite(values.values)
    return values.with_values(values.values != 0 if known.all() else known)


def _strongest(shown: np.ma.MaskedArray[Any, Any], axis: int) -> NDArray[Any]:
    """The value of largest magnitude along an axis, the positive of two as large; NaN where all are clear."""
    values = shown.filled(0)
    high, low = values.max(axis=axis), values.min(axis=axis)
    return np.where(np.ma.getmaskarray(shown).all(axis=axis), np.nan, np.where(high >= -low, high, low))
