"""Adjusted p-values against their definitions, statsmodels, and the laws they obey."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.multitest import multipletests

from specgl.kernels.multiplicity import ADJUST, fdr_bky, hommel, simes_of_largest

# Products and quotients of at most a dozen numbers are compared: a few units in the last place.
CLOSE = {"rtol": 1e-13, "atol": 0.0}

# Decades down to 1e-300, ties on a coarse lattice, and both ends. Below, float64 has fewer digits.
ORDINARY = st.floats(1e-300, 1.0)
TINY = st.integers(0, 300).map(lambda decade: 10.0**-decade)
LATTICE = st.integers(0, 4).map(lambda fifth: fifth / 4)


def families(largest: int = 9) -> st.SearchStrategy[np.ndarray]:
    elements = st.one_of(ORDINARY, TINY, LATTICE)
    return arrays(np.float64, st.integers(1, largest), elements=elements)


# Definitions, as slow as they are plain -----------------------------------------------------------


def bonferroni_defined(p):
    return np.minimum(p.size * p, 1)


def by_rank(p, adjusted_at):
    """Adjusted p-value of each rank (from 1) among the sorted p, put back in order and capped."""
    order = np.argsort(p, kind="stable")
    q = np.concatenate([[np.nan], p[order]])  # counted from 1, as in the papers
    adjusted = np.empty(p.size)
    for i in range(1, p.size + 1):
        adjusted[order[i - 1]] = min(adjusted_at(i, q, p.size), 1.0)
    return adjusted


def holm_defined(p):
    return by_rank(p, lambda i, q, m: max((m - j + 1) * q[j] for j in range(1, i + 1)))


def hochberg_defined(p):
    return by_rank(p, lambda i, q, m: min((m - k + 1) * q[k] for k in range(i, m + 1)))


def simes(p):
    return min(len(p) * q / j for j, q in enumerate(sorted(p), 1))


def hommel_defined(p):
    def adjusted_at(i, q, m):
        others = sorted([q[j] for j in range(1, m + 1) if j != i], reverse=True)
        return max(simes([q[i], *others[: s - 1]]) for s in range(1, m + 1))

    return by_rank(p, adjusted_at)


def bh_defined(p):
    return by_rank(p, lambda i, q, m: min(m * q[k] / k for k in range(i, m + 1)))


def by_defined(p):
    def adjusted_at(i, q, m):
        return sum(1 / s for s in range(1, m + 1)) * min(m * q[k] / k for k in range(i, m + 1))

    return by_rank(p, adjusted_at)


def bky_defined(p):
    def fraction(j, k, q, m):
        return q[k] * (m + 1 - j) / (k - j * q[k]) if k > j * q[k] else np.inf

    def adjusted_at(i, q, m):
        return max(min(fraction(j, k, q, m) for k in range(j, m + 1)) for j in range(1, i + 1))

    return by_rank(p, adjusted_at)


DEFINED = {
    "none": lambda p: p,
    "bonferroni": bonferroni_defined,
    "holm": holm_defined,
    "hochberg": hochberg_defined,
    "hommel": hommel_defined,
    "fdr_bh": bh_defined,
    "fdr_by": by_defined,
    "fdr_bky": bky_defined,
}

STATSMODELS = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "hochberg": "simes-hochberg",
    "hommel": "hommel",
    "fdr_bh": "fdr_bh",
    "fdr_by": "fdr_by",
}


def test_every_correction_has_a_definition():
    assert ADJUST.keys() == DEFINED.keys()


@pytest.mark.parametrize("name", ADJUST)
@settings(max_examples=60)
@given(p=families())
def test_definition(name, p):
    np.testing.assert_allclose(ADJUST[name](p), DEFINED[name](p), **CLOSE)


@pytest.mark.parametrize("name", STATSMODELS)
@pytest.mark.parametrize("power", [1, 6])
def test_statsmodels(name, power):
    p = np.random.default_rng(7).random(400) ** power
    reference = multipletests(p, method=STATSMODELS[name])[1]
    # statsmodels takes holm and hommel through other orders of operations.
    np.testing.assert_allclose(ADJUST[name](p), reference, rtol=1e-12)


@settings(max_examples=60)
@given(p=families(), alpha=st.floats(0.001, 0.999))
def test_bky_rejects_what_definition_7_rejects(p, alpha):
    m, q = p.size, np.sort(p)
    rejected = 0
    for i in range(1, m + 1):
        bounds = [[alpha * k / (m + 1 - j * (1 - alpha)) for k in range(j, m + 1)] for j in range(1, i + 1)]
        if all(any(q[j - 1 + n] <= b for n, b in enumerate(row)) for j, row in enumerate(bounds, 1)):
            rejected = i
    by_adjusted = fdr_bky(p)
    if np.all(np.abs(by_adjusted - alpha) > 1e-12):  # at equality the last bit decides
        assert np.count_nonzero(by_adjusted <= alpha) == rejected


@settings(max_examples=60)
@given(p=families(12))
def test_simes_of_the_largest(p):
    ascending = np.sort(p)
    expected = [simes(ascending[p.size - s :]) for s in range(1, p.size + 1)]
    np.testing.assert_allclose(simes_of_largest(ascending), expected, **CLOSE)


def test_simes_of_the_largest_in_a_large_family():
    ascending = np.sort(np.random.default_rng(3).random(600) ** 3)
    expected = [simes(ascending[600 - s :]) for s in range(1, 601)]
    np.testing.assert_allclose(simes_of_largest(ascending), expected, **CLOSE)


def test_bky_by_hand():
    # m = 2, r = (.001, .2): (2)(.001)/(1 - .001), then (1)(.2)/(1 - .4): below the p-value of .4 itself.
    np.testing.assert_allclose(fdr_bky([0.4, 0.001]), [1 / 3, 0.002 / 0.999], rtol=1e-14)


# Laws ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ADJUST)
@settings(max_examples=40)
@given(p=families(30), data=st.data())
def test_laws_of_each(name, p, data):
    adjusted = ADJUST[name](p)
    assert np.all((adjusted >= 0) & (adjusted <= 1))
    if name != "fdr_bky":  # an adaptive correction may fall below p, where few hypotheses are true
        assert np.all(adjusted >= p * (1 - 1e-15))
    order = np.argsort(p, kind="stable")
    # Rounding may turn equal values around by a unit in the last place.
    assert np.all(np.diff(adjusted[order]) >= -1e-15 * adjusted[order][1:])
    permutation = np.array(data.draw(st.permutations(range(p.size))))
    np.testing.assert_array_equal(ADJUST[name](p[permutation]), adjusted[permutation])


@settings(max_examples=100)
@given(p=families(30))
def test_order_of_strength(p):
    adjusted = {name: adjust(p) for name, adjust in ADJUST.items()}
    ladder = ["bonferroni", "holm", "hochberg", "hommel", "fdr_bh", "none"]
    for weak, strong in [*pairwise(ladder), ("fdr_by", "fdr_bh")]:
        assert np.all(adjusted[weak] >= adjusted[strong] * (1 - 1e-14)), (weak, strong)


@pytest.mark.parametrize("name", ADJUST)
def test_far_below_one_it_scales(name):
    p = 10.0 ** -np.random.default_rng(5).uniform(20, 40, 200)
    # That is what lets logarithms of corrected p go on beyond float64's range.
    np.testing.assert_allclose(ADJUST[name](p * 1e-240), ADJUST[name](p) * 1e-240, rtol=1e-12)


@pytest.mark.parametrize("name", ADJUST)
def test_equal_p_stay_equal(name):
    adjusted = ADJUST[name](np.full(1000, 0.03))
    assert np.unique(adjusted).size == 1


# Edges --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ADJUST)
def test_edges(name):
    adjust = ADJUST[name]
    assert adjust(np.empty(0)).shape == (0,)
    np.testing.assert_array_equal(adjust(np.zeros(4)), np.zeros(4))
    np.testing.assert_array_equal(adjust(np.ones(4)), np.ones(4))
    np.testing.assert_array_equal(adjust([1.0]), [1.0])
    given_p = np.array([0.02, 0.5])
    adjust(given_p)[0] = 7.0
    assert given_p[0] == 0.02, "the caller's p-values were written over"


@pytest.mark.parametrize("name", ADJUST)
@pytest.mark.parametrize("bad", [[np.nan, 0.5], [-0.1, 0.5], [0.5, 1.1], [[0.5]]])
def test_no_p_values_are_refused(name, bad):
    with pytest.raises(ValueError, match="p-values"):
        ADJUST[name](np.array(bad))


def test_a_million_p_values():
    p = np.random.default_rng(1).random(1_000_000) ** 2
    begin = time.perf_counter()
    adjusted = hommel(p)
    # A fraction of a second alone on one core; quadratic work would take hours.
    assert time.perf_counter() - begin < 20
    assert np.all(adjusted >= p * (1 - 1e-15))
