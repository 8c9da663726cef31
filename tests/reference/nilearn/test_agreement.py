"""nilearn's second-level model beside ours on the same random maps.

Agrees: effect, variance, t and F, z, one-sided p; which locations survive uncorrected, Bonferroni and FDR.
Not compared: p of nilearn where it is clipped at 1e-300, z beyond 37.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from nilearn.glm import threshold_stats_img
from nilearn.image import new_img_like

from specgl.inference import Parametric, infer

# Two orders of computation in float64 on a well-conditioned design agree far below this; the atol is for
# values that are themselves next to 0.
CLOSE = {"rtol": 1e-6, "atol": 1e-12}
NAMES = {"effect_size": "effect", "effect_variance": "variance", "stat": "stat", "z_score": "z"}
HEIGHT_CONTROL = {"none": "fpr", "fdr_bh": "fdr", "bonferroni": "bonferroni"}

N = 20
HALF = np.repeat([1.0, 0.0], N // 2)
PAIRS = np.tile(np.arange(N // 2), 2)
AGE = np.random.default_rng(11).uniform(20, 60, N)
SEX = np.tile([0.0, 1.0, 1.0, 0.0], N // 4)
ONE = np.ones(N)


@dataclass(frozen=True)
class Case:
    """A design as nilearn's users write it, a contrast, and the signal that is hidden in the maps."""

    frame: pd.DataFrame
    weights: list[float]
    signal: np.ndarray


CASES = {
    "one-sample": Case(pd.DataFrame({"intercept": ONE}), [1], ONE * 1.6),
    "two-sample": Case(pd.DataFrame({"group": HALF, "intercept": ONE}), [1, 0], HALF * 2.6),
    "paired": Case(
        pd.DataFrame(
            {"condition": HALF, **{f"S{pair}": (pair == PAIRS).astype(float) for pair in range(N // 2)}}
        ),
        [1] + [0] * (N // 2),
        HALF * 3,
    ),
    "covariates": Case(
        pd.DataFrame({"age": AGE, "sex": SEX, "intercept": ONE}), [1, 0, 0], (AGE - AGE.mean()) * 0.12
    ),
    "difference of two": Case(pd.DataFrame({"a": HALF, "b": 1 - HALF, "age": AGE}), [1, -1, 0], HALF * 2.6),
}


@pytest.mark.parametrize("name", CASES)
def test_maps_and_thresholds(name, beside):
    case = CASES[name]
    study = beside.study(N, 3, case.signal)
    theirs = beside.theirs(study, case.frame, case.weights)
    stats = beside.ours(study.data, beside.design(case.frame, study.ids, case.weights))
    for their_name, our_name in NAMES.items():
        np.testing.assert_allclose(stats[our_name].sel(contrast="both"), theirs[their_name], **CLOSE)
    np.testing.assert_allclose(stats["p"].sel(contrast="up"), theirs["p_value"], **CLOSE)

    z_map = np.zeros(study.inside.shape)
    z_map[study.inside] = theirs["z_score"]
    image = new_img_like(study.mask, z_map)
    alpha = 0.05
    for correction, control in HEIGHT_CONTROL.items():
        asked = Parametric(correction, correction, alpha, 1, 6, "none")
        (found,) = infer(stats.sel(contrast=["both"]), beside.voxels(study.inside), [asked])
        thresholded, _ = threshold_stats_img(
            image, mask_img=study.mask, alpha=alpha, height_control=control, two_sided=True
        )
        survivors = thresholded.get_fdata()[study.inside] != 0
        assert survivors.any(), "the case would show nothing"
        np.testing.assert_array_equal(found.thresholded != 0, survivors)


def test_cluster_sizes(beside):
    case = CASES["two-sample"]
    study = beside.study(N, 3, case.signal)
    stats = beside.ours(study.data, beside.design(case.frame, study.ids, case.weights))
    z_map = np.zeros(study.inside.shape)
    z_map[study.inside] = stats["z"].sel(contrast="both")
    for least in (2, 5, 20):
        # nilearn knows faces only, and keeps clusters of the least size itself, each sign apart: as we do.
        thresholded, _ = threshold_stats_img(
            new_img_like(study.mask, z_map),
            mask_img=study.mask,
            alpha=0.01,
            height_control="fpr",
            cluster_threshold=least,
            two_sided=True,
        )
        asked = Parametric("unc", "none", 0.01, least, 6, "none")
        (found,) = infer(stats.sel(contrast=["both"]), beside.voxels(study.inside), [asked])
        survivors = thresholded.get_fdata()[study.inside] != 0
        np.testing.assert_array_equal(found.thresholded != 0, survivors)


def test_f_over_two_rows(beside):
    frame = CASES["covariates"].frame
    weights = [[1, 0, 0], [0, 1, 0]]
    study = beside.study(N, 5)
    theirs = beside.theirs(study, frame, weights)
    stats = beside.ours(study.data, beside.design(frame, study.ids, weights, kind="F"))
    np.testing.assert_allclose(stats["stat"][0], theirs["stat"], **CLOSE)
    np.testing.assert_allclose(stats["p"][0], theirs["p_value"], **CLOSE)
    np.testing.assert_allclose(stats["z"][0], theirs["z_score"], **CLOSE)


def test_blocks_are_the_subjects_dummies(beside):
    case = CASES["paired"]
    study = beside.study(N, 3, case.signal)
    theirs = beside.theirs(study, case.frame, case.weights)
    design = beside.design(case.frame[["condition"]], study.ids, [1], blocks=PAIRS)
    stats = beside.ours(study.data, design)
    for their_name, our_name in NAMES.items():
        np.testing.assert_allclose(stats[our_name].sel(contrast="both"), theirs[their_name], **CLOSE)
