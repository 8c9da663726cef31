"""JZS Bayes factors against their integral as it was published, and their laws."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, stats

from specgl.kernels.bayes import CAUCHY_SCALE, jzs_bf10, jzs_log_bf10

SIZES = st.floats(1.0, 1e4)


def published(t: float, n: float, nu: float, r: float) -> float:
    """Rouder et al. 2009, equation 1, over ``log g``."""

    def part(y: float) -> float:
        g = np.exp(y)
        spread = 1 + n * g * r * r
        log = -0.5 * np.log(spread) - (nu + 1) / 2 * np.log1p(t * t / (spread * nu))
        return float(np.exp(log - 0.5 * np.log(2 * np.pi) - 0.5 * y - 1 / (2 * g)))

    edges = np.linspace(-6.0, 60.0, 34)
    pairs = pairwise(edges)
    whole = sum(integrate.quad(part, a, b, epsrel=1e-12, epsabs=0)[0] for a, b in pairs)
    return float(np.log(whole) + (nu + 1) / 2 * np.log1p(t * t / nu))


def from_noncentral(t: float, n: float, nu: float, r: float) -> float:
    """The definition: the density of t averaged over a Cauchy prior of the effect, over that with none."""

    def part(angle: float) -> float:
        d = r * np.tan(angle)
        return float(stats.nct.pdf(t, nu, d * np.sqrt(n)) / np.pi)

    edges = np.linspace(-np.pi / 2, np.pi / 2, 41)
    pairs = pairwise(edges)
    return float(sum(integrate.quad(part, a, b)[0] for a, b in pairs) / stats.t.pdf(t, nu))


@pytest.mark.parametrize("n", [1.0, 2.0, 9.7, 100.0, 1e4])
@pytest.mark.parametrize("nu", [1.0, 3.0, 18.0, 250.0, 1e4])
def test_it_is_the_published_integral(n: float, nu: float) -> None:
    t = np.array([0.0, 0.3, 1.0, 2.5, 6.0, 15.0, 40.0])
    for scale in (0.3, CAUCHY_SCALE, 1.5):
        expected = [published(value, n, nu, scale) for value in t]
        # A millionth of the Bayes factor is asked for; the rule's error is some 4e-10, and 1e4 degrees of
        # freedom turn the rounding of log(1 + x) into 1e-12.
        assert_allclose(jzs_log_bf10(t, n, nu, scale), expected, rtol=0, atol=2e-9)


@pytest.mark.parametrize(("t", "n", "nu"), [(0.0, 10, 9), (1.5, 5, 8), (3.0, 20, 19), (-2.0, 40, 60)])
def test_it_is_the_ratio_of_averaged_densities(t: float, n: float, nu: float) -> None:
    # scipy's density of noncentral t is good to some 1e-8 there.
    assert_allclose(jzs_bf10([t], n, nu)[0], from_noncentral(t, n, nu, CAUCHY_SCALE), rtol=1e-6)


@given(SIZES, st.one_of(st.floats(1.0, 1e4), st.just(float("inf"))), st.floats(0.1, 2.0))
@settings(max_examples=40)
def test_it_is_symmetric_and_rises_from_below_one(n: float, nu: float, scale: float) -> None:
    t = np.linspace(0, 40, 400)
    logs = jzs_log_bf10(t, n, nu, scale)
    assert (np.diff(logs) > 0).all()
    assert logs[0] < 0
    assert_array_equal(jzs_log_bf10(-t, n, nu, scale), logs)


def test_known_variance_is_the_limit() -> None:
    t = np.array([0.0, 1.0, 4.0, 9.0])
    known = jzs_log_bf10(t, 30.0, np.inf)
    # The two differ by t^4 / (4 nu).
    assert_allclose(jzs_log_bf10(t, 30.0, 1e8), known, atol=3e-5)
    each = jzs_log_bf10(t, [30.0, 5.0, 30.0, 5.0], [np.inf, 7.0, 7.0, np.inf])
    apart = [
        jzs_log_bf10(v, n, nu)[0] for v, n, nu in zip(t, [30, 5, 30, 5], [np.inf, 7, 7, np.inf], strict=True)
    ]
    assert_array_equal(each, apart)


def test_a_part_of_a_map_gets_the_bits_of_the_whole() -> None:
    rng = np.random.default_rng(5)
    t, n, nu = rng.standard_normal(9000) * 5, rng.uniform(2, 40, 9000), rng.choice([9.0, 12.5, np.inf], 9000)
    whole = jzs_log_bf10(t, n, nu)
    for part in (np.arange(17), np.arange(8000, 8777), np.flatnonzero(nu == 9.0), np.array([4321])):
        assert_array_equal(jzs_log_bf10(t[part], n[part], nu[part]), whole[part])


def test_more_observations_with_no_effect_speak_for_none() -> None:
    logs = jzs_log_bf10(np.zeros(5), [2.0, 10.0, 100.0, 1000.0, 10000.0], [1, 9, 99, 999, 9999])
    assert (np.diff(logs) < 0).all()


def test_where_it_ends() -> None:
    assert_array_equal(jzs_bf10([40.0], 1e4, 1e4), [np.inf])  # its logarithm is 736
    assert np.isfinite(jzs_log_bf10([40.0, 1000.0], 1e4, 1e4)).all()
    found = jzs_log_bf10([np.nan, 1, 1, 1, 1, 1], [5, np.nan, 0, -1, 5, 5], [5, 5, 5, 5, 0, np.nan])
    assert_array_equal(found, [np.nan] * 6)
    for scale in (0.0, -1.0, np.inf):
        with pytest.raises(ValueError, match="scale"):
            jzs_log_bf10([1.0], 5, 5, scale)
