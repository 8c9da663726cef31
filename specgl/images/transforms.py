"""From stored values to the values that are analysed: scaling, missing voxels, resampling, smoothing.

Volumes are kept in the order of the file, i fastest: flat as ``(n_voxels,)``, or as C-contiguous
``(k, j, i)``, so that nothing is copied merely to be turned around.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from specgl.images.grid import Grid
from specgl.images.headers import Header

Real = npt.NDArray[Any]
"""float32 or float64."""

Interpolation = Literal["linear", "nearest"]
_ORDER: dict[Interpolation, Literal[0, 1]] = {"nearest": 0, "linear": 1}

TRUNCATE = 4.0
"""The Gaussian is cut at this many sigma."""

MIN_WEIGHT = 0.5
"""A resampled voxel has a value where at least this share of its interpolation weight falls on values."""

_HAIR = 1e-4
"""Weight that rounding in an affine may take: on grids half a voxel apart the outermost layer has exactly
`MIN_WEIGHT`, and headers that hold their affine in float32 miss it by about 1e-5."""


@dataclass(frozen=True)
class MissingVoxels:
    """When a voxel has no value, and how many observations a location needs.

    Attributes
    ----------
    available
        Share of the observations that must have a value, in (0, 1]; 1 asks for all of them.
    zero
        Whether an exact 0 is ``missing`` or ``data``. NaN and infinities are always missing.
    """

    available: float = 1.0
    zero: Literal["missing", "data"] = "missing"

    @property
    def zero_is_missing(self) -> bool:
        """Whether an exact 0 counts as missing."""
        return self.zero == "missing"

    def needed(self, n_obs: int) -> int:
        """Return the number of observations that must have a value, of ``n_obs``."""
        # 0.8 of 10 is 8 and not 9: the product's last bit must not ask for one more.
        return max(1, math.ceil(self.available * n_obs - 1e-9))

    def mark(self, values: Real) -> None:
        """Set every missing value of a float array to NaN, in place."""
        values[~np.isfinite(values)] = np.nan
        if self.zero_is_missing:
            values[values == 0] = np.nan


class PositiveOnly:
    """What can be the variance of an effect: a finite number above 0; anything else is missing."""

    def mark(self, values: Real) -> None:
        """Set every value of a float array that is no variance to NaN, in place."""
        values[~(np.isfinite(values) & (values > 0))] = np.nan


def decode(stored: npt.NDArray[np.generic], header: Header, dtype: np.dtype[Any]) -> Real:
    """Turn stored values into values: native byte order, scaled in float64.

    Parameters
    ----------
    stored
        Values as they lie in the file, any shape.
    header
        Gives slope and intercept.
    dtype
        float32 or float64.

    Returns
    -------
    ndarray
        The same shape; ``stored`` itself where nothing had to be done.
    """
    if not header.scaled:
        return stored.astype(dtype, copy=False)
    scaled = stored.astype(np.float64)
    scaled *= header.slope
    scaled += header.inter
    return scaled.astype(dtype, copy=False)


def _mapping(source: Grid, target: Grid) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return matrix and offset that take (k, j, i) of the target to (k, j, i) of the source."""
    both = np.linalg.inv(source.affine) @ target.affine
    return both[:3, :3][::-1, ::-1], both[:3, 3][::-1]


def _pull(volume: Real, source: Grid, target: Grid, order: Literal[0, 1]) -> Real:
    matrix, offset = _mapping(source, target)
    # grid-constant: half a voxel of weight is left at the border, so that rounding in an affine cannot
    # strip the outermost layer of a grid that coincides with the target.
    pulled: Real = ndimage.affine_transform(
        volume,
        matrix,
        offset,
        target.shape[::-1],
        order=order,
        mode="grid-constant",
        cval=0.0,
        prefilter=False,
    )
    return pulled


def resample(volume: Real, source: Grid, target: Grid, interpolation: Interpolation) -> Real:
    """Bring a volume onto another grid; missing voxels take no part.

    Weights are renormalised over the voxels that have a value: a target voxel is
    ``sum(w x) / sum(w)`` over them, and missing where ``sum(w)`` is below ``MIN_WEIGHT``. So missing regions
    keep their outlines to half a voxel, and no missing value is mixed into its neighbours. Voxels outside the
    source's grid are missing.

    Parameters
    ----------
    volume
        ``(k, j, i)``, missing = NaN.
    source, target
        Its grid, and the grid wanted.
    interpolation
        ``linear`` or ``nearest``.

    Returns
    -------
    ndarray
        ``(k, j, i)`` on the target's grid, of the same type.
    """
    support = np.isfinite(volume)
    order = _ORDER[interpolation]
    weight = _pull(support.astype(volume.dtype), source, target, order)
    total = _pull(np.where(support, volume, volume.dtype.type(0)), source, target, order)
    enough = weight >= MIN_WEIGHT - _HAIR
    total[~enough] = np.nan
    np.divide(total, weight, out=total, where=enough)
    return total


