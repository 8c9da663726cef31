"""True discoveries at all resolutions: on hand-made maps, against nilearn and plain loops, and by laws."""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from nilearn.glm import cluster_level_inference
from scipy import ndimage
from scipy.stats import norm

from specgl.inference import AllResolutions, Provisions, Regions, Sets, infer, stats_from_map
from specgl.kernels.discoveries import bound, categories, hommel_h
from specgl.kernels.multiplicity import hommel

ABOVE = AllResolutions("tdp", Sets(forming_z=(3.1,)))
BY_REGION = AllResolutions("reg", Sets(regions=True))
LARGEST = AllResolutions("big", Sets(largest=0.7))
REACH = {6: 1, 18: 2, 26: 3}


def smooth_map(seed: int, shape=(12, 11, 9), height: float = 6.0) -> np.ndarray:
    """Smooth noise with a hill and a hollow, as a z map (n_loc,) of all voxels."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.standard_normal(shape), 1.0)
    field /= field.std()
    bump = np.zeros(shape)
    bump[tuple(s // 4 for s in shape)] = 1
    bump[tuple(3 * s // 4 for s in shape)] = -1
    bump = ndimage.gaussian_filter(bump, 1.7)
    return (field + height * bump / bump.max()).ravel()


def one_of(values, asked, space, alternative="two-sided", provisions=None):
    stats = stats_from_map("motor", np.asarray(values, dtype=float), "z", alternative=alternative)
    (found,) = infer(stats, space, [asked], provisions)
    return found


def with_regions(codes, names=None) -> Provisions:
    codes = np.asarray(codes, dtype=np.int64)
    return Provisions(regions={"reg": Regions(codes, names or {})})


def components(within: np.ndarray, shape, connectivity: int) -> list[np.ndarray]:
    structure = ndimage.generate_binary_structure(3, REACH[connectivity])
    labels, count = ndimage.label(within.reshape(shape), structure)
    return [np.flatnonzero(labels.ravel() == k) for k in range(1, count + 1)]


def formula(p: np.ndarray, h: int, alpha: float) -> int:
    return max([0, *(1 - u + np.count_nonzero(h * p <= u * alpha) for u in range(1, p.size + 1))])


# Clusters above heights -------------------------------------------------------------------------


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_clusters_above_heights_by_plain_loops(bench, connectivity, alternative):
    space = bench.Box((12, 11, 9))
    z = smooth_map(1)
    z[::17] = np.nan
    asked = replace(ABOVE, sets=Sets(forming_z=(2.0, 3.0)), alpha=0.1, connectivity=connectivity)
    found = one_of(z, asked, space, alternative)
    analysed = np.isfinite(z)
    p = stats_from_map("x", z, "z", alternative=alternative)["p"].values[0]
    h = hommel_h(p[analysed], 0.1)
    tdp = np.where(analysed, 0.0, np.nan)
    survives = np.zeros(z.size, dtype=bool)
    rows = []
    for height in (2.0, 3.0):
        for sign in {"two-sided": (1, -1), "greater": (1,), "less": (-1,)}[alternative]:
            clusters = components(np.nan_to_num(sign * z) >= height, space.shape, connectivity)
            for members in sorted(clusters, key=lambda these: -np.max(sign * z[these])):
                d = formula(p[members], h, 0.1)
                peak = members[np.argmax(sign * z[members])]
                tdp[members] = d / members.size
                survives[members] |= d > 0
                mass = np.abs(z[members]).sum()
                p_peak = hommel(p[analysed])[np.count_nonzero(analysed[:peak])]
                rows.append(("+" if sign > 0 else "-", z[peak], members.size, mass, d, height, p_peak))
    assert any(row[4] for row in rows)
    np.testing.assert_array_equal(found.tdp, tdp)
    np.testing.assert_array_equal(found.thresholded, np.where(survives, z, 0.0))
    assert found.n_surviving == np.count_nonzero(survives)
    assert found.threshold == 2.0
    main = found.clusters[found.clusters["peak"] == 1]
    assert main["cluster"].tolist() == list(range(1, len(rows) + 1))
    for column, name in enumerate(
        ["sign", "statistic", "size", "mass", "discoveries", "threshold", "p_corrected"]
    ):
        expected = [row[column] for row in rows]
        if name == "mass":
            np.testing.assert_allclose(main[name], expected, rtol=1e-12)  # sums in another order
        else:
            assert main[name].tolist() == expected
    np.testing.assert_array_equal(main["tdp"], main["discoveries"].astype(float) / main["size"].astype(float))
    each = found.clusters.groupby("cluster")["threshold"]
    assert (each.nunique() == 1).all()  # the rows of sub-peaks tell the threshold too
    record = found.discoveries
    assert (record.template, record.h, record.factor) == ("simes", h, h / 0.1)
    assert record.n_locations == np.count_nonzero(analysed)
    assert record.at_least == formula(p[analysed], h, 0.1)


@pytest.mark.parametrize("seed", range(3))
def test_nilearn_tells_the_same_of_positive_clusters(bench, seed):
    """Six neighbours, one-sided p-values, as nilearn takes them; thresholds given ascending."""
    space = bench.Box((12, 11, 9))
    z = smooth_map(seed, height=7)
    asked = replace(ABOVE, sets=Sets(forming_z=(2.0, 2.5, 3.1)), connectivity=6)
    found = one_of(z, asked, space, "greater")
    image = nib.Nifti1Image(z.reshape(space.shape), np.eye(4))
    mask = nib.Nifti1Image(np.ones(space.shape, dtype=np.uint8), np.eye(4))
    theirs = cluster_level_inference(image, mask, [2.0, 2.5, 3.1], alpha=0.05).get_fdata().ravel()
    assert 0 < np.count_nonzero(theirs) < z.size
    np.testing.assert_allclose(found.tdp, theirs, rtol=1e-12)


def test_the_map_tells_the_highest_threshold_and_the_table_all(bench):
    z = np.array([0, 2.0, 2.4, 6, 6, 2.3, 0, 0, -6, -2.0, 0, 0.0])  # the height itself is in
    found = one_of(z, replace(ABOVE, sets=Sets(forming_z=(2.0, 5.0))), bench.Box((12, 1, 1)))
    table = found.clusters
    assert table["threshold"].tolist() == [2, 2, 5, 5]
    assert table["sign"].tolist() == ["+", "-", "+", "-"]
    assert table["size"].tolist() == [5, 2, 2, 1]
    assert table["discoveries"].tolist() == [2, 1, 2, 1]
    np.testing.assert_allclose(found.tdp, [0, 0.4, 0.4, 1, 1, 0.4, 0, 0, 1, 0.5, 0, 0])
    assert np.flatnonzero(found.thresholded).tolist() == [1, 2, 3, 4, 5, 8, 9]
    assert found.peak.statistic == 6
    assert found.p_corrected[3] == found.peak.p_corrected == found.min_p == table["p_corrected"][0]


def test_nothing_above_the_height(bench):
    found = one_of(np.full(12, 0.5), ABOVE, bench.Box((12, 1, 1)))
    assert len(found.clusters) == 0
    assert {"discoveries", "tdp", "threshold"} <= set(found.clusters.columns)
    assert found.n_surviving == 0
    np.testing.assert_array_equal(found.tdp, 0)
    assert found.discoveries.at_least == 0


@pytest.mark.parametrize("asked", [ABOVE, LARGEST, BY_REGION])
def test_all_p_of_0_and_all_of_1(bench, asked):
    space = bench.Box((12, 1, 1))
    regions = with_regions(np.ones(12))
    everywhere = one_of(np.full(12, 60.0), asked, space, provisions=regions)
    assert (everywhere.p_corrected == 0).all()
    assert np.isfinite(everywhere.logp).all()
    assert (everywhere.tdp == 1).all()
    assert everywhere.discoveries.h == 0
    assert everywhere.discoveries.at_least == everywhere.n_surviving == 12
    nowhere = one_of(np.zeros(12), asked, space, provisions=regions)
    assert (nowhere.tdp == 0).all()
    assert nowhere.discoveries.h == 12
    assert nowhere.n_surviving == nowhere.discoveries.at_least == 0


@pytest.mark.parametrize("asked", [ABOVE, LARGEST, BY_REGION])
@pytest.mark.parametrize("value", [5.0, -5.0])
def test_one_voxel(bench, asked, value):
    found = one_of([value], asked, bench.Box((1, 1, 1)), provisions=with_regions([1], {1: "all"}))
    assert found.tdp.tolist() == [1.0]
    assert found.thresholded.tolist() == [value]
    assert found.discoveries.h == 0
    row = found.clusters.iloc[0]
    assert (row["sign"], row["size"], row["discoveries"]) == ("+" if value > 0 else "-", 1, 1)


@pytest.mark.parametrize("asked", [ABOVE, LARGEST])
def test_nothing_analysed(bench, asked):
    stats = stats_from_map("motor", np.arange(12.0), "z")
    (found,) = infer(stats.where(stats["z"] > 99), bench.Box((12, 1, 1)), [asked])
    assert np.isnan(found.tdp).all()
    assert found.peak is None
    assert found.discoveries.n_locations == 0
    assert len(found.clusters) == 0


def test_an_f_has_positive_clusters_only(bench):
    values = np.array([0.01, 30, 40, 0.01, 0.5, 0.01, 25, 0.5, 1, 0.01, 1, 1])
    space = bench.Box((12, 1, 1))
    stats = stats_from_map("any", values, "F", (2, 40))
    assert stats["z"].values.min() < -2
    provisions = with_regions([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])
    two = replace(ABOVE, sets=Sets(forming_z=(2.0,)))
    above, largest, by_region = infer(stats, space, [two, LARGEST, BY_REGION], provisions)
    for found in (above, largest):
        assert set(found.clusters["sign"]) == {"+"}
        assert np.flatnonzero(found.thresholded).tolist() == [1, 2, 6]
    assert by_region.clusters["statistic"].tolist() == [40, 0.5, 25, 1]
    assert by_region.clusters["discoveries"].tolist() == [2, 0, 1, 0]


# The largest clusters ---------------------------------------------------------------------------


@pytest.mark.parametrize("connectivity", [6, 26])
@pytest.mark.parametrize("share", [0.3, 0.7, 1.0])
@pytest.mark.parametrize("alternative", ["two-sided", "less"])
def test_the_largest_clusters_by_plain_loops(bench, connectivity, share, alternative):
    space = bench.Box((8, 7, 5))
    z = smooth_map(3, space.shape, height=5).round(1)  # rounded: plateaus and ties
    z[::23] = np.nan
    asked = replace(LARGEST, sets=Sets(largest=share), connectivity=connectivity)
    found = one_of(z, asked, space, alternative)
    p = stats_from_map("x", z, "z", alternative=alternative)["p"].values[0]
    h = hommel_h(p[np.isfinite(p)], 0.05)
    expected: dict[frozenset, tuple] = {}
    for sign in {"two-sided": (1, -1), "less": (-1,)}[alternative]:
        heights = np.nan_to_num(sign * z)
        for t in np.unique(heights[heights > 0]):  # ascending: whoever was found first holds the others
            for members in components(heights >= t, space.shape, connectivity):
                d = formula(p[members], h, 0.05)
                if d / members.size >= share and not any(set(members) <= one for one in expected):
                    expected[frozenset(members)] = (sign, t, members.size, d)
    assert expected
    main = found.clusters[found.clusters["peak"] == 1]
    told = zip(
        [1 if sign == "+" else -1 for sign in main["sign"]],
        main["threshold"],
        main["size"],
        main["discoveries"],
        strict=True,
    )
    assert sorted(told) == sorted(expected.values())
    inside = np.zeros(z.size, dtype=bool)
    for members, (_, _, size, d) in expected.items():
        these = list(members)
        inside[these] = True
        np.testing.assert_array_equal(found.tdp[these], d / size)
    np.testing.assert_array_equal(found.thresholded, np.where(inside, z, 0.0))
    assert (main["tdp"] >= share).all()
    assert found.threshold is None


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), share=st.floats(0.05, 1.0), less=st.floats(0.1, 1.0))
def test_a_smaller_share_has_clusters_no_smaller(bench, seed, share, less):
    space = bench.Box((6, 5, 4))
    z = smooth_map(seed, space.shape, height=5)
    strict, loose = (
        one_of(z, replace(LARGEST, sets=Sets(largest=wanted)), space) for wanted in (share, share * less)
    )
    assert np.all((strict.thresholded != 0) <= (loose.thresholded != 0))


def test_the_largest_clusters_stand_above_0(bench):
    """With the 0 between them the two would be one cluster, two thirds of it discoveries."""
    z = [6, 0, 6, -6, 0, -6]
    found = one_of(z, replace(LARGEST, sets=Sets(largest=0.6)), bench.Box((6, 1, 1)))
    assert found.clusters["size"].tolist() == [1, 1, 1, 1]
    assert found.clusters["threshold"].tolist() == [6] * 4
    assert found.tdp.tolist() == [1, 0, 1, 1, 0, 1]


# Families and laws ------------------------------------------------------------------------------


def test_one_family_over_contrasts(bench):
    space = bench.Box((12, 11, 9))
    maps = {"a": smooth_map(1), "b": smooth_map(2, height=0.0)}
    maps["b"][:50] = np.nan
    stats = xr.concat([stats_from_map(name, z, "z") for name, z in maps.items()], "contrast")
    apart, pooled = ABOVE, replace(ABOVE, name="all", across="contrasts")
    alone_a, alone_b, both_a, both_b = infer(stats, space, [apart, pooled])
    p = [one[np.isfinite(one)] for one in stats["p"].values]
    every = np.concatenate(p)
    h = hommel_h(every, 0.05)
    assert alone_a.discoveries.h == hommel_h(p[0], 0.05)
    assert alone_b.discoveries.h == hommel_h(p[1], 0.05)
    for found, mine in ((both_a, p[0]), (both_b, p[1])):
        assert found.discoveries.h == h
        assert found.discoveries.n_locations == every.size
        assert found.discoveries.at_least == bound(categories(mine, h / 0.05))
        assert found.inference == "all"
    assert [one.contrast for one in (both_a, both_b)] == ["a", "b"]
    assert 0 < both_a.discoveries.at_least < alone_a.discoveries.at_least
    np.testing.assert_array_equal(both_a.p_corrected, hommel(every)[: p[0].size])


def test_the_same_map_twice_is_another_family_than_once(bench):
    """Twice the locations and twice the discoveries: each map's bound is a valid one of the pooled family."""
    space = bench.Box((6, 5, 4))
    z = smooth_map(4, space.shape)
    stats = xr.concat([stats_from_map(name, z, "z") for name in "ab"], "contrast")
    one, other = infer(stats, space, [replace(ABOVE, across="contrasts")])
    np.testing.assert_array_equal(one.tdp, other.tdp)
    assert one.discoveries == other.discoveries


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), alpha=st.floats(0.01, 0.4))
def test_signs_turned_round_and_a_greater_level(bench, seed, alpha):
    space = bench.Box((6, 5, 4))
    z = smooth_map(seed, space.shape, height=4)
    asked = replace(ABOVE, sets=Sets(forming_z=(1.5, 2.5)), alpha=alpha)
    found = one_of(z, asked, space)
    turned = one_of(-z, asked, space)
    np.testing.assert_array_equal(found.tdp, turned.tdp)
    np.testing.assert_array_equal(found.thresholded, -turned.thresholded)
    assert found.discoveries == turned.discoveries
    more = one_of(z, replace(asked, alpha=alpha * 1.5), space)
    assert np.all(more.tdp >= found.tdp)
    assert more.discoveries.h <= found.discoveries.h
    assert np.all((found.tdp >= 0) & (found.tdp <= 1))
    some = found.clusters.dropna(subset="discoveries")
    assert (some["discoveries"] <= some["size"]).all()
    assert some["discoveries"].max() <= found.discoveries.at_least


