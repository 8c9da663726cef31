"""What float32 cannot tell is told by float64: near ties, heights on a threshold, bounds of values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.engines import ChunkStore, Threads
from specgl.inference import Forming, Permutation, Provisions, Tfce, infer
from specgl.inference.permutation import decisive
from specgl.inference.permutation.certainty import Rounding, enclosed, measured, rounding_of
from specgl.inference.permutation.measures import Enhancement, Sizes
from specgl.inference.permutation.spatial import cluster_maxima, enhanced_map, enhanced_maximum, graph_of

SHAPE = (4, 3, 2)
N_LOC = 24
N = 40
EXTENT = Permutation("extent", "cluster_extent", forming=Forming(stat=2.0))
MASS = replace(EXTENT, name="mass", statistic="cluster_mass")
EXCESS = replace(MASS, name="excess", mass="excess")
ENHANCED = Permutation("tfce", "tfce", connectivity=6, tfce=Tfce())
STEPS = replace(ENHANCED, name="steps", tfce=Tfce(dh=0.25))
OWN = replace(ENHANCED, name="own", correction="none")
EVERY = (EXTENT, MASS, EXCESS, ENHANCED, STEPS, OWN)


@pytest.fixture(scope="module")
def told(bench):
    """Make a statistic whose map under each of N shuffles is given."""
    listed = bench.drawn(9, N, seed=2)

    class Told(bench.Refit):
        def stat(self, rows, signs):
            (shuffle,) = np.flatnonzero((listed.rows == rows).all(axis=1))
            return self.data[:, :][shuffle] if self.kind == "t" else np.abs(self.data[shuffle])

        n_obs = 9
        dof = 30

    def make(maps, columns=1):
        analysed = np.ones(N_LOC, dtype=bool)
        return Told(np.zeros((9, columns)), np.zeros((9, 0)), np.asarray(maps, dtype=float), analysed)

    def ask(maps, asked, alternative="two-sided", **others):
        statistics = maps if isinstance(maps, dict) else {"one": maps}
        statistics = {name: one if isinstance(one, Told) else make(one) for name, one in statistics.items()}
        stats = bench.stats_of(statistics, dict.fromkeys(statistics, alternative))
        permuted = bench.permuted(statistics, listed, **others)
        return infer(stats, bench.Box(SHAPE), list(asked), Provisions(permuted=permuted))

    make.ask = ask
    return make


def one_cluster(heights):
    """A map for each height: a cluster of two locations that have it, in shuffle 1 and later."""
    maps = np.zeros((N, N_LOC))
    maps[:, 20] = 0.5  # so that no statistic is the same under all shuffles
    maps[:, 3] = maps[:, 5] = np.asarray(heights)
    return maps


def heights_for(factors):
    """Heights of the observed labelling, of the shuffles with these factors, and of others far below."""
    return 3.3 * np.concatenate([[1.0], factors, np.linspace(0.7, 0.9, N - 1 - len(factors))])


NEAR = [1 - 1e-6, 1 + 1e-6, 1 - 1e-8, 1 + 1e-8, 1 - 3e-9, 1 - 1e-13, 1 + 1e-13]
REACHING = 1 + 4  # the observed labelling, what is above it, and what is equal to it


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("scale", ["t", "z"])
@pytest.mark.parametrize("asked", [MASS, EXCESS, ENHANCED, OWN], ids=lambda one: one.name)
def test_near_ties_are_told_apart_and_equal_labellings_are_not(told, asked, scale, alternative):
    maps = one_cluster(heights_for(NEAR)) * (-1 if alternative == "less" else 1)
    (found,) = told.ask(maps, [replace(asked, scale=scale)], alternative)
    assert found.p_corrected[3] * N == REACHING


def test_the_tolerance_that_float32_would_want_miscounts(told):
    """Two masses 3e-6 apart, the smaller one a shuffle's: 1e-5 would have taken them for equal."""
    (found,) = told.ask(one_cluster(heights_for([1 - 3e-6])), [MASS], "greater")
    assert found.p_corrected[3] == 1 / N
    assert found.null[1] < found.null[0]


@pytest.mark.parametrize("above", [1e-9, 0.0, -1e-9])
@pytest.mark.parametrize("asked", [EXTENT, MASS, EXCESS], ids=lambda one: one.name)
def test_a_height_on_the_threshold_is_in_a_cluster_or_not(told, asked, above):
    maps = one_cluster(np.concatenate([[3.0], np.full(N - 1, 2.5)]))
    maps[1:6, 7] = 2.0 * (1 + above)  # beside location 5; float32 cannot tell it from the threshold
    (found,) = told.ask(maps, [asked], "greater")
    extent = 2 + (above >= 0)
    expected = {"extent": extent, "mass": 5.0 + (above >= 0) * maps[1, 7], "excess": 1.0 + max(above, 0.0)}
    # Nothing that is observed is near the masses: only the extents have to be right before they are told.
    np.testing.assert_allclose(found.null[1:6], expected[asked.name], rtol=1e-6 if asked is EXCESS else 0.5)
    counts = {"extent": N, "mass": 1 + 5 * (above >= 0), "excess": 1}[asked.name]
    assert found.p_corrected[3] * N == counts


def test_extents_that_hang_on_one_height(told):
    maps = one_cluster(np.full(N, 2.5) + np.linspace(0, 0.1, N))
    maps[0, 7] = 2.1
    maps[1:6, 7] = 2.0 * (1 + np.array([1e-9, 1e-12, 0.0, -1e-12, -1e-9]))
    (found,) = told.ask(maps, [EXTENT], "greater")
    assert found.p_corrected[3] * N == 1 + 3
    np.testing.assert_array_equal(found.null[:6], [3, 3, 3, 3, 2, 2])


