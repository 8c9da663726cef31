"""EC densities from their definition, by the Gaussian kinematic formula, not by the printed closed forms.

Taylor 2006 (doi:10.1214/009117905000000594): a field ``T = F(Z_1 .. Z_k)`` of independent unit Gaussian
fields exceeds u where (Z_1 .. Z_k) lies in a set H, and the densities are the coefficients in the expansion
of the Gaussian measure of the tube of radius r around H:
``P(tube(H, r)) = sum_j (2 pi)^(j/2) rho_j r^j / j!``. What follows is that probability, differentiated by
hand under an integral over the length of the vector of residuals, and summed by quadrature.

Gradients of the unit fields have variance 1 there; a resel has 4 ln 2, whence the factor.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy import stats

RESEL = 4 * np.log(2)
NODES = np.polynomial.legendre.leggauss(400)
"""Of Gauss and Legendre's rule, with their weights; 200 give the same twelve digits."""


def _of_chi(x: Any, k: float) -> list[Any]:
    """Derivatives of the survival function of |(Z_1 .. Z_k)|, alternating in sign: (−d/dx)^j, j = 0 to 3."""
    f = stats.chi.pdf(x, k)
    slope = (k - 1) / x - x
    return [stats.chi.sf(x, k), f, -f * slope, f * (slope**2 - (k - 1) / x**2 - 1)]


def _of_normal(x: Any) -> list[Any]:
    """The same of one Gaussian."""
    f = stats.norm.pdf(x)
    return [stats.norm.sf(x), f, x * f, (x**2 - 1) * f]


def _over_length(nu: float, slope: float, terms: Callable[[Any], list[Any]]) -> list[float]:
    """Expectation over s, the length of nu Gaussians, of the terms at ``slope * s``."""
    high = stats.chi.isf(1e-18, nu)
    if slope:
        high = min(high, 38 / abs(slope))  # beyond, the terms are less than any float
    nodes, weights = NODES
    s = high * (nodes + 1) / 2
    return list(np.array(terms(slope * s)) @ (weights * high / 2 * stats.chi.pdf(s, nu)))


@cache
def densities(kind: str, u: float, dof1: float = 1.0, dof: float = np.inf) -> np.ndarray:
    """EC densities per resel of dimension 0 to 3 at height u, (4,); kinds z, t, F and chi2 (dof1)."""
    stretch = 1.0
    if kind == "z":
        terms = _of_normal(u)
    elif kind == "chi2":
        terms = _of_chi(np.sqrt(u), dof1)
    elif kind == "t":
        stretch = np.sqrt(1 + u**2 / dof)
        terms = _over_length(dof, u / np.sqrt(dof), _of_normal)
    else:
        slope = np.sqrt(u * dof1 / dof)
        stretch = np.sqrt(1 + slope**2)
        terms = _over_length(dof, slope, lambda x: _of_chi(x, dof1))
    return np.array([(stretch * np.sqrt(RESEL / (2 * np.pi))) ** j * terms[j] for j in range(4)])
