"""The truth about small trees: every permutation and every pattern of signs, kept if the blocks allow it.

Nothing is built as the kernel builds it: a permutation is judged by what it does to pairs of observations.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from specgl.kernels.shuffles import Level

Truth = Callable[..., np.ndarray]


def paths(n: int, levels: Sequence[Level]) -> list[np.ndarray]:
    """For each depth an id of the node that holds each observation: the root, the blocks, the observation."""
    ids = [np.zeros(n, dtype=int)]
    for level in levels:
        pairs = np.column_stack([ids[-1], level.codes])
        ids.append(np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1))
    return [*ids, np.arange(n)]


def free(levels: Sequence[Level]) -> list[bool]:
    """For each depth whether what a node holds there may change places."""
    last = not levels or levels[-1].exchange != "whole"
    return [level.exchange != "within" for level in levels] + [last]


def places(n: int, levels: Sequence[Level]) -> list[np.ndarray]:
    """For each depth the place of an observation's node among its siblings: by size, then by order."""
    ids = paths(n, levels)
    order = np.arange(n)
    result = []
    for depth in range(len(ids) - 1):
        if depth > 0 and levels[depth - 1].order is not None:
            order = levels[depth - 1].order
        place = np.empty(n, dtype=int)
        for parent in np.unique(ids[depth]):
            inside = ids[depth] == parent
            children = np.unique(ids[depth + 1][inside])
            key = {c: ((ids[depth + 1] == c).sum(), order[ids[depth + 1] == c].min()) for c in children}
            for number, child in enumerate(sorted(children, key=key.__getitem__)):
                place[ids[depth + 1] == child] = number
        result.append(place)
    return result


def admissible(permutations: np.ndarray, levels: Sequence[Level]) -> np.ndarray:
    """Which permutations move whole nodes onto whole nodes, and only where that is allowed."""
    n = permutations.shape[1]
    ids, place, may = paths(n, levels), places(n, levels), free(levels)
    fine = np.ones(len(permutations), dtype=bool)
    for depth in range(len(ids) - 1):
        child = ids[depth + 1]
        together = child[:, None] == child[None, :]
        carried = child[permutations]
        fine &= ((carried[:, :, None] == carried[:, None, :]) == together).all(axis=(1, 2))
        if not may[depth]:
            fine &= (place[depth][permutations] == place[depth]).all(axis=1)
    return fine


def all_permutations(n: int, levels: Sequence[Level]) -> np.ndarray:
    every = np.array(list(itertools.permutations(range(n))), dtype=np.int8)
    kept = [part[admissible(part, levels)] for part in np.array_split(every, max(1, len(every) // 20_000))]
    return np.concatenate(kept).astype(int)


def all_signs(n: int, levels: Sequence[Level]) -> np.ndarray:
    """Every pattern of signs that is constant on the highest nodes that change places, else on nothing."""
    highest = free(levels).index(True)
    unit = paths(n, levels)[highest + 1]
    every = np.array(list(itertools.product([1, -1], repeat=n)))
    _, first = np.unique(unit, return_index=True)
    return every[(every == every[:, first][:, np.unique(unit, return_inverse=True)[1]]).all(axis=1)]


@pytest.fixture(scope="session")
def true_permutations() -> Truth:
    """All admissible permutations of n observations under some levels."""
    return all_permutations


@pytest.fixture(scope="session")
def true_signs() -> Truth:
    """All admissible patterns of signs."""
    return all_signs


@pytest.fixture(scope="session")
def is_admissible() -> Truth:
    """Which of some permutations are admissible."""
    return admissible
