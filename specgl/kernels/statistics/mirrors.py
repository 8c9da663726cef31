"""Shuffles whose statistic is another's negative, so that one of the two need not be computed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.shuffles.classes import classes_of
from specgl.kernels.statistics.protocol import Rows, Signs

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

_CELLS = 2**22  # looked at together: 32 MiB


def find_mirrors(
    odd: Floats, even: Floats, rows: Rows, signs: Signs | None, *, first: int = 0
) -> NDArray[np.int32]:
    """Pair shuffles that turn the tested part round and leave the nuisance as it is, or turn it with it.

    Parameters
    ----------
    odd
        ``(m, a)`` rows that move and must be turned: the tested parts of all contrasts.
    even
        ``(m, b)`` rows that move and may be turned as one or not at all.
    rows, signs
        ``(J, m)`` shuffles, no labelling twice.
    first
        The first shuffle that may have a mirror.

    Returns
    -------
    ndarray
        ``(J,)`` the earlier shuffle of which each is the mirror; its own index where there is none.
    """
    result = np.arange(len(rows), dtype=np.int32)
    alone = np.ones(len(rows), dtype=bool)
    codes, turned_all, turned_odd = _classes(odd, even)
    generator = np.random.default_rng(0)
    # A shuffle's key is a sum of random 64-bit words, one for each place and class: labellings differ in it.
    words = generator.integers(0, 2**64, (odd.shape[0], int(codes.max()) + 1), dtype=np.uint64)
    own = _keys(codes, rows, signs, words)
    for other in (turned_all, turned_odd):
        if other.min() < 0:
            continue  # some row has no counterpart, in no shuffle
        wanted = _keys(other, rows, signs, words)
        order = np.argsort(own, kind="stable")
        place = np.searchsorted(own[order], wanted)
        found = order[np.minimum(place, own.size - 1)]
        pairs = (own[found] == wanted) & (found < np.arange(own.size)) & (found >= first)
        pairs &= alone & alone[found]  # a mirror's mirror would be no mirror
        result[pairs] = found[pairs]
        alone &= ~pairs
        alone[found[pairs]] = False
    return result


def _classes(odd: Floats, even: Floats) -> tuple[Codes, Codes, Codes]:
    """Codes ``(2, m)`` of rows and of flipped rows; of both when all is turned, and when the odd part is.

    A counterpart that is no row's is -1.
    """
    both = np.concatenate([odd, even], axis=1)
    turn = np.ones(both.shape[1])
    turn[: odd.shape[1]] = -1.0
    every = classes_of(np.concatenate([both, -both, both * turn, -both * turn])).reshape(4, len(odd))
    codes, partners = every[:2], every[2:]
    known = np.zeros(int(every.max()) + 1, dtype=bool)
    known[codes] = True
    return codes, codes[::-1], np.where(known[partners], partners, -1)


def _keys(codes: Codes, rows: Rows, signs: Signs | None, words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """``(J,)`` key of each shuffle, from codes ``(2, m)`` of rows as they are and flipped."""
    keys = np.empty(len(rows), dtype=np.uint64)
    places = np.arange(rows.shape[1])
    step = max(1, _CELLS // rows.shape[1])
    for start in range(0, len(rows), step):
        here = slice(start, start + step)
        flipped = np.zeros((1, 1), dtype=np.int64) if signs is None else (signs[here] < 0).astype(np.int64)
        keys[here] = words[places, codes[flipped, rows[here]]].sum(axis=1, dtype=np.uint64)
    return keys
