"""Variances between observations from moments, at one location.

All methods compare sums of squared weighted residuals ``e = M sqrt(w) y``, with ``M = I - QQ'`` (see
`place`), with what they are expected to be. With weights ``1/S`` that is DerSimonian and Laird's (1986,
doi:10.1016/0197-2456(86)90046-2), with equal weights Hedges' (1983, doi:10.1037/0033-2909.93.2.388), and with
weights ``1 / (S + tau2)`` Paule and Mandel's (1982, doi:10.6028/jres.087.022); see DerSimonian and Kacker
(2007, doi:10.1016/j.cct.2006.04.004). Several groups have an equation each, the sum over their observations.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.compiled import compiled
from specgl.kernels.estimators.place import Place, set_free, set_weights, whiten
from specgl.kernels.estimators.solving import solve

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

STEPS = 500
"""Most steps of a solution by Paule and Mandel's equations; some five are usual for one group."""

TOLERANCE = 1e-11
"""A step of less than this share of tau2 ends the search."""

_NOUGHT = 1e-13  # share of the typical variance that is nothing
_CALM = 30  # steps of several groups after which half of a step is made


class Equations(NamedTuple):
    """Linear equations for G groups. Written by compiled functions.

    Attributes
    ----------
    plain, weighted
        ``(G, k, k)`` products of Q with itself over each group, and the same weighted.
    total
        ``(k, k)`` products of Q with itself, weighted by ``w S``.
    left, matrix
        ``(G, G)`` what each equation's sum gains for each tau2, and room for some of them.
    right, solution
        ``(G,)`` what is to be explained, and the solution of some equations.
    active
        ``(G,)`` the groups whose tau2 is not 0.
    """

    plain: Floats
    weighted: Floats
    total: Floats
    left: Floats
    matrix: Floats
    right: Floats
    solution: Floats
    active: Integers


def make_equations(n_groups: int, k: int) -> Equations:
    """Room for the equations."""
    return Equations(
        plain=np.empty((n_groups, k, k)),
        weighted=np.empty((n_groups, k, k)),
        total=np.empty((k, k)),
        left=np.empty((n_groups, n_groups)),
        matrix=np.empty((n_groups, n_groups)),
        right=np.empty(n_groups),
        solution=np.empty(n_groups),
        active=np.empty(n_groups, dtype=np.int64),
    )


@compiled
def solve_moments(
    place: Place, tau2: Floats, groups: Integers, sizes: Integers, precise: bool, equations: Equations
) -> bool:
    """Solve the linear equations in place, with weights 1/S if `precise`, else equal ones; whether solved."""
    for i in range(place.weights.size):
        place.weights[i] = 1.0 / place.variances[i] if precise else 1.0
    if not whiten(place):
        return False
    set_free(place)
    if tau2.size == 1:
        return bool(_one_group(place, tau2))
    _set_up(place, groups, equations)
    return bool(_solve_active(tau2, sizes, equations))


@compiled
def _solve_active(tau2: Floats, sizes: Integers, equations: Equations) -> bool:
    """Solve for all groups, then without those that would be negative, until none is; whether solved."""
    active = 0
    for g in range(tau2.size):
        tau2[g] = 0.0
        if sizes[g] > 0:
            equations.active[active] = g
            active += 1
    while active > 0:
        for f in range(active):
            equations.solution[f] = equations.right[equations.active[f]]
            for other in range(active):
                equations.matrix[f, other] = equations.left[equations.active[f], equations.active[other]]
        if not solve(equations.matrix, equations.solution, active):
            return False
        kept = 0
        for f in range(active):
            if equations.solution[f] >= 0.0:
                equations.active[kept] = equations.active[f]
                equations.solution[kept] = equations.solution[f]
                kept += 1
        if kept == active:
            for f in range(active):
                tau2[equations.active[f]] = equations.solution[f]
            return True
        active = kept
    return True


@compiled
def _one_group(place: Place, tau2: Floats) -> bool:
    """One equation: M is idempotent, so that its sums are of single terms."""
    k = place.factor.shape[0]
    left, right = 0.0, 0.0
    for i in range(place.weights.size):
        e, free = place.white[k, i], place.weights[i] * place.free[i]
        left += free
        right += e * e - place.variances[i] * free
    tau2[0] = max(0.0, right / left)
    return math.isfinite(right) and left > 0.0


@compiled
def _set_up(place: Place, groups: Integers, equations: Equations) -> None:
    """Equation g: ``sum_g e^2 = sum over i in g, j of M_ij^2 w_j (S_j + tau2_j)``."""
    k, n_groups = place.factor.shape[0], equations.right.size
    equations.plain[:] = 0.0
    equations.weighted[:] = 0.0
    equations.total[:] = 0.0
    equations.left[:] = 0.0
    equations.right[:] = 0.0
    for i in range(place.weights.size):
        g, w, e = groups[i], place.weights[i], place.white[k, i]
        known = w * place.variances[i]
        own = 2.0 * place.free[i] - 1.0  # M_ii^2 = (1 - h)^2, and h^2 is among the products of Q
        equations.left[g, g] += w * own
        equations.right[g] += e * e - known * own
        for a in range(k):
            for b in range(k):
                product = place.white[a, i] * place.white[b, i]
                equations.plain[g, a, b] += product
                equations.weighted[g, a, b] += w * product
                equations.total[a, b] += known * product
    for g in range(n_groups):
        for a in range(k):
            for b in range(k):
                equations.right[g] -= equations.plain[g, a, b] * equations.total[a, b]
                for h in range(n_groups):
                    equations.left[g, h] += equations.plain[g, a, b] * equations.weighted[h, a, b]


@compiled
def solve_paule_mandel(
    place: Place, tau2: Floats, groups: Integers, sizes: Integers, sums: Floats
) -> tuple[bool, int]:
    """Solve ``sum_g e^2 = sum_g (1 - h)``, in place; whether solved, and in how many steps.

    A group's step is Newton's for the reciprocal of the sum, as for secular equations (Reinsch 1971,
    doi:10.1007/BF01403049): for one group it is concave in tau2, so that steps from 0 never pass the root.
    With several groups the others' share in a sum is held, and renewed by the next step.

    Parameters
    ----------
    sums
        ``(G, 3)`` room for the sums of each group.
    """
    k, n, n_groups = place.factor.shape[0], place.weights.size, tau2.size
    precision = 0.0
    for i in range(n):
        precision += 1.0 / place.variances[i]
    nought = _NOUGHT * n / precision
    tau2[:] = 0.0
    for step in range(1, STEPS + 1):
        set_weights(place, tau2, groups)
        if not whiten(place):
            return False, step
        set_free(place)
        sums[:] = 0.0
        for i in range(n):
            g, e = groups[i], place.white[k, i]
            sums[g, 0] += e * e
            sums[g, 1] += place.free[i]
            sums[g, 2] += place.weights[i] * e * e
        settled = True
        for g in range(n_groups):
            if sizes[g] == 0 or (tau2[g] == 0.0 and sums[g, 0] <= sums[g, 1]):
                continue
            change = (
                sums[g, 0] * (sums[g, 0] / sums[g, 1] - 1.0) / sums[g, 2] if sums[g, 2] > 0.0 else -tau2[g]
            )
            if n_groups > 1 and step > _CALM:
                change *= 0.5
            fresh = max(0.0, tau2[g] + change)
            settled &= abs(fresh - tau2[g]) <= TOLERANCE * fresh + nought
            tau2[g] = fresh
        if settled:
            return True, step
    return False, STEPS
