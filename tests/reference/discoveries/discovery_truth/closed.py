"""Closed testing with Simes' test, over all subsets (Goeman & Solari 2011, doi:10.1214/11-STS356)."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import combinations

import numpy as np


def exact(p: np.ndarray) -> list[Fraction]:
    """Floats as the fractions they are: nothing below is rounded."""
    return [Fraction(float(one)) for one in p]


def simes(p: list[Fraction]) -> Fraction:
    """Simes' p-value of the hypothesis that all of some are true."""
    return min(len(p) * one / rank for rank, one in enumerate(sorted(p), start=1))


@cache
def _subsets(m: int) -> tuple[tuple[int, ...], ...]:
    return tuple(chosen for n in range(m + 1) for chosen in combinations(range(m), n))


def not_rejected(p: np.ndarray, alpha: float) -> list[set[int]]:
    """All subsets of the hypotheses which Simes' test does not reject, the empty one among them."""
    level, values = Fraction(alpha), exact(p)
    return [
        set(chosen) for chosen in _subsets(len(p)) if not chosen or simes([values[i] for i in chosen]) > level
    ]


def h(p: np.ndarray, alpha: float) -> int:
    """Hommel's h: the size of the largest set that is not rejected."""
    return max(len(some) for some in not_rejected(p, alpha))


def h_by_definition(p: np.ndarray, alpha: float) -> int:
    """The same by its formula: max{i : i p_(m−i+j) > j alpha for j = 1 .. i}."""
    ranked, m, level = sorted(exact(p)), len(p), Fraction(alpha)
    fits = [i for i in range(1, m + 1) if all(i * ranked[m - i + j - 1] > j * level for j in range(1, i + 1))]
    return max(fits, default=0)


def true_discoveries(p: np.ndarray, some: list[int], alpha: float) -> int:
    """How many of some are false null hypotheses at least, with confidence 1 − alpha over all sets at once.

    As many as possible may be true as long as some set that holds them is not rejected.
    """
    return len(some) - max(len(left & set(some)) for left in not_rejected(p, alpha))


def adjusted(p: np.ndarray) -> np.ndarray:
    """Hommel's adjusted p-values: the largest Simes p-value of the sets that hold each, (m,)."""
    values = exact(p)
    everything = [(chosen, simes([values[i] for i in chosen])) for chosen in _subsets(len(p)) if chosen]
    return np.array([float(max(one for chosen, one in everything if i in chosen)) for i in range(len(p))])


def bound(p: np.ndarray, factor: float) -> int:
    """The bound by its formula, max_u (1 − u + #{factor p <= u}), never below 0; the tests show it right."""
    return max([0, *(1 - u + int((factor * p <= u).sum()) for u in range(1, len(p) + 1))])
