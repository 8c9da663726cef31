"""The sort, against numpy's stable one, for heights that try its patience."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from specgl.kernels.tfce import Graph, tfce_max
from specgl.kernels.tfce.order import sort_records


def sort(heights: np.ndarray) -> np.ndarray:
    bits = heights.view(np.uint32 if heights.dtype == np.float32 else np.uint64)
    order = np.empty(heights.size, dtype=np.uint32)
    sort_records(
        bits, order, np.empty(heights.size, dtype=np.uint64), np.empty(heights.size, dtype=np.uint64)
    )
    return order


def heights(kind: str, n: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    made = {
        "uniform": rng.random(n) + 1e-6,
        "half-normal": np.abs(rng.standard_normal(n)) + 1e-6,
        "one value": np.full(n, 2.5),
        "few values": rng.integers(1, 4, n).astype(float),
        "nearly equal": 1 + 1e-6 * rng.random(n),
        "under a peak": np.append(1 + 1e-5 * rng.random(n - 1), 1e30),
        "over a speck": np.append(1 + 1e-5 * rng.random(n - 1), 1e-30),
        "rising": np.linspace(1, 1 + 1e-4, n),
        "all sizes": np.exp(rng.uniform(-80, 80, n)),
        "with infinity": np.append(rng.random(n - 1) + 1e-6, np.inf),
    }
    return made[kind]


KINDS = [
    "uniform",
    "half-normal",
    "one value",
    "few values",
    "nearly equal",
    "under a peak",
    "over a speck",
    "rising",
    "all sizes",
    "with infinity",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 50, 20_000])
def test_descending_and_stable(kind, dtype, n):
    given = heights(kind, n).astype(dtype)
    np.testing.assert_array_equal(sort(given), np.argsort(-given, kind="stable"))


def test_nothing():
    assert sort(np.zeros(0, dtype=np.float32)).size == 0


def test_threads_give_the_same_bits():
    mask = np.random.default_rng(2).random((20, 21, 22)) < 0.8
    graph = Graph.of_grid(np.argwhere(mask), 6)
    maps = np.random.default_rng(3).standard_normal((8, mask.sum())).astype(np.float32)
    alone = [tfce_max(map_, graph) for map_ in maps]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda map_: tfce_max(map_, graph), maps)) == alone
