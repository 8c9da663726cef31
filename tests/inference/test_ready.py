"""Ready-made maps as statistics, against scipy's distributions."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from specgl.errors import ImageError
from specgl.inference import READY, stats_from_map
from specgl.inference.ready import BOUNDS, N_DOF

# scipy's own tails hold about twelve digits in the range tried here.
CLOSE = {"rtol": 1e-10, "atol": 0.0}


def rows(data):
    return {name: data[name].values[0] for name in ("stat", "z", "p")}


def test_tables_have_the_same_keys():
    assert READY.keys() == BOUNDS.keys() == N_DOF.keys() == {"z", "t", "F", "chi2", "p"}


@settings(max_examples=30)
@given(values=st.lists(st.floats(-6, 6), min_size=1, max_size=8))
def test_z(values):
    values = np.array(values)
    found = rows(stats_from_map("motor", values, "z"))
    np.testing.assert_array_equal(found["stat"], values)
    np.testing.assert_array_equal(found["z"], values)
    np.testing.assert_allclose(found["p"], 2 * reference.norm.sf(np.abs(values)), **CLOSE)


@settings(max_examples=30)
@given(values=st.lists(st.floats(-6, 6), min_size=1, max_size=8), dof=st.integers(3, 60))
def test_t(values, dof):
    values = np.array(values)
    data = stats_from_map("motor", values, "t", dof)
    found = rows(data)
    np.testing.assert_allclose(found["p"], 2 * reference.t.sf(np.abs(values), dof), **CLOSE)
    expected = np.sign(values) * reference.norm.isf(reference.t.sf(np.abs(values), dof))
    # isf near its median loses what sf has rounded away.
    np.testing.assert_allclose(found["z"], expected, rtol=1e-9, atol=1e-12)
    assert data["dof"].values.tolist() == [dof]


@settings(max_examples=30)
@given(values=st.lists(st.floats(1e-3, 200), min_size=1, max_size=8), dof=st.integers(1, 30))
def test_chi2(values, dof):
    values = np.array(values)
    data = stats_from_map("deviance", values, "chi2", dof)
    found = rows(data)
    np.testing.assert_array_equal(found["stat"], values)
    np.testing.assert_allclose(found["p"], reference.chi2.sf(values, dof), **CLOSE)
    upper, lower = reference.chi2.sf(values, dof), reference.chi2.cdf(values, dof)
    expected = np.where(upper < lower, reference.norm.isf(upper), -reference.norm.isf(lower))
    # isf near its median loses what sf has rounded away.
    np.testing.assert_allclose(found["z"], expected, rtol=1e-8, atol=1e-9)
    assert data["kind"].values.tolist() == ["chi2"]
    assert data["dof1"].values.tolist() == [dof]
    assert np.isnan(data["dof"].values).all()


def test_chi2_has_a_finite_z_wherever_its_p_is_none():
    values = np.array([0.0, 1e-200, 0.1, 5.0, 500.0, 3000.0, 1e5])
    found = rows(stats_from_map("deviance", values, "chi2", 12))
    assert np.isfinite(found["z"]).all()
    assert (np.diff(found["z"]) >= 0).all()
    assert (np.diff(found["z"][2:]) > 0).all()


def test_one_degree_of_freedom_is_the_square_of_z():
    z = np.array([0.5, 1.0, 2.5, 8.0, 50.0])
    squared = rows(stats_from_map("a", z * z, "chi2", 1))
    np.testing.assert_allclose(squared["p"], rows(stats_from_map("b", z, "z"))["p"], rtol=1e-9, atol=0)


def test_f():
    values = np.array([0.1, 1.0, 4.5, 30.0])
    data = stats_from_map("motor", values, "F", [3, 17])
    np.testing.assert_allclose(rows(data)["p"], reference.f.sf(values, 3, 17), **CLOSE)
    assert data["dof1"].values.tolist() == [3]
    assert data["dof"].values.tolist() == [17]
    assert data["kind"].values.tolist() == ["F"]


@pytest.mark.parametrize(
    ("alternative", "z_of"),
    [
        ("two-sided", lambda p: reference.norm.isf(p / 2)),
        ("greater", reference.norm.isf),
        ("less", reference.norm.ppf),
    ],
)
def test_p(alternative, z_of):
    p = np.array([1.0, 0.5, 0.01, 1e-12])[1:]
    data = stats_from_map("motor", p, "p", alternative=alternative)
    np.testing.assert_array_equal(rows(data)["p"], p)
    np.testing.assert_allclose(rows(data)["z"], z_of(p), rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(rows(data)["stat"], rows(data)["z"])
    assert data["kind"].values.tolist() == ["z"], "so that a higher peak is a stronger one"


def test_a_p_that_underflowed_stays_finite():
    found = rows(stats_from_map("motor", np.array([0.0, 1.0]), "p"))
    assert found["z"][0] == pytest.approx(38.47, abs=0.01)
    assert found["p"].tolist() == [0, 1], "what was given is kept"
    assert found["z"][1] == 0


@pytest.mark.parametrize(("alternative", "tail"), [("greater", 1), ("less", -1)])
def test_one_sided(alternative, tail):
    values = np.array([-2.0, 0.0, 2.5])
    found = rows(stats_from_map("motor", values, "t", 12, alternative=alternative))
    np.testing.assert_allclose(found["p"], reference.t.sf(tail * values, 12), **CLOSE)


@pytest.mark.parametrize(
    ("statistic", "dof"), [("z", None), ("t", 5), ("F", (2, 9)), ("chi2", 3), ("p", None)]
)
def test_nan_is_not_analysed(statistic, dof):
    data = stats_from_map("motor", np.array([np.nan, 0.4]), statistic, dof)
    for row in rows(data).values():
        assert np.isnan(row).tolist() == [True, False]


@pytest.mark.parametrize(
    ("values", "statistic", "dof"),
    [
        ([0.5, 1.2], "p", None),
        ([-0.1, 0.2], "p", None),
        ([1.0, -2.0], "F", [1, 9]),
        ([1.0, -2.0], "chi2", 3),
        ([1.0, np.inf], "z", None),
        ([1.0, -np.inf], "t", 9),
        ([np.nan, np.nan], "z", None),
    ],
)
def test_values_of_another_statistic_are_refused(values, statistic, dof):
    with pytest.raises(ImageError, match="map 'motor'"):
        stats_from_map("motor", np.array(values), statistic, dof)


@pytest.mark.parametrize(
    ("statistic", "dof"),
    [
        ("z", 9),
        ("p", 9),
        ("t", None),
        ("t", [2, 9]),
        ("F", 9),
        ("F", None),
        ("t", 0),
        ("F", [2, -1]),
        ("chi2", None),
        ("chi2", 0),
        ("chi2", [2, 9]),
    ],
)
def test_dof_that_do_not_go_with_the_statistic(statistic, dof):
    with pytest.raises(ValueError, match="degrees of freedom"):
        stats_from_map("motor", np.array([0.5]), statistic, dof)


def test_other_misuse():
    with pytest.raises(ValueError, match="no direction"):
        stats_from_map("motor", np.array([0.5]), "F", (1, 9), alternative="greater")
    with pytest.raises(ValueError, match="no direction"):
        stats_from_map("motor", np.array([0.5]), "chi2", 3, alternative="less")
    with pytest.raises(ValueError, match="for each location"):
        stats_from_map("motor", np.ones((2, 2)), "z")


def test_maps_of_different_statistics_go_together():
    values = np.array([0.5, 0.9])
    parts = [
        stats_from_map(*asked) for asked in (("a", values, "z"), ("b", values, "t", 9), ("c", values, "p"))
    ]
    both = xr.concat(parts, dim="contrast")
    assert both["contrast"].values.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(both["dof"], [np.nan, 9, np.nan])
    assert both.sizes == {"contrast": 3, "location": 2}
