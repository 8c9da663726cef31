"""Enhancement straight from its definition: components of each excursion set in turn."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Label = Callable[[np.ndarray], np.ndarray]
"""From a set of locations (n_loc,) bool to the extent, at each, of the component it is in; 0 outside."""


def volume_label(mask: np.ndarray, connectivity: int) -> Label:
    """Components by scipy.ndimage, locations being the voxels of a mask in C order."""
    structure = ndimage.generate_binary_structure(3, {6: 1, 18: 2, 26: 3}[connectivity])

    def extents(inside: np.ndarray) -> np.ndarray:
        volume = np.zeros(mask.shape, dtype=bool)
        volume[mask] = inside
        labels, _ = ndimage.label(volume, structure)
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        return sizes[labels][mask].astype(float)

    return extents


def network_label(adjacency: csr_array, size: np.ndarray) -> Label:
    """Components by scipy.sparse.csgraph."""

    def extents(inside: np.ndarray) -> np.ndarray:
        members = np.flatnonzero(inside)
        count, labels = connected_components(adjacency[members][:, members], directed=False)
        result = np.zeros(inside.size)
        result[members] = np.bincount(labels, size[members], count)[labels]
        return result

    return extents


def integral(heights: np.ndarray, label: Label, E: float, H: float) -> np.ndarray:
    """The integral, piece by piece between neighbouring heights of the map."""
    heights = heights.astype(float)
    total, below = np.zeros(heights.size), 0.0
    for h in np.unique(heights[heights > 0]):
        total += label(heights >= h) ** E * (heights >= h) * (h ** (H + 1) - below ** (H + 1)) / (H + 1)
        below = h
    return total


def steps(heights: np.ndarray, label: Label, E: float, H: float, dh: float) -> np.ndarray:
    """The sum over heights dh, 2 dh, ..."""
    heights = heights.astype(float)
    total, k = np.zeros(heights.size), 1
    while (heights >= k * dh).any():
        total += label(heights >= k * dh) ** E * (heights >= k * dh) * (k * dh) ** H * dh
        k += 1
    return total


@pytest.fixture(scope="session")
def definition() -> SimpleNamespace:
    """The functions above, for tests that compare with the definition."""
    return SimpleNamespace(
        volume_label=volume_label, network_label=network_label, integral=integral, steps=steps
    )


@pytest.fixture(params=[6, 18, 26])
def connectivity(request: pytest.FixtureRequest) -> int:
    return request.param
