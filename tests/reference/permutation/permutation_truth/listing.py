"""All shuffles of a few observations, listed by itertools.

A shuffle is a permutation matrix times signs, P, with ``(P A)[i] = signs[i] * A[rows[i]]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, permutations, product

import numpy as np

Rows = tuple[int, ...]
Shuffle = tuple[Rows, Rows]


def free(n: int) -> Iterator[Rows]:
    """All orders of n observations."""
    return permutations(range(n))


def within(codes: Sequence[int]) -> Iterator[Rows]:
    """All orders that keep each observation in its block."""
    blocks = [[i for i, code in enumerate(codes) if code == block] for block in sorted(set(codes))]
    for orders in product(*(list(permutations(block)) for block in blocks)):
        rows = [0] * len(codes)
        for place, source in zip(chain(*blocks), chain(*orders), strict=True):
            rows[place] = source
        yield tuple(rows)


def whole(codes: Sequence[int], order: Sequence[int]) -> Iterator[Rows]:
    """All orders of the blocks, each block's members following it, matched by their order inside it."""
    names = sorted(set(codes))
    members = [
        sorted((i for i, code in enumerate(codes) if code == b), key=lambda i: order[i]) for b in names
    ]
    for moved in permutations(range(len(names))):
        rows = [0] * len(codes)
        for place, source in enumerate(moved):
            for here, there in zip(members[place], members[source], strict=True):
                rows[here] = there
        yield tuple(rows)


def both(codes: Sequence[int], order: Sequence[int]) -> Iterator[Rows]:
    """Blocks change places as wholes and, inside each of them, observations do too."""
    inside = list(within(codes))
    for blocks in whole(codes, order):
        for places in inside:
            yield tuple(blocks[i] for i in places)


def flips(units: Sequence[int]) -> Iterator[Rows]:
    """All signs, one for each unit."""
    names = sorted(set(units))
    for signs in product((1, -1), repeat=len(names)):
        of_unit = dict(zip(names, signs, strict=True))
        yield tuple(of_unit[unit] for unit in units)


def classes(matrix: np.ndarray) -> Rows:
    """Number the distinct rows."""
    seen: dict[Rows, int] = {}
    return tuple(seen.setdefault(tuple(np.round(row, 9)), len(seen)) for row in matrix)


def labellings(moves: Iterable[Rows], signs: Iterable[Rows], label: Sequence[int]) -> list[Shuffle]:
    """One shuffle for each distinct labelling, the identity first.

    Two shuffles are the same labelling where equal rows of the model go to the same places with equal signs.
    """
    n = len(label)
    signs = list(signs)
    found: dict[tuple[Rows, Rows], Shuffle] = {}
    for rows in chain([tuple(range(n))], moves):
        moved = tuple(label[i] for i in rows)
        for sign in chain([(1,) * n], signs):
            found.setdefault((moved, sign), (rows, sign))
    return list(found.values())


def matrix_of(shuffle: Shuffle) -> np.ndarray:
    """The shuffle as a matrix P (n, n)."""
    rows, signs = shuffle
    n = len(rows)
    p = np.zeros((n, n))
    p[np.arange(n), list(rows)] = signs
    return p
