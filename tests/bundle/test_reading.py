"""An opened bundle reads what is asked for, and says where it lies."""

from __future__ import annotations

import numpy as np
import pytest

from specgl.bundle import lazy, open_bundle, write
from specgl.images import Grid, Space


@pytest.fixture
def counted(monkeypatch):
    """Paths of the maps that were read."""
    seen = []
    true = lazy.open_map
    monkeypatch.setattr(lazy, "open_map", lambda path: (seen.append(path.name), true(path))[1])
    return seen


def test_no_map_is_read_before_its_values_are_used(make_contents, tmp_path, counted):
    maps = open_bundle(write(tmp_path / "out", make_contents())).maps
    chosen = maps["z"].sel(contrast="all").isel(k=slice(1, 3))
    repr(maps)
    assert counted == []
    assert chosen.shape == (6, 7, 2)
    chosen.load()
    assert counted == ["space-MNI152_contrast-all_stat-z_statmap.nii.gz"]


def test_indexing_reads_what_numpy_would(make_contents, tmp_path):
    bundle = open_bundle(write(tmp_path / "out", make_contents()))
    whole = bundle.maps["stat"].values
    held = open_bundle(bundle.path).maps["stat"]
    for key in (
        np.s_[0],
        np.s_[1, 2, 3, 4],
        np.s_[::-1, 1:4, ::2, -1],
        np.s_[0:0],
        np.s_[[1, 0, 1], :, [0, 2]],
        np.s_[:, 5:1:-2],
    ):
        wanted = (
            whole[key] if not isinstance(key, tuple) or not any(isinstance(k, list) for k in key) else None
        )
        got = held[key].values
        np.testing.assert_array_equal(
            got, whole[np.ix_([1, 0, 1], range(6), [0, 2], range(5))] if wanted is None else wanted
        )


def test_coordinates_are_millimetres(make_contents, tmp_path, space):
    maps = open_bundle(write(tmp_path / "out", make_contents())).maps
    for location in (0, 17, space.n_locations - 1):
        i, j, k = space.voxels[location]
        here = maps.isel(i=i, j=j, k=k)
        np.testing.assert_allclose([here[f"{axis}_mm"] for axis in "xyz"], space.coordinates[location])
    assert maps["x_mm"].dims == ("i",)
    assert maps["x_mm"].attrs["units"] == "mm"
    np.testing.assert_array_equal(maps.attrs["affine"], space.grid.affine)
    nearest = maps["stat"].sel(contrast="mean").sel(x_mm=-2.6, y_mm=3.4, z_mm=1, method="nearest")
    assert (nearest["i"], nearest["j"], nearest["k"]) == (4, 5, 2)
    assert maps["kind"].values.tolist() == ["t", "F"]


def test_axes_in_another_order_and_oblique_ones(make_contents, tmp_path, space):
    turned = np.array([[0.0, 0, 2, 1], [-3, 0, 0, 2], [0, 4, 0, 3], [0, 0, 0, 1]])
    oblique = np.array([[2.0, 0.1, 0, 1], [-0.1, 2, 0, 2], [0, 0, 2, 3], [0, 0, 0, 1]])
    grids = [Grid(space.grid.shape, affine) for affine in (turned, oblique)]
    first, second = (
        open_bundle(write(tmp_path / str(n), make_contents(space=Space(grid, space.voxels)))).maps
        for n, grid in enumerate(grids)
    )
    assert [first[f"{axis}_mm"].dims for axis in "xyz"] == [("k",), ("i",), ("j",)]
    assert first["y_mm"].values[1] == -1
    assert "x_mm" not in second.coords
    assert {"i", "j", "k"} <= set(second.coords)


def test_words_for_people(make_contents, tmp_path):
    bundle = open_bundle(write(tmp_path / "out", make_contents()))
    assert repr(bundle) == f"<specgl.Bundle 'facesHouses', complete, {len(bundle.files)} files>"
    summary = bundle.summary()
    assert "`mean`, uncorrected:" in summary
    assert "W400" in summary
    assert "MNI152" in summary


def test_a_handle_cannot_be_changed(make_contents, tmp_path):
    bundle = open_bundle(write(tmp_path / "out", make_contents()))
    with pytest.raises(AttributeError):
        bundle.path = tmp_path
    with pytest.raises(TypeError):
        bundle.tables["a", "b"] = None
