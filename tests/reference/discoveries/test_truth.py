"""The brute force itself: printed values, and other programs' on small families."""

from __future__ import annotations

import numpy as np
import pytest
from discovery_truth import calibrated, closed
from hypothesis import given, settings
from hypothesis import strategies as st
from nilearn.glm.thresholding import _compute_hommel_value
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

MEIJER = np.array([1.0e-8, 0.01, 0.08, 0.1, 0.5, 0.7, 0.9])
"""The example of Meijer 2019 (doi:10.1002/bimj.201700316, arXiv:1710.08273), as nilearn tests it (BSD)."""

PRINTED = {
    1e-9: 7, 1e-7: 6, 0.059: 6, 0.061: 5, 0.249: 5, 0.251: 4, 0.399: 4, 0.401: 3, 0.899: 3, 0.901: 0,
}  # fmt: skip

# with ties, and with values on the very edge of a test: k alpha / m
small = st.lists(
    st.one_of(st.floats(1e-6, 1), st.sampled_from([0.0, 0.005, 0.01, 0.0125, 0.02, 0.03, 0.05, 0.5, 1.0])),
    min_size=1,
    max_size=7,
).map(np.array)


@pytest.mark.parametrize("alpha", PRINTED)
def test_printed_values(alpha):
    assert closed.h(MEIJER, alpha) == PRINTED[alpha]
    assert closed.h_by_definition(MEIJER, alpha) == PRINTED[alpha]
    assert _compute_hommel_value(norm.isf(MEIJER), alpha=alpha) == PRINTED[alpha]


@given(small, st.sampled_from([0.01, 0.05, 0.2, 0.9]))
@settings(max_examples=60)
def test_h_by_all_subsets_is_h_by_its_formula(p, alpha):
    assert closed.h(p, alpha) == closed.h_by_definition(p, alpha)


@given(small)
@settings(max_examples=40)
def test_adjusted_as_statsmodels_has_them(p):
    theirs = multipletests(p, alpha=0.05, method="hommel")[1]
    np.testing.assert_allclose(closed.adjusted(p), np.minimum(theirs, 1), rtol=1e-12)


@given(small, st.sampled_from([0.05, 0.2]))
@settings(max_examples=40)
def test_one_alone_is_discovered_where_its_adjusted_p_is_small(p, alpha):
    adjusted = closed.adjusted(p)
    far = np.abs(adjusted - alpha) > 1e-9
    found = np.array([closed.true_discoveries(p, [i], alpha) for i in range(len(p))])
    np.testing.assert_array_equal(found[far], (adjusted <= alpha)[far])


def test_calibration_by_hand():
    """Three locations, four shuffles: a shuffle errs where its smallest 3 p/k is below the scale.

    These are .03, .3, .6 and .24: at alpha 0.25 one of four may err, so that the scale is .24.
    """
    shuffled = np.array([[0.01, 0.9, 0.9], [0.5, 0.2, 0.3], [0.9, 0.2, 0.9], [0.16, 0.9, 0.1]])
    assert calibrated.calibrate(shuffled, 0.25) == pytest.approx(0.24)
    assert calibrated.calibrate(shuffled, 0.24) == pytest.approx(0.03)
    observed = shuffled[0]
    assert calibrated.true_discoveries(observed, [0, 1, 2], 0.24) == 1
    assert calibrated.true_discoveries(observed, [1, 2], 0.24) == 0


@given(small, st.floats(0.01, 3))
@settings(max_examples=40)
def test_the_calibrated_bound_is_simes_where_h_is_all(p, scale):
    """The interpolation by all subsets and the formula of the bound, d = max_u (1 − u + #{p < scale u/m})."""
    everything = list(range(len(p)))
    formula = max([0, *(1 - u + int((p < scale * u / len(p)).sum()) for u in range(1, len(p) + 1))])
    assert calibrated.true_discoveries(p, everything, scale) == formula


@given(small, st.sampled_from([1 / 16, 0.25]), st.data())
@settings(max_examples=60)
def test_the_formula_of_the_bound_is_closed_testing(p, alpha, data):
    """Goeman 2019, doi:10.1093/biomet/asz041. All p are multiples of 2^-10, so that nothing is rounded."""
    p = np.round(p * 1024) / 1024
    some = data.draw(st.lists(st.integers(0, len(p) - 1), min_size=1, unique=True))
    assert closed.bound(p[some], closed.h(p, alpha) / alpha) == closed.true_discoveries(p, some, alpha)
