"""Two groups with variances of their own beside scipy's Welch test, computed live."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose
from scipy import stats

from specgl.design.records import Block, Contrast, Design
from specgl.engines import Threads
from specgl.models import contrast_maps, fit

SIZES = [(3, 3), (4, 9), (12, 12), (30, 7), (15, 60)]
RATIOS = [0.1, 1.0, 8.0]


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_v_is_welchs_t(sizes: tuple[int, int], ratio: float) -> None:
    rng = np.random.default_rng([*sizes, round(10 * ratio)])
    codes = np.repeat([0, 1], sizes)
    y = rng.standard_normal((len(codes), 8)) * np.where(codes == 1, ratio, 1.0)[:, None] + codes[:, None]
    ids = tuple(f"sub-{i}" for i in range(len(codes)))
    contrast = Contrast("difference", np.array([[1.0, -1.0]]), "t", "two-sided", ("difference",))
    groups = Block("group", codes.astype(np.int64), ("a", "b"))
    design = Design(
        np.eye(2)[codes], (), ids, (contrast,), None, 2, len(codes) - 2, "x", {}, variance_groups=groups
    )
    data = xr.Dataset({"effect": (("observation", "location"), y)}, coords={"observation": list(ids)})
    maps = contrast_maps(fit(data, design, engine=Threads(1)), design).isel(contrast=0)
    theirs = stats.ttest_ind(y[codes == 0], y[codes == 1], equal_var=False)
    # Rounding of sums of a few dozen numbers of size 1 in another order.
    assert_allclose(maps["stat"], theirs.statistic, rtol=1e-12, atol=1e-13)
    assert_allclose(maps["dof"], theirs.df, rtol=1e-12)
    # An error of 1e-13 in a t of 20 is one of t times that in its p.
    assert_allclose(maps["p"], theirs.pvalue, rtol=1e-11)
