"""Basins of a map on a network, such as a mesh, and where they border on one another.

Of two locations of one height the earlier counts as the higher, as on a lattice.
"""

from __future__ import annotations

from typing import Any

from specgl.kernels.compiled import compiled
from specgl.kernels.tfce.graph import Index, Links, Long
from specgl.kernels.tfce.lattice import Heights


@compiled
def list_positive_nodes(heights: Heights, positive: Index) -> int:
    """List the positive locations; return their number, or −1 when a height is NaN."""
    count = 0
    for i in range(heights.size):
        if heights[i] != heights[i]:
            return -1
        if heights[i] > 0:
            positive[count] = i
            count += 1
    return count


@compiled
def ascend_network(heights: Heights, positive: Index, start: Long, neighbour: Links, above: Index) -> None:
    """Find each positive location's highest neighbour; itself where none is higher."""
    for i in positive:
        best = i
        for link in range(start[i], start[i + 1]):
            j = neighbour[link]
            if heights[j] > heights[best] or (heights[j] == heights[best] and j < best):
                best = j
        above[i] = best


@compiled
def list_network_borders(
    heights: Heights, basin: Index, positive: Index, start: Long, neighbour: Links, records: Any
) -> int:
    """List what happens at which height, as `specgl.kernels.tfce.lattice.list_borders` does."""
    height, own, other = records
    end = positive.size
    for k in range(positive.size):
        i = positive[k]
        if end + start[i + 1] - start[i] > height.size:
            return -1
        mine = basin[i]
        one = mine  # the first other basin has its place in the location's own record
        last = mine
        for link in range(start[i], start[i + 1]):
            j = neighbour[link]
            higher = heights[j] > heights[i] or (heights[j] == heights[i] and j < i)
            if not higher or basin[j] == mine or basin[j] == one or basin[j] == last:
                continue
            last = basin[j]
            if one == mine:
                one = last
            else:
                height[end] = heights[i]
                own[end] = mine
                other[end] = last
                end += 1
        height[k] = heights[i]
        own[k] = mine
        other[k] = one
    return end