def test_several_questions_at_once_are_answered_in_order(bench):
    space = bench.Box((12, 11, 9))
    stats = stats_from_map("motor", smooth_map(1), "z")
    provisions = with_regions(np.arange(stats.sizes["location"]) // 400)
    asked = [LARGEST, BY_REGION, ABOVE]
    together = infer(stats, space, asked, provisions)
    assert [one.inference for one in together] == ["big", "reg", "tdp"]
    for one, found in zip(asked, together, strict=True):
        (alone,) = infer(stats, space, [one], provisions)
        np.testing.assert_array_equal(alone.tdp, found.tdp)
        assert alone.clusters.equals(found.clusters)
        assert alone.discoveries == found.discoveries


def test_the_bounds_hold(bench):
    """Of 400 maps with a known quarter of true effects, no more than alpha bound any set too high.

    All sets are looked at at once: a bound is exceeded somewhere just where the true nulls themselves are
    given a discovery. With alpha 0.2, 80 of 400 are expected at most; 104 is three standard deviations more.
    """
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(400):
        z = rng.standard_normal(80)
        z[:20] += 3
        p = 2 * norm.sf(np.abs(z))
        of_each = categories(p, hommel_h(p, 0.2) / 0.2)
        wrong += bound(of_each[20:]) > 0
    assert 20 < wrong <= 104  # and the bound is no empty promise
