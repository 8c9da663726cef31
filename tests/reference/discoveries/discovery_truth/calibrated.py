"""Permutation-calibrated true discoveries by their definition (Blanchard 2020, doi:10.1214/19-AOS1847)."""

from __future__ import annotations

from itertools import combinations

import numpy as np


def errs(shuffled: np.ndarray, scale: float) -> np.ndarray:
    """Which shuffles (J, m) have, for some k, k or more p-values below the template's ``scale * k / m``."""
    m = shuffled.shape[1]
    wrong = np.zeros(len(shuffled), dtype=bool)
    for k in range(1, m + 1):
        wrong |= (shuffled < scale * k / m).sum(axis=1) >= k
    return wrong


def calibrate(shuffled: np.ndarray, alpha: float) -> float:
    """The largest scale at which no more than a share alpha of the shuffles (J, m) errs.

    The scales at which any shuffle begins to err are ``m p / k``, and at such a scale itself it does not
    yet; between two of them nothing changes.
    """
    n, m = shuffled.shape
    at = np.unique([m * np.sort(shuffled, axis=1)[:, k - 1] / k for k in range(1, m + 1)])
    held = [scale for scale in at if errs(shuffled, scale).sum() <= alpha * n + 1e-9]
    return float(max(held))


def false_at_most(p: np.ndarray, some: list[int], scale: float) -> int:
    """The most hypotheses of some that can be true, when no k of the true lie below ``scale * k / m``."""
    m = len(p)
    below = [{i for i in range(m) if p[i] < scale * k / m} for k in range(1, m + 1)]
    for n in range(len(some), 0, -1):
        for chosen in combinations(some, n):
            if all(len(set(chosen) & small) < k for k, small in enumerate(below, start=1)):
                return n
    return 0


def true_discoveries(p: np.ndarray, some: list[int], scale: float) -> int:
    """How many of some are false null hypotheses at least."""
    return len(some) - false_at_most(p, some, scale)
