"""From the results of chunks to the null distributions of each contrast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specgl.inference.permutation.measures import Measure, Simes, column_of
from specgl.inference.permutation.simes import pooled_measure
from specgl.inference.permutation.work import Chunk, ContrastWork, Result, SchemeWork, Work, count_key

Floats = NDArray[np.float64]

LARGEST_CHUNK = 256
"""Shuffles in a chunk at most: what an interrupt loses, and how seldom progress moves."""

CHUNKS = 160
"""Chunks that a set of shuffles is cut into, about; more make progress smoother, and more to merge."""


@dataclass(frozen=True, eq=False)
class ContrastNull:
    """What all shuffles gave for one contrast.

    Attributes
    ----------
    work
        The contrast.
    maxima
        Maxima over locations, (n_columns, J, 2): upper and lower side; the first shuffle's are the observed
        ones in float64.
    ends
        The least and the most that each of them may be in float64, (2, n_columns, J, 2).
    counts
        In how many shuffles each location reaches its observed value, (n_loc,), by measure.
    """

    work: ContrastWork
    maxima: Floats
    ends: Floats
    counts: dict[Measure, NDArray[np.int64]]

    @property
    def n(self) -> int:
        """Number of shuffles."""
        return int(self.maxima.shape[1])

    def of(self, measure: Measure, name: str) -> Floats:
        """Null distribution of a measure's column: of the larger side where both are asked for, (J,)."""
        column = column_of(self.work.measures, measure, name)
        return self._larger(self.maxima[column], measure)

    def ends_of(self, measure: Measure, name: str) -> Floats:
        """The least and the most that each value of `of` may be in float64, (2, J)."""
        return self._larger(self.ends[:, column_of(self.work.measures, measure, name)], measure)

    def _larger(self, maxima: Floats, measure: Measure) -> Floats:
        if isinstance(measure, Simes) and measure.pooled:  # of the shuffle and of its mirror
            return maxima[..., 0]
        largest: Floats = np.max(maxima[..., np.array(self.work.asks)], axis=-1)
        return largest


def cut(work: Work, block: int) -> list[Chunk]:
    """The chunks of all schemes; they follow from the numbers of shuffles, so that a store fits any machine.

    Parameters
    ----------
    work
        The schemes.
    block
        Shuffles that are computed together.

    Returns
    -------
    chunks
        Scheme by scheme, in order.
    """
    chunks = []
    for number, scheme in enumerate(work.schemes):
        n = len(scheme.rows)
        size = min(block * max(1, round(n / block / CHUNKS)), LARGEST_CHUNK)
        chunks += [Chunk(number, start, min(start + size, n)) for start in range(0, n, size)]
    return chunks


def is_whole(work: Work, chunk: Chunk, result: Result) -> bool:
    """Whether a kept result has the form of this chunk's."""
    contrasts = work.schemes[chunk.scheme].contrasts
    n_columns = sum(contrast.n_columns for contrast in contrasts)
    forms: dict[str, tuple[int, ...]] = {"maxima": (3, n_columns, chunk.stop - chunk.start, 2)}
    for contrast in contrasts:
        for measure in contrast.counted:
            forms[count_key(contrast, measure)] = (contrast.statistic.n_loc,)
    return {key: array.shape for key, array in result.items()} == forms