def resample_nearest(bits: npt.NDArray[np.bool_], source: Grid, target: Grid) -> npt.NDArray[np.bool_]:
    """Bring a flat mask ``(n_voxels,)`` onto another grid by the nearest voxel; outside it is off."""
    volume = bits.reshape(source.shape[::-1]).astype(np.float32)
    return np.asarray(_pull(volume, source, target, order=0) > 0).ravel()


class Smoother:
    """Gaussian smoothing within the support of each image.

    ``smooth(data * support) / smooth(support)`` inside the support; what is missing stays missing and is not
    mixed into its neighbours (normalised convolution: Knutsson and Westin 1993,
    doi:10.1109/CVPR.1993.341081).

    Parameters
    ----------
    fwhm
        Full width at half maximum in mm.
    grid
        Gives the voxel sizes: ``sigma = fwhm / (sqrt(8 ln 2) * zoom)`` voxels along each axis.
    """

    def __init__(self, fwhm: float, grid: Grid) -> None:
        self.sigma = tuple(float(s) for s in fwhm / (math.sqrt(8 * math.log(2)) * grid.zooms[::-1]))
        # Most images of a group share one support: its own smoothing is remembered for the last one seen.
        self._last: tuple[bytes, Real] | None = None

    def __call__(self, volume: Real) -> Real:
        """Smooth one volume.

        Parameters
        ----------
        volume
            ``(k, j, i)`` float32 or float64, missing = NaN.

        Returns
        -------
        ndarray
            ``(k, j, i)`` of the same type, NaN where the input is.
        """
        support = np.isfinite(volume)
        box = ndimage.find_objects(support.view(np.uint8))
        smoothed = np.full_like(volume, np.nan)
        if not box:
            return smoothed
        inner = box[0]
        inside = support[inner]
        total = self._gauss(np.where(inside, volume[inner], volume.dtype.type(0)))
        weight = self._weight(inside, volume.dtype, str(inner))
        np.divide(total, weight, out=smoothed[inner], where=inside)
        return smoothed

    def _gauss(self, volume: Real) -> Real:
        # Outside the box there is nothing but zeros, in the data as in the support.
        result: Real = ndimage.gaussian_filter(
            volume, self.sigma, mode="constant", cval=0.0, truncate=TRUNCATE
        )
        return result

    def _weight(self, inside: npt.NDArray[np.bool_], dtype: np.dtype[Any], box: str) -> Real:
        key = hashlib.sha256(np.packbits(inside).tobytes() + box.encode() + dtype.char.encode()).digest()
        last = self._last
        if last is not None and last[0] == key:
            return last[1]
        weight = self._gauss(inside.astype(dtype))
        self._last = (key, weight)
        return weight


@dataclass(frozen=True, eq=False)
class Preparation:
    """All that is done to one image before its values are taken.

    Attributes
    ----------
    grid
        The grid of the analysis.
    dtype
        Type in which values are held.
    missing
        What counts as missing.
    interpolation
        How images on other grids are resampled; None when there are none.
    smoother
        How images are smoothed; None when they are not.
    """

    grid: Grid
    dtype: np.dtype[Any]
    missing: MissingVoxels | PositiveOnly
    interpolation: Interpolation | None = None
    smoother: Smoother | None = None

    def values(
        self,
        stored: npt.NDArray[np.generic],
        header: Header,
        own: npt.NDArray[np.bool_] | None,
        index: npt.NDArray[np.intp] | None,
    ) -> Real:
        """Return the values of one image, NaN where missing.

        Parameters
        ----------
        stored
            Its stored values in the order of the file; may be overwritten.
        header
            Its header.
        own
            The observation's own mask on the image's grid, flat; None when there is none.
        index
            Voxels of the analysis' grid to take, flat in the order of files; all when None.

        Returns
        -------
        ndarray
            ``(len(index),)`` or ``(n_voxels,)``, of `dtype`.
        """
        elsewhere = self.interpolation is not None and not header.grid.same_as(self.grid)
        at_once = self.smoother is None and not elsewhere
        if at_once and index is not None:
            stored, own = stored[index], None if own is None else own[index]
        values = decode(stored, header, self.dtype)
        if own is not None:
            values[~own] = np.nan
        self.missing.mark(values)
        if at_once:
            return values
        volume = values.reshape(header.grid.shape[::-1])
        if elsewhere and self.interpolation is not None:
            volume = resample(volume, header.grid, self.grid, self.interpolation)
        if self.smoother is not None:
            volume = self.smoother(volume)
        flat: Real = volume.ravel()
        return flat if index is None else flat[index]
