"""The package `tfce` 0.1 beside ours, on maps like those of a study.

Agrees: exact values in volumes at 6, 18 and 26 neighbours, either sign, and on a network without sizes.
Not compared: sizes of vertices, which it does not take; the summed form, which it does not have.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.sparse import csr_array

from specgl.kernels.tfce import Graph, tfce_map, tfce_max

tfce = pytest.importorskip("tfce", reason="the package tfce is not installed")

# It works in float32 (a rounding of 6e-8) and adds up thousands of terms.
CLOSE = {"rtol": 1e-5, "atol": 0}


@pytest.fixture(scope="module")
def mask() -> np.ndarray:
    axes = np.meshgrid(*(np.linspace(-1.02, 1.02, n) for n in (40, 48, 44)), indexing="ij")
    return sum(axis**2 for axis in axes) < 1


@pytest.fixture(scope="module")
def volume(mask: np.ndarray) -> np.ndarray:
    smooth = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal(mask.shape), 3 / 2.3548)
    return np.where(mask, smooth / smooth[mask].std(), 0).astype(np.float32)


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize(("E", "H"), [(0.5, 2.0), (1.0, 2.0), (0.7, 1.5)])
def test_volumes(mask, volume, connectivity, E, H):
    theirs = tfce.tfce(volume, E=E, H=H, connectivity=connectivity)[mask]
    graph = Graph.of_grid(np.argwhere(mask), connectivity)
    ours = tfce_map(volume[mask], graph, E, H) - tfce_map(-volume[mask], graph, E, H)
    np.testing.assert_allclose(theirs, ours, **CLOSE)
    np.testing.assert_allclose(tfce_max(-volume[mask], graph, E, H), -theirs.min(), **CLOSE)


def test_a_network():
    rng = np.random.default_rng(2)
    links = np.triu(rng.random((300, 300)) < 0.01, 1)
    adjacency = csr_array((links | links.T).astype(np.int8))
    heights = rng.standard_normal(300).astype(np.float32)
    theirs = tfce.tfce(heights, adjacency=adjacency, E=1.0, H=2.0, two_sided=False)
    ours = tfce_map(heights, Graph.from_adjacency(adjacency), 1.0, 2.0)
    np.testing.assert_allclose(np.maximum(theirs, 0), ours, **CLOSE)