class Merge:
    """Results of chunks, put together as they come, in any order.

    Parameters
    ----------
    work
        What was asked of the chunks.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._maxima = [
            np.full((3, sum(c.n_columns for c in scheme.contrasts), len(scheme.rows), 2), np.nan)
            for scheme in work.schemes
        ]
        self._counts: dict[str, NDArray[np.int64]] = {}

    def add(self, chunk: Chunk, result: Result) -> None:
        """Put one chunk's result in its place."""
        self._maxima[chunk.scheme][:, :, chunk.start : chunk.stop] = result["maxima"]
        for key, counts in result.items():
            if key != "maxima":
                if key not in self._counts:
                    self._counts[key] = np.zeros(counts.shape, dtype=np.int64)
                self._counts[key] += counts

    def nulls(self, observed: dict[str, Floats]) -> dict[str, ContrastNull]:
        """Null distributions by contrast.

        Parameters
        ----------
        observed
            Observed maxima of each contrast, (n_columns, 2), in float64; they become the first shuffle's, so
            that what was observed is among what it is compared with.

        Returns
        -------
        nulls
            By the contrast's name.
        """
        found = {}
        for scheme, maxima in zip(self._work.schemes, self._maxima, strict=True):
            ends = np.cumsum([contrast.n_columns for contrast in scheme.contrasts])[:-1]
            for contrast, part in zip(scheme.contrasts, np.split(maxima, ends, axis=1), strict=True):
                known = observed[contrast.name]
                part[:, :, 0] = np.where(np.isnan(known), part[:, :, 0], known)
                _mirror(scheme, contrast, part)
                counts = {measure: self._counts[count_key(contrast, measure)] for measure in contrast.counted}
                found[contrast.name] = ContrastNull(contrast, part[0], part[1:], counts)
        return found


def _mirror(scheme: SchemeWork, contrast: ContrastWork, maxima: Floats) -> None:
    """Fill in what a shuffle's mirror tells of it."""
    later = np.flatnonzero(scheme.source != np.arange(scheme.source.size))
    told = maxima[:, :, scheme.source[later]]
    turns = np.full(maxima.shape[1], contrast.statistic.signed)
    if (pooled := pooled_measure(contrast)) is not None:  # some other contrast has a sign, if not this one
        turns[column_of(contrast.measures, pooled, "simes")] = True
    told = np.where(turns[:, None, None] & scheme.turned[later][:, None], told[..., ::-1], told)
    maxima[:, :, later] = np.where(np.isnan(maxima[:, :, later]), told, maxima[:, :, later])


def reach(null: Floats, values: Floats, slack: Floats | float) -> NDArray[np.int64]:
    """How many values of a null distribution reach each value, up to ties.

    Parameters
    ----------
    null
        Null distribution, (J,).
    values
        Observed values, (m,).
    slack
        By how much a null value may stay below an observed one that it equals: a number, or one each.

    Returns
    -------
    counts
        (m,).
    """
    ascending = np.sort(null)
    return null.size - np.searchsorted(ascending, values - slack, side="left")


def critical_value(null: Floats, alpha: float) -> float:
    """The null's value that is surpassed where the counted p-value is at most `alpha`, and only there.

    Parameters
    ----------
    null
        Null distribution, (J,).
    alpha
        The level, below 1.

    Returns
    -------
    critical
        The null's largest value where no p-value can be so small.
    """
    # So many of J may reach a value that survives: p = m / J is compared with alpha as it is reported.
    may = int(np.searchsorted(np.arange(1, null.size + 1) / null.size, alpha, side="right"))
    return float(np.sort(null)[::-1][min(may, null.size - 1)])


def find_sources(mirror_of: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Which shuffle tells of each, mirrors of mirrors followed back.

    Parameters
    ----------
    mirror_of
        The earlier shuffle whose signed statistics are the negative of each one's; its own index where there
        is none, (J,).

    Returns
    -------
    source
        A shuffle that mirrors none, (J,).
    turned
        Whether the statistics are the source's negative, or the same after two turns, (J,).
    """
    source = np.arange(mirror_of.size, dtype=np.int64)
    turned = np.zeros(mirror_of.size, dtype=bool)
    for shuffle in np.flatnonzero(mirror_of != source):
        before = mirror_of[shuffle]  # earlier, and so already followed
        source[shuffle], turned[shuffle] = source[before], not turned[before]
    return source, turned


def over_contrasts(nulls: Sequence[Floats]) -> Floats:
    """Null distribution of the maximum over contrasts that were shuffled alike, (J,)."""
    largest: Floats = np.max(np.stack(nulls), axis=0)
    return largest
