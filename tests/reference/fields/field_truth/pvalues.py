"""Corrected p-values of peaks (Worsley 1996) and clusters (Friston 1994, doi:10.1002/hbm.460010306)."""

from __future__ import annotations

from dataclasses import dataclass
from math import gamma

import numpy as np
from scipy import optimize

from field_truth.densities import densities


@dataclass(frozen=True)
class Family:
    """A kind of field with its degrees of freedom."""

    kind: str
    dof1: float = 1.0
    dof: float = np.inf

    def densities(self, u: float) -> np.ndarray:
        return densities(self.kind, u, self.dof1, self.dof)


def expected(family: Family, resels: np.ndarray, u: float) -> float:
    """Expected Euler characteristic at height u, or above it, where it is greatest."""
    if u <= 0:
        raise ValueError("heights above 0 only")
    heights = u * np.linspace(1, 3, 21)
    values = [float(resels @ family.densities(v)) for v in heights]
    best = int(np.argmax(values))
    inside = (heights[max(best - 1, 0)], heights[min(best + 1, 20)])
    found = optimize.minimize_scalar(
        lambda v: -float(resels @ family.densities(v)), bounds=inside, method="bounded"
    )
    return max(values[best], -float(found.fun))


def peak(family: Family, resels: np.ndarray, u: float, tails: int, n: int) -> float:
    """Corrected p of a height: by the expected Euler characteristic, or Bonferroni's where that is less."""
    uncorrected = min(1.0, tails * float(family.densities(u)[0]))
    return min(1.0, -np.expm1(-tails * expected(family, resels, u)), n * uncorrected)


def cluster(family: Family, resels: np.ndarray, u: float, k: float, tails: int, dimension: int) -> float:
    """Corrected p of a cluster of k resels above u."""
    rho = family.densities(u)
    number = float(resels @ rho)
    extent = rho[0] / rho[dimension]
    beta = (gamma(dimension / 2 + 1) / extent) ** (2 / dimension)
    return -np.expm1(-tails * number * np.exp(-beta * k ** (2 / dimension)))
