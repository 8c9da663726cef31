"""Bounds on true discoveries where there is something: how often one claims too much, how much they claim.

Minutes, not seconds: ``python -m pytest -m calibration tests/calibration``.
"""

from __future__ import annotations

import pytest
from scipy.stats import binom

pytestmark = pytest.mark.calibration

CONFIDENCE = 0.99
OTHER_BLAS = 2
"""Data sets that may fall on the other side of the level where sums are rounded otherwise."""


def test_bounds_cover_and_say_something(smooth_studies, documented):
    n = smooth_studies.SIGNAL_SETS
    found = smooth_studies.bounds()
    most = binom.ppf((1 + CONFIDENCE) / 2, n, smooth_studies.ALPHA) / n
    for method, rate in found["too much"].items():
        assert rate <= most
        assert rate == pytest.approx(
            documented[f"{method}: a bound claims too much"], abs=(OTHER_BLAS + 0.5) / n
        )
    for method, share in found["claimed"].items():
        # one p-value more or less in a bound is a thousandth of what there is
        assert share == pytest.approx(documented[f"{method}: true discoveries claimed"], abs=0.002)
    # shuffles know how alike neighbours are, and Simes does not
    assert found["claimed"]["permutation"] > found["claimed"]["all_resolutions"] > 0.2
