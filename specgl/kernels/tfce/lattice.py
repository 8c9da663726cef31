"""Basins of a map on a lattice of voxels, and where they border on one another.

The box is worked on in stretches of places: the neighbours of a stretch in one direction again lie side by
side, so that the processor compares many of them at once. What comes out at empty places is never used.

Of two voxels of one height the one at the earlier place counts as the higher. Every voxel but the local
maxima then has a higher neighbour, and to climb never leads round in a circle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.tfce.graph import LONGEST, Index, Long, Whole

Heights = NDArray[np.float32] | NDArray[np.float64]


@compiled
def spread(heights: Heights, first: Long, at: Long, box: Heights) -> bool:
    """Put a map into its box, with 0 in place of what is negative; tell whether a height is NaN."""
    missing = False
    for run in range(at.size):
        source = heights[first[run] : first[run + 1]]
        target = box[at[run] : at[run] + source.size]
        for i in range(source.size):
            value = source[i]
            missing |= value != value
            target[i] = max(value, box.dtype.type(0))
    return missing


@compiled
def list_positive(box: Heights, stretches: Long, positive: Index) -> int:
    """List the places of positive voxels in the order of the locations; return their number."""
    count = np.uint64(0)  # unsigned: numba then leaves out the test for indices from the end
    for s in range(len(stretches)):
        start, stop = stretches[s]
        heights = box[start:stop]
        for i in range(heights.size):
            positive[count] = np.uint32(start + i)
            count += np.uint64(heights[i] > 0)
    return int(np.int64(count))


@compiled
def ascend(box: Heights, stretches: Long, steps: Long, above: Index) -> None:
    """Find the place of each voxel's highest neighbour; its own where none is higher."""
    highest = np.empty(LONGEST, dtype=box.dtype)
    best = np.empty(LONGEST, dtype=np.int32)
    for s in range(len(stretches)):
        start, stop = stretches[s]
        n = stop - start
        top, way = highest[:n], best[:n]
        top[:] = box[start:stop]
        way[:] = 0
        # Steps rise, so that the first half leads to earlier places, which win a tie.
        for k in range(steps.size // 2):
            step = steps[k]
            back, ahead = np.int32(step), np.int32(-step)
            before, after = box[start + step : stop + step], box[start - step : stop - step]
            # A choice instead of a branch lets the loop be vectorised.
            for i in range(n):
                height, to = top[i], way[i]
                to = back if before[i] >= height else to
                height = before[i] if before[i] >= height else height
                to = ahead if after[i] > height else to
                way[i] = to
                top[i] = after[i] if after[i] > height else height
        target = above[start:stop]
        here = np.int32(start)
        for i in range(n):
            target[i] = np.uint32(here + np.int32(i) + way[i])


@compiled
def _meet(
    heights: Heights,
    own: Index,
    before: Heights,
    met: Index,
    after: Heights,
    met_too: Index,
    one: Index,
    two: Index,
    more: Index,
) -> None:
    """Note which basins a stretch touches at higher neighbours, one step before and one step after it.

    `one` and `two` become the first and the second basin that is not the voxel's own (its own: none so far),
    `more` becomes 1 where there is a third.
    """
    yes = np.uint32(1)
    for i in range(heights.size):
        mine, a, b, m = own[i], one[i], two[i], more[i]
        other, other_too = met[i], met_too[i]
        other = other if before[i] >= heights[i] else mine
        a = other if a == mine else a
        other = mine if other == a else other
        b = other if b == mine else b
        m = yes if (other != mine) & (other != b) else m
        other = other_too if after[i] > heights[i] else mine
        a = other if a == mine else a
        other = mine if other == a else other
        b = other if b == mine else b
        one[i] = a
        two[i] = b
        more[i] = yes if (other != mine) & (other != b) else m


@compiled
def _list_rest(
    box: Heights,
    basin: Index,
    place: Whole,
    steps: Long,
    known: tuple[Whole, Whole],
    records: Any,
    end: Whole,
) -> Whole:
    """Append records for the basins, beyond its own and two known ones, that a voxel touches."""
    height, own, other = records
    mine = basin[place]
    for step in steps:
        there = place + step
        higher = box[there] > box[place] or (step < 0 and box[there] == box[place])
        met = basin[there]
        if higher and met != mine and met != known[0] and met != known[1]:
            height[end] = box[place]
            own[end] = mine
            other[end] = met
            end += 1
    return end


@compiled
def list_borders(
    box: Heights, basin: Index, stretches: Long, steps: Long, positive: Index, records: Any
) -> int:
    """List what happens at which height: a voxel joins its basin, a basin meets another.

    Parameters
    ----------
    box, basin
        Height and basin at each place, (n_places,).
    stretches, steps
        Of the lattice.
    positive
        Places of the positive voxels, rising, (n_positive,).
    records
        Where to write: height, the voxel's basin, another basin that it touches (or its own), each
        (capacity,). The first n_positive records are the positive voxels in their order; those after them
        say which further basins some of them touch.

    Returns
    -------
    count
        Number of records, or −1 when there is no room for them.
    """
    height, own, other = records
    room = np.empty((3, LONGEST), dtype=np.uint32)
    voxel, end = np.uint64(0), np.uint64(positive.size)
    for s in range(len(stretches)):
        start, stop = stretches[s]
        n = stop - start
        if np.int64(end) + n * steps.size > height.size:
            return -1
        heights, mine = box[start:stop], basin[start:stop]
        one, two, more = room[0, :n], room[1, :n], room[2, :n]
        one[:] = mine
        two[:] = mine
        more[:] = 0
        for k in range(steps.size // 2):
            a, b, c, d = start + steps[k], stop + steps[k], start - steps[k], stop - steps[k]
            _meet(heights, mine, box[a:b], basin[a:b], box[c:d], basin[c:d], one, two, more)
        while voxel < positive.size and positive[voxel] < stop:
            i = positive[voxel] - np.uint32(start)
            height[voxel] = heights[i]
            own[voxel] = mine[i]
            other[voxel] = one[i]
            if two[i] != mine[i]:
                height[end] = heights[i]
                own[end] = mine[i]
                other[end] = two[i]
                end += np.uint64(1)
                if more[i]:
                    known = (np.int64(one[i]), np.int64(two[i]))
                    place = np.int64(positive[voxel])
                    end = np.uint64(_list_rest(box, basin, place, steps, known, records, np.int64(end)))
            voxel += np.uint64(1)
    return int(np.int64(end))
