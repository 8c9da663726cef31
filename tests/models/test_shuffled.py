"""Statistics of data and design by name, against those of the model itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

from specgl.design.records import Block, Design
from specgl.engines import Threads
from specgl.errors import ComputationError
from specgl.kernels.shuffles import build_tree
from specgl.kernels.statistics import ShuffledStatistic
from specgl.models import contrast_maps, fit
from specgl.models.schemes import make_schemes
from specgl.models.shuffled import shuffled_model

MakeDesign = Callable[..., Design]
MakeData = Callable[..., xr.Dataset]
N = 12


def matrix() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.column_stack([np.ones(N), np.repeat([0.0, 1], 6), rng.standard_normal(N)])


def shuffled(data: xr.Dataset, design: Design, **more: object) -> dict[str, ShuffledStatistic]:
    tree = build_tree(N)
    schemes = make_schemes(design, tree, exchange=None, n=40, seed=2, nuisance="freedman_lane")
    return dict(shuffled_model(data, design, schemes, nuisance="freedman_lane", **more))


@pytest.fixture
def design(make_design: MakeDesign) -> Design:
    return make_design(
        matrix(), t={"mean": [1, 0.5, 0], "group": [0, 1, 0]}, f={"both": [[0, 1, 0], [0, 0, 1]]}
    )


@pytest.fixture
def y() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((N, 50)) + 10


def check_observed(data: xr.Dataset, design: Design, found: dict[str, ShuffledStatistic], kinds: str) -> None:
    maps = contrast_maps(fit(data, design, engine=Threads(1)), design)
    assert [found[name].kind for name in ("mean", "group", "both")] == list(kinds)
    for name, statistic in found.items():
        stat, z = (maps[what].sel(contrast=name).values for what in ("stat", "z"))
        here = np.isfinite(stat)
        assert_allclose(statistic.observed[here], stat[here], rtol=1e-9, atol=1e-9)
        assert_allclose(statistic.observed_z[here], z[here], rtol=1e-9, atol=1e-9)


def test_complete_data(design: Design, y: np.ndarray, make_data: MakeData) -> None:
    data = make_data(y)
    found = shuffled(data, design)
    check_observed(data, design, found, "ttF")
    assert [type(s).__name__ for s in found.values()] == ["PooledStatistic"] * 3
    assert found["mean"].source.data is found["group"].source.data


def test_rows_meet_maps_by_name(design: Design, y: np.ndarray, make_data: MakeData) -> None:
    order = np.random.default_rng(3).permutation(N)
    straight = shuffled(make_data(y), design)
    turned = shuffled(make_data(y[order], [f"sub-{i:02}" for i in order]), design)
    for name in straight:
        assert_array_equal(straight[name].observed, turned[name].observed)
    with pytest.raises(ComputationError, match="E401"):
        shuffled(make_data(y[:-1]), design)


def test_one_missing_value_makes_all_available(design: Design, y: np.ndarray, make_data: MakeData) -> None:
    y[3, 7] = np.nan
    data = make_data(y)
    found = shuffled(data, design)
    assert [type(s).__name__ for s in found.values()] == ["AvailableStatistic"] * 3
    assert all(s.varying for s in found.values())
    check_observed(data, design, found, "ttF")
    mask = np.arange(50) != 7  # where it is not analysed, it does no harm
    left = shuffled(data, design, analysed=dict.fromkeys(found, mask))
    assert [type(s).__name__ for s in left.values()] == ["PooledStatistic"] * 3
    assert left["mean"].observed[7] == 0
    one = shuffled(data, design, analysed={"mean": mask, "group": mask, "both": np.ones(50, dtype=bool)})
    assert [type(s).__name__ for s in one.values()] == ["AvailableStatistic"] * 3


def test_variance_groups(design: Design, y: np.ndarray, make_data: MakeData) -> None:
    data = make_data(y)
    two = Block("site", np.tile([0, 1, 1], 4), ("a", "b"))
    grouped = replace(design, variance_groups=two)
    check_observed(data, grouped, shuffled(data, grouped), "vvG")
    single = replace(design, variance_groups=Block("site", np.zeros(N, dtype=np.int64), ("a",)))
    check_observed(data, single, shuffled(data, single), "ttF")


def test_huh_jhun_refuses_missing_observations(design: Design, y: np.ndarray, make_data: MakeData) -> None:
    # Its shuffles have fewer rows than there are observations: they would be read past their end.
    one = replace(design, contrasts=design.contrasts[1:2])
    schemes = make_schemes(one, build_tree(N), exchange=None, n=40, seed=2, nuisance="huh_jhun")
    y[3, 7] = np.nan
    with pytest.raises(ValueError, match="Huh-Jhun"):
        shuffled_model(make_data(y), one, schemes, nuisance="huh_jhun")
    elsewhere = {"group": np.arange(50) != 7}
    found = shuffled_model(make_data(y), one, schemes, elsewhere, nuisance="huh_jhun")
    assert found["group"].n_obs == N - 2
