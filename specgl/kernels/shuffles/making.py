"""A set of shuffles: all labellings, or some of them drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.shuffles.draws import BATCH, RANKED, Generator, Made, draw_labellings, draw_ranks
from specgl.kernels.shuffles.labellings import Exchange, Labellings, find_labellings
from specgl.kernels.shuffles.tree import Integers, Tree


@dataclass(frozen=True, eq=False)
class Shuffles:
    """Distinct labellings, the identity first.

    Under shuffle k observation i carries row ``rows[k, i]`` of the design, times ``signs[k, i]``.

    Attributes
    ----------
    rows
        ``(n, n_obs)`` int32, read-only.
    signs
        ``(n, n_obs)`` int8 of 1 and -1, read-only, or ``None`` without flips.
    exhaustive
        Whether these are all labellings, each once.
    possible
        Number of labellings that exist.
    seed
        Seed of the random draws; without meaning where `exhaustive`.
    exchange
        "permute", "flip" or "both".
    """

    rows: NDArray[np.int32]
    signs: NDArray[np.int8] | None
    exhaustive: bool
    possible: int
    seed: int
    exchange: Exchange

    @property
    def n(self) -> int:
        """Number of shuffles, the identity included."""
        return len(self.rows)

    @property
    def n_obs(self) -> int:
        """Number of observations."""
        return int(self.rows.shape[1])


def make_shuffles(
    tree: Tree, classes: NDArray[np.integer], exchange: Exchange, n: int | None, seed: int
) -> Shuffles:
    """Enumerate all labellings, or draw some at random without repetition.

    Up to 2**40 labellings are drawn by their rank in the enumeration (a Fisher–Yates shuffle of the ranks);
    of more, each node is shuffled, and a labelling that is in the set already is drawn again. In both,
    shuffle k comes from Philox keyed by (seed, k), and the first shuffles of a longer set are those of a
    shorter one.

    Parameters
    ----------
    tree
        The tree of blocks.
    classes
        ``(n_obs,)`` codes of the design's rows: equal rows have equal codes.
    exchange
        "permute", "flip" or "both".
    n
        Number of shuffles, the identity included; ``None`` for all. Where it reaches the number of
        labellings, each is used once.
    seed
        In ``0 … 2**64 - 1``.

    Returns
    -------
    Shuffles
        Shuffle 0 is the identity.

    Raises
    ------
    ValueError
        Where n is below 1, the seed is out of range, or more than 2**40 labellings are to be enumerated.
    """
    if n is not None and n < 1:
        raise ValueError("a set of shuffles holds at least the identity")
    generator = Generator(seed)
    labellings = find_labellings(tree, classes, exchange)
    possible = labellings.count.possible
    exhaustive = n is None or n >= possible
    if exhaustive and possible > RANKED:
        raise ValueError(f"{possible} labellings are too many to enumerate")
    if n is None or exhaustive:
        made = _at(labellings, np.arange(possible, dtype=np.int64))
    elif possible <= RANKED:
        made = _at(labellings, draw_ranks(generator, n, possible))
    else:
        made = draw_labellings(labellings, generator, n)
    for array in made:
        if array is not None:
            array.setflags(write=False)
    return Shuffles(*made, exhaustive, possible, seed, exchange)


def _at(labellings: Labellings, ranks: Integers) -> Made:
    rows = np.empty((ranks.size, labellings.n_obs), dtype=np.int32)
    signs = labellings.signs(np.zeros((ranks.size, labellings.n_units), dtype=bool))
    for start in range(0, ranks.size, BATCH):
        these = slice(start, start + BATCH)
        rows[these], some = labellings.at(ranks[these])
        if signs is not None and some is not None:
            signs[these] = some
    return rows, signs
