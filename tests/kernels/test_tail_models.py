"""Fitted tails against scipy's distributions, against samples, and where they must not say 0."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import genpareto, norm, pearson3, skew

from specgl.kernels import tail_models
from specgl.kernels.tail_models import (
    FIVE_PERCENT,
    FIVE_PERCENT_EXPONENTIAL,
    SHAPES,
    Gamma,
    Pareto,
    gamma_tail,
    gpd_tail,
    with_shape,
)

PLACES = np.array([2.0, 2.5, 3.0, 4.0, 4.9])


def maxima(seed, n=2000, of=500):
    """A null distribution as they are: maxima of normal deviates."""
    return np.random.default_rng(seed).standard_normal((n, of)).max(axis=1)


# The distributions ------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [-0.4, -1e-3, -1e-9, 0.0, 1e-9, 1e-3, 0.2, 0.6])
def test_pareto_is_that_of_scipy(shape):
    tail = Pareto(start=2.0, share=0.2, shape=shape, scale=2.0, a2=0.5)
    reference = genpareto(-shape, loc=2.0, scale=2.0)
    np.testing.assert_allclose(tail.log_sf(PLACES), np.log(0.2) + reference.logsf(PLACES), rtol=1e-8)
    for p in (0.2, 0.05, 1e-6):
        assert tail.isf(p) == pytest.approx(reference.isf(p / 0.2), rel=1e-8)
        assert np.exp(tail.log_sf(np.array([tail.isf(p)])))[0] == pytest.approx(p, rel=1e-7)


@pytest.mark.parametrize("skewness", [2.0, 0.7, 1e-3, -0.3, -1.0, 0.0])
def test_gamma_is_that_of_scipy(skewness):
    tail = Gamma(mean=2.5, sd=0.8, skewness=skewness)
    reference = pearson3(skewness, loc=2.5, scale=0.8)
    inside = PLACES[reference.sf(PLACES) > 1e-12]
    np.testing.assert_allclose(np.exp(tail.log_sf(inside)), reference.sf(inside), rtol=1e-8)
    for p in (0.9, 0.05, 1e-4):
        assert tail.isf(p) == pytest.approx(reference.isf(p), rel=1e-8)


@pytest.mark.parametrize("skewness", [2.0, 0.7, 0.01])
def test_gamma_goes_on_where_probabilities_underflow(skewness):
    tail = Gamma(0.0, 1.0, skewness)
    places = np.linspace(30, 3000, 4000)
    logs = tail.log_sf(places)
    assert np.isfinite(logs).all()
    steps = np.diff(logs)
    assert (steps < 0).all()
    # No jump where the expansion takes over: the slope changes as slowly there as elsewhere.
    assert np.abs(np.diff(steps)).max() < 0.02 * np.abs(steps).max()


# The fits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [-0.15, 0.0, 0.2])
def test_the_tail_of_a_pareto_sample_is_found_again(shape):
    sample = genpareto.rvs(-shape, scale=3.0, size=20_000, random_state=1)
    tail = gpd_tail(sample)
    assert tail is not None
    assert tail.share == pytest.approx(0.249, abs=1e-3)
    assert tail.shape == pytest.approx(shape, abs=0.05)
    for p in (0.05, 0.01, 1e-3):
        place = np.array([genpareto.isf(p, -shape, scale=3.0)])
        # 20 of the sample lie beyond the last place: about a fifth of it is chance.
        assert np.exp(tail.log_sf(place))[0] == pytest.approx(p, rel=0.3)


def test_moments_by_hand():
    tail = gpd_tail(maxima(3))
    null = np.sort(maxima(3))
    assert tail is not None
    below = 2000 - round(tail.share * 2000)
    assert below in range(1502, 2000, 20)
    assert tail.start == (null[below - 1] + null[below]) / 2
    excess = null[below:] - tail.start
    ratio = excess.mean() ** 2 / excess.var(ddof=1)
    assert tail.shape == pytest.approx((ratio - 1) / 2, rel=1e-12)
    assert tail.scale == pytest.approx(excess.mean() * (ratio + 1) / 2, rel=1e-12)
    cdf = genpareto.cdf(excess, -tail.shape, scale=tail.scale)
    i = np.arange(1, excess.size + 1)
    a2 = -excess.size - np.mean((2 * i - 1) * (np.log(cdf) + np.log(1 - cdf[::-1])))
    assert tail.a2 == pytest.approx(a2, rel=1e-9)
    assert tail.a2 <= np.interp(tail.shape, SHAPES, FIVE_PERCENT)


def test_gamma_by_hand():
    null = maxima(4)
    tail = gamma_tail(null)
    assert tail is not None
    reference = pearson3(skew(null, bias=False), loc=null.mean(), scale=null.std(ddof=1))
    places = np.linspace(2, 6, 9)
    np.testing.assert_allclose(np.exp(tail.log_sf(places)), reference.sf(places), rtol=1e-9)


@pytest.mark.parametrize("fit", [gpd_tail, gamma_tail])
def test_extrapolated_p_are_about_right(fit):
    """Maxima of 500 normal deviates: p = 1 - cdf**500 is known."""
    for p in (0.05, 0.01, 1e-3):
        place = norm.isf(-np.expm1(np.log1p(-p) / 500))
        found = [np.exp(fit(maxima(seed)).log_sf(np.array([place])))[0] for seed in range(8)]
        assert np.median(found) == pytest.approx(p, rel=0.5)


# What must not happen -------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(3, 600),
    kind=st.sampled_from(["uniform", "maxima", "normal", "heavy", "few", "outlier"]),
)
def test_no_observed_value_gets_the_p_0(seed, n, kind):
    rng = np.random.default_rng(seed)
    null = {
        "uniform": lambda: rng.uniform(0, 1, n),
        "maxima": lambda: rng.standard_normal((n, 20)).max(axis=1),
        "normal": lambda: rng.standard_normal(n),
        "heavy": lambda: rng.standard_t(2, n),
        "few": lambda: rng.integers(0, 4, n).astype(float),
        "outlier": lambda: np.append(rng.standard_normal(n - 1), 1e3),
    }[kind]()
    for fit in (gpd_tail, gamma_tail):
        tail = fit(null)
        if tail is None:
            continue
        above = np.sort(null[null > tail.start])
        logs = tail.log_sf(above)
        assert np.isfinite(logs).all()
        assert (logs <= 0).all()
        assert (np.diff(logs) <= 0).all()


def test_a_fit_that_ends_too_early_becomes_exponential():
    fits = [gpd_tail(genpareto.rvs(-0.6, size=50, random_state=seed)) for seed in range(100)]
    found = [fit for fit in fits if fit is not None]
    assert any(fit.shape == 0.0 for fit in found)
    assert any(fit.shape > 0.2 for fit in found)


def test_equal_values_in_pairs_are_no_hindrance():
    """Where each shuffle has a mirror, every value of a two-sided null comes twice."""
    tail = gpd_tail(np.repeat(maxima(5, 500), 2))
    assert tail is not None
    assert tail.start < np.sort(maxima(5, 500))[-20]


@pytest.mark.parametrize("null", [np.ones(500), np.zeros(500), np.ones(2), np.arange(8.0)])
def test_no_spread_or_few_values_give_no_fit(null):
    assert gpd_tail(null) is None
    assert (gamma_tail(null) is None) == (null.size < 3 or np.ptp(null) == 0)


def test_a_symmetric_null_is_normal():
    half = np.random.default_rng(0).standard_normal(500)
    tail = gamma_tail(np.concatenate([half, -half]))
    assert tail is not None
    assert tail.skewness == 0.0
    place = np.array([3.0])
    assert tail.log_sf(place)[0] == pytest.approx(norm.logsf(3.0, tail.mean, tail.sd), rel=1e-12)


def test_a_shape_that_is_given():
    tail = gpd_tail(maxima(6))
    assert tail is not None
    other = with_shape(tail, -0.1, 9.0)
    assert other.scale / (1 + other.shape) == pytest.approx(tail.scale / (1 + tail.shape), rel=1e-12)
    ends = with_shape(tail, 0.5, tail.start + 100 * tail.scale)
    assert ends.shape == 0.0
    assert np.isfinite(ends.log_sf(np.array([tail.start + 100 * tail.scale]))).all()


# The table ----------------------------------------------------------------------------------------


def efficient(sample):
    """Shape and scale of greatest likelihood: along theta = k / a the shape has a closed form."""
    largest = sample.max()
    # theta from far below 0 to just under 1 / largest, finely where the likelihood is steep.
    places = -np.expm1(np.linspace(-8, 7, 1200)) / largest
    places = places[places != 0]
    k = -np.log1p(-places[:, None] * sample).mean(axis=1)
    best = np.argmax(-np.log(k / places) + k)
    return k[best], k[best] / places[best]


@pytest.mark.parametrize("shape", [-0.5, 0.0, 0.2])
def test_one_sample_in_twenty_surpasses_the_table(shape):
    """The published points, their sign included, on samples fitted as they suppose."""
    rng = np.random.default_rng(1)
    exponential = rng.standard_exponential((1000, 200))
    samples = exponential if shape == 0 else -np.expm1(-shape * exponential) / shape
    bound = np.interp(shape, SHAPES, FIVE_PERCENT)
    a2 = [tail_models._anderson_darling(np.sort(sample), *efficient(sample)) for sample in samples]
    # Binomial: 50 of 1000 with a standard deviation of 7.
    assert 25 <= np.sum(np.array(a2) > bound) <= 75


def test_one_exponential_sample_in_twenty_surpasses_its_bound():
    samples = np.sort(np.random.default_rng(2).standard_exponential((2000, 300)), axis=1)
    a2 = [tail_models._anderson_darling(sample, 0.0, sample.mean()) for sample in samples]
    assert 70 <= np.sum(np.array(a2) > FIVE_PERCENT_EXPONENTIAL) <= 130
