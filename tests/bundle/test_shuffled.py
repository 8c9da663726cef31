"""What a bundle keeps of shuffles is read back equal, and equal shuffles are equal bytes."""

from __future__ import annotations

import dataclasses
import gzip
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from specgl.bundle import names, open_bundle, planned_maps, verify, write
from specgl.bundle.nulls import _null_words
from specgl.bundle.shuffled import MAX_CELLS, json_count
from specgl.bundle.statistics import Statistic
from specgl.inference import Shuffled

N_SHUFFLES = 12
TREE = ("9 observations, exchanged freely",)


def _scheme(contents, *, exchange="permute", signs=None, n_obs=None, possible=362_880):
    n_obs = n_obs or len(contents.design.observations)
    rng = np.random.default_rng(3)
    rows = np.stack([np.arange(n_obs), *(rng.permutation(n_obs) for _ in range(N_SHUFFLES - 1))])
    shuffles = SimpleNamespace(rows=rows.astype(np.int32), signs=signs, n_obs=n_obs)
    return SimpleNamespace(
        exchange=exchange,
        why="age is tested beside a mean",
        contrasts=("mean", "all"),
        possible=possible,
        n=N_SHUFFLES,
        exhaustive=False,
        seed=7,
        nuisance="freedman_lane",
        shuffles=lambda: shuffles,
    )


@pytest.fixture
def make_shuffled(make_contents):
    """Contents whose inferences came from shuffles; keywords go to the scheme."""

    def make(**of_scheme):
        contents = make_contents()
        rng = np.random.default_rng(5)
        n_loc = contents.space.n_locations
        told = Shuffled(N_SHUFFLES, of_scheme.get("possible", 362_880), False, "permute", "gpd", 3.25)
        inferred = tuple(
            dataclasses.replace(
                one,
                uncorrected_logp=rng.uniform(0, 3, n_loc),
                enhanced=rng.normal(size=n_loc),
                extrapolated=rng.uniform(size=n_loc) < 0.5,
                null=rng.normal(size=N_SHUFFLES),
                shuffling=told,
            )
            for one in contents.inferred
        )
        scheme = _scheme(contents, **of_scheme)
        return dataclasses.replace(contents, inferred=inferred, schemes=(scheme,), tree=TREE)

    return make


def test_maps_and_nulls_are_read_back_equal(make_shuffled, tmp_path):
    contents = make_shuffled()
    bundle = open_bundle(write(tmp_path / "out", contents))
    bundle.verify()
    space = contents.space
    assert set(bundle.null) == {(one.contrast, one.inference) for one in contents.inferred}
    for one in contents.inferred:
        for name, wanted in (
            ("uncorrectedlogp", one.uncorrected_logp.astype(np.float32)),
            ("tfce", one.enhanced.astype(np.float32)),
            ("extrapolated", one.extrapolated.astype(np.uint8)),
        ):
            volume = bundle.maps[f"{name}_{one.inference}"].sel(contrast=one.contrast).values
            np.testing.assert_array_equal(space.from_volume(volume), wanted)
        null = bundle.null[one.contrast, one.inference]
        np.testing.assert_array_equal(null.index, np.arange(N_SHUFFLES))
        np.testing.assert_array_equal(null.values, one.null)


@pytest.mark.parametrize("flipped", [False, True])
def test_shuffles_say_which_row_each_observation_carries(make_shuffled, tmp_path, flipped):
    signs = np.random.default_rng(1).choice(np.array([-1, 1], dtype=np.int8), (N_SHUFFLES, 9))
    contents = make_shuffled(signs=signs if flipped else None)
    where = write(tmp_path / "out", contents)
    table = pd.read_csv(where / names.shuffle_table(), sep="\t", index_col="shuffle")
    assert tuple(table.columns) == contents.design.observations
    rows = contents.schemes[0].shuffles().rows
    np.testing.assert_array_equal(np.abs(table.values) - 1, rows)
    np.testing.assert_array_equal(np.sign(table.values), signs if flipped else np.ones_like(rows))
    assert json.loads((where / "model/shuffles.json").read_text())["Scheme"]["possible"] == 362_880


