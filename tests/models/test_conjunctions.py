"""Conjunctions of contrasts: the largest p of the members in one direction, and the statistic that has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtr

from specgl.design import Conjunction, Design
from specgl.design.records import Block
from specgl.engines import Threads
from specgl.models import LeastSquares, contrast_maps, fit, letters_of

Make = Callable[..., object]
ONE = Threads(1)
MEMBERS = {"a": [1.0, 0.0, 0.0], "b": [0.0, 1.0, 0.0], "c": [1.0, 1.0, 0.5]}
ALTERNATIVES = ("two-sided", "greater", "less")


@pytest.fixture
def study(make_design: Make, make_data: Make) -> tuple[Design, xr.Dataset]:
    """Two groups and a covariate; effects of all signs, 40 locations."""
    rng = np.random.default_rng(3)
    codes = np.repeat([0, 1], 9)
    matrix = np.column_stack([np.eye(2)[codes], rng.standard_normal(18)])
    y = rng.standard_normal((18, 40)) + matrix @ rng.standard_normal((3, 40)) * 1.5
    return make_design(matrix, t=MEMBERS), make_data(y)


def joined(design: Design, *members: str, alternative: str = "two-sided") -> Design:
    return replace(design, conjunctions=(Conjunction("both", members, alternative),))


def maps_of(data: xr.Dataset, design: Design) -> xr.Dataset:
    return contrast_maps(fit(data, design, engine=ONE), design, engine=ONE)


def in_direction(design: Design, alternative: str) -> Design:
    return replace(design, contrasts=tuple(replace(c, alternative=alternative) for c in design.contrasts))


def assert_joins(maps: xr.Dataset, alone: xr.Dataset, members: tuple[str, ...], alt: str) -> None:
    """The definition, location by location, from the members tested in the conjunction's direction."""
    both = maps.sel(contrast="both")
    for place in range(maps.sizes["location"]):
        here = alone.sel(contrast=list(members)).isel(location=place)
        z, p = here["z"].values, here["p"].values
        got = {name: float(both[name][place]) for name in ("stat", "z", "p")}
        if np.isnan(z).any():
            assert all(np.isnan(value) for value in got.values())
            continue
        if alt == "two-sided" and not ((z > 0).all() or (z < 0).all()):
            assert got == {"stat": 0.0, "z": 0.0, "p": 1.0}
            continue
        assert got["p"] == p.max()
        # Which member has the largest p is told by z as well; equal p may be told by either of two.
        chosen = {"greater": z.min(), "less": z.max(), "two-sided": z[np.argmin(np.abs(z))]}[alt]
        assert got["z"] == chosen
        assert got["stat"] in here["stat"].values[z == chosen]


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("members", [("a", "b"), ("c", "a", "b")])
def test_it_is_the_least_of_its_members(study: tuple, members: tuple[str, ...], alternative: str) -> None:
    design, data = study
    maps = maps_of(data, joined(design, *members, alternative=alternative))
    alone = maps_of(data, in_direction(design, alternative))
    assert_joins(maps, alone, members, alternative)
    # The statistic is t, of whose degrees of freedom and tails p and z are.
    both = maps.sel(contrast="both")
    assert both["kind"] == "t"
    assert both["dof1"] == 1
    assert maps["dof"].item() == 15
    assert (both["p"].values == 1.0).any() == (alternative == "two-sided")


def test_it_stands_after_the_contrasts_and_changes_none(study: tuple) -> None:
    design, data = study
    plain, maps = maps_of(data, design), maps_of(data, joined(design, "a", "b", alternative="less"))
    assert maps["contrast"].values.tolist() == ["a", "b", "c", "both"]
    assert maps["alternative"].values.tolist() == ["two-sided"] * 3 + ["less"]
    for name in ("effect", "variance", "stat", "z", "p", "cohen_d"):
        assert_array_equal(maps[name][:3], plain[name])
    for name in ("effect", "variance", "cohen_d"):
        assert maps[name][3].isnull().all()


