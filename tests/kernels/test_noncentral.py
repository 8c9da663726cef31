"""Inverted noncentral t against root finding on scipy's distribution, against integrals, and its laws."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, optimize, special, stats

from specgl.kernels.noncentral import upper_noncentrality

ALPHAS = [0.005, 0.025, 0.05, 0.16, 0.25]
STATS = np.concatenate([-np.geomspace(0.05, 40, 9)[::-1], [0.0], np.geomspace(0.05, 40, 9)])


def lower_tail(t: float, nu: float, delta: float) -> float:
    """``P(T <= t)`` as the mean of a normal's distribution over the density of ``s``."""
    constant = np.log(2) + nu / 2 * np.log(nu / 2) - special.gammaln(nu / 2)

    def part(s: float) -> float:
        return float(np.exp(constant + (nu - 1) * np.log(s) - nu * s * s / 2) * special.ndtr(t * s - delta))

    # The two places where the integrand changes quickly: the middle of s, and the step of the normal.
    marks = sorted({1.0, float(np.clip(delta / t if t else 1.0, 1e-6, 20.0))})
    edges = np.unique(
        [1e-12, *(m * f for m in marks for f in (0.1, 0.5, 0.8, 0.95, 1.0, 1.05, 1.25, 2.0)), 30.0]
    )
    pairs = pairwise(edges)
    return float(sum(integrate.quad(part, a, b, epsabs=1e-14, limit=200)[0] for a, b in pairs))


def standard_error(t: np.ndarray, nu: float) -> np.ndarray:
    """Of the noncentrality, in the normal approximation: the width of 95 % limits is some four of it."""
    return np.sqrt(1 + t * t / (2 * nu))


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("nu", [3.0, 8.0, 19.0, 64.5, 400.0])
def test_it_agrees_with_root_finding_on_scipys_distribution(alpha: float, nu: float) -> None:
    # scipy's distribution function is good to some 1e-9 only out to about t = 15.
    t = STATS[np.abs(STATS) < 15]
    found = upper_noncentrality(t, np.array(nu), alpha)

    def gap(delta: float, at: float) -> float:
        return float(stats.nct.sf(-at, nu, -delta) if delta < 0 else stats.nct.cdf(at, nu, delta)) - alpha

    expected = [
        optimize.brentq(gap, d - 1.0, d + 1.0, args=(at,), xtol=1e-12) for at, d in zip(t, found, strict=True)
    ]
    # A millionth of the width is asked for; that of limits with these alphas is above 1.3 standard errors.
    assert np.max(np.abs(found - expected) / standard_error(t, nu)) < 1e-7


@pytest.mark.parametrize("nu", [1.0, 1.7, 2.5, 12.0, 300.0, 1e4])
@pytest.mark.parametrize("t", [-40.0, -7.0, -0.3, 0.3, 7.0, 40.0])
def test_it_has_the_probability_asked_for_where_libraries_lose_their_digits(nu: float, t: float) -> None:
    for alpha in (0.025, 0.1):
        for dof in (np.array(nu), np.full(1, nu)):
            delta = upper_noncentrality(np.array([t]), dof, alpha)[0]
            # An error of 1e-7 standard errors changes the probability by less than 1e-7 of half.
            assert_allclose(lower_tail(t, nu, delta), alpha, atol=3e-8)


@pytest.mark.parametrize(("alpha", "tolerance"), [(0.025, 1e-7), (0.0005, 1e-5), (0.4995, 1e-8)])
def test_one_number_and_one_for_each_location_agree(alpha: float, tolerance: float) -> None:
    rng = np.random.default_rng(3)
    t = rng.standard_normal(400) * 12
    for nu in (1.0, 2.0, 2.5, 8.0, 9.0, 30.0, 1e4, 1e6):
        one = upper_noncentrality(t, np.array(nu), alpha)
        each = upper_noncentrality(t, np.full(400, nu), alpha)
        # Two tables with different nodes: where they agree, neither has an error of interpolation. They are
        # worst with one degree of freedom and one in two thousand.
        assert np.max(np.abs(one - each) / standard_error(t, nu)) < tolerance


@given(st.floats(1.0, 1e5), st.sampled_from([0.025, 0.25]))
@settings(max_examples=12, deadline=None)
def test_it_increases_with_the_statistic(nu: float, alpha: float) -> None:
    t = np.sort(
        np.concatenate([np.linspace(-45, 45, 2001), np.geomspace(50, 1e6, 50), -np.geomspace(50, 1e6, 50)])
    )
    found = upper_noncentrality(t, np.full(t.size, nu), alpha)
    assert (np.diff(found) > 0).all()
    # The upper limit of an alpha below one half lies above the lower one.
    assert (found > -upper_noncentrality(-t, np.full(t.size, nu), alpha)).all()


@given(st.floats(1.0, 1e5), st.sampled_from([0.025, 0.25]))
@settings(max_examples=12, deadline=None)
def test_it_is_zero_where_the_statistic_is_the_central_quantile(nu: float, alpha: float) -> None:
    t = np.array([special.stdtrit(nu, alpha)])
    # The statistic's own rounding aside, exact: 0 lies within the limits where p says so.
    assert abs(upper_noncentrality(t, np.array([nu]), alpha)[0]) < 3e-7 * standard_error(t, nu)[0]


def test_at_zero_it_is_a_normal_deviate() -> None:
    # P(T <= 0) = P(Z + delta <= 0), whatever the degrees of freedom.
    nu = np.array([1.0, 1.5, 3.0, 20.0, 1e4, np.inf])
    assert_allclose(upper_noncentrality(np.zeros(6), nu, 0.025), -special.ndtri(0.025), atol=1e-7)


def test_many_degrees_of_freedom_are_a_known_variance() -> None:
    t = np.array([-12.0, -0.5, 0.0, 3.0, 12.0])
    known = upper_noncentrality(t, np.array(np.inf), 0.05)
    assert_array_equal(known, t - special.ndtri(0.05))
    # The two differ by t^2 / (4 nu) of a standard error.
    assert_allclose(upper_noncentrality(t, np.array(1e12), 0.05), known, rtol=1e-9)


def test_a_part_of_a_map_gets_the_bits_of_the_whole() -> None:
    rng = np.random.default_rng(5)
    t, nu = rng.standard_normal(9000) * 5, rng.choice([9.0, 12.0, 30.0], 9000)
    whole = upper_noncentrality(t, nu, 0.025)
    same = np.flatnonzero(nu == 9.0)
    for part in (np.arange(17), np.arange(8000, 8777), same, same[:1]):
        assert_array_equal(upper_noncentrality(t[part], nu[part], 0.025), whole[part])


def test_nothing_is_made_of_nothing() -> None:
    t = np.array([np.nan, 1.0, 1.0, 1.0, np.inf, -np.inf, np.nan])
    nu = np.array([5.0, 0.5, np.nan, -1.0, 5.0, 5.0, np.inf])
    assert_array_equal(
        upper_noncentrality(np.array([-4, 3]), 5, 0.05), upper_noncentrality([-4.0, 3.0], 5.0, 0.05)
    )
    assert_array_equal(upper_noncentrality(t, nu, 0.05), [np.nan] * 4 + [np.inf, -np.inf, np.nan])
