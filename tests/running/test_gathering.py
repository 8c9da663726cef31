"""What a run keeps for those who look is what was in the data."""

from __future__ import annotations

from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import specgl
from specgl.running.gathering import MOST_PEAKS, MOST_SLICES, furthest


def test_quality_is_that_of_the_data(study: Any) -> None:
    holes = study.data.copy()
    holes[3, 2, 2, 2] = np.nan
    holes[4, 5:, :, :] = np.nan
    for number in (4, 5):
        nib.save(nib.Nifti1Image(holes[number - 1], np.diag([3.0, 3, 3, 1])), study.image(number))
    study.edit('images: "maps/', 'missing: {voxel: {available: 0.8}}\n  images: "maps/')
    bundle = specgl.run(specgl.read(study.spec))
    quality = bundle.quality
    mask = np.asarray(nib.load(study.folder / "mask.nii.gz").dataobj) > 0
    present = np.isfinite(holes).sum(axis=0) * mask
    np.testing.assert_array_equal(quality.coverage.values, present)
    inside = bundle.mask.values
    mean = np.nanmean(holes, axis=0, dtype=np.float64)
    # Means are computed in float64 and held in float32.
    np.testing.assert_allclose(quality.mean.values[inside], mean[inside], rtol=1e-6)
    expected = np.isfinite(holes[:, mask]).mean(axis=1)
    np.testing.assert_allclose(quality.observations["coverage"], expected)
    np.testing.assert_array_equal(quality.observations["n_values"], np.isfinite(holes[:, inside]).sum(axis=1))
    assert quality.observations["leverage"].sum() == pytest.approx(3, abs=1e-5)


def test_slices_are_slices_of_the_maps(study: Any) -> None:
    quality = specgl.run(specgl.read(study.spec)).quality
    slices = quality.slices
    assert slices.shape == (10, 7, 6, 1)
    affine = np.array(slices.attrs["affine"])
    k = round(affine[2, 3] / 3)
    shown = slices.values[..., 0]
    known = np.isfinite(shown)
    np.testing.assert_array_equal(known[0], known[9])
    np.testing.assert_array_equal(shown[known], study.data[..., k][known])
    assert known[0].sum() == 6 * 5, "the mask's slice"


def test_values_at_peaks_are_those_of_the_maps_there(study: Any) -> None:
    bundle = specgl.run(specgl.read(study.spec))
    peaks = bundle.quality.peaks
    assert list(peaks.columns) == ["x", "y", "z", *bundle.design.index]
    assert not peaks.duplicated(list("xyz")).any()
    for row in peaks.to_dict("records"):
        i, j, k = (round(row[axis] / 3) for axis in "xyz")
        values = [row[name] for name in bundle.design.index]
        np.testing.assert_allclose(values, study.data[:, i, j, k], rtol=1e-6)
    for contrast in bundle.maps["contrast"].values:
        of_contrast = [table for (name, _), table in bundle.tables.items() if name == contrast]
        places = {tuple(p) for table in of_contrast for p in table[list("xyz")].to_numpy().round(3).tolist()}
        held = {tuple(p) for p in peaks[list("xyz")].to_numpy().round(3).tolist()}
        assert len(places & held) >= min(len(places), MOST_PEAKS)
    best = {tuple(row["peak"][axis] for axis in "xyz") for row in bundle.manifest["results"]}
    assert best <= {tuple(place) for place in peaks[list("xyz")].to_numpy().tolist()}


def test_variables_are_as_the_table_has_them(study: Any) -> None:
    study.edit("age: {type: continuous, unit: year}", "age: {type: continuous, scale: sd, unit: year}")
    bundle = specgl.run(specgl.read(study.spec))
    lines = [line.split("\t") for line in study.table.read_text().splitlines()[1:]]
    assert bundle.variables.index.tolist() == [cells[0] for cells in lines]
    assert bundle.variables["group"].tolist() == [cells[1] for cells in lines]
    assert bundle.variables["age"].tolist() == [float(cells[2]) for cells in lines]
    vif = {name: told["vif"] for name, told in bundle.design_words["regressors"].items()}
    assert vif["Intercept"] is None
    assert vif["age"] == pytest.approx(vif["group[T.patient]"])
    r = np.corrcoef(bundle.variables["age"], bundle.variables["group"] == "patient")[0, 1]
    assert vif["age"] == pytest.approx(1 / (1 - r**2))


def test_levels_that_look_like_numbers_stay_text(study: Any) -> None:
    text = study.table.read_text().replace("control", "01").replace("patient", "02")
    study.table.write_text(text)
    study.write(study.spec.read_text().replace("control", "01").replace("patient", "02"))
    spec = study.spec.read_text().replace("02Gt01", "difference")
    study.write(spec.replace("[01, 02]", "['01', '02']"))
    bundle = specgl.run(specgl.read(study.spec))
    assert set(bundle.variables["group"]) == {"01", "02"}


def test_ready_made_maps_have_no_quality(study: Any) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(7, 6, 5)).astype(np.float32)
    nib.save(nib.Nifti1Image(values, np.diag([3.0, 3, 3, 1])), study.folder / "z.nii.gz")
    study.write(
        "specgl: 1\nname: ready\nmaps: {z: {image: z.nii.gz, statistic: z}}\n"
        "inference: {fdr: {method: parametric, correction: fdr_bh}}\n"
    )
    bundle = specgl.run(specgl.read(study.spec))
    assert (bundle.quality, bundle.variables, bundle.design_words, bundle.underlay) == (None,) * 4


def test_shuffling_leaves_the_data_that_are_told_of(shuffled_study: Any) -> None:
    shuffled_study.edit("permutation: {n: 1000,", "permutation: {n: 40,")
    bundle = specgl.run(specgl.read(shuffled_study.spec))
    for row in bundle.quality.peaks.to_dict("records"):
        i, j, k = (round(row[axis] / 3) for axis in "xyz")
        values = [row[name] for name in bundle.design.index]
        np.testing.assert_allclose(values, shuffled_study.data[:, i, j, k], rtol=1e-6)


@given(st.lists(st.one_of(st.just(float("nan")), st.floats(0.1, 9)), min_size=1, max_size=150))
def test_of_many_observations_the_furthest_are_shown(distances: list[float]) -> None:
    distance = np.array(distances)
    rows = furthest(distance)
    assert len(rows) == min(len(distance), MOST_SLICES)
    assert (np.diff(rows) > 0).all()
    left_out = np.setdiff1d(np.arange(len(distance)), rows)
    if left_out.size:
        known = np.nan_to_num(distance, nan=-1)
        assert known[rows].min() >= known[left_out].max()


def test_of_very_many_observations_fewer_peaks_are_kept(study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    study.edit("alpha: 0.05, min_cluster_size: 2", "alpha: 0.5")
    many = specgl.run(specgl.read(study.spec), study.folder / "many").quality.peaks
    monkeypatch.setattr("specgl.running.gathering.MOST_VALUES", 10)
    monkeypatch.setattr("specgl.running.gathering.FEWEST_PEAKS", 1)
    few = specgl.run(specgl.read(study.spec), study.folder / "few").quality.peaks
    assert len(few) <= 3 < len(many) <= 3 * MOST_PEAKS
    kept = {tuple(place) for place in few[list("xyz")].to_numpy().tolist()}
    assert kept <= {tuple(place) for place in many[list("xyz")].to_numpy().tolist()}
