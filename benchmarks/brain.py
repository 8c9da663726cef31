"""An ellipsoid of the size of a brain, and smooth noise in it, at any voxel size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

SHAPE = (91, 109, 91)
ZOOM = 2.0
FWHM = 6.0  # mm
_RADII = (0.78, 0.82, 0.78)


@dataclass(frozen=True, eq=False)
class Brain:
    """Which voxels of a grid are brain.

    Attributes
    ----------
    mask
        ``(i, j, k)`` bool.
    affine
        Voxel indices to mm, ``(4, 4)``.
    """

    mask: NDArray[np.bool_]
    affine: NDArray[np.float64]

    @property
    def n_voxels(self) -> int:
        """Number of voxels in the mask."""
        return int(np.count_nonzero(self.mask))

    def noise(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Noise smoothed to a FWHM of 6 mm, ``(i, j, k)`` float32, 0 outside the brain."""
        sigma = FWHM / self.affine[0, 0] / np.sqrt(8 * np.log(2))
        noise: NDArray[np.float32] = gaussian_filter(
            rng.standard_normal(self.mask.shape, dtype=np.float32), sigma
        )
        noise[~self.mask] = 0
        return noise

    def group(self, subjects: int, seed: int) -> NDArray[np.float32]:
        """Noise of several subjects, each from a seed of its own, ``(subjects, n_voxels)`` float32."""
        maps = np.empty((subjects, self.n_voxels), dtype=np.float32)

        def fill(index: int) -> None:
            maps[index] = self.noise(np.random.default_rng([seed, index]))[self.mask]

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(fill, range(subjects)))
        return maps


def make_brain(voxels: int | None = None) -> Brain:
    """The brain at 2 mm, or at the voxel size at which it has about as many voxels as asked for."""
    finer = 1.0 if voxels is None else (voxels / make_brain().n_voxels) ** (1 / 3)
    shape = [round(n * finer) for n in SHAPE]
    axes = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    mask = sum((axis / radius) ** 2 for axis, radius in zip(axes, _RADII, strict=True)) <= 1
    zoom = ZOOM / finer
    affine = np.diag([zoom, zoom, zoom, 1.0])
    affine[:3, 3] = (-90, -126, -72)
    return Brain(mask, affine)
