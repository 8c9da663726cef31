"""The design's rank and the fit's are one decision, on columns that are nearly dependent too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from specgl.design import Categorical, Continuous, ContrastRequest, Rows, Table, build
from specgl.engines import Threads
from specgl.kernels.ols import factorise_patterns
from specgl.kernels.rank import column_ranks
from specgl.models import contrast_maps, fit


@pytest.mark.parametrize("spread", [5.0, 1.0])
def test_degrees_of_freedom_are_those_of_the_design(spread: float) -> None:
    """Powers of a raw year: 2e-10 is left of the cube, its singular value is 1e-11 of the largest."""
    rng = np.random.default_rng(0)
    n = 30
    year = np.round(2010 + spread * rng.normal(size=n), 4)
    frame = pd.DataFrame({"year": [str(v) for v in year], "group": ["a", "b"] * (n // 2)})
    frame.index = pd.Index([f"s{i}" for i in range(n)])
    table = Table(Path("t.tsv"), "t.tsv", frame, tuple(range(2, n + 2)), {"year": 1, "group": 2})
    design = build(
        Rows(table, tuple(frame.index)),
        variables={"year": Continuous(center="none"), "group": Categorical()},
        formula="group + year + I(year**2) + I(year**3)",
        block=None,
        contrasts=[ContrastRequest("g", ("contrasts", "g"), hypotheses=("group[b] - group[a]",))],
    )
    y = rng.normal(size=(n, 3))
    data = xr.Dataset(
        {"effect": (("observation", "location"), y)}, coords={"observation": list(design.observations)}
    )
    fitted = fit(data, design, engine=Threads(1))
    assert (fitted.dof, design.dof) == (n - 5, n - 5)
    # The same column space, written well.
    tidy = np.column_stack([np.arange(n) % 2, np.vander((year - 2010) / spread, 4)])
    inverse = np.linalg.pinv(tidy)
    rss = ((y - tidy @ (inverse @ y)) ** 2).sum(axis=0)
    t = (inverse @ y)[0] / np.sqrt((inverse @ inverse.T)[0, 0] * rss / (n - 5))
    # The cube of a raw year has lost ten of sixteen digits.
    np.testing.assert_allclose(contrast_maps(fitted, design)["stat"][0], t, rtol=1e-4)


def test_ranks_of_many_matrices_at_once() -> None:
    rng = np.random.default_rng(1)
    three = rng.normal(size=(4, 3))
    wide = np.column_stack(
        [three[:, 0], three[:, 0], three[:, 1], np.zeros(4), three[:, 2], three.sum(axis=1)]
    )
    narrow = np.zeros((4, 6))
    narrow[:, 4] = 1.0
    columns = np.stack([wide, narrow, rng.normal(size=(4, 6))])
    lengths = np.linalg.norm(columns, axis=1, keepdims=True)
    assert column_ranks(columns / np.where(lengths > 0, lengths, 1.0)).tolist() == [3, 1, 4]


def test_fewer_rows_than_columns_have_the_rank_of_rows() -> None:
    x = np.random.default_rng(2).normal(size=(6, 4))
    present = np.ones((2, 6), dtype=bool)
    present[1, 3:] = False
    assert factorise_patterns(x, None, present).geometry.rank.tolist() == [4, 3]