def test_the_directions_of_members_do_not_matter(study: tuple) -> None:
    design, data = study
    want = maps_of(data, joined(design, "a", "b", alternative="greater")).isel(contrast=3)
    other = maps_of(data, joined(in_direction(design, "less"), "b", "a", alternative="greater")).isel(
        contrast=3
    )
    assert_array_equal(other["p"], want["p"])
    assert_array_equal(other["stat"], want["stat"])


def test_turned_data_turn_the_direction(study: tuple) -> None:
    design, data = study
    up = maps_of(data, joined(design, "a", "b", alternative="greater")).isel(contrast=3)
    down = maps_of(-data, joined(design, "a", "b", alternative="less")).isel(contrast=3)
    assert_array_equal(down["stat"], -up["stat"])
    assert_array_equal(down["p"], up["p"])


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_groups_with_their_own_variances_are_joined_on_z(study: tuple, alternative: str) -> None:
    design, data = study
    design = replace(design, variance_groups=Block("scanner", np.repeat([0, 1], 9), ("g0", "g1")))
    maps = maps_of(data, joined(design, "a", "b", alternative=alternative))
    alone = maps_of(data, in_direction(design, alternative))
    both = maps.sel(contrast="both")
    assert both["kind"] == "z"
    assert_array_equal(both["stat"], both["z"])
    assert both["dof"].isnull().all()
    p, z = alone["p"].sel(contrast=["a", "b"]).values, alone["z"].sel(contrast=["a", "b"]).values
    apart = (z.min(axis=0) < 0) & (z.max(axis=0) > 0) & (alternative == "two-sided")
    assert_array_equal(both["p"], np.where(apart, 1.0, p.max(axis=0)))
    # z and p are one thing: rounding of two ways through logarithms.
    tail = {"greater": -both["z"], "less": both["z"], "two-sided": -np.abs(both["z"])}[alternative]
    sides = 2 if alternative == "two-sided" else 1
    assert_allclose(both["p"], np.minimum(sides * ndtr(tail), 1.0), rtol=1e-10)
    assert letters_of(joined(design, "a", "b"), LeastSquares()) == {"a": "v", "b": "v", "c": "v", "both": "z"}


def test_what_one_member_lacks_the_conjunction_lacks(study: tuple) -> None:
    design, data = study
    y = data["effect"].values.copy()
    y[:9, :4] = np.nan  # the first group is not there
    y[0, 10] = np.nan
    maps = maps_of(
        data.assign(effect=(data["effect"].dims, y)), joined(design, "a", "b", alternative="greater")
    )
    assert np.isnan(maps["p"].sel(contrast=["a", "both"]).values[:, :4]).all()
    assert np.isfinite(maps["p"].sel(contrast="b").values[:4]).all()
    assert np.isfinite(maps["p"].sel(contrast="both").values[4:]).all()
    assert maps["not_estimable"].sel(contrast="both") == 4
    assert maps["dof"].dims == ("location",)
    assert maps["kind"].sel(contrast="both") == "t"  # degrees of freedom vary, but are the members' own


def test_far_tails_keep_their_order(make_design: Make, make_data: Make) -> None:
    """p underflows to 0; z, and with it which member is least, does not."""
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], 60)
    y = 1e-3 * rng.standard_normal((120, 3)) + np.array([[400.0], [500.0]])[codes]
    design = joined(
        make_design(np.eye(2)[codes], t={"a": [1, 0], "b": [0, 1]}), "a", "b", alternative="greater"
    )
    maps = maps_of(make_data(y), design)
    assert (maps["p"].sel(contrast="both") == 0).all()
    assert_array_equal(maps["z"].sel(contrast="both"), maps["z"].sel(contrast="a"))
    assert (maps["z"].sel(contrast="a") < maps["z"].sel(contrast="b")).all()
