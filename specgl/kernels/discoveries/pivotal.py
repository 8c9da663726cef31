"""How far the smallest p-values of a map fall below the line of Simes: what calibrates bounds on discoveries.

Of the sorted p-values of m locations the one that counts is the least ``m p_(k) / k`` (Simes 1986,
doi:10.1093/biomet/73.3.751; as the pivotal statistic of a template: Blanchard, Neuvial and Roquain 2020,
doi:10.1214/19-AOS1847). Nearly all locations are far from it, so that neither all p-values are computed nor
the whole map is sorted: heights are counted in bins, the tail's probability at the edges of a bin and the
ranks of its locations say within what limits their ``m p_(k) / k`` lies, and only bins that can hold the
least are looked into. Importing this module imports numba.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.tails import f_tails, t_tails, z_tails

Floats = NDArray[np.float64]
Heights = NDArray[np.float32] | NDArray[np.float64]

_LOG_10 = float(np.log(10.0))
_HUGE = 1e150  # a height beyond it has this one's probability, which is finite in logarithms
_SHIFT = 16  # bins are told by a float32's exponent and the first 7 bits of its mantissa
_LOW = (127 - 6) << 7  # ... from 2^-6
_HIGH = (127 + 7) << 7  # ... to 2^7; what is below, or above, is one bin each
_N = _HIGH - _LOW + 2  # bins of one sign
_BEFORE, _LAST = _LOW - 1, _N - 1
_FEW = 256  # candidates that are computed without more ado
_SLACK = 1e-9  # rounding of logarithms of p, far above it


@dataclass(frozen=True, slots=True)
class Reference:
    """What a statistic is compared with, and in which direction.

    Attributes
    ----------
    kind
        ``t``, ``F`` or ``z``.
    dof1, dof
        Degrees of freedom of the tested part (F) and of the residuals (t and F), the same at all locations.
    two_sided
        Whether heights of either sign count: the p-value is that of both tails. Otherwise the upper tail's.
    """

    kind: Literal["t", "F", "z"]
    dof1: float = 1.0
    dof: float = float("inf")
    two_sided: bool = False

    def log_p(self, heights: Floats) -> Floats:
        """Natural logarithm of the p-value of each height, (n,), finite and never above 0.

        With both tails heights are sizes; one below 0, like an F below 0, is no less extreme than 0.
        """
        least = 0.0 if self.two_sided or self.kind == "F" else -_HUGE
        within = np.clip(heights, least, _HUGE)
        if self.kind == "F":
            tails = f_tails(within, self.dof1, self.dof)
        elif self.kind == "t":
            tails = t_tails(within, self.dof)
        else:
            tails = z_tails(within)
        return tails.log_p("two-sided" if self.two_sided else "greater")


@dataclass(frozen=True, slots=True)
class Error:
    """How far a height may be off: `relative` times its size, or times `floor` where that is more."""

    relative: float = 0.0
    floor: float = 0.0

    def of(self, heights: Floats) -> Floats:
        """The error of each height, (n,)."""
        return self.relative * np.clip(np.abs(heights), self.floor, _HUGE)


EXACT = Error()


@dataclass(frozen=True, eq=False)
class Part:
    """One map of a family.

    Attributes
    ----------
    heights
        A map, (n_loc,), without NaN in the family.
    reference
        What its p-values are read from.
    within
        Locations of the family, (n_loc,).
    error
        How exact the heights are.
    """

    heights: Heights
    reference: Reference
    within: NDArray[np.bool_]
    error: Error = EXACT

    @cached_property
    def values(self) -> Heights:
        """Heights of the family, (m,), without their signs where these make no difference."""
        heights = self.heights[self.within]
        return np.abs(heights) if self.reference.two_sided else heights

    @cached_property
    def bits(self) -> NDArray[np.int32]:
        """The bits of float32 heights, (n_loc,)."""
        return np.ascontiguousarray(self.heights).view(np.int32)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Number of locations of the family in each bin, (2 _N,)."""
        counts = np.zeros(2 * _N, dtype=np.int64)
        _count(self.bits, self.within, self.reference.two_sided, counts)
        return counts

    def within_bins(self, chosen: NDArray[np.int64]) -> Floats:
        """Heights in some bins, descending, (n,)."""
        mine = np.zeros(2 * _N, dtype=np.bool_)
        mine[chosen] = True
        some = np.empty(int(self.counts[chosen].sum()), dtype=np.float32)
        _gather(self.bits, self.within, self.reference.two_sided, mine, some.view(np.int32))
        return np.sort(some)[::-1].astype(np.float64)

    def log_p(self, heights: Floats) -> Floats:
        """Logarithms of p at some heights, (3, n): as they are, lowered and raised by their error."""
        margin = self.error.of(heights)
        every = np.concatenate([heights, heights - margin, heights + margin])
        logs: Floats = self.reference.log_p(every).reshape(3, -1)
        return logs


