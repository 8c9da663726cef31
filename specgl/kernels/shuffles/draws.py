"""Random labellings without repetition, each from a generator of its own.

Shuffle k takes its bits from Philox keyed by (seed, k): the words of ``numpy.random.Philox(key=[seed, k])``,
and for the a-th attempt after the first those with ``counter=[0, 0, 0, a]`` (Salmon et al. 2011,
doi:10.1145/2063384.2063405). What is drawn before it matters only in so far as it may not be drawn again. So
neither the number of shuffles nor the order or the place of the work changes shuffle k.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.shuffles.labellings import Labellings, Wheel
from specgl.kernels.shuffles.tree import Integers

Words = NDArray[np.uint64]
Made = tuple[NDArray[np.int32], NDArray[np.int8] | None]

RANKED = 2**40
"""So many labellings can be told apart by their rank in the enumeration, in exact 64-bit arithmetic; among
more of them a repetition is so rare that drawing again costs nothing."""

BATCH = 2048
"""Shuffles made together, to bound memory; no bit depends on it."""

_WORD = 64


class Generator:
    """Random words of each shuffle.

    Parameters
    ----------
    seed
        In ``0 … 2**64 - 1``.
    """

    def __init__(self, seed: int) -> None:
        if not 0 <= seed < 2**_WORD:
            raise ValueError(f"a seed lies between 0 and 2**64 - 1; this is {seed}")
        self._seed = seed
        self._bits = np.random.Philox(key=0)
        self._empty = np.zeros(4, dtype=np.uint64)

    def words(self, shuffle: int, attempt: int, n: int) -> Words:
        """Draw ``(n,)`` words of 64 bits for an attempt at a shuffle."""
        # Setting the state is a third of the time of making a generator, and gives the same words.
        self._bits.state = {
            "bit_generator": "Philox",
            "state": {
                "counter": np.array([0, 0, 0, attempt], dtype=np.uint64),
                "key": np.array([self._seed, shuffle], dtype=np.uint64),
            },
            "buffer": self._empty,
            "buffer_pos": 4,
            "has_uint32": 0,
            "uinteger": 0,
        }
        return self._bits.random_raw(n)

    def below(self, shuffle: int, bound: int) -> int:
        """Draw a whole number in ``0 … bound - 1``, each as likely as any other."""
        fair = 2**_WORD // bound * bound
        attempt = 0
        while (word := int(self.words(shuffle, attempt, 1)[0])) >= fair:
            attempt += 1
        return word % bound


def draw_ranks(generator: Generator, n: int, possible: int) -> Integers:
    """Draw ranks of the enumeration without repetition, the identity's first.

    Fisher and Yates' shuffle of ``0 … possible - 1`` from its second place on, of which only the places that
    were touched are kept: place k changes with a place drawn from those not before it. Nothing is ever
    rejected, also where n comes close to `possible`.

    Parameters
    ----------
    generator
        Words of each shuffle.
    n
        Number of shuffles.
    possible
        Number of labellings, at least n.

    Returns
    -------
    ndarray
        ``(n,)`` distinct ranks; the first k of them are the same for every n.
    """
    ranks = np.zeros(n, dtype=np.int64)
    touched: dict[int, int] = {}
    for place in range(1, n):
        other = place + generator.below(place, possible - place)
        ranks[place] = touched.get(other, other)
        touched[other] = touched.pop(place, place)
    return ranks


def draw_labellings(labellings: Labellings, generator: Generator, n: int) -> Made:
    """Draw labellings without repetition, the identity's first, where there are too many to be ranked.

    Each wheel's labels are sorted by a word for each place, and a unit is flipped where its bit is 1. A
    shuffle whose labels and signs are those of an earlier one is drawn again with the next attempt's words.

    Parameters
    ----------
    labellings
        What may be drawn.
    generator
        Words of each shuffle.
    n
        Number of shuffles, below the number of labellings.

    Returns
    -------
    rows, signs
        ``(n, n_obs)`` each; signs ``None`` without flips.
    """
    rows = np.tile(np.arange(labellings.n_obs, dtype=np.int32), (n, 1))
    signs = labellings.signs(np.zeros((n, labellings.n_units), dtype=bool))
    seen = {_digest(rows[0], None if signs is None else signs[0])}
    for start in range(1, n, BATCH):
        these = slice(start, min(start + BATCH, n))
        rows[these], some = _draw(labellings, generator, range(these.start, these.stop), 0)
        if signs is not None and some is not None:
            signs[these] = some
        for k in range(these.start, these.stop):
            attempt = 0
            while (mark := _digest(rows[k], None if signs is None else signs[k])) in seen:
                attempt += 1
                rows[k : k + 1], some = _draw(labellings, generator, [k], attempt)
                if signs is not None and some is not None:
                    signs[k : k + 1] = some
            seen.add(mark)
    return rows, signs


def _draw(labellings: Labellings, generator: Generator, shuffles: Sequence[int], attempt: int) -> Made:
    starts = np.cumsum([0, *(wheel.width for wheel in labellings.wheels)])
    n_words = int(starts[-1]) + -(-labellings.n_units // _WORD)
    words = np.empty((len(shuffles), n_words), dtype=np.uint64)
    for row, shuffle in enumerate(shuffles):
        words[row] = generator.words(shuffle, attempt, n_words)

    def arrange(number: int, wheel: Wheel) -> Integers:
        mine = words[:, starts[number] : starts[number + 1]]
        arranged: Integers = wheel.labels[np.argsort(mine, axis=1, kind="stable")]
        return arranged

    rows = labellings.rows(len(shuffles), arrange)
    unit = np.arange(labellings.n_units)
    bits = words[:, starts[-1] + unit // _WORD] >> (unit % _WORD).astype(np.uint64)
    return rows, labellings.signs((bits & np.uint64(1)).astype(bool))


def _digest(rows: NDArray[np.int32], signs: NDArray[np.int8] | None) -> bytes:
    """Mark of a labelling: its rows are settled, so that they tell it. A hash keeps large sets small."""
    digest = hashlib.blake2b(rows.tobytes(), digest_size=16)
    if signs is not None:
        digest.update(signs.tobytes())
    return digest.digest()
