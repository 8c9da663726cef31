"""What the demo's brain looks like, and how its places are called: for the eye, no number depends on it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from specgl.demo.signal import Brain

FINER = 2
"""Voxels of the anatomical image along each edge of a voxel of the maps."""

WHITE, GREY, FLUID = 200, 120, 40
"""Shades of what a T1-weighted image shows."""

REGIONS = {1: "left frontal", 2: "right frontal", 3: "left posterior", 4: "right posterior"}
"""Quarters of the brain, by their numbers in the demo's atlas."""

_BLUR = 0.8
"""Standard deviation of the blur, in voxels."""

_FISSURE = 1.2
"""Half the width of the gap between the hemispheres, in mm."""


def finer_affine(brain: Brain) -> npt.NDArray[np.float64]:
    """Affine of a grid with `FINER` voxels along each edge of the brain's, in the same box."""
    affine = brain.affine.copy()
    affine[:3, :3] /= FINER
    affine[:3, 3] -= affine[:3, :3] @ np.full(3, (FINER - 1) / 2)
    return affine


def make_anatomy(brain: Brain) -> npt.NDArray[np.uint8]:
    """A brain as a T1-weighted image shows it: white matter, a folded grey ribbon, ventricles.

    Parameters
    ----------
    brain
        The ellipsoid.

    Returns
    -------
    ndarray
        Shades on the grid of `finer_affine`, ``(FINER * i, FINER * j, FINER * k)`` uint8; 0 outside it.
    """
    shape = tuple(FINER * length for length in brain.shape)
    affine = finer_affine(brain)
    indices = np.indices(shape, sparse=True)
    x, y, z = (affine[axis, 3] + affine[axis, axis] * index for axis, index in enumerate(indices))
    middle = brain.affine[:3, 3] + brain.affine[0, 0] * (np.asarray(brain.shape) - 1) / 2
    u, v, w = ((one - m) / half for one, m, half in zip((x, y, z), middle, brain.semi_axes, strict=True))
    radius = np.sqrt(u**2 + v**2 + w**2)
    folds = np.sin(9 * u + 4 * w) * np.sin(8 * v - 3 * u) * np.sin(9 * w + 3 * v)
    shades = np.where(radius < 0.76 + 0.14 * folds, WHITE, GREY)
    deep = np.sqrt(((np.abs(u) - 0.22) / 0.11) ** 2 + (v / 0.17) ** 2 + ((w + 0.05) / 0.15) ** 2) < 1
    shades = np.where(deep, GREY, shades)  # grey matter lies deep in both hemispheres as well
    ventricles = ((np.abs(u) - 0.1) / 0.07) ** 2 + ((v + 0.05) / 0.34) ** 2 + ((w - 0.14) / 0.1) ** 2 < 1
    fissure = (np.abs(x) < _FISSURE) & (radius > 0.55)
    sulci = (radius > 0.86) & (folds < -0.25)
    shades = np.where(ventricles | fissure | sulci, FLUID, shades)
    # A scanner blurs what it sees, and is brighter in the middle.
    blurred = ndimage.gaussian_filter(shades.astype(np.float32), _BLUR) * (1.06 - 0.12 * radius**2)
    return np.where(radius <= 1, np.clip(blurred, 1, 255), 0).astype(np.uint8)


def make_regions(brain: Brain) -> npt.NDArray[np.int32]:
    """Number of the quarter in `REGIONS` of each voxel of the brain's grid, 0 outside the brain."""
    right = brain.coordinates[..., 0] >= 0
    posterior = brain.coordinates[..., 1] < 0
    return np.where(brain.inside, 1 + right + 2 * posterior, 0).astype(np.int32)
