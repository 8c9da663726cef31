from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
import xarray as xr

from specgl.design.records import Block, Contrast, Design
from specgl.kernels.ols import factorise

Weights = Sequence[Sequence[float]] | Sequence[float]


def _contrast(name: str, weights: Weights, kind: str, alternative: str) -> Contrast:
    return Contrast(name, np.atleast_2d(np.asarray(weights, dtype=float)), kind, alternative, (name,))


@pytest.fixture(scope="session")
def make_design() -> Callable[..., Design]:
    """A design from a matrix: t contrasts by name, F contrasts by name, blocks by code."""

    def make(
        matrix: np.ndarray,
        *,
        t: Mapping[str, Weights] | None = None,
        f: Mapping[str, Weights] | None = None,
        alternative: str = "two-sided",
        blocks: np.ndarray | None = None,
        observations: Sequence[str] | None = None,
    ) -> Design:
        n = len(matrix)
        rank = factorise(matrix, blocks).rank
        block = None if blocks is None else Block("subject", blocks, tuple(str(b) for b in set(blocks)))
        contrasts = [_contrast(name, w, "t", alternative) for name, w in (t or {}).items()]
        contrasts += [_contrast(name, w, "F", "two-sided") for name, w in (f or {}).items()]
        ids = tuple(observations or (f"sub-{i:02}" for i in range(n)))
        return Design(matrix, (), ids, tuple(contrasts), block, rank, n - rank, "x", {})

    return make


@pytest.fixture(scope="session")
def make_data() -> Callable[..., xr.Dataset]:
    """Data of a group from an array of (n_obs, n_loc)."""

    def make(y: np.ndarray, observations: Sequence[str] | None = None) -> xr.Dataset:
        ids = list(observations or (f"sub-{i:02}" for i in range(len(y))))
        return xr.Dataset(
            {"effect": (("observation", "location"), y)},
            coords={"observation": ids, "i": ("location", np.arange(y.shape[1]))},
        )

    return make
