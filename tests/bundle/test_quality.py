"""What a bundle keeps for those who look is read back as it was."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from specgl.bundle import QualityContents, Role, open_bundle, verify, write
from specgl.errors import VerificationError
from specgl.images import Grid, InputFile, Underlay
from specgl.inference import Regions


@pytest.fixture
def looked_at(make_contents, space, study):
    """Contents with quality, underlay and atlas."""
    rng = np.random.default_rng(5)
    ids = [f"{number + 1:03d}" for number in range(9)]
    observations = pd.DataFrame(
        {
            "distance": rng.uniform(0.8, 1.2, 9).round(5),
            "outlier": np.arange(9) == 4,
            "mean_absolute_residual": rng.uniform(0, 1, 9).round(5),
            "coverage": np.linspace(0.5, 1, 9),
            "n_values": np.arange(9) + 100,
            "leverage": np.full(9, 2 / 9).round(5),
        },
        index=pd.Index(ids, name="observation"),
    )
    places = {"x": [1.5, 2], "y": [0.0, -3], "z": [4.0, 8]}
    peaks = pd.DataFrame(places | {name: [0.25, np.nan] for name in ids})
    shape = space.grid.shape
    slices = rng.normal(size=(9, shape[0], shape[1], 1)).astype(np.float32)
    slices[0, 0, 0, 0] = np.nan
    quality = QualityContents(
        observations=observations,
        mean=rng.normal(size=space.n_locations),
        present=np.where(space.mask, 9, 3).astype(np.int32),
        slices=slices,
        slices_grid=Grid((*shape[:2], 1), space.grid.affine),
        sliced=tuple(ids),
        peaks=peaks,
    )
    fine = Grid((4, 4, 4), np.diag([2.0, 2, 2, 1]))
    file = InputFile(study / "participants.tsv", 1, "0" * 64, "underlay", "t1.nii.gz")
    underlay = Underlay(fine, rng.integers(0, 256, (4, 4, 4)).astype(np.uint8), file)
    atlas = Regions((np.arange(space.n_locations) % 3).astype(np.int64), {1: "A <b>1", 2: "007", 9: "far"})
    return dataclasses.replace(make_contents(), quality=quality, underlay=underlay, atlas=atlas)


def test_quality_is_read_back(looked_at, tmp_path, space):
    bundle = open_bundle(write(tmp_path / "out", looked_at))
    verify(bundle.path)
    held, made = bundle.quality, looked_at.quality
    for read, written in ((held.observations, made.observations), (held.peaks, made.peaks)):
        assert [*map(str, read.columns)] == [*map(str, written.columns)]
        assert read.index.tolist() == written.index.tolist()
        np.testing.assert_array_equal(read.to_numpy(dtype=float), written.to_numpy(dtype=float))
    assert held.observations["outlier"].dtype == bool
    np.testing.assert_array_equal(space.from_volume(held.mean.values), made.mean.astype(np.float32))
    assert np.isnan(held.mean.values[~space.mask]).all()
    np.testing.assert_array_equal(held.coverage.values, made.present)
    np.testing.assert_array_equal(held.slices.values, made.slices)
    assert held.slices.coords["observation"].values.tolist() == made.observations.index.tolist()
    assert held.slices.dims == ("observation", "i", "j", "k")
    np.testing.assert_allclose(held.slices.attrs["affine"], space.grid.affine, atol=1e-5)


def test_maps_know_where_they_lie_and_quality_is_none_of_them(looked_at, tmp_path, space):
    bundle = open_bundle(write(tmp_path / "out", looked_at))
    for array in (*bundle.maps.data_vars.values(), bundle.mask):
        np.testing.assert_allclose(array.attrs["affine"], space.grid.affine, atol=1e-5)
    plain = open_bundle(write(tmp_path / "plain", dataclasses.replace(looked_at, quality=None, atlas=None)))
    assert set(bundle.maps.data_vars) == set(plain.maps.data_vars)


def test_the_underlay_is_the_given_one_or_else_the_mean(looked_at, tmp_path):
    given = open_bundle(write(tmp_path / "given", looked_at)).underlay
    np.testing.assert_array_equal(given.values, looked_at.underlay.shades)
    np.testing.assert_allclose(given.attrs["affine"], looked_at.underlay.grid.affine)
    assert given.attrs["source"] == "underlay"
    mean = open_bundle(write(tmp_path / "mean", dataclasses.replace(looked_at, underlay=None))).underlay
    assert mean.attrs["source"] == "mean image"
    bare = dataclasses.replace(looked_at, underlay=None, quality=None)
    assert open_bundle(write(tmp_path / "bare", bare)).underlay is None


def test_regions_are_read_back_with_their_names(looked_at, tmp_path, space):
    codes, named = open_bundle(write(tmp_path / "out", looked_at)).regions
    np.testing.assert_array_equal(space.from_volume(codes.values), looked_at.atlas.codes)
    assert not codes.values[~space.mask].any()
    assert named == {1: "A <b>1", 2: "007"}


def test_without_them_there_is_nothing_of_them(make_contents, tmp_path):
    bundle = open_bundle(write(tmp_path / "out", make_contents()))
    assert (bundle.quality, bundle.regions, bundle.underlay, bundle.report) == (None, None, None, None)
    assert not [file for file in bundle.files if file.path.startswith("qc/")]


def test_every_image_has_its_words_and_its_digest(looked_at, tmp_path):
    where = write(tmp_path / "out", looked_at)
    for file in open_bundle(where).files:
        if file.role in (Role.QUALITY_IMAGE, Role.UNDERLAY, Role.ATLAS):
            assert file.data_sha256
            words = json.loads((where / file.path.replace(".nii.gz", ".json")).read_text())
            assert {"Description", "Units", "SpecDigest"} <= set(words)


def test_one_observation_is_one_volume(looked_at, tmp_path):
    quality = looked_at.quality
    about, slices, peaks = quality.observations.iloc[:1], quality.slices[:1], quality.peaks.iloc[:0]
    one = dataclasses.replace(quality, observations=about, slices=slices, peaks=peaks, sliced=("001",))
    held = open_bundle(write(tmp_path / "out", dataclasses.replace(looked_at, quality=one))).quality
    assert held.slices.shape == quality.slices[:1].shape
    assert len(held.peaks) == 0


def test_slices_may_be_of_some_observations(looked_at, tmp_path):
    quality = looked_at.quality
    some = dataclasses.replace(quality, slices=quality.slices[[3, 7]], sliced=("004", "008"))
    where = write(tmp_path / "out", dataclasses.replace(looked_at, quality=some))
    slices = open_bundle(where).quality.slices
    assert slices.coords["observation"].values.tolist() == ["004", "008"]
    np.testing.assert_array_equal(slices.values, quality.slices[[3, 7]])
    sidecar = where / "qc" / "slices.json"
    sidecar.write_text(sidecar.read_text().replace('"004",', ""))
    with pytest.raises(VerificationError, match=r"qc/slices\.json"):
        _ = open_bundle(where).quality.slices
