"""Inference by permutation against counting by hand, and its laws, on a box of 60 voxels."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components
from scipy.stats import f as f_distribution
from scipy.stats import norm
from scipy.stats import t as t_distribution

from specgl.engines import ChunkStore, Threads
from specgl.errors import ComputationError
from specgl.inference import Forming, Inferred, Permutation, Provisions, Tfce, infer
from specgl.kernels.multiplicity import fdr_bh

SHAPE = (5, 4, 3)
N_LOC = 60
VOXEL = Permutation("voxel", "voxel")
EXTENT = Permutation("extent", "cluster_extent", forming=Forming(stat=1.1))
MASS = replace(EXTENT, name="mass", statistic="cluster_mass")
EXCESS = replace(MASS, name="excess", mass="excess")
ENHANCED = Permutation("tfce", "tfce", connectivity=6, tfce=Tfce())
EVERY = (VOXEL, EXTENT, MASS, EXCESS, ENHANCED)
ALTERNATIVES = ("two-sided", "greater", "less")


def smooth(rng, n):
    noise = rng.standard_normal((n, *SHAPE))
    for axis in (1, 2, 3):
        noise = noise + np.roll(noise, 1, axis)
    return noise.reshape(n, N_LOC)


def one_sample(bench, n=6, seed=3, effect=0.8, **others):
    data = smooth(np.random.default_rng(seed), n)
    data[:, :9] += effect * np.sqrt(8)
    analysed = others.pop("analysed", np.ones(N_LOC, dtype=bool))
    return bench.Refit(np.ones((n, 1)), np.zeros((n, 0)), data * analysed, analysed, **others)


def slope(bench, n=5, seed=5, columns=1):
    rng = np.random.default_rng(seed)
    data = smooth(rng, n)
    x = rng.standard_normal((n, columns))
    data[:, :9] += 4 * x[:, :1]
    return bench.Refit(x, np.ones((n, 1)), data, np.ones(N_LOC, dtype=bool))


def carried_out(bench, statistics, listed, asked, alternatives=None, box=None, **others):
    statistics = statistics if isinstance(statistics, dict) else {"one": statistics}
    alternatives = alternatives if isinstance(alternatives, dict) else {"one": alternatives or "two-sided"}
    permuted = bench.permuted(statistics, listed, **others)
    stats = bench.stats_of(statistics, alternatives)
    return infer(stats, box or bench.Box(SHAPE), list(asked), Provisions(permuted=permuted))


# By hand ------------------------------------------------------------------------------------------


def sides(values, alternative):
    return {"two-sided": [values, -values], "greater": [values], "less": [-values]}[alternative]


def by_hand_clusters(values, box, u, column, connectivity=26):
    """Label and size of the clusters of one side: `labels` -1 outside."""
    within = values >= u
    labels = np.full(N_LOC, -1)
    count, labels[within] = connected_components(box.adjacency(connectivity, within))
    weight = {
        "extent": np.broadcast_to(np.ones(N_LOC) if np.ndim(box.measure) == 0 else box.measure, N_LOC),
        "mass": values,
        "excess": values - u,
    }[column]
    return labels, np.array([weight[labels == label].sum() for label in range(count)])


def by_hand_tfce(values, box, E=0.5, H=2.0):
    """The integral, height by height."""
    enhanced = np.zeros(N_LOC)
    heights = np.unique(values[values > 0])
    for low, high in zip(np.append(0, heights[:-1]), heights, strict=True):
        labels, sizes = by_hand_clusters(values, box, high, "extent", 6)
        inside = labels >= 0
        enhanced[inside] += sizes[labels[inside]] ** E * (high ** (H + 1) - low ** (H + 1)) / (H + 1)
    return enhanced


def by_hand(statistic, listed, asked, alternative, box, scale="t"):
    """Corrected p at every location: all maps in float64, everything counted."""
    maps = statistic.maps(listed.rows, listed.signs, scale)
    alternative = alternative if statistic.signed else "greater"
    measured = [[measured_by_hand(side, box, asked) for side in sides(one, alternative)] for one in maps]
    null = np.array([max(of_side[1] for of_side in one) for one in measured])
    observed = np.max([of_side[0] for of_side in measured[0]], axis=0)
    return np.mean(null[:, None] >= observed - 1e-9 * np.abs(observed), axis=0), null


def measured_by_hand(values, box, asked):
    """Values of one side at each location (-inf where it has none), and their maximum."""
    if asked.statistic == "voxel":
        return values, values.max()
    if asked.statistic == "tfce":
        enhanced = by_hand_tfce(values, box)
        return enhanced, enhanced.max()
    column = "extent" if asked.statistic == "cluster_extent" else {"total": "mass"}.get(asked.mass, "excess")
    labels, sizes = by_hand_clusters(values, box, asked.forming.stat, column)
    return np.where(labels >= 0, np.append(sizes, -1e300)[labels], -1e300), max(sizes, default=0.0)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("asked", EVERY, ids=lambda one: one.name)
def test_flips_counted_by_hand(bench, asked, alternative):
    statistic, listed = one_sample(bench), bench.flips(6)
    (found,) = carried_out(bench, statistic, listed, [asked], alternative)
    expected, null = by_hand(statistic, listed, asked, alternative, bench.Box(SHAPE))
    np.testing.assert_array_equal(found.p_corrected, expected)
    # float32 maps: sums and cubes of heights with a relative error of 6e-8 each.
    np.testing.assert_allclose(found.null, null, rtol=1e-5)
    np.testing.assert_allclose(found.logp, -np.log10(expected), atol=1e-12)
    assert found.p_corrected.min() >= 1 / 64


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("asked", EVERY, ids=lambda one: one.name)
def test_orders_counted_by_hand(bench, asked, columns):
    # The integral by hand is slow: with TFCE fewer shuffles have to do.
    listed = bench.drawn(5, 30) if asked is ENHANCED else bench.orders(5)
    statistic = slope(bench, columns=columns)
    (found,) = carried_out(bench, statistic, listed, [asked])
    expected, _ = by_hand(statistic, listed, asked, "two-sided", bench.Box(SHAPE))
    np.testing.assert_array_equal(found.p_corrected, expected)


def test_uncorrected_p_counted_by_hand(bench):
    for alternative in ALTERNATIVES:
        statistic, listed = slope(bench), bench.orders(5)
        (found,) = carried_out(bench, statistic, listed, [replace(VOXEL, correction="none")], alternative)
        turned = {"two-sided": np.abs, "greater": np.positive, "less": np.negative}[alternative]
        maps = turned(statistic.maps(listed.rows, None))
        expected = np.mean(maps >= maps[0] - 1e-9 * np.abs(maps[0]), axis=0)
        np.testing.assert_array_equal(found.p_corrected, expected)
        np.testing.assert_array_equal(found.uncorrected_logp, 0.0 - np.log10(expected))
        assert found.shuffling.critical is None


@pytest.mark.parametrize("alternative", ["two-sided", "less"])
@pytest.mark.parametrize("flip", [True, False])
def test_uncorrected_p_of_enhanced_maps(bench, alternative, flip):
    statistic, listed = (one_sample(bench), bench.flips(6)) if flip else (slope(bench), bench.drawn(5, 30))
    box = bench.Box(SHAPE)
    asked = [replace(ENHANCED, correction="none"), replace(ENHANCED, name="fdr", correction="fdr_bh")]
    plain, fdr = carried_out(bench, statistic, listed, asked, alternative)
    maps = statistic.maps(listed.rows, listed.signs)
    enhanced = np.array([np.max([by_hand_tfce(s, box) for s in sides(m, alternative)], axis=0) for m in maps])
    expected = np.mean(enhanced >= enhanced[0] * (1 - 1e-9), axis=0)
    np.testing.assert_array_equal(plain.p_corrected, expected)
    np.testing.assert_allclose(fdr.p_corrected, fdr_bh(expected), rtol=1e-12)


def test_a_mesh_has_areas(bench):
    box = bench.Box(SHAPE, np.random.default_rng(1).uniform(0.5, 3, N_LOC))
    statistic, listed = one_sample(bench), bench.flips(6)
    asked = [EXTENT, ENHANCED]
    for one, found in zip(asked, carried_out(bench, statistic, listed, asked, box=box), strict=True):
        expected, _ = by_hand(statistic, listed, one, "two-sided", box)
        np.testing.assert_array_equal(found.p_corrected, expected)


# Scales, families, thresholds -----------------------------------------------------------------------


def test_clusters_are_formed_at_the_p_that_is_asked_for(bench):
    statistic, listed = slope(bench, n=6), bench.drawn(6, 32)
    two = slope(bench, n=6, columns=2)
    p = 0.1
    heights = {
        ("t", "two-sided"): t_distribution.isf(p / 2, 4),
        ("t", "less"): t_distribution.isf(p, 4),
        ("z", "two-sided"): norm.isf(p / 2),
        ("z", "greater"): norm.isf(p),
    }
    for (scale, alternative), height in heights.items():
        asked = replace(MASS, forming=Forming(p=p), scale=scale)
        (found,) = carried_out(bench, statistic, listed, [asked], alternative)
        assert found.threshold == pytest.approx(height, rel=1e-12)
    (found,) = carried_out(bench, two, listed, [replace(MASS, forming=Forming(p=p))])
    assert found.threshold == pytest.approx(f_distribution.isf(p, 2, 3), rel=1e-12)


@pytest.mark.parametrize("varying", [True, False])
def test_z_where_it_is_asked_for_and_where_dof_vary(bench, varying):
    statistic, listed = one_sample(bench, varying=varying), bench.flips(6)
    scale = "t" if varying else "z"
    for asked in EVERY:
        asked = replace(asked, scale=scale)
        (found,) = carried_out(bench, statistic, listed, [asked])
        expected, _ = by_hand(statistic, listed, asked, "two-sided", bench.Box(SHAPE), "z")
        np.testing.assert_array_equal(found.p_corrected, expected)


def test_a_family_over_contrasts(bench):
    statistics = {"one": slope(bench), "two": slope(bench, seed=9), "f": slope(bench, seed=11, columns=2)}
    listed = bench.orders(5)
    alternatives = {"two": "less"}
    found = carried_out(
        bench,
        statistics,
        listed,
        [replace(VOXEL, across="contrasts"), VOXEL, replace(MASS, scale="z")],
        {**dict.fromkeys(statistics, "two-sided"), **alternatives},
    )
    together, alone = found[:3], found[3:6]
    maps = {name: one.maps(listed.rows, None, "z") for name, one in statistics.items()}
    null = np.max([np.abs(maps["one"]).max(1), (-maps["two"]).max(1), maps["f"].max(1)], axis=0)
    for one in together:
        np.testing.assert_allclose(one.null, null, rtol=1e-12)
    for one, other in zip(together, alone, strict=True):
        assert np.all(one.p_corrected >= other.p_corrected - 1e-12)


def test_contrasts_that_are_not_shuffled_alike_are_no_family(bench):
    statistics = {"one": one_sample(bench), "two": slope(bench, n=6)}
    permuted = bench.permuted(statistics, bench.flips(6))
    (scheme,) = permuted.schemes
    apart = (
        replace(scheme, contrasts=("one",)),
        replace(scheme, contrasts=("two",), listed=bench.drawn(6, 40), exchange="permute"),
    )
    permuted = replace(permuted, schemes=apart)
    stats = bench.stats_of(statistics)
    with pytest.raises(ComputationError) as error:
        infer(stats, bench.Box(SHAPE), [replace(VOXEL, across="contrasts")], Provisions(permuted=permuted))
    assert [finding.code for finding in error.value.findings] == ["E432"]
    one, two = infer(stats, bench.Box(SHAPE), [VOXEL], Provisions(permuted=permuted))
    assert (one.shuffling.exchange, two.shuffling.exchange) == ("flip", "permute")
    assert (one.null.size, two.null.size) == (64, 40)


@pytest.mark.parametrize("alpha", [0.001, 1 / 64, 2 / 64, 0.05, 0.3, 0.77])
@pytest.mark.parametrize("asked", EVERY, ids=lambda one: one.name)
def test_what_surpasses_the_critical_value_survives(bench, asked, alpha):
    statistic, listed = one_sample(bench), bench.flips(6)
    (found,) = carried_out(bench, statistic, listed, [replace(asked, alpha=alpha)], "greater")
    box = bench.Box(SHAPE)
    observed = measured_by_hand(statistic.observed, box, asked)[0]
    np.testing.assert_array_equal(
        observed * (1 - 1e-9) > found.shuffling.critical, (found.p_corrected <= alpha) & (observed > -1e300)
    )


# What is told ---------------------------------------------------------------------------------------


def test_the_thresholded_map_and_the_table_of_clusters(bench):
    statistic, listed = one_sample(bench, effect=2.5), bench.flips(6)
    (found,) = carried_out(bench, statistic, listed, [replace(MASS, alpha=0.04)], "greater")
    survives = found.p_corrected <= 0.04
    assert 0 < found.n_surviving == survives.sum() < N_LOC
    np.testing.assert_array_equal(found.thresholded, np.where(survives, statistic.observed, 0))
    assert found.threshold == MASS.forming.stat
    main = found.clusters[found.clusters["peak"] == 1]
    assert main["p_corrected"].tolist() == [found.min_p]
    assert main["size"].sum() == found.n_surviving
    np.testing.assert_allclose(main["mass"].sum(), statistic.observed[survives].sum(), rtol=1e-12)
    (excess,) = carried_out(bench, statistic, listed, [replace(EXCESS, alpha=0.04)], "greater")
    main = excess.clusters[excess.clusters["peak"] == 1]
    over = statistic.observed[excess.thresholded != 0] - MASS.forming.stat
    np.testing.assert_allclose(main["mass"].sum(), over.sum(), rtol=1e-12)
    assert found.peak.statistic == statistic.observed.max()
    assert found.peak.p_corrected == found.min_p


def test_locations_that_survive_are_gathered_in_the_table(bench):
    statistic, listed = one_sample(bench, effect=2.5), bench.flips(6)
    for asked in (VOXEL, ENHANCED):
        (found,) = carried_out(bench, statistic, listed, [replace(asked, alpha=0.2)])
        assert found.n_surviving > 0
        main = found.clusters[found.clusters["peak"] == 1]
        assert main["size"].sum() == found.n_surviving
        assert (main["p_corrected"] <= 0.2).all()
        assert (found.threshold is None) == (asked is ENHANCED)
    assert VOXEL.statistic == "voxel"


def test_the_enhanced_map_is_signed_by_the_alternative(bench):
    statistic, listed = one_sample(bench), bench.flips(6)
    box = bench.Box(SHAPE)
    upper, lower = by_hand_tfce(statistic.observed, box), by_hand_tfce(-statistic.observed, box)
    expected = {"two-sided": upper - lower, "greater": upper, "less": -lower}
    for alternative, enhanced in expected.items():
        (found,) = carried_out(bench, statistic, listed, [ENHANCED], alternative)
        np.testing.assert_allclose(found.enhanced, enhanced, rtol=1e-10)


def test_locations_that_are_not_analysed_have_no_p_and_are_in_no_cluster(bench):
    analysed = np.arange(N_LOC) % 7 != 3
    statistic, listed = one_sample(bench, analysed=analysed), bench.flips(6)
    for found in carried_out(bench, statistic, listed, EVERY):
        np.testing.assert_array_equal(np.isnan(found.p_corrected), ~analysed)
        np.testing.assert_array_equal(np.isnan(found.logp), ~analysed)
        assert not found.thresholded[~analysed].any()
    asked = (replace(VOXEL, correction="fdr_bh"), replace(ENHANCED, correction="none"))
    for found in carried_out(bench, statistic, listed, asked):
        np.testing.assert_array_equal(np.isnan(found.p_corrected), ~analysed)
        np.testing.assert_array_equal(np.isnan(found.uncorrected_logp), ~analysed)


def test_no_cluster_anywhere(bench):
    asked = [replace(one, forming=Forming(stat=1e6)) for one in (EXTENT, MASS, EXCESS)]
    for found in carried_out(bench, one_sample(bench), bench.flips(6), asked):
        assert (found.p_corrected == 1).all()
        assert found.n_surviving == len(found.clusters) == 0
        assert found.peak is not None


def test_records_say_what_the_null_was_made_from(bench):
    found = carried_out(bench, one_sample(bench), bench.flips(6), EVERY)
    for one in found:
        assert (one.shuffling.n, one.shuffling.possible, one.shuffling.exhaustive) == (64, 64, True)
        assert (one.shuffling.exchange, one.shuffling.tail) == ("flip", "counts")
        assert one.null.shape == (64,)
        assert one.extrapolated is None
    assert [one.uncorrected_logp is None for one in found] == [False, True, True, True, True]
    assert [one.enhanced is None for one in found] == [True, True, True, True, False]


# Laws -----------------------------------------------------------------------------------------------


def arrays_of(found: Inferred) -> dict[str, np.ndarray]:
    names = ("thresholded", "p_corrected", "logp", "uncorrected_logp", "enhanced", "extrapolated", "null")
    return {name: value for name in names if (value := getattr(found, name)) is not None}


def assert_equal(one, other):
    for mine, theirs in zip(one, other, strict=True):
        assert arrays_of(mine).keys() == arrays_of(theirs).keys()
        for name, values in arrays_of(mine).items():
            np.testing.assert_array_equal(values, arrays_of(theirs)[name], err_msg=name)
        assert mine.shuffling == theirs.shuffling
        assert mine.clusters.equals(theirs.clusters)


WHATEVER = (
    *EVERY,
    replace(VOXEL, name="fdr", correction="fdr_bh", tail="gpd"),
    replace(VOXEL, name="gamma", tail="gamma"),
    replace(ENHANCED, name="own", correction="none"),
    replace(MASS, name="gpd", tail="gpd"),
)


def test_neither_threads_nor_chunks_nor_memory_matter(bench, monkeypatch):
    statistic, listed = one_sample(bench, n=9), bench.drawn(9, 200, flip=True)
    once = carried_out(bench, statistic, listed, WHATEVER)
    assert_equal(once, carried_out(bench, statistic, listed, WHATEVER, engine=Threads(3)))
    assert_equal(once, carried_out(bench, statistic, listed, WHATEVER, engine=Threads(3), memory=1))
    monkeypatch.setattr("specgl.inference.permutation.nulls.CHUNKS", 2)
    assert_equal(once, carried_out(bench, statistic, listed, WHATEVER))


def test_inferences_do_not_disturb_one_another(bench):
    statistic, listed = one_sample(bench), bench.flips(6)
    together = carried_out(bench, statistic, listed, WHATEVER)
    for asked, found in zip(WHATEVER, together, strict=True):
        assert_equal([found], carried_out(bench, statistic, listed, [asked]))


def test_maps_are_made_once_for_all_measures_of_a_scale(bench):
    statistic, listed = slope(bench), bench.orders(5)
    carried_out(bench, statistic, listed, EVERY)
    assert sum(statistic.calls) == 120
    statistic = slope(bench)
    carried_out(bench, statistic, listed, [*EVERY, replace(MASS, name="z", scale="z")])
    assert sum(statistic.calls) == 240
    statistic = slope(bench)
    carried_out(bench, statistic, listed, [VOXEL])
    assert sum(statistic.calls) == 0


def test_half_of_the_flips_tell_the_other_half(bench):
    statistic = one_sample(bench)
    carried_out(bench, statistic, bench.flips(6), EVERY)
    assert sum(statistic.calls) == 32


def test_what_a_store_holds_is_not_made_again(bench, tmp_path):
    listed = bench.drawn(9, 200, flip=True)
    once = carried_out(bench, one_sample(bench, n=9), listed, WHATEVER)

    class Stop(Exception):
        pass

    def stop(done, total):
        assert total == 200
        if done >= 96:
            raise Stop

    store = ChunkStore(tmp_path / "chunks")
    with pytest.raises(Stop):
        carried_out(bench, one_sample(bench, n=9), listed, WHATEVER, store=store, progress=stop)
    statistic = one_sample(bench, n=9)
    told = []
    again = carried_out(
        bench, statistic, listed, WHATEVER, store=store, progress=lambda done, total: told.append(done)
    )
    assert_equal(once, again)
    assert sum(statistic.calls) == 200 - 96
    assert told == [96, 112, 128, 144, 160, 176, 192, 200]
    # Another question finds nothing of it.
    statistic = one_sample(bench, n=9)
    carried_out(bench, statistic, listed, [EXTENT], store=store)
    assert sum(statistic.calls) == 200


def test_a_contrast_and_its_negative_mirror_each_other(bench):
    one = slope(bench)
    other = replace(one, x=-one.x)
    listed = bench.orders(5)
    turned = {"two-sided": "two-sided", "greater": "less", "less": "greater"}
    for alternative in ALTERNATIVES:
        found = carried_out(bench, one, listed, WHATEVER, alternative)
        mirrored = carried_out(bench, other, listed, WHATEVER, turned[alternative])
        for mine, theirs in zip(found, mirrored, strict=True):
            np.testing.assert_allclose(mine.p_corrected, theirs.p_corrected, rtol=1e-9)
            np.testing.assert_allclose(mine.thresholded, -theirs.thresholded, rtol=1e-9)
            np.testing.assert_allclose(mine.null, theirs.null, rtol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_no_counted_p_is_below_what_counts_can_say(bench, seed):
    statistic, listed = one_sample(bench, n=9, seed=seed, effect=3), bench.drawn(9, 50, seed=seed, flip=True)
    for alternative in ALTERNATIVES:
        for found in carried_out(bench, statistic, listed, EVERY, alternative):
            assert found.p_corrected.min() >= 1 / 50
            assert found.null[0] <= found.null.max()
        voxel = carried_out(bench, statistic, listed, [VOXEL], alternative)[0]
        own = 10.0**-voxel.uncorrected_logp
        assert np.all(voxel.p_corrected >= own - 1e-12)
        assert own.min() >= 1 / 50 - 1e-12


# Tails ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", ["gpd", "gamma"])
@pytest.mark.parametrize("asked", [VOXEL, MASS, ENHANCED], ids=lambda one: one.name)
def test_tails_tell_small_p_alone_and_none_is_0(bench, asked, tail):
    statistic, listed = one_sample(bench, n=12, effect=1.2), bench.drawn(12, 400, flip=True)
    counts, found = carried_out(bench, statistic, listed, [asked, replace(asked, name="tail", tail=tail)])
    assert found.shuffling.tail == tail
    assert found.extrapolated.any()
    assert found.extrapolated.dtype == bool
    np.testing.assert_array_equal(
        found.p_corrected[~found.extrapolated], counts.p_corrected[~found.extrapolated]
    )
    assert np.all(counts.p_corrected[found.extrapolated] < 0.1)
    assert np.all(found.p_corrected > 0)
    assert np.all(np.isfinite(found.logp))
    # A p-value never rises with the evidence for it.
    for fewer, more in pairwise(np.unique(counts.p_corrected)):
        least, most = (found.p_corrected[counts.p_corrected == p] for p in (fewer, more))
        assert least.max() <= most.min() + 1e-15


@pytest.mark.parametrize("tail", ["gpd", "gamma"])
def test_tails_of_uncorrected_p(bench, tail):
    statistic, listed = one_sample(bench, n=12, effect=1.5), bench.drawn(12, 400, flip=True)
    asked = [replace(VOXEL, correction="none"), replace(VOXEL, correction="none", tail=tail, name="tail")]
    counts, found = carried_out(bench, statistic, listed, asked, "greater")
    told = found.extrapolated
    assert told.any()
    np.testing.assert_array_equal(found.p_corrected[~told], counts.p_corrected[~told])
    assert np.all(counts.p_corrected[told] < 0.1)
    assert np.all(found.p_corrected > 0)
    assert found.p_corrected.min() < 1 / 400
    # Counts of 1 to 40 of 400 scatter by their root; the fits smooth them and stay about where they are.
    usual = told & (counts.p_corrected > 0.02)
    assert np.median(np.abs(np.log(found.p_corrected[usual] / counts.p_corrected[usual]))) < 0.35


@pytest.mark.parametrize("tail", ["gpd", "gamma"])
@pytest.mark.parametrize("alpha", [0.001, 0.03, 0.2])
def test_the_critical_value_of_a_fitted_tail(bench, tail, alpha):
    statistic, listed = one_sample(bench, n=12, effect=1.2), bench.drawn(12, 400, flip=True)
    (found,) = carried_out(bench, statistic, listed, [replace(VOXEL, tail=tail, alpha=alpha)], "greater")
    np.testing.assert_array_equal(found.p_corrected <= alpha, statistic.observed > found.shuffling.critical)


@pytest.mark.parametrize("correction", ["fwe", "none"])
def test_counts_stand_where_no_tail_fits(bench, correction):
    asked = [
        replace(VOXEL, correction=correction),
        replace(VOXEL, correction=correction, tail="gpd", name="gpd"),
    ]
    counts, found = carried_out(bench, one_sample(bench), bench.drawn(6, 24, flip=True), asked)
    np.testing.assert_array_equal(found.p_corrected, counts.p_corrected)
    assert not found.extrapolated.any()
    assert found.shuffling.tail == ("counts" if correction == "fwe" else "gpd")


# What shuffles cannot tell ----------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [VOXEL, MASS, ENHANCED], ids=lambda one: one.name)
def test_a_statistic_that_no_shuffle_changes_is_refused(bench, asked):
    with pytest.raises(ComputationError) as error:
        carried_out(bench, one_sample(bench, n=5), bench.orders(5), [asked])
    (finding,) = error.value.findings
    assert (finding.code, finding.where) == ("E430", ("contrasts", "one"))


def test_one_labelling_is_no_null(bench):
    with pytest.raises(ComputationError) as error:
        carried_out(bench, slope(bench), bench.drawn(5, 1), [VOXEL])
    assert [finding.code for finding in error.value.findings] == ["E431"]


def test_two_labellings_that_mirror_each_other_say_nothing_but_are_no_mistake(bench):
    listed = bench.flips(6)
    pair = replace(listed, rows=listed.rows[[0, -1]], signs=listed.signs[[0, -1]])
    for found in carried_out(bench, one_sample(bench), pair, EVERY):
        assert (found.p_corrected == 1).all()


@pytest.mark.parametrize(
    "asked",
    [
        replace(VOXEL, statistic="peak"),
        replace(MASS, forming=None),
        replace(MASS, forming=Forming()),
        replace(MASS, forming=Forming(0.01, 2.0)),
        replace(MASS, correction="fdr_bh"),
        replace(ENHANCED, tfce=None),
    ],
    ids=["statistic", "no forming", "no threshold", "two thresholds", "fdr", "no settings"],
)
def test_what_makes_no_sense_is_refused(bench, asked):
    with pytest.raises(ValueError):
        carried_out(bench, one_sample(bench), bench.flips(6), [asked])


def test_shuffling_needs_statistics(bench):
    statistic = one_sample(bench)
    stats = bench.stats_of({"one": statistic})
    with pytest.raises(ValueError, match="can be shuffled"):
        infer(stats, bench.Box(SHAPE), [VOXEL])
    permuted = bench.permuted({"two": statistic}, bench.flips(6))
    with pytest.raises(ValueError, match=r"\['one'\]"):
        infer(stats, bench.Box(SHAPE), [VOXEL], Provisions(permuted=permuted))


def test_chunks_follow_from_the_number_of_shuffles_alone():
    from types import SimpleNamespace

    from specgl.inference.permutation.nulls import cut

    for n, size in product([1, 16, 17, 300, 5000, 10_000, 1_000_000], [16]):
        chunks = cut(SimpleNamespace(schemes=[SimpleNamespace(rows=np.zeros(n))]), size)
        assert chunks[0].start == 0
        assert chunks[-1].stop == n
        assert all(one.stop == two.start for one, two in pairwise(chunks))
        assert all(one.start % size == 0 and 0 < one.stop - one.start <= 256 for one in chunks)
        assert len(chunks) >= min(100, -(-n // size))