def least_simes(parts: Sequence[Part]) -> Floats:
    """Minus log10 of the least ``m p_(k) / k`` of a map, and the limits that the heights' error sets to it.

    Parameters
    ----------
    parts
        The map, or the maps whose p-values make one family: m is the number of them all. float32 is quick (a
        millisecond for 200,000 locations); float64 is sorted.

    Returns
    -------
    found
        (3,): the value, not negative; the least and the most that it is if every height is wrong by no more
        than its error. -inf, three times, where the family is empty.
    """
    several = [part for part in parts if part.within.any()]
    if not several:
        return np.full(3, -np.inf)
    first = several[0]
    m = sum(int(np.count_nonzero(part.within)) for part in several)
    if any((part.reference, part.error) != (first.reference, first.error) for part in several):
        least = _of_many(several)
    else:
        whole = first
        if len(several) > 1:  # heights that mean the same are one longer map
            values = np.concatenate([part.values for part in several])
            whole = Part(values, first.reference, np.ones(m, dtype=np.bool_), first.error)
        least = _of_one(whole)
    found: Floats = -(least + np.log(m)) / _LOG_10 + 0.0
    return found


def _of_one(part: Part) -> Floats:
    """The logarithm of the least ``p_(k) / k`` of one map, with its limits, (3,)."""
    if part.heights.dtype == np.float32:
        some, ranks = _candidates(part)
    else:
        some = np.sort(part.values.astype(np.float64))[::-1]
        ranks = np.arange(1, some.size + 1)
    some, ranks = _thinned(some, ranks, part.reference, part.error)
    least: Floats = (part.log_p(some) - np.log(ranks)).min(axis=1)
    return least


def _of_many(parts: Sequence[Part]) -> Floats:
    """The same of several maps whose heights mean different things: p-values are ordered instead."""
    if any(part.heights.dtype != np.float32 for part in parts):
        every = np.concatenate([part.log_p(part.values.astype(np.float64)) for part in parts], axis=1)
        exact: Floats = (np.sort(every, axis=1) - np.log(np.arange(1, every.shape[1] + 1))).min(axis=1)
        return exact
    occupied = [np.flatnonzero(part.counts) for part in parts]
    counts = np.concatenate([part.counts[bins] for part, bins in zip(parts, occupied, strict=True)])
    above, below = (
        np.concatenate(
            [_limits(p.reference, p.error)[end][bins] for p, bins in zip(parts, occupied, strict=True)]
        )
        for end in (0, 1)
    )
    # So many are certainly no further out than the lower edge of a bin, and so many may be.
    surely, maybe = _up_to(below, counts, below), _up_to(above, counts, below)
    enough = (below - np.log(surely)).min() + _SLACK
    chosen = above - np.log(maybe) <= enough
    # Bins that share p-values with a chosen one are looked into as well, for the ranks.
    reach = np.maximum.accumulate(below[chosen][np.argsort(above[chosen])])
    starts = np.sort(above[chosen])
    before = np.searchsorted(starts, below, side="right")
    looked = chosen | ((before > 0) & (reach[before - 1] >= above))
    base = np.where(chosen, _up_to(below[~looked], counts[~looked], above), -1)
    inside = np.split(looked, np.cumsum([bins.size for bins in occupied])[:-1])
    logs = np.concatenate(
        [p.log_p(p.within_bins(bins[mine])) for p, bins, mine in zip(parts, occupied, inside, strict=True)],
        axis=1,
    )
    return _least_among(logs, np.repeat(base[looked], counts[looked]))


