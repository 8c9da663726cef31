"""Locations grouped by which observations have a value there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_WORD = 64
_TILE = 16384


@dataclass(frozen=True, eq=False)
class Patterns:
    """The distinct patterns of missing values, and which location has which.

    Attributes
    ----------
    present
        ``(n_pat, n_obs)`` bool: whether the observation has a value under the pattern.
    of_location
        ``(n_loc,)`` int64, index into `present` of each location.
    order
        ``(n_loc,)`` int64: locations sorted by pattern, and within it by position.
    """

    present: NDArray[np.bool_]
    of_location: NDArray[np.int64]
    order: NDArray[np.int64]

    @property
    def complete(self) -> bool:
        """Whether every observation has a value at every location."""
        return bool(self.present.all())


def find_patterns(y: NDArray[np.floating]) -> Patterns:
    """Group locations by their missing values.

    Parameters
    ----------
    y
        ``(n_obs, n_loc)`` data; NaN and infinite values are missing.

    Returns
    -------
    Patterns
        One pattern when nothing is missing. Their order depends on the data only.
    """
    n_obs, n_loc = y.shape
    words = _words(y)
    full = _words(np.zeros((n_obs, 1)))
    if bool((words == full).all()):
        everywhere = np.zeros(n_loc, dtype=np.int64)
        return Patterns(np.ones((1, n_obs), dtype=bool), everywhere, np.arange(n_loc))
    code = np.zeros(n_loc, dtype=np.int64)
    for word in words:
        # Word by word, so that each sort is one of plain integers: codes stay below n_loc squared.
        values, inverse = np.unique(word, return_inverse=True)
        _, code = np.unique(code * values.size + inverse, return_inverse=True)
    _, first = np.unique(code, return_index=True)
    present = np.isfinite(y[:, first]).T
    return Patterns(np.ascontiguousarray(present), code, np.argsort(code, kind="stable"))


def _words(y: NDArray[np.floating]) -> NDArray[np.uint64]:
    """``(n_words, n_loc)``: a bit an observation, set where it has a value."""
    n_obs, n_loc = y.shape
    n_words = -(-n_obs // _WORD)
    packed = np.zeros((n_loc, n_words * (_WORD // 8)), dtype=np.uint8)
    for start in range(0, n_loc, _TILE):
        bits = np.packbits(np.isfinite(y[:, start : start + _TILE]), axis=0)
        packed[start : start + _TILE, : bits.shape[0]] = bits.T
    return np.ascontiguousarray(packed.view(np.uint64).T)


def runs(patterns: Patterns, start: int, stop: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each pattern with its locations among ``patterns.order[start:stop]``.

    Parameters
    ----------
    patterns
        What `find_patterns` found.
    start, stop
        A stretch of the sorted locations.

    Yields
    ------
    tuple
        Index of the pattern, and its locations in that stretch.
    """
    locations = patterns.order[start:stop]
    codes = patterns.of_location[locations]
    edges = np.flatnonzero(np.diff(codes)) + 1
    for chunk in np.split(locations, edges):
        if chunk.size:
            yield int(patterns.of_location[chunk[0]]), chunk
