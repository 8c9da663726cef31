"""Random fields and simulated clusters in smooth noise, beside shuffles on the same data sets.

Minutes, not seconds: ``python -m pytest -m calibration tests/calibration``.
"""

from __future__ import annotations

import pytest
from scipy.stats import binom

pytestmark = pytest.mark.calibration

CONFIDENCE = 0.99
OTHER_BLAS = 2
"""Data sets that may fall on the other side of the level where sums are rounded otherwise."""


def test_every_kind_of_noise_is_looked_at(smooth_studies):
    assert set(smooth_studies.NOISES) == {"smooth", "rough", "varying"}
    assert smooth_studies.NULL_SETS >= 500


@pytest.mark.parametrize("name", ["smooth", "varying", "rough"])
def test_errors_where_nothing_is(name, smooth_studies, documented):
    n = smooth_studies.NULL_SETS
    rates = smooth_studies.error_rates(smooth_studies.NOISES[name])
    low, high = (bound / n for bound in binom.interval(CONFIDENCE, n, smooth_studies.ALPHA))
    # Shuffles are exact; theory may be on the safe side, and clusters tie.
    assert rates["peaks, permutation"] >= low, rates
    assert all(rate <= high for rate in rates.values()), rates
    for kind, rate in rates.items():
        assert rate == pytest.approx(documented[f"{name}: {kind}"], abs=(OTHER_BLAS + 0.5) / n), kind