def _least_among(logs: Floats, base: NDArray[np.int64]) -> Floats:
    """The least ``log p - log k`` of some p-values.

    Parameters
    ----------
    logs
        Logarithms of p, (3, n).
    base
        How many others, not among them, are smaller, (n,); -1 for one that is there for the ranks alone.
    """
    mine = base >= 0
    least = np.empty(3)
    for place, one in enumerate(logs):
        ranks = base[mine] + np.searchsorted(np.sort(one), one[mine], side="right")
        least[place] = (one[mine] - np.log(ranks)).min()
    return least


def _up_to(values: Floats, counts: NDArray[np.int64], limits: Floats) -> NDArray[np.int64]:
    """How many of counted values are no greater than each limit, (n_limits,)."""
    order = np.argsort(values)
    total = np.concatenate([[0], np.cumsum(counts[order])])
    return total[np.searchsorted(values[order], limits, side="right")]


def _candidates(part: Part) -> tuple[Floats, NDArray[np.int64]]:
    """Heights that may give the least, descending, with their ranks among all of the family."""
    counts = part.counts
    last = np.cumsum(counts)  # the lowest rank in each bin
    occupied = np.flatnonzero(counts)
    above, below = _limits(part.reference, part.error)
    lines = np.log(last[occupied])
    # The last of a bin is no lower than the bin; none in it is higher, or further along the line.
    enough = (below[occupied] - lines).min() + _SLACK
    chosen = occupied[above[occupied] - lines <= enough]
    some = part.within_bins(chosen)
    before = last[chosen] - np.cumsum(counts[chosen])  # left out, up to each bin
    return some, np.arange(1, some.size + 1) + np.repeat(before, counts[chosen])


def _thinned(
    some: Floats, ranks: NDArray[np.int64], reference: Reference, error: Error
) -> tuple[Floats, NDArray[np.int64]]:
    """Those of many candidates that may still give the least: runs of them are told from their two ends."""
    size = some.size
    kept = np.arange(1)
    while size > 4 and kept.size * size > _FEW:
        smaller = -(-size // 16)
        starts = np.unique((kept[:, None] + np.arange(0, size, smaller)[None, :]).ravel())
        starts = starts[starts < some.size]
        ends = np.minimum(starts + smaller, some.size) - 1
        first, last = some[starts], some[ends]
        above = reference.log_p(first + error.of(first)) - np.log(ranks[ends])
        below = reference.log_p(last - error.of(last)) - np.log(ranks[ends])
        kept, size = starts[above <= below.min() + _SLACK], smaller
    places = np.unique((kept[:, None] + np.arange(size)[None, :]).ravel())
    places = places[places < some.size]
    return some[places], ranks[places]


@lru_cache(maxsize=64)
def _limits(reference: Reference, error: Error) -> tuple[Floats, Floats]:
    """Logarithms of p at the upper edge of each bin, raised, and at its lower edge, lowered, (2 _N,) each."""
    inner = (np.arange(_HIGH, _LOW - 1, -1, dtype=np.int32) << _SHIFT).view(np.float32).astype(np.float64)
    edges = np.concatenate([[_HUGE], inner, [0.0], -inner[::-1], [-_HUGE]])
    above = reference.log_p(edges[:-1] + error.of(edges[:-1]))
    return above, reference.log_p(edges[1:] - error.of(edges[1:]))


@compiled(inline=True)
def _bin_of(bits: Any, two_sided: Any) -> Any:
    """A height's bin, from its bits as a float32: the greatest first, the negative ones last."""
    size = min(max(((bits & 0x7FFFFFFF) >> _SHIFT) - _BEFORE, 0), _LAST)
    return _LAST - size if two_sided or bits >= 0 else _N + size


@compiled
def _count(bits: Any, within: Any, two_sided: Any, counts: Any) -> None:
    for i in range(bits.size):
        if within[i]:
            counts[_bin_of(bits[i], two_sided)] += 1


@compiled
def _gather(bits: Any, within: Any, two_sided: Any, mine: Any, some: Any) -> None:
    n = 0
    for i in range(bits.size):
        if within[i] and mine[_bin_of(bits[i], two_sided)]:
            some[n] = bits[i] & 0x7FFFFFFF if two_sided else bits[i]
            n += 1
