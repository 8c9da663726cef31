"""Limits, standardised effects, shares and equivalence against their definitions and laws."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, special, stats

from specgl.kernels.effect_sizes import (
    confidence_limits,
    d_limits,
    equivalence_p,
    equivalence_tails,
    hedges_factor,
    hedges_g,
    partial_r2,
    standard_error,
)
from specgl.kernels.tails import t_tails

SEEDS = st.integers(0, 2**32 - 1)
DOF = st.one_of(st.floats(1.0, 1e4), st.just(float("inf")))
LEVELS = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])


def some(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(50) * 10.0 ** rng.uniform(-2, 2, 50), 10.0 ** rng.uniform(-4, 4, 50)


def test_the_standard_error_is_the_root_of_the_variance() -> None:
    assert_array_equal(standard_error([4.0, 0.0, -1.0, np.nan]), [2.0, 0.0, np.nan, np.nan])


@given(SEEDS, DOF, LEVELS)
@settings(max_examples=30)
def test_limits_surround_the_effect_and_nest_by_level(seed: int, dof: float, level: float) -> None:
    effect, variance = some(seed)
    inner, outer = (confidence_limits(effect, variance, dof, share) for share in (level * 0.9, level))
    assert (outer.lower < inner.lower).all()
    assert (inner.lower < effect).all()
    assert (effect < inner.upper).all()
    assert (inner.upper < outer.upper).all()
    mirrored = confidence_limits(-effect, variance, dof, level)
    assert_array_equal(mirrored.lower, -outer.upper)
    assert_array_equal(mirrored.upper, -outer.lower)


@given(SEEDS, DOF, LEVELS)
@settings(max_examples=30)
def test_limits_leave_out_zero_where_p_is_below_the_rest(seed: int, dof: float, level: float) -> None:
    effect, variance = some(seed)
    p = t_tails(effect / np.sqrt(variance), dof).p("two-sided")
    limits = confidence_limits(effect, variance, dof, level)
    decided = np.abs(p - (1 - level)) > 1e-9  # both sides are rounded
    assert_array_equal(((limits.lower > 0) | (limits.upper < 0))[decided], (p < 1 - level)[decided])


def test_limits_are_those_of_scipy() -> None:
    dof = np.array([1.0, 2.5, 30.0, 1e4, np.inf])
    limits = confidence_limits(np.full(5, 3.0), np.full(5, 4.0), dof, 0.9)
    quantiles = [*stats.t.ppf(0.95, dof[:4]), stats.norm.ppf(0.95)]
    assert_allclose(limits.upper, 3 + 2 * np.array(quantiles), rtol=1e-12)
    one = confidence_limits(3.0, 4.0, 30.0, 0.9)
    assert float(one.upper) == limits.upper[2]
    # A table of t: 2.776 and 1.960 (Student's, at 0.975).
    known = confidence_limits(np.zeros(2), np.ones(2), np.array([4.0, np.inf]), 0.95)
    assert_allclose(known.upper, [2.776445, 1.959964], atol=1e-6)


@pytest.mark.parametrize("dof", [1.2, 2.0, 3.0, 7.5, 28.0, 300.0, 1e6])
def test_hedges_factor_makes_d_free_of_bias(dof: float) -> None:
    # E[1/s], with s a standard deviation over the true one, is what d is too large by: J E[1/s] = 1.
    constant = np.log(2) + dof / 2 * np.log(dof / 2) - special.gammaln(dof / 2)

    def part(y: float) -> float:
        return float(np.exp(constant + dof * y - dof * np.exp(2 * y) / 2 - y))

    wide = 12 / np.sqrt(2 * dof)
    mean, _ = integrate.quad(part, -min(wide, 200.0) if dof > 10 else -150.0, min(wide, 5.0), limit=500)
    # The log gamma of 500,000 in the test's own constant has an error of 1e-9.
    assert_allclose(hedges_factor(dof) * mean, 1.0, rtol=1e-8)


def test_hedges_factor_at_its_ends() -> None:
    # Closed forms: J(2) = 1/sqrt(pi), J(3) = sqrt(2/3) * gamma(1.5).
    assert_allclose(
        hedges_factor([2.0, 3.0]), [1 / np.sqrt(np.pi), np.sqrt(2 / 3) * special.gamma(1.5)], rtol=1e-14
    )
    assert_array_equal(hedges_factor([np.inf, 1.0, 0.5, -3.0, np.nan]), [1.0, *[np.nan] * 4])
    nu = np.geomspace(1.001, 1e9, 4000)
    factor = hedges_factor(nu)
    assert ((factor > 0) & (factor < 1)).all()
    assert (np.diff(factor) > -1e-15).all()
    # Hedges' approximation leaves out some 0.03/nu^2.
    many = nu > 1000
    assert_allclose(factor[many], 1 - 3 / (4 * nu[many] - 1), rtol=1e-7)
    assert_array_equal(hedges_g([2.0, np.nan], np.inf), [2.0, np.nan])


@given(SEEDS, st.floats(1.0, 1e4))
@settings(max_examples=15, deadline=None)
def test_limits_of_d_surround_it_rise_with_it_and_mirror(seed: int, dof: float) -> None:
    rng = np.random.default_rng(seed)
    t = np.sort(rng.standard_normal(60) * 10)
    limits = d_limits(t, dof, 0.3, 0.95)
    assert (np.diff(limits.lower) > 0).all()
    assert (np.diff(limits.upper) > 0).all()
    inner = d_limits(t, dof, 0.3, 0.5)
    assert (limits.lower < inner.lower).all()
    assert (inner.lower < inner.upper).all()
    assert (inner.upper < limits.upper).all()
    mirrored = d_limits(-t, dof, 0.3, 0.95)
    assert_array_equal(mirrored.lower, -limits.upper)
    assert_array_equal(d_limits(t, dof, np.full(60, 0.6), 0.95).upper, 2 * limits.upper)


def test_scaling_the_data_leaves_d() -> None:
    rng = np.random.default_rng(8)
    y = rng.standard_normal((12, 40)) + 1
    first, second = (
        d_limits(x.mean(axis=0) / (x.std(axis=0, ddof=1) / np.sqrt(12)), 11, 1 / np.sqrt(12), 0.95)
        for x in (y, y * 8.0)
    )
    assert_array_equal(first.lower, second.lower)
    assert_array_equal(first.upper, second.upper)


def test_limits_of_d_cover_the_true_effect() -> None:
    rng = np.random.default_rng(11)
    d, n = 0.8, 9
    y = rng.standard_normal((n, 20000)) + d
    t = y.mean(axis=0) / (y.std(axis=0, ddof=1) / np.sqrt(n))
    limits = d_limits(t, n - 1, 1 / np.sqrt(n), 0.9)
    # Each end is missed by 5 % of 20,000: a standard deviation is 0.0015, and four of them are allowed.
    assert abs(np.mean(limits.lower > d) - 0.05) < 0.006
    assert abs(np.mean(limits.upper < d) - 0.05) < 0.006


def test_limits_of_d_of_a_published_case() -> None:
    # scipy's noncentral t by root finding (an independent route): t = 2.1, 18 degrees of freedom, 0.95.
    limits = d_limits([2.1], 18, 1.0, 0.95)
    assert_allclose(stats.nct.sf(2.1, 18, limits.lower[0]), 0.025, rtol=1e-9)
    assert_allclose(stats.nct.cdf(2.1, 18, limits.upper[0]), 0.025, rtol=1e-9)


@given(st.floats(0, 1e6), st.integers(1, 20), st.floats(1, 1e4))
def test_partial_r2_is_its_formula(f: float, dof1: int, dof2: float) -> None:
    assert_allclose(partial_r2(f, dof1, dof2), dof1 * f / (dof1 * f + dof2), rtol=1e-14, atol=1e-300)


def test_partial_r2_is_the_share_of_the_residual_sum_of_squares() -> None:
    rng = np.random.default_rng(2)
    x, z, y = rng.standard_normal((30, 2)), np.ones((30, 1)), rng.standard_normal((30, 6))
    full, part = (
        ((y - m @ np.linalg.lstsq(m, y, rcond=None)[0]) ** 2).sum(axis=0) for m in (np.hstack([x, z]), z)
    )
    f = (part - full) / 2 / (full / 27)
    assert_allclose(partial_r2(f, 2, 27), (part - full) / part, rtol=1e-12)
    ends = partial_r2([0.0, np.inf, np.nan, -1.0, 1e308, 3.0], [1, 1, 1, 1, 20, 1], [9, 9, 9, 9, 9, np.inf])
    assert_array_equal(ends, [0.0, 1.0, np.nan, np.nan, 1.0, np.nan])


@given(SEEDS, DOF, st.floats(1e-3, 1e3))
@settings(max_examples=40)
def test_equivalence_is_the_larger_of_two_one_sided_p(seed: int, dof: float, margin: float) -> None:
    effect, variance = some(seed)
    p = equivalence_p(effect, variance, dof, margin)
    above = t_tails((effect + margin) / np.sqrt(variance), dof).p("greater")
    below = t_tails((effect - margin) / np.sqrt(variance), dof).p("less")
    # The same sum divided by the same root; adding in another order may change the last bit, which the
    # normal tail at 38 enlarges by 38^2.
    assert_allclose(p, np.maximum(above, below), rtol=1e-12, atol=1e-300)
    assert_array_equal(equivalence_p(-effect, variance, dof, margin), p)
    wider = equivalence_p(effect, variance, dof, 2 * margin)
    assert (wider <= p).all()
    assert_array_equal(p > 0.5, np.abs(effect) > margin)


def test_equivalence_agrees_with_limits_of_twice_its_alpha() -> None:
    effect, variance = some(4)
    limits = confidence_limits(effect, variance, 14, 0.9)
    inside = (limits.lower > -5) & (limits.upper < 5)
    assert_array_equal(inside, equivalence_p(effect, variance, 14, 5.0) < 0.05)
    assert inside.any()


def test_equivalence_far_out_and_of_nothing() -> None:
    tails = equivalence_tails([0.0, 1e-3], [1e-10, 1e-10], [np.inf, 500.0], 1.0)
    # A normal tail at 1e5: x^2 / 2 / log(10) and a little.
    assert_allclose(tails.neg_log10_p("greater")[0], 1e10 / 2 / np.log(10), rtol=1e-8)
    assert np.isfinite(tails.neg_log10_p("greater")).all()
    assert_array_equal(equivalence_p([np.nan, 0, 0, 0], [1, np.nan, 0, -1], 5, 1.0), [np.nan] * 4)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 95.0, np.nan])
def test_a_level_is_a_share(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        confidence_limits([1.0], [1.0], 5, level)
    with pytest.raises(ValueError, match="level"):
        d_limits([1.0], 5, 1.0, level)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.001 to 0\.999"):
        d_limits([1.0], 5, 1.0, 0.9999)
    for margin in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="margin"):
            equivalence_p([1.0], [1.0], 5, margin)


def test_nan_stays_nan() -> None:
    bad = np.array([np.nan, 1.0])
    for limits in (
        confidence_limits(bad, [1.0, np.nan], 5, 0.95),
        confidence_limits([1.0, 1.0], [1.0, 1.0], bad * 0, 0.95),
        d_limits([np.nan, 1.0], [5.0, np.nan], 1.0, 0.95),
        d_limits([1.0, 1.0], [0.5, 0.0], 1.0, 0.95),
    ):
        assert_array_equal(limits.lower, [np.nan] * 2)
        assert_array_equal(limits.upper, [np.nan] * 2)


def test_numba_and_scipy_stats_are_not_loaded() -> None:
    code = (
        "import sys, specgl.kernels.effect_sizes, specgl.kernels.bayes, specgl.kernels.normality, "
        "specgl.kernels.distances; assert not {'scipy.stats', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
