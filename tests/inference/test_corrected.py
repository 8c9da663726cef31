"""Logarithms of corrected p-values where float64 has none of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from specgl.inference.corrected import correct, neglog10
from specgl.kernels.multiplicity import ADJUST


def test_logarithms_of_p_come_from_z_where_p_underflows():
    z = np.array([50.0, 2.0, -45.0, np.nan])
    p = 2 * norm.sf(np.abs(z))
    logs = neglog10(p, z, "two-sided")
    expected = -(norm.logsf(np.abs(z)) + np.log(2)) / np.log(10)
    np.testing.assert_allclose(logs, expected, rtol=1e-13)
    assert p[0] == 0
    assert str(neglog10(np.ones(1), np.zeros(1), "two-sided")[0]) == "0.0"


@pytest.mark.parametrize("kind", ["greater", "less"])
def test_logarithms_of_one_tail(kind):
    sign = {"greater": 1.0, "less": -1.0}[kind]
    logs = neglog10(np.zeros(1), np.array([sign * 60.0]), kind)
    np.testing.assert_allclose(logs, -norm.logsf(60) / np.log(10), rtol=1e-13)


def test_bonferroni_by_hand():
    logs = np.array([1000.0, 700.0, 350.0, 10.0, 0.1])
    _, logp = correct(10.0**-logs, logs, ADJUST["bonferroni"])
    np.testing.assert_allclose(logp[:4], logs[:4] - np.log10(5), rtol=1e-14)
    assert logp[4] == 0


def test_bh_by_hand():
    # The second's own m p / 2 is above the third's m p / 3: its minimum is taken beyond its band.
    logs = np.array([2000.0, 440.0, 439.9, 3.0])
    _, logp = correct(10.0**-logs, logs, ADJUST["fdr_bh"])
    expected = [2000 - np.log10(4), 439.9 - np.log10(4 / 3), 439.9 - np.log10(4 / 3), 3.0]
    np.testing.assert_allclose(logp, expected, rtol=1e-14)


@pytest.mark.parametrize("name", ADJUST)
@settings(max_examples=40)
@given(
    decades=st.lists(st.floats(15, 280), min_size=1, max_size=8),
    shift=st.floats(0, 4000),
)
def test_same_as_within_range_but_for_the_scale(name, decades, shift):
    logs = np.array(decades)
    # Far below 1 the corrected logarithms of scaled p-values are those of the p-values, shifted.
    _, near = correct(10.0**-logs, logs, ADJUST[name])
    _, far = correct(10.0 ** -(logs + shift), logs + shift, ADJUST[name])
    np.testing.assert_allclose(far - shift, near, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ADJUST)
def test_logarithms_follow_the_order(name):
    logs = np.sort(10 ** np.random.default_rng(0).uniform(-2, 3.5, 500))
    corrected, logp = correct(10.0**-logs, logs, ADJUST[name])
    assert np.all(np.isfinite(logp))
    assert np.all(np.diff(logp) >= -1e-9)
    usual = corrected > 1e-250
    np.testing.assert_allclose(10 ** -logp[usual], corrected[usual], rtol=1e-12)
