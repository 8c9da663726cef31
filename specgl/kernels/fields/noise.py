"""Smooth Gaussian noise on a box of voxels: white noise, smoothed axis by axis.

The noise is made wider than the box by the reach of the kernel on either side, so that every voxel, those in
the corners among them, is smoothed from as many, and kernels have a sum of squares of 1: the variance is 1
everywhere, and no edge wraps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

NEGLIGIBLE = 1e-4
"""Share of a kernel's peak below which it is cut off: its square is what the autocorrelation loses."""


def smoothing_kernel(fwhm: float) -> Floats:
    """Kernel that gives white noise on a lattice the autocorrelation of a smooth field.

    Parameters
    ----------
    fwhm
        Full width at half maximum, in voxels, of the Gaussian kernel that would smooth white noise in the
        continuum so: the correlation of voxels h apart is ``exp(-2 ln 2 h^2 / fwhm^2)``.

    Returns
    -------
    ndarray
        ``(2 reach + 1,)``, symmetric, sum of squares 1. For widths above two voxels this is a Gaussian;
        below, where a sampled Gaussian has another autocorrelation, it is the root of the spectrum asked for.

    Raises
    ------
    ValueError
        When the width is not a positive number.
    """
    if not 0 < fwhm < np.inf:
        raise ValueError(f"a width of {fwhm} voxels is not a positive number")
    half = int(np.ceil(3 * fwhm)) + 16  # the autocorrelation is below 1e-5 there
    lags = np.fft.fftfreq(2 * half, 1 / (2 * half))
    spectrum = np.fft.fft(np.exp(-2 * np.log(2.0) * (lags / fwhm) ** 2)).real
    kernel = np.fft.ifft(np.sqrt(np.maximum(spectrum, 0.0))).real[:half]
    reach = int(np.flatnonzero(np.abs(kernel) > NEGLIGIBLE * kernel[0]).max())
    whole = np.concatenate([kernel[reach:0:-1], kernel[: reach + 1]])
    return np.asarray(whole / np.sqrt(whole @ whole))


@dataclass(frozen=True, eq=False)
class NoiseMaker:
    """Makes fields of smooth noise, each from its number.

    Attributes
    ----------
    smoothers
        For each axis the matrix that smooths white noise along it, ``(n, n + 2 reach)``, with the kernel in
        each row; products with such matrices are quicker than sums over the kernel, although they are mostly
        zeros. None along an axis of one voxel, where there is nothing to smooth.
    """

    smoothers: tuple[Singles | None, Singles | None, Singles | None]

    @classmethod
    def of_box(cls, shape: Sequence[int], fwhm_voxels: Sequence[float]) -> NoiseMaker:
        """Make ready for a box.

        Parameters
        ----------
        shape
            Voxels along each axis, ``(3,)``.
        fwhm_voxels
            Width along each axis as in `smoothing_kernel`, ``(3,)``; not used along an axis of one voxel.

        Raises
        ------
        ValueError
            When a width is not a positive number.
        """
        first, second, third = (_smoother(n, fwhm) for n, fwhm in zip(shape, fwhm_voxels, strict=True))
        return cls((first, second, third))

    @property
    def drawn(self) -> tuple[int, int, int]:
        """Shape of the white noise that a field is made from."""
        a, b, c = (1 if one is None else one.shape[1] for one in self.smoothers)
        return a, b, c

    def field(self, seed: int, k: int) -> Singles:
        """Make one field.

        Parameters
        ----------
        seed, k
            Key of the random numbers: Philox (doi:10.1145/2063384.2063405) gives each field its own, whatever
            is made before it or beside it. From 0 to 2**64 - 1.

        Returns
        -------
        ndarray
            ``shape``, mean 0 and variance 1 at each voxel.
        """
        bits = np.random.Philox(key=np.array([seed, k], dtype=np.uint64))
        field = np.random.Generator(bits).standard_normal(self.drawn, dtype=np.float32)
        first, second, third = self.smoothers
        if first is not None:
            field = (first @ field.reshape(len(field), -1)).reshape(len(first), *field.shape[1:])
        if second is not None:
            field = np.matmul(second, field)
        if third is not None:
            field = (field.reshape(-1, field.shape[2]) @ third.T).reshape(*field.shape[:2], len(third))
        return field


def _smoother(n: int, fwhm: float) -> Singles | None:
    if n == 1:
        return None
    kernel = smoothing_kernel(fwhm).astype(np.float32)
    matrix = np.zeros((n, n + kernel.size - 1), dtype=np.float32)
    for row, line in enumerate(matrix):
        line[row : row + kernel.size] = kernel
    return matrix
