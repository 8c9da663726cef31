"""statsmodels beside ours: t, F, p, r-squared and residuals of single locations, to 1e-10."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import statsmodels.api as sm
import xarray as xr
from numpy.testing import assert_allclose

from specgl.design.records import Contrast, Design
from specgl.engines import Threads
from specgl.models import contrast_maps, fit, residuals

# Both solve the same well conditioned problem in float64; what differs is the order of some hundred sums.
CLOSE = {"rtol": 1e-10, "atol": 1e-12}
CASES = {
    "one-sample": (12, 1, 0.0),
    "two regressors": (20, 3, 0.0),
    "many regressors": (60, 12, 0.0),
    "missing values": (30, 4, 0.15),
    "offset": (25, 3, 0.0),
}


def group(case: str) -> tuple[np.ndarray, np.ndarray]:
    n, p, missing = CASES[case]
    rng = np.random.default_rng(100 * n + p)
    x = np.column_stack([np.ones(n), rng.standard_normal((n, p - 1))])
    y = x @ rng.standard_normal((p, 8)) + rng.standard_normal((n, 8)) + (100.0 if case == "offset" else 0.0)
    y[rng.random(y.shape) < missing] = np.nan
    return x, y


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_statsmodels(case: str) -> None:
    x, y = group(case)
    n, p = x.shape
    rows = np.eye(p)[-2:]
    ids = tuple(f"sub-{i}" for i in range(n))
    contrasts = (
        Contrast("t", np.eye(p)[-1:], "t", "two-sided", ("t",)),
        Contrast("F", rows, "F", "two-sided", ("F", "F")),
    )
    design = Design(x, (), ids, contrasts, None, p, n - p, "x", {})
    data = xr.Dataset({"effect": (("observation", "location"), y)}, coords={"observation": list(ids)})
    fitted = fit(data, design, engine=Threads(2))
    maps = contrast_maps(fitted, design)
    rest = residuals(data, design, fitted, engine=Threads(2))
    for location in range(y.shape[1]):
        here = np.isfinite(y[:, location])
        theirs = sm.OLS(y[here, location], x[here]).fit()
        t, f = theirs.t_test(np.eye(p)[-1]), theirs.f_test(rows)
        ours = maps.isel(location=location)
        assert_allclose(fitted.beta[:, location], theirs.params, **CLOSE)
        assert_allclose(ours["effect"][0], np.squeeze(t.effect), **CLOSE)
        assert_allclose(ours["variance"][0], np.squeeze(t.sd) ** 2, **CLOSE)
        assert_allclose(ours["stat"], [np.squeeze(t.tvalue), np.squeeze(f.fvalue)], **CLOSE)
        assert_allclose(ours["p"], [np.squeeze(t.pvalue), np.squeeze(f.pvalue)], rtol=1e-9, atol=1e-300)
        assert_allclose(rest[here, location], theirs.resid, rtol=1e-9, atol=1e-10)
        assert_allclose(np.ravel(ours["dof"])[0], theirs.df_resid)
        if p > 1:
            assert_allclose(fitted.r2[location], theirs.rsquared, **CLOSE)


def test_a_real_one_sample_test(shared_data: Path) -> None:
    folder = shared_data / "wager2008"
    if not folder.is_dir():
        pytest.skip("the data set wager2008 is not on this machine")
    mask = nibabel.load(folder / "masks" / "brainmask_on_data_grid_49792vox.nii.gz")
    inside = np.asanyarray(mask.dataobj) > 0
    files = sorted((folder / "nifti").glob("*.nii*"))
    values = np.stack([np.asanyarray(nibabel.load(file).dataobj)[inside] for file in files])
    assert values.shape == (30, 49792)
    ids = tuple(file.name for file in files)
    contrast = Contrast("mean", np.ones((1, 1)), "t", "two-sided", ("mean",))
    design = Design(np.ones((30, 1)), (), ids, (contrast,), None, 1, 29, "1", {})
    data = xr.Dataset({"effect": (("observation", "location"), values)}, coords={"observation": list(ids)})
    fitted = fit(data, design, engine=Threads(2))
    maps = contrast_maps(fitted, design).isel(contrast=0)
    complete = maps["n"].values == 30
    assert np.count_nonzero(complete) == 49245
    assert np.isfinite(maps["stat"].values[complete]).all()
    for location in [*np.flatnonzero(complete)[::2500], *np.flatnonzero(~complete)[::50]]:
        here = values[np.isfinite(values[:, location]), location].astype(np.float64)
        theirs = sm.OLS(here, np.ones_like(here)).fit()
        assert_allclose(maps["stat"][location], theirs.tvalues[0], **CLOSE)
        assert_allclose(maps["p"][location], theirs.pvalues[0], rtol=1e-9)
