"""Smooth Gaussian noise of known FWHM, and counts of Euler characteristics."""

from __future__ import annotations

import numpy as np
from scipy import fft


def smooth(rng: np.random.Generator, n: int, shape: tuple[int, ...], fwhm: float) -> np.ndarray:
    """Unit Gaussian fields (n, *shape) cut out of a torus so large that no edge knows the other.

    White noise is multiplied in frequency by the Gaussian's own transform, scaled so that the variance is 1.
    """
    sides = [int(side + np.ceil(3 * fwhm)) if side > 1 else 1 for side in shape]
    sigma = fwhm / np.sqrt(8 * np.log(2))
    damping = np.ones(())
    for axis, side in enumerate(sides):
        steps = np.arange(side)
        steps = np.minimum(steps, side - steps)
        kernel = np.exp(-(steps**2) / (2 * sigma**2)) if side > 1 else np.ones(1)
        kernel /= np.sqrt((kernel**2).sum())
        transform = fft.fft(kernel) if axis < len(sides) - 1 else fft.rfft(kernel)
        damping = np.multiply.outer(damping, transform.real)
    white = rng.standard_normal((n, *sides), dtype=np.float32)
    axes = tuple(range(1, len(sides) + 1))
    waves = fft.rfftn(white, axes=axes) * damping.astype(np.float32)
    field = fft.irfftn(waves, s=sides, axes=axes)
    return field[(slice(None), *(slice(0, side) for side in shape))]


def euler(above: np.ndarray) -> int:
    """Euler characteristic of the voxels that are on, (i, j, k): points − edges + faces − cubes."""
    total = 0
    for corner in np.ndindex(*(2,) * above.ndim):
        cell = above
        for axis in np.flatnonzero(corner):
            first = np.take(cell, range(cell.shape[axis] - 1), axis)
            cell = first & np.take(cell, range(1, cell.shape[axis]), axis)
        total += (-1) ** sum(corner) * int(cell.sum())
    return total