def test_the_summed_form_where_a_height_is_on_a_step(told):
    # Locations 3 and 5 are neighbours; every shuffle has the observed heights, but for one on a step.
    maps = one_cluster(np.full(N, 3.3))
    maps[:, 9] = 1.6
    maps[6:, 9] = 1.2
    maps[1:6, 9] = 1.5 * (1 + np.array([1e-9, 1e-12, 0.0, -1e-12, -1e-9]))
    (found,) = told.ask(maps, [STEPS], "greater")
    assert found.p_corrected[3] * N == 1 + 3


def test_a_family_is_compared_with_every_contrast(told):
    """A shuffle of one contrast ties with what another one shows."""
    here, there = one_cluster(heights_for([])), one_cluster(heights_for([]) * 0.5)
    there[1:3, [3, 5]] = here[0, 3] * (1 + np.array([[1e-9], [-1e-8]]))
    asked = [replace(MASS, across="contrasts"), replace(MASS, name="alone", scale="z")]
    one, two, alone, other = told.ask({"one": here, "two": there}, asked, "greater")
    assert one.p_corrected[3] * N == 2
    assert alone.p_corrected[3] * N == 1
    np.testing.assert_array_equal(one.null, two.null)
    assert other.p_corrected[3] == 1.0  # 1.65: in no cluster


def test_neither_threads_nor_chunks_nor_a_store_matter(told, bench, monkeypatch, tmp_path):
    rng = np.random.default_rng(4)
    maps = rng.standard_normal((N, N_LOC)) * 2
    maps[5:25] = maps[0] * (1 + 1e-8 * rng.standard_normal((20, 1)))
    once = told.ask(maps, EVERY)
    alone = [told.ask(maps, [one])[0] for one in EVERY]
    several = told.ask(maps, EVERY, engine=Threads(3))
    monkeypatch.setattr("specgl.inference.permutation.nulls.CHUNKS", 1)
    store = ChunkStore(tmp_path / "chunks")
    others = [alone, several, *(told.ask(maps, EVERY, store=store) for _ in range(2))]
    for other in others:
        for mine, theirs in zip(once, other, strict=True):
            np.testing.assert_array_equal(mine.null, theirs.null)
            np.testing.assert_array_equal(mine.p_corrected, theirs.p_corrected)


def test_few_shuffles_are_decisive(told, monkeypatch):
    seen = []
    original = decisive.measure_exactly
    monkeypatch.setattr(
        decisive, "measure_exactly", lambda work, doubt: seen.append(doubt) or original(work, doubt)
    )
    maps = np.random.default_rng(8).standard_normal((N, N_LOC)) * 2
    told.ask(maps, EVERY)
    assert seen == []
    maps[7] = maps[0] * (1 + 1e-8)
    told.ask(maps, EVERY)
    assert {doubt.shuffle for doubt in seen} == {7}
    assert len(seen) == 2  # sizes are measured together; no height is near a step


def test_how_exact_heights_are(told):
    t, f = told(np.zeros((N, N_LOC))), told(np.zeros((N, N_LOC)), columns=2)
    assert 2.0**-24 < rounding_of(t, "t").relative < 1e-7
    assert rounding_of(t, "z") == Rounding(3e-7, 0.0)
    assert rounding_of(f, "z").floor == 1.0
    assert rounding_of(replace(f, varying=True), "t") == rounding_of(f, "z")


# Where values lie -----------------------------------------------------------------------------------

QUARTERS = st.integers(-12, 16).map(lambda k: k / 4)
HEIGHTS = st.lists(st.one_of(st.floats(-3, 4).map(lambda h: round(h, 6)), QUARTERS), min_size=24, max_size=24)
MEASURES = [
    Sizes("t", 26, 1.25),
    Sizes("t", 6, 0.5),
    Enhancement("t", 6, 0.5, 2.0, None),
    Enhancement("t", 26, 1.0, 1.0, None),
    Enhancement("t", 6, 0.5, 0.0, None),
    Enhancement("t", 6, 0.5, 2.0, 0.25),
]


@pytest.mark.parametrize("measure", MEASURES, ids=str)
@settings(max_examples=60, deadline=None)
@given(HEIGHTS, st.integers(0, 2**32), st.sampled_from([0.0, 1.0]), st.booleans())
def test_float64_lies_between_the_ends(bench, measure, heights, seed, floor, areas):
    rng = np.random.default_rng(seed)
    graph = graph_of(bench.Box(SHAPE, rng.uniform(0.5, 3, N_LOC) if areas else None), measure.connectivity)
    rounding = Rounding(3e-7, floor)
    exact = np.asarray(heights)
    # As far off as it may be, and rounded once more.
    error = 2e-7 * np.maximum(np.abs(exact), floor) * rng.uniform(-1, 1, N_LOC)
    single = (exact + error).astype(np.float32)
    value, least, most = measured(measure, single, graph, None, rounding)
    # Up to rounding in sums. Heights that are rounding alone enhance to nothing that is ever compared.
    below, above = 1 - 1e-11, 1 + 1e-11
    if isinstance(measure, Sizes):
        true, nothing = np.array(cluster_maxima(exact, graph, measure.threshold)), 0.0
    else:
        true, nothing = np.array([enhanced_maximum(exact, graph, measure)]), 100 * 3e-7 ** (measure.H + 1)
        low, high = enclosed(measure, enhanced_map(single, graph, measure), single, graph, None, rounding)
        exactly = enhanced_map(exact, graph, measure)
        assert np.all((low * below <= exactly + nothing) & (exactly <= high * above + nothing))
    assert np.all((least <= value) & (value <= most))
    assert np.all((least * below <= true + nothing) & (true <= most * above + nothing))
