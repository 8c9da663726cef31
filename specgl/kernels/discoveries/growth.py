"""The forest of clusters, compiled: it is grown, laid out and read. Importing this imports numba."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled

Integers = NDArray[np.int64]
Links = NDArray[np.int32]
Booleans = NDArray[np.bool_]


@compiled
def _root(up: Integers, node: int) -> int:
    """Root of a node in a union-find; the way there is halved."""
    while up[node] != node:
        up[node] = up[up[node]]
        node = up[node]
    return node


@compiled
def grow(rank: Integers, order: Integers, start: Links, neighbour: Links, parent: Integers) -> None:
    """Let locations join one after another and write which one joins each component next.

    Parameters
    ----------
    rank
        When each location joins, (n,).
    order
        The locations in that order, (n,).
    start, neighbour
        Neighbours of location i are ``neighbour[start[i]:start[i + 1]]``, (n + 1,) and (n_links,).
    parent
        Where to write, for each location, the next one to join the component it has just been joined to,
        or -1, (n,).
    """
    n = order.size
    up = np.arange(n)
    extent = np.ones(n, dtype=np.int64)
    last = np.arange(n)  # of the component with this root, the location that joined it last
    parent[:] = -1
    for i in range(n):
        node = order[i]
        own = node
        for link in range(start[node], start[node + 1]):
            other = neighbour[link]
            if rank[other] >= i:
                continue
            met = _root(up, other)
            if met == own:
                continue
            parent[last[met]] = node
            if extent[met] > extent[own]:
                own, met = met, own
            up[met] = own
            extent[own] += extent[met]
            last[own] = node


@compiled
def lay_out(order: Integers, parent: Integers, sizes: Integers, begin: Integers, layout: Integers) -> None:
    """Lay locations in a line so that each component is a stretch of it.

    A component's stretch is that of its largest part, then those of the smaller parts, then the location
    that joined them. So all components of a heavy path, from one to its largest part and on, begin at one
    place.

    Parameters
    ----------
    order, parent
        As in `grow`, (n,).
    sizes
        Where to write the size of each location's component, (n,).
    begin
        Where to write the place at which its stretch begins, (n,).
    layout
        Where to write the locations in line, (n,).
    """
    n = order.size
    heavy = np.full(n, -1, dtype=np.int64)
    sizes[:] = 1
    for i in range(n):
        node = order[i]
        above = parent[node]
        if above >= 0:
            sizes[above] += sizes[node]
            if heavy[above] < 0 or sizes[node] > sizes[heavy[above]]:
                heavy[above] = node
    free = np.empty(n, dtype=np.int64)
    end = 0
    for back in range(n):
        node = order[n - 1 - back]
        above = parent[node]
        if above < 0:
            begin[node] = end
            end += sizes[node]
        elif heavy[above] == node:
            begin[node] = begin[above]
        else:
            begin[node] = free[above]
            free[above] += sizes[node]
        free[node] = begin[node] + (sizes[heavy[node]] if heavy[node] >= 0 else 0)
        layout[begin[node] + sizes[node] - 1] = node


@compiled
def count_discoveries(
    categories: Integers,
    parent: Integers,
    sizes: Integers,
    begin: Integers,
    layout: Integers,
    found: Integers,
) -> None:
    """Bound the true discoveries of every component.

    A location of category c may take one of the slots 1 ... c − 1, each of which is taken once; those that
    find none are the discoveries. (Hall's theorem: as many are left over as
    ``max(0, max_u (#{c <= u} - (u - 1)))``.) To take the highest free slot is never wrong, so that locations
    may come one by one and the bound of every beginning of a path is known on the way
    (doi:10.1093/biomet/asz041, and for heavy paths arXiv:2206.13587).

    Parameters
    ----------
    categories
        Category of each location, (n,), from 1.
    parent, sizes, begin, layout
        As in `grow` and `lay_out`, (n,).
    found
        Where to write the true discoveries of each location's component, at least, (n,).
    """
    n = layout.size
    slots = np.empty(n + 1, dtype=np.int64)  # of each the highest free one at or below it, by way of others
    for head in range(n):
        above = parent[head]
        if above >= 0 and begin[above] == begin[head]:
            continue  # within another's path
        size, first = sizes[head], begin[head]
        for slot in range(size + 1):
            slots[slot] = slot
        discoveries = 0
        for place in range(first, first + size):
            node = layout[place]
            if categories[node] <= size:  # others find a slot that none of these could use
                slot = _root(slots, categories[node] - 1)
                if slot == 0:
                    discoveries += 1
                else:
                    slots[slot] = slot - 1
            if begin[node] == first:
                found[node] = discoveries


@compiled
def inside_chosen(order: Integers, parent: Integers, chosen: Booleans, inside: Booleans) -> None:
    """Write which locations lie in a chosen component, (n,) each."""
    n = order.size
    for back in range(n):
        node = order[n - 1 - back]
        above = parent[node]
        inside[node] = chosen[node] or (above >= 0 and inside[above])
