"""The least m p(k) / k of a map: every p-value computed and sorted is the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from specgl.kernels.discoveries.pivotal import EXACT, Error, Part, Reference, least_simes

REFERENCES = {
    "t": Reference("t", dof=11),
    "t of both tails": Reference("t", dof=11, two_sided=True),
    "F": Reference("F", 3, 20),
    "z": Reference("z"),
    "z of both tails": Reference("z", two_sided=True),
}
SURVIVAL = {
    "t": lambda x: stats.t.sf(x, 11),
    "t of both tails": lambda x: 2 * stats.t.sf(np.abs(x), 11),
    "F": lambda x: stats.f.sf(x, 3, 20),
    "z": stats.norm.sf,
    "z of both tails": lambda x: 2 * stats.norm.sf(np.abs(x)),
}
T_ERROR = Error(3e-7, 0.0)
Z_ERROR = Error(1e-6, 1.0)
ROUNDING = 1e-10  # of the logarithms of p, here and in scipy, which are good to about 1e-12


def truth(families):
    """−log10 of the least m p(k) / k of p-values."""
    p = np.sort(np.concatenate(families))
    return -np.log10((p.size * p / np.arange(1, p.size + 1)).min())


def heights_of(name, size, spread, seed, dtype=np.float32):
    rng = np.random.default_rng(seed)
    found = rng.standard_normal(size) * spread
    if size > 3:
        found[0], found[1], found[2] = 0.0, -0.0, found[3]  # noughts of both signs, and a tie
    return (found**2 if name == "F" else found).astype(dtype)


@settings(max_examples=150, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(REFERENCES)), min_size=1, max_size=3),
    size=st.integers(1, 1500),
    spread=st.sampled_from([1e-3, 0.5, 0.9, 1.0, 1.1, 3.0]),
    seed=st.integers(0, 2**31),
    share=st.sampled_from([0.3, 0.9, 1.0]),
)
def test_it_is_what_all_p_values_give(names, size, spread, seed, share):
    within = np.random.default_rng(seed).random(size) < share
    within[0] = True
    maps = [heights_of(name, size, spread, seed + k) for k, name in enumerate(names)]
    quick = least_simes([Part(h, REFERENCES[n], within) for n, h in zip(names, maps, strict=True)])
    slow = least_simes(
        [Part(h.astype(float), REFERENCES[n], within) for n, h in zip(names, maps, strict=True)]
    )
    expected = truth([SURVIVAL[n](h[within].astype(float)) for n, h in zip(names, maps, strict=True)])
    np.testing.assert_allclose(quick, expected, rtol=ROUNDING, atol=ROUNDING)
    np.testing.assert_allclose(slow, expected, rtol=ROUNDING, atol=ROUNDING)
    assert quick.min() >= 0.0


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(REFERENCES)), min_size=1, max_size=2),
    size=st.integers(1, 800),
    spread=st.sampled_from([0.9, 1.0, 2.0, 8.0]),
    seed=st.integers(0, 2**31),
    error=st.sampled_from([T_ERROR, Z_ERROR, Error(1e-3, 1.0)]),
)
def test_the_limits_enclose_and_are_reached(names, size, spread, seed, error):
    rng = np.random.default_rng(seed)
    everywhere = np.ones(size, dtype=bool)
    maps = [heights_of(name, size, spread, seed + k) for k, name in enumerate(names)]
    value, least, most = least_simes(
        [Part(h, REFERENCES[n], everywhere, error) for n, h in zip(names, maps, strict=True)]
    )
    assert least <= value <= most

    def moved(by):
        parts = []
        for name, heights in zip(names, maps, strict=True):
            exact = np.abs(heights.astype(float)) if "both" in name else heights.astype(float)
            exact = exact + by() * error.of(exact)
            exact = np.maximum(exact, 0.0) if "both" in name else exact  # a size is none below 0
            parts.append(Part(exact, REFERENCES[name], everywhere))
        return least_simes(parts)[0]

    inside = moved(lambda: rng.uniform(-1, 1, size))
    assert least - ROUNDING <= inside <= most + ROUNDING
    np.testing.assert_allclose(moved(lambda: np.ones(size)), most, rtol=ROUNDING, atol=ROUNDING)
    np.testing.assert_allclose(moved(lambda: -np.ones(size)), least, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("spread", [0.8, 0.95, 1.0, 1.2])
@pytest.mark.parametrize("names", [["t of both tails"], ["F"], ["z"], ["z", "z"], ["z of both tails", "z"]])
def test_large_maps_with_the_least_in_the_tail_or_in_the_bulk(names, spread):
    maps = [heights_of(name, 120_000, spread, k) for k, name in enumerate(names)]
    everywhere = np.ones(120_000, dtype=bool)
    quick = least_simes(
        [Part(h, REFERENCES[n], everywhere, T_ERROR) for n, h in zip(names, maps, strict=True)]
    )
    expected = truth([SURVIVAL[n](h.astype(float)) for n, h in zip(names, maps, strict=True)])
    np.testing.assert_allclose(quick[0], expected, rtol=ROUNDING, atol=ROUNDING)


def test_where_p_underflows_its_logarithm_does_not():
    heights = np.array([60.0, 200.0, 1e4, -3.0], dtype=np.float32)
    found = least_simes([Part(heights, Reference("z"), np.ones(4, dtype=bool))])
    # The second of four: log10 of 4 p / 1 is that of the greatest height.
    expected = -(stats.norm.logsf(1e4) + np.log(4)) / np.log(10)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    endless = np.array([np.inf, 1.0], dtype=np.float32)
    assert np.isfinite(least_simes([Part(endless, Reference("t", dof=5), np.ones(2, dtype=bool))])).all()


def test_a_family_without_locations_says_nothing():
    nowhere = Part(np.zeros(3, dtype=np.float32), Reference("z"), np.zeros(3, dtype=bool))
    assert np.all(least_simes([nowhere, nowhere]) == -np.inf)
    one = Part(np.array([2.0], dtype=np.float32), Reference("z"), np.ones(1, dtype=bool))
    np.testing.assert_array_equal(least_simes([nowhere, one]), least_simes([one]))


def test_neither_order_nor_what_is_outside_matters():
    heights = heights_of("t", 5000, 1.1, 3)
    within = np.arange(5000) % 3 > 0
    reference = REFERENCES["t of both tails"]
    found = least_simes([Part(heights, reference, within, T_ERROR)])
    outside = np.where(within, heights, np.float32(40.0))
    order = np.random.default_rng(0).permutation(5000)
    np.testing.assert_array_equal(found, least_simes([Part(outside, reference, within, T_ERROR)]))
    np.testing.assert_array_equal(
        found, least_simes([Part(heights[order], reference, within[order], T_ERROR)])
    )
    # Both tails are one map's, whichever way it is turned.
    np.testing.assert_array_equal(found, least_simes([Part(-heights, reference, within, T_ERROR)]))


def test_uniform_p_values_reach_simes_line_as_often_as_they_should():
    """Simes 1986: of independent p-values the least m p(k) / k is uniform itself."""
    rng = np.random.default_rng(8)
    everywhere = np.ones(300, dtype=bool)
    psi = [
        10.0
        ** -least_simes(
            [Part(rng.standard_normal(300).astype(np.float32), Reference("z"), everywhere, EXACT)]
        )[0]
        for _ in range(800)
    ]
    assert stats.kstest(psi, "uniform").pvalue > 1e-3