def test_equal_shuffles_are_equal_bytes_without_a_time(make_shuffled, tmp_path):
    one, other = (write(tmp_path / name, make_shuffled()) / names.shuffle_table() for name in "ab")
    assert one.read_bytes() == other.read_bytes()
    with gzip.open(one) as file:
        file.read()
        assert file.mtime == 0


def test_two_schemes_are_told_apart_by_their_names(make_shuffled, make_contents, tmp_path):
    contents = make_shuffled()
    flips = np.ones((N_SHUFFLES, 9), dtype=np.int8)
    other = _scheme(contents, exchange="flip", signs=flips)
    where = write(tmp_path / "out", dataclasses.replace(contents, schemes=(*contents.schemes, other)))
    verify(where)
    found = {path.name for path in (where / "model").glob("*.tsv.gz")}
    assert found == {"exchange-permute_shuffles.tsv.gz", "exchange-flip_shuffles.tsv.gz"}
    manifest = open_bundle(where).manifest
    assert [scheme["exchange"] for scheme in manifest["shuffling"]] == ["permute", "flip"]
    assert all(scheme["tree"] == list(TREE) for scheme in manifest["shuffling"])


def test_shuffles_of_another_space_are_left_out(make_shuffled, tmp_path):
    """Those of Huh and Jhun move rows that are no observations."""
    where = write(tmp_path / "out", make_shuffled(n_obs=8))
    assert not list((where / "model").glob("*shuffles*"))


def test_a_huge_table_of_shuffles_is_left_out(make_shuffled, tmp_path, monkeypatch):
    monkeypatch.setattr("specgl.bundle.shuffled.MAX_CELLS", N_SHUFFLES * 9 - 1)
    where = write(tmp_path / "out", make_shuffled())
    assert not list((where / "model").glob("*shuffles*"))
    assert MAX_CELLS == 5_000_000


def test_results_tell_of_the_shuffles(make_shuffled, tmp_path):
    bundle = open_bundle(write(tmp_path / "out", make_shuffled(possible=2**700)))
    rows = bundle.manifest["results"]
    assert {row["shuffled"]["n"] for row in rows} == {N_SHUFFLES}
    assert all(row["shuffled"]["possible"] == pytest.approx(2.0**700) for row in rows)
    assert "12 shuffles" in bundle.summary()
    readme = (bundle.path / names.README).read_text()
    assert "12 of about 10^210 labellings, drawn with seed 7" in readme


def test_a_fitted_tail_is_told_with_the_smallest_p(make_shuffled, tmp_path):
    bundle = open_bundle(write(tmp_path / "out", make_shuffled()))
    assert "(12 shuffles, tail by gpd)" in bundle.summary()


@pytest.mark.parametrize(
    ("settings", "dof", "scale", "words"),
    [
        ({"statistic": "voxel"}, 6.0, "t", "locations under this shuffle: t."),
        ({"statistic": "voxel", "scale": "z"}, 6.0, "z", "locations under this shuffle: z."),
        (
            {"statistic": "tfce", "across": "contrasts"},
            6.0,
            "z",
            "of all contrasts under this shuffle",
        ),
        ({"statistic": "cluster_mass"}, 5.0, "z", "the mass of a cluster, in z."),
    ],
)
def test_nulls_say_what_the_maximum_is_of(settings, dof, scale, words):
    statistic = Statistic("age", "t", "two-sided", None, 6.0, dof, 9, 9)
    inferred = SimpleNamespace(inference="x", contrast="age", simulations=None, discoveries=None)
    said = _null_words(inferred, {"inference": {"x": settings}}, statistic)
    assert said["Scale"] == scale
    assert words in said["value"]["Description"]


def test_maps_of_an_effect_are_not_announced_where_there_is_none():
    told = planned_maps(["effect", "stat"], {"a": "t", "b": "F"}, [], without_effect={"b"})
    assert [path for path in told if "effect" in path] == ["maps/contrast-a_stat-effect_statmap.nii.gz"]
    assert "maps/contrast-b_stat-F_statmap.nii.gz" in told


def test_counts_stay_exact_as_long_as_readers_of_json_can_hold_them():
    assert json_count(2**53) == 2**53
    assert isinstance(json_count(2**53 + 1), float)
    assert json_count(2**5000) == np.finfo(np.float64).max
