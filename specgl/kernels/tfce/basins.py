"""From every location to the local maximum above it."""

from __future__ import annotations

import numpy as np

from specgl.kernels.compiled import compiled
from specgl.kernels.tfce.graph import Index


@compiled
def climb(positive: Index, above: Index) -> None:
    """Replace the place above each positive one by the local maximum that climbing on leads to.

    Every round at least halves what is left of each way; rounds go forwards and backwards in turn, so that
    ways of either direction profit from what the same round has already shortened.
    """
    n = positive.size
    forwards = True
    changed = np.uint32(1)
    while changed:
        changed = np.uint32(0)
        if forwards:
            for k in range(n):
                place = positive[k]
                up = above[place]
                top = above[up]
                changed |= top ^ up
                above[place] = top
        else:
            for k in range(n):
                place = positive[n - 1 - k]
                up = above[place]
                top = above[up]
                changed |= top ^ up
                above[place] = top
        forwards = not forwards


@compiled
def number_basins(positive: Index, above: Index, basin: Index) -> int:
    """Number the local maxima from 0 and give each positive place its own's number; return how many."""
    count = np.uint32(0)
    for k in range(positive.size):
        place = positive[k]
        if above[place] == place:
            basin[place] = count
            count += np.uint32(1)
    for k in range(positive.size):
        place = positive[k]
        basin[place] = basin[above[place]]
    return int(np.int64(count))
