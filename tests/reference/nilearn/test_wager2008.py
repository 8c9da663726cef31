"""Thirty real maps: reappraise negative against look negative (Wager 2008, doi:10.1016/j.neuron.2008.09.006).

Subjects lack values at some voxels (NaN). Analysed are the voxels of the brain mask where none does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from nilearn.glm import threshold_stats_img
from nilearn.glm.second_level import SecondLevelModel
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.weightstats import DescrStatsW

from specgl.inference import Parametric, infer

IN_MASK = 49_792
COMPLETE = 49_245
N = 30

# nilearn keeps the maps' float32 up to the fit; statsmodels gets the same float64 as we do.
NILEARN = {"rtol": 1e-6, "atol": 1e-6}
STATSMODELS = {"rtol": 1e-10, "atol": 1e-12}


@dataclass(frozen=True, eq=False)
class Wager:
    """The published table and maps, and the voxels that are complete."""

    paths: list[Path]
    table: pd.DataFrame
    mask: nibabel.Nifti1Image
    in_mask: int
    inside: np.ndarray
    values: np.ndarray

    @property
    def data(self) -> xr.Dataset:
        ids = self.table["participant_id"].tolist()
        return xr.Dataset({"effect": (("observation", "location"), self.values)}, coords={"observation": ids})


@pytest.fixture(scope="module")
def wager(shared_data: Path) -> Wager:
    folder = shared_data / "wager2008"
    if not folder.is_dir():
        pytest.skip("the data set wager2008 is not on this machine")
    table = pd.read_csv(folder / "participants.tsv", sep="\t", dtype={"participant_id": str})
    paths = [folder / path for path in table["effect_map"]]
    (mask_path,) = (folder / "masks").glob("*.nii.gz")
    brain_image = nibabel.load(mask_path)
    brain = np.asarray(brain_image.dataobj) > 0
    values = np.stack([np.asarray(nibabel.load(path).dataobj)[brain] for path in paths])
    complete = np.isfinite(values).all(axis=0)
    inside = brain.copy()
    inside[brain] = complete
    mask = nibabel.Nifti1Image(inside.astype(np.uint8), brain_image.affine)
    return Wager(paths, table, mask, int(brain.sum()), inside, values[:, complete].astype(np.float64))


def test_complete_voxels(wager):
    assert wager.in_mask == IN_MASK
    assert wager.values.shape == (N, COMPLETE)


def test_one_sample(wager, beside):
    frame = pd.DataFrame({"intercept": np.ones(N)})
    stats = beside.ours(wager.data, beside.design(frame, wager.table["participant_id"], [1]))
    t = stats["stat"].sel(contrast="both").values
    assert t.shape == (COMPLETE,)
    assert np.isfinite(t).all()
    reference, p, _ = DescrStatsW(wager.values).ttest_mean()
    np.testing.assert_allclose(t, reference, **STATSMODELS)
    np.testing.assert_allclose(stats["p"].sel(contrast="both"), p, **STATSMODELS)

    model = SecondLevelModel(mask_img=wager.mask)
    model.fit([str(path) for path in wager.paths], design_matrix=frame)
    images = model.compute_contrast("intercept", output_type="all")
    thresholded = {
        correction: threshold_stats_img(
            images["z_score"], mask_img=wager.mask, alpha=0.05, height_control=control
        )[0].get_fdata()
        for correction, control in (("none", "fpr"), ("fdr_bh", "fdr"), ("bonferroni", "bonferroni"))
    }
    np.testing.assert_allclose(t, images["stat"].get_fdata()[wager.inside], **NILEARN)
    for correction, theirs in thresholded.items():
        asked = Parametric(correction, correction, 0.05, 1, 6, "none")
        (found,) = infer(stats.sel(contrast=["both"]), beside.voxels(wager.inside), [asked])
        survivors = theirs[wager.inside] != 0
        assert survivors.any()
        np.testing.assert_array_equal(found.thresholded != 0, survivors)


def test_regression_at_some_voxels(wager, beside):
    success = wager.table["reappraisal_success"].to_numpy()
    frame = pd.DataFrame({"success": success - success.mean(), "intercept": np.ones(N)})
    some = slice(None, None, 1000)
    data = wager.data.isel(location=some)
    for kind, weights in (("t", [[1, 0]]), ("F", [[1, 0], [0, 1]])):
        design = beside.design(frame, wager.table["participant_id"], weights, kind=kind)
        stats = beside.ours(data, design).sel(contrast="both")
        fits = [OLS(y, frame.to_numpy()).fit() for y in wager.values[:, some].T]
        tests = [one.t_test(weights[0]) if kind == "t" else one.f_test(np.array(weights)) for one in fits]
        value = [float(np.squeeze(test.tvalue if kind == "t" else test.fvalue)) for test in tests]
        np.testing.assert_allclose(stats["stat"], value, **STATSMODELS)
        p = [float(np.squeeze(test.pvalue)) for test in tests]
        np.testing.assert_allclose(stats["p"], p, **STATSMODELS)
