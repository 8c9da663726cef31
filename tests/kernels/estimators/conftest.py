"""Small problems with first-level variances, and the textbook's matrices for one location."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest


class Problem(NamedTuple):
    """Data of some locations: ``basis (1, n, k)``, ``y`` and ``variances (n, m)``, ``groups (n,)``."""

    basis: np.ndarray
    y: np.ndarray
    variances: np.ndarray
    groups: np.ndarray


def make_problem(
    seed: int,
    *,
    n: int = 12,
    k: int = 2,
    m: int = 7,
    n_groups: int = 1,
    between: float = 0.8,
    ratio: float = 30.0,
) -> Problem:
    """Data with a tau2 of up to `between` times the variances, which differ by `ratio`."""
    rng = np.random.default_rng(seed)
    columns = np.column_stack([np.ones(n), rng.standard_normal((n, k))])[:, :k]
    basis = np.linalg.qr(columns)[0]
    variances = ratio ** rng.uniform(-0.5, 0.5, (n, m))
    tau2 = between * rng.uniform(0, 1, m)
    y = columns @ rng.standard_normal((k, m)) + rng.standard_normal((n, m)) * np.sqrt(variances + tau2)
    return Problem(basis[None], y, variances, np.arange(n) % n_groups)


@pytest.fixture(scope="session")
def problem() -> Callable[..., Problem]:
    """Maker of problems from a seed."""
    return make_problem


@pytest.fixture(scope="session")
def projector() -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """``P = W - W U (U'WU)^-1 U'W`` of one location, from a basis ``(n, k)`` and weights ``(n,)``."""

    def make(basis: np.ndarray, weights: np.ndarray) -> np.ndarray:
        heavy = weights[:, None] * basis
        return np.diag(weights) - heavy @ np.linalg.solve(basis.T @ heavy, heavy.T)

    return make
