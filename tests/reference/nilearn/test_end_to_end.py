"""A spec run by specgl beside nilearn's second-level model, from files on disk to files on disk.

Agrees: the effect, variance, t, z and p maps of a bundle; how many locations survive uncorrected, Bonferroni
and FDR. Differs and is not compared: voxels at which a subject lacks a value, which nilearn counts as 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest
import yaml
from nilearn.glm import threshold_stats_img
from nilearn.glm.second_level import SecondLevelModel
from scipy.ndimage import gaussian_filter
from statsmodels.stats.weightstats import DescrStatsW

import specgl

# The bundle's maps are float32, whose digits end at 6e-8 of the value; nilearn's are float64, computed in
# another order. The atol is for values that are themselves next to 0.
WRITTEN = {"rtol": 1e-6, "atol": 1e-9}
# nilearn holds the files' float32 up to the fit: what it loses is a share of the values, not of a t near 0.
FLOAT32_INSIDE = {"rtol": 1e-6, "atol": 1e-7}
MAPS = {
    "effect_size": "effect",
    "effect_variance": "variance",
    "stat": "stat",
    "z_score": "z",
}
HEIGHT_CONTROL = {"none": "fpr", "fdr_bh": "fdr", "bonferroni": "bonferroni"}
INFERENCE = {name.replace("_", ""): name for name in HEIGHT_CONTROL}


def inferences(alpha: float) -> dict[str, dict[str, object]]:
    return {
        name: {"method": "parametric", "correction": correction, "alpha": alpha}
        for name, correction in INFERENCE.items()
    }


def write_spec(folder: Path, **sections: Any) -> Path:
    path = folder / "analysis.yaml"
    path.write_text(yaml.safe_dump({"specgl": 1, "name": "beside", **sections}), encoding="utf-8")
    return path


def digests(bundle: specgl.Bundle) -> dict[str, str | None]:
    return {file.path: file.data_sha256 for file in bundle.files if file.role.is_image}


def compare(bundle: specgl.Bundle, contrast: str, model: SecondLevelModel, weights: Any, close: Any) -> None:
    """A contrast's maps and counts, and nilearn's."""
    images = model.compute_contrast(weights, output_type="all")
    inside = bundle.mask.values
    ours = bundle.maps.sel(contrast=contrast)
    for theirs, name in MAPS.items():
        found = np.asarray(images[theirs].get_fdata())[inside]
        np.testing.assert_allclose(ours[name].values[inside], found, **close, err_msg=name)
    # nilearn's p is that of the upper tail.
    one_sided = np.asarray(images["p_value"].get_fdata())[inside]
    two_sided = 2 * np.minimum(one_sided, 1 - one_sided)
    # A small p changes by up to t times the relative change of its t; 1 - p has lost what is below 1e-16.
    of_p = {"rtol": 30 * close["rtol"], "atol": 1e-9}
    np.testing.assert_allclose(ours["p"].values[inside], two_sided, **of_p)
    results = bundle.results.set_index(["contrast", "inference"])
    for inference, correction in INFERENCE.items():
        alpha = bundle.spec["inference"][inference]["alpha"] if bundle.spec else None
        thresholded, _ = threshold_stats_img(
            images["z_score"],
            mask_img=model.masker_.mask_img_,
            alpha=alpha,
            height_control=HEIGHT_CONTROL[correction],
        )
        survivors = thresholded.get_fdata()[inside] != 0
        assert int(results.loc[(contrast, inference), "n_surviving"]) == int(survivors.sum())
        np.testing.assert_array_equal(ours[f"stat_{inference}"].values[inside] != 0, survivors)


def test_generated_data(beside, tmp_path: Path) -> None:
    """Two groups, age and sex, in a table whose rows stand in another order than the files."""
    n = 20
    rng = np.random.default_rng(31)
    group = rng.permutation(np.repeat(["control", "patient"], n // 2))
    age = np.round(rng.uniform(20, 60, n), 1)
    sex = np.where(rng.random(n) < 0.5, "F", "M")
    # Something survives in each contrast: nilearn warns of a threshold that nothing reaches.
    study = beside.study(n, 12, 1.5 + (group == "patient") * 2.6 + 0.12 * (age - 40))
    frame = pd.DataFrame(
        {"id": study.ids, "map": [path.name for path in study.paths], "group": group, "age": age, "sex": sex}
    )
    order = rng.permutation(n)
    frame.iloc[order].to_csv(tmp_path / "table.tsv", sep="\t", index=False)
    study.mask.to_filename(tmp_path / "brain.nii.gz")
    spec = write_spec(
        tmp_path,
        data={"table": "table.tsv", "id": "id", "images": {"column": "map"}},
        mask="brain.nii.gz",
        variables={
            "group": {"type": "categorical", "coding": "sum"},
            "sex": {"type": "categorical"},
            "age": {"type": "continuous"},
        },
        model={"formula": "group + sex + age"},
        contrasts={"difference": "group[patient] - group[control]", "slope": "age", "men": "sex[M]"},
        inference=inferences(0.05),
    )
    bundle = specgl.run(specgl.read(spec))
    bundle.verify()
    np.testing.assert_array_equal(bundle.mask, study.inside)

    matrix = pd.DataFrame(
        {"patient": group == "patient", "male": sex == "M", "age": age - age.mean(), "one": 1.0}
    ).astype(float)
    model = SecondLevelModel(mask_img=study.mask).fit(
        [str(path) for path in study.paths], design_matrix=matrix
    )
    for contrast, weights in (
        ("difference", [1, 0, 0, 0]),
        ("slope", [0, 0, 1, 0]),
        ("men", [0.5, 1, 0, 1]),  # over both groups with equal weights, at the mean age
    ):
        compare(bundle, contrast, model, weights, WRITTEN)


@pytest.fixture(scope="module")
def wager(shared_data: Path) -> Path:
    folder = shared_data / "wager2008"
    if not folder.is_dir():
        pytest.skip("the data set wager2008 is not on this machine")
    return folder


@pytest.fixture(scope="module")
def one_sample(wager: Path, tmp_path_factory: pytest.TempPathFactory) -> specgl.Bundle:
    """The mean of thirty people in the published brain mask."""
    (mask,) = (wager / "masks").glob("*.nii.gz")
    path = write_spec(
        tmp_path_factory.mktemp("wager2008"),
        # In place: the folder of the data is none of ours to write to.
        data={"table": str(wager / "participants.tsv"), "images": {"column": "effect_map"}},
        mask=str(mask),
        model={"formula": "1"},
        contrasts={"mean": "mean"},
        inference=inferences(0.05),
    )
    return specgl.run(specgl.read(path, allow_outside=True), allow_outside=True)


def test_one_sample_on_real_maps(one_sample: specgl.Bundle, wager: Path) -> None:
    """49,245 of the mask's 49,792 voxels are complete; t and p there are those of statsmodels."""
    one_sample.verify()
    assert one_sample.manifest["space"]["locations"] == 49_245
    assert set(one_sample.results["n"]) == {30}
    assert set(one_sample.results["dof"]) == {29}
    table = pd.read_csv(wager / "participants.tsv", sep="\t")
    paths = [wager / path for path in table["effect_map"]]
    inside = one_sample.mask.values
    values = np.stack([np.asarray(nibabel.load(path).dataobj)[inside] for path in paths]).astype(np.float64)
    assert np.isfinite(values).all()
    t, p, _ = DescrStatsW(values).ttest_mean()
    ours = one_sample.maps.sel(contrast="mean")
    np.testing.assert_allclose(ours["stat"].values[inside], t, **WRITTEN)
    np.testing.assert_allclose(ours["p"].values[inside], p, **WRITTEN)
    np.testing.assert_allclose(ours["effect"].values[inside], values.mean(axis=0), **WRITTEN)

    mask = nibabel.Nifti1Image(inside.astype(np.uint8), nibabel.load(paths[0]).affine)
    model = SecondLevelModel(mask_img=mask).fit(
        [str(path) for path in paths], design_matrix=pd.DataFrame({"one": np.ones(30)})
    )
    compare(one_sample, "mean", model, [1], FLOAT32_INSIDE)


