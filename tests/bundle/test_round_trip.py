"""Law: what is written is read back equal; equal contents are equal bytes."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.bundle import Role, Status, open_bundle, verify, write
from specgl.engines import Threads
from specgl.images import Grid, Space

TIMED = {"manifest.json", "ro-crate-metadata.json", "logs/run.jsonl"}


def tree_bytes(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_is_written_is_read_back_equal(make_contents, tmp_path):
    contents = make_contents()
    where = write(tmp_path / "out", contents, engine=Threads(2))
    verify(where)
    bundle = open_bundle(where)
    bundle.verify()
    space = contents.space
    assert bundle.status is Status.COMPLETE
    assert list(bundle.maps["contrast"].values) == ["mean", "all"]
    for name in ("effect", "variance", "stat", "z", "p"):
        held = bundle.maps[name]
        assert held.dims == ("contrast", "i", "j", "k")
        for row, contrast in enumerate(["mean", "all"]):
            wanted = contents.stats[name].values[row].astype(np.float32)
            volume = held.sel(contrast=contrast).values
            np.testing.assert_array_equal(space.from_volume(volume), wanted)
            assert np.isnan(volume[~space.mask]).all()
    np.testing.assert_array_equal(bundle.mask.values, space.mask)
    assert bundle.spec == contents.spec.resolved
    assert (where / "spec/original.yaml").read_bytes() == contents.spec.original


def test_inferences_and_tables_are_read_back_equal(make_contents, tmp_path):
    contents = make_contents()
    bundle = open_bundle(write(tmp_path / "out", contents))
    assert set(bundle.tables) == {(one.contrast, one.inference) for one in contents.inferred}
    for one in contents.inferred:
        at = {"contrast": one.contrast}
        survivors = bundle.maps[f"stat_{one.inference}"].sel(at).values
        logp = bundle.maps[f"logp_{one.inference}"].sel(at).values
        space = contents.space
        np.testing.assert_array_equal(space.from_volume(survivors), one.thresholded.astype(np.float32))
        assert not survivors[~space.mask].any()
        np.testing.assert_array_equal(space.from_volume(logp), one.logp.astype(np.float32))
        table = bundle.tables[one.contrast, one.inference]
        # Tables carry seven digits.
        pd.testing.assert_frame_equal(table, one.clusters, rtol=5e-7, atol=0)
    assert any(table.empty for table in bundle.tables.values())
    assert any(len(table) > 0 for table in bundle.tables.values())


def test_design_rows_and_results_are_read_back(make_contents, tmp_path):
    contents = make_contents()
    bundle = open_bundle(write(tmp_path / "out", contents))
    assert list(bundle.design.index) == list(contents.design.observations)
    np.testing.assert_array_equal(bundle.design[["Intercept", "age"]].to_numpy(), contents.design.matrix)
    seen = bundle.observations
    assert list(seen.loc[seen["status"] == "kept"].index) == list(contents.rows.kept)
    assert seen.loc["010", "reason"] == "'age' is missing"
    assert seen.loc["001", "image"] == "maps/001.nii.gz"
    results = bundle.results.set_index(["contrast", "inference"])
    for one in contents.inferred:
        row = results.loc[(one.contrast, one.inference)]
        assert row["n_surviving"] == one.n_surviving
        assert row["min_p"] == one.min_p
        assert row["peak_statistic"] == one.peak.statistic
        assert (row["n"], row["dof"]) == (9, 7)


@settings(max_examples=12)
@given(st.data())
def test_any_map_over_any_mask_comes_back(data):
    """Also with extreme values, which need float64, and over masks of any form."""
    import tempfile
    from pathlib import Path

    from specgl.bundle.lazy import MapFile
    from specgl.bundle.maps import storage_type
    from specgl.images import write_map

    shape = data.draw(st.tuples(*[st.integers(1, 4)] * 3))
    flat = data.draw(st.lists(st.booleans(), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    mask = np.array(flat).reshape(shape)
    size = int(mask.sum())
    exponents = data.draw(st.lists(st.integers(-300, 300), min_size=size, max_size=size))
    values = np.array([1.5 * 10.0**e for e in exponents])
    space = Space.from_mask(mask, Grid(shape, np.diag([2.0, 2, 2, 1])))
    dtype = storage_type(values)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.nii.gz"
        with path.open("wb") as file:
            write_map(file, values, space, fill=np.nan, dtype=dtype)
        read = np.asarray(MapFile(path, shape, np.dtype(dtype))._read((slice(None),) * 3))
    back = space.from_volume(read)
    np.testing.assert_array_equal(back, values.astype(dtype))
    assert np.isfinite(back).all()
    assert (back != 0).all()


def test_equal_contents_are_equal_bytes_whatever_the_threads(make_contents, tmp_path):
    one = tree_bytes(write(tmp_path / "one", make_contents(), engine=Threads(1)))
    two = tree_bytes(write(tmp_path / "two", make_contents(), engine=Threads(3)))
    assert one.keys() == two.keys()
    assert {name for name in one if one[name] != two[name]} <= TIMED
    data = [
        {f["path"]: f.get("data_sha256") for f in json.loads(tree["manifest.json"])["files"]}
        for tree in (one, two)
    ]
    assert data[0] == data[1]


def test_a_small_p_is_kept_in_float64(make_contents, tmp_path):
    stats = make_contents().stats.copy(deep=True)
    stats["p"][0, 3] = 1e-60
    contents = make_contents(stats=stats)
    where = write(tmp_path / "out", contents)
    names = {f.path: f.label.dtype for f in open_bundle(where).files if f.role is Role.MAP}
    assert names["maps/space-MNI152_contrast-mean_stat-p_statmap.nii.gz"] == "float64"
    assert names["maps/space-MNI152_contrast-all_stat-p_statmap.nii.gz"] == "float32"
    held = open_bundle(where).maps["p"]
    assert held.dtype == np.float64
    assert contents.space.from_volume(held.sel(contrast="mean").values)[3] == 1e-60


def test_headers_say_what_the_values_are(make_contents, tmp_path):
    where = write(tmp_path / "out", make_contents())
    intents = {
        "contrast-mean_stat-t": ("t test", (7.0,)),
        "contrast-all_stat-F": ("f test", (2.0, 7.0)),
        "contrast-mean_stat-z": ("z score", ()),
        "contrast-mean_stat-p": ("p value", ()),
        "contrast-mean_stat-effect": ("estimate", ()),
        "contrast-mean_stat-logp_desc-fwe": ("log10 p value", ()),
        "contrast-all_stat-F_desc-fwe": ("f test", (2.0, 7.0)),
    }
    for name, wanted in intents.items():
        header = nib.load(where / f"maps/space-MNI152_{name}_statmap.nii.gz").header
        assert header.get_intent()[:2] == wanted
        assert (int(header["qform_code"]), int(header["sform_code"])) == (1, 4)


def test_several_tested_rows_have_no_effect_map(make_contents, tmp_path):
    where = write(tmp_path / "out", make_contents())
    assert not [*where.glob("maps/*contrast-all_stat-effect*"), *where.glob("maps/*all_stat-variance*")]
    assert np.isnan(open_bundle(where).maps["effect"].sel(contrast="all")).all()


def test_dof_and_n_are_maps_only_where_they_vary(make_contents, tmp_path):
    contents = make_contents()
    assert not [*write(tmp_path / "one", contents).glob("maps/*stat-dof*")]
    n = contents.space.n_locations
    dof = np.where(np.arange(n) < 4, 5.0, 7.0)
    same = np.full(n, 9.0)
    stats = contents.stats.drop_vars(["dof", "n"]).assign(dof=("location", dof), n=("location", same))
    where = write(tmp_path / "two", make_contents(stats=stats))
    maps = open_bundle(where).maps
    np.testing.assert_array_equal(contents.space.from_volume(maps["dof"].values), dof)
    assert "n" not in maps
    header = nib.load(where / "maps/space-MNI152_contrast-mean_stat-t_statmap.nii.gz").header
    assert header.get_intent()[1] == (0.0,)
    words = json.loads((where / "maps/space-MNI152_contrast-mean_stat-t_statmap.json").read_bytes())
    assert (words["DegreesOfFreedom"], words["DegreesOfFreedomSmallest"]) == (7, 5)


@pytest.mark.parametrize("labelled", [False, True])
def test_maps_of_the_whole_model(make_contents, tmp_path, labelled):
    base = make_contents()
    n = base.space.n_locations
    rng = np.random.default_rng(3)
    extra = {"r2": rng.uniform(size=n), "residuals": rng.normal(size=(9, n))}
    if labelled:
        extra["r2"] = xr.DataArray(extra["r2"], dims="location")
    where = write(tmp_path / "out", make_contents(extra=extra, maps=("stat", "r2", "residuals", "sigma")))
    maps = open_bundle(where).maps
    assert set(maps) == {
        "stat",
        "r2",
        "residuals",
        *(f"{v}_{i}" for v in ("stat", "logp") for i in ("uncorrected", "fwe")),
    }
    np.testing.assert_array_equal(
        base.space.from_volume(maps["r2"].values), np.asarray(extra["r2"], dtype=np.float32)
    )
    assert maps["residuals"].dims == ("observation", "i", "j", "k")
    assert list(maps["observation"].values) == list(base.design.observations)
    one = maps["residuals"].sel(observation="004").values
    np.testing.assert_array_equal(base.space.from_volume(one), extra["residuals"][3].astype(np.float32))


def test_ready_made_maps_have_neither_design_nor_rows(make_contents, tmp_path):
    stats = make_contents().stats.isel(contrast=[0])[["stat", "z", "p"]]
    stats["stat"][:] = stats["z"]
    stats = stats.assign_coords(kind=("contrast", ["z"]))
    contents = make_contents(stats=stats, design=None, rows=None, images={}, inferred=())
    where = write(tmp_path / "out", contents)
    verify(where)
    bundle = open_bundle(where)
    assert bundle.design is None
    assert bundle.observations is None
    assert {p.name for p in (where / "maps").glob("*.nii.gz")} == {
        "space-MNI152_mask.nii.gz",
        "space-MNI152_contrast-mean_stat-z_statmap.nii.gz",
        "space-MNI152_contrast-mean_stat-p_statmap.nii.gz",
    }
    assert not (where / "model").exists()
    assert "no model was fitted" in (where / "README.md").read_text()


def test_sidecars_stand_beside_every_image_and_table(make_contents, tmp_path):
    where = write(tmp_path / "out", make_contents())
    for image in where.rglob("*.nii.gz"):
        assert image.with_name(image.name.replace(".nii.gz", ".json")).is_file()
    words = json.loads(
        (where / "maps/space-MNI152_contrast-all_stat-F_desc-uncorrected_statmap.json").read_bytes()
    )
    assert words["Hypothesis"] == ["mean", "age"]
    assert words["Weights"] == [{"Intercept": 1.0}, {"age": 1.0}]
    assert words["Inference"]["correction"] == "none"
    assert words["DegreesOfFreedomNumerator"] == 2
    assert words["OutsideMask"] == 0
    assert words["SpecDigest"] == make_contents().spec.digest
    (source,) = words["Sources"]
    assert (where / source.removeprefix("bids::")).is_file()
    for table in (where / "tables").glob("*.tsv"):
        described = json.loads(table.with_suffix(".json").read_bytes())
        assert set(table.read_text().split("\n")[0].split("\t")) <= set(described)


def test_progress_is_told(make_contents, tmp_path):
    seen = []
    write(tmp_path / "out", make_contents(), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] > 0


def test_the_readme_says_what_was_asked_and_what_came_out(make_contents, tmp_path):
    text = (write(tmp_path / "out", make_contents()) / "README.md").read_text()
    for words in (
        "# facesHouses",
        "> Faces against houses.",
        "1 + age",
        "9 of 10 rows",
        "specgl verify",
        "`mean`, fwe:",
    ):
        assert words in text
