"""Records from the greatest height to the least.

Positive floating-point numbers stand in the order of their bits, so that they are sorted as whole numbers.
Two passes of a radix sort on the 22 leading bits that differ at all leave few records out of place, and those
only among neighbours. Where many heights agree in these bits, such as nearly equal values under one far-off
peak, all bits are sorted. Either way records of one height keep their order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.tfce.graph import Index, Whole

Bits = NDArray[np.uint32] | NDArray[np.uint64]
Words = NDArray[np.uint64]

_DIGIT = 11
"""Bits a pass: fewer leave more records out of place, more need more places to write to than caches serve."""

_RADIX = 1 << _DIGIT

_PATIENCE = 4
"""Steps a record, on average, that putting neighbours right may take before all bits are sorted instead."""


@compiled
def sort_records(bits: Bits, order: Index, words: Words, spare: Words) -> None:
    """Find the order of descending heights.

    Parameters
    ----------
    bits
        Bits of the positive heights, (n,).
    order
        Where to write the records' numbers, highest first, (n,).
    words, spare
        Room to work in, (n,).
    """
    n = bits.size
    if n == 0:
        return
    high, low = bits[0], bits[0]
    for i in range(n):
        high = max(high, bits[i])
        low = min(low, bits[i])
    width = 0
    while (high - low) >> np.uint64(width):
        width += 1
    shift = np.uint64(max(0, width - 2 * _DIGIT))
    _sort_leading(bits, high, shift, words, spare)
    if shift == 0 or _put_right(bits, words):
        for i in range(n):
            order[i] = np.uint32(words[i])
    else:
        _sort_fully(bits, high, width, order, spare)


@compiled
def _sort_leading(bits: Bits, high: Whole, shift: Whole, words: Words, spare: Words) -> None:
    """Sort words made of 22 bits of the height (upper half) and the record's number (lower half)."""
    n = bits.size
    digit, half, mask = np.uint64(_DIGIT), np.uint64(32), np.uint64(_RADIX - 1)
    lower, upper = np.zeros(_RADIX, dtype=np.uint32), np.zeros(_RADIX, dtype=np.uint32)
    for i in range(n):
        key = np.uint64(high - bits[i]) >> shift
        lower[key & mask] += np.uint32(1)
        upper[key >> digit] += np.uint32(1)
        words[i] = (key << half) | np.uint64(i)
    _to_starts(lower)
    _to_starts(upper)
    for i in range(n):
        word = words[i]
        key = (word >> half) & mask
        spare[lower[key]] = word
        lower[key] += np.uint32(1)
    for i in range(n):
        word = spare[i]
        key = word >> (half + digit)
        words[upper[key]] = word
        upper[key] += np.uint32(1)


@compiled
def _to_starts(counts: Index) -> None:
    """Turn counts into the place where each of them starts."""
    total = np.uint32(0)
    for i in range(counts.size):
        count = counts[i]
        counts[i] = total
        total += count


@compiled
def _put_right(bits: Bits, words: Words) -> bool:
    """Sort by insertion among records that agree in their leading bits; False when patience ends."""
    n, half, lower = words.size, np.uint64(32), np.uint64(0xFFFFFFFF)
    left = _PATIENCE * n
    for i in range(1, n):
        word = words[i]
        key = word >> half
        if words[i - 1] >> half != key:
            continue
        own = bits[word & lower]
        j = i
        while j > 0 and words[j - 1] >> half == key and bits[words[j - 1] & lower] < own:
            words[j] = words[j - 1]
            j -= 1
        words[j] = word
        left -= i - j
        if left < 0:
            return False
    return True


@compiled
def _sort_fully(bits: Bits, high: Whole, width: int, order: Index, spare: Words) -> None:
    """Sort the records' numbers by all bits of the height, the last digit first."""
    n, mask = bits.size, np.uint64(_RADIX - 1)
    counts = np.empty(_RADIX, dtype=np.uint32)
    for i in range(n):
        order[i] = i
    for low in range(0, width, _DIGIT):
        shift = np.uint64(low)
        counts[:] = 0
        for i in range(n):
            counts[(np.uint64(high - bits[i]) >> shift) & mask] += np.uint32(1)
        _to_starts(counts)
        for i in range(n):
            key = (np.uint64(high - bits[order[i]]) >> shift) & mask
            spare[counts[key]] = order[i]
            counts[key] += np.uint32(1)
        for i in range(n):
            order[i] = np.uint32(spare[i])