@pytest.fixture(scope="module")
def aomic(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> specgl.AnalysisSpec:
    """Grey matter with age and sex, smoothed by 3 mm."""
    source = shared_data / "aomic_vbm"
    if not source.is_dir():
        pytest.skip("the data set aomic_vbm is not on this machine")
    path = write_spec(
        tmp_path_factory.mktemp("aomic_vbm"),
        data={
            "table": str(source / "participants.tsv"),
            "images": {"column": "gm_mod_map"},
            "missing": {"zero": "data"},
            "smoothing_fwhm": 3,
        },
        mask=str(source / "GM226_mask.nii.gz"),
        variables={
            "age": {"type": "continuous", "unit": "year"},
            "sex": {"type": "categorical", "levels": ["F", "M"]},
        },
        model={"formula": "age + sex"},
        contrasts={"age": "age", "menGtWomen": "sex[M] - sex[F]"},
        inference={"fdr": {"method": "parametric", "correction": "fdr_bh", "across": "contrasts"}},
    )
    return specgl.read(path, allow_outside=True)


def test_grey_matter_with_age_and_sex(aomic: specgl.AnalysisSpec, shared_data: Path) -> None:
    """One thread and two give the same bits; t is that of the data smoothed by scipy."""
    one = specgl.run(aomic, aomic.folder / "one", threads=1, allow_outside=True)
    two = specgl.run(aomic, aomic.folder / "two", threads=2, allow_outside=True)
    two.verify()
    assert digests(one) == digests(two)
    quality = {"mean", "coverage", "slices"}
    assert len(digests(one)) == 1 + 2 * (5 + 2) + len(quality)
    assert one.manifest["spec_digest"] == two.manifest["spec_digest"]
    assert set(one.results["dof"]) == {7}

    folder = shared_data / "aomic_vbm"
    inside = one.mask.values
    mask = np.asarray(nibabel.load(folder / "GM226_mask.nii.gz").dataobj) > 0
    np.testing.assert_array_equal(inside, mask)
    table = pd.read_csv(folder / "participants.tsv", sep="\t")
    volumes = [np.asarray(nibabel.load(folder / path).dataobj, np.float64) for path in table["gm_mod_map"]]
    sigma = 3 / np.sqrt(8 * np.log(2)) / 2  # in voxels of 2 mm
    support = gaussian_filter(np.ones(mask.shape), sigma, mode="constant", truncate=4)
    smooth = [gaussian_filter(v, sigma, mode="constant", truncate=4) / support for v in volumes]
    y = np.stack([volume[inside] for volume in smooth])
    matrix = np.column_stack([np.ones(10), table["age"] - table["age"].mean(), table["sex"] == "M"])
    matrix = matrix.astype(float)
    beta, rss, *_ = np.linalg.lstsq(matrix, y)
    spread = np.diag(np.linalg.inv(matrix.T @ matrix))
    for contrast, column in (("age", 1), ("menGtWomen", 2)):
        t = beta[column] / np.sqrt(spread[column] * rss / 7)
        ours = one.maps["stat"].sel(contrast=contrast).values[inside]
        # Images are smoothed in float32: what that loses is a share of the values, not of a t near 0.
        np.testing.assert_allclose(ours, t, rtol=1e-6, atol=1e-5)
