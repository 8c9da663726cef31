"""Inference with the statistics that models make: the same laws hold to the bit, whatever the design."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from specgl.design.records import Block, Contrast, Design
from specgl.engines import ChunkStore, Threads
from specgl.errors import ComputationError, DesignError
from specgl.inference import Forming, Permutation, Permuted, Provisions, Tfce, infer
from specgl.inference.permutation.certainty import rounding_of
from specgl.kernels.shuffles import build_tree
from specgl.models import contrast_maps, fit
from specgl.models.schemes import make_schemes
from specgl.models.shuffled import shuffled_model

SHAPE = (7, 6, 5)
N_LOC = 210
VOXEL = Permutation("voxel", "voxel")
MASS = Permutation("mass", "cluster_mass", forming=Forming(p=0.02))
EXTENT = replace(MASS, name="extent", statistic="cluster_extent")
EXCESS = replace(MASS, name="excess", mass="excess")
ENHANCED = Permutation("tfce", "tfce", connectivity=6, tfce=Tfce())
EVERY = (VOXEL, EXTENT, MASS, EXCESS, ENHANCED, replace(ENHANCED, name="own", correction="none"))


@dataclass(frozen=True)
class Study:
    """A design and its data."""

    matrix: np.ndarray
    contrasts: tuple[Contrast, ...]
    data: np.ndarray
    groups: Block | None = None
    exchange: str | None = None


def contrast(name, weights, alternative="two-sided"):
    rows = np.atleast_2d(np.asarray(weights, dtype=float))
    return Contrast(name, rows, "F" if len(rows) > 1 else "t", alternative, (name,) * len(rows))


def data_for(matrix, seed=0, missing=False):
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((len(matrix), *SHAPE))
    for axis in (1, 2, 3):
        noise = noise + np.roll(noise, 1, axis)
    data = noise.reshape(len(matrix), N_LOC)
    data[:, :30] += 3 * matrix[:, -1:]
    if missing:
        data[rng.integers(0, len(matrix), 40), rng.integers(0, N_LOC, 40)] = np.nan
    return data


def studies():
    rng = np.random.default_rng(7)
    ones = np.ones((7, 1))
    two = np.column_stack([np.ones(8), np.repeat([0.0, 1.0], 4)])
    covariate = np.column_stack([np.ones(12), rng.standard_normal(12), rng.standard_normal(12)])
    three = np.column_stack([np.ones(9), np.repeat(np.eye(3), 3, axis=0)[:, 1:]])
    groups = Block("group", np.repeat([0, 1], 6), ("a", "b"))
    unequal = np.column_stack([np.ones(12), np.repeat([0.0, 1.0], 6)])
    return {
        "one-sample": Study(ones, (contrast("mean", [1]),), data_for(ones)),
        "two-sample": Study(
            two, (contrast("less", [0, 1], "less"), contrast("more", [0, 1], "greater")), data_for(two)
        ),
        "covariate": Study(
            covariate, (contrast("slope", [0, 0, 1]), contrast("other", [0, 1, 0])), data_for(covariate)
        ),
        "three groups": Study(three, (contrast("any", [[0, 1, 0], [0, 0, 1]]),), data_for(three)),
        "unequal variances": Study(unequal, (contrast("v", [0, 1]),), data_for(unequal), groups),
        "missing values": Study(
            covariate, (contrast("slope", [0, 0, 1]),), data_for(covariate, missing=True)
        ),
    }


STUDIES = studies()


@pytest.fixture(scope="module")
def prepared(bench) -> Callable:
    """Statistics, space and what shuffling needs of a study."""
    import xarray as xr

    def prepare(study: Study, n: int | None = 96, **others):
        n_obs = len(study.matrix)
        rank = int(np.linalg.matrix_rank(study.matrix))
        ids = tuple(f"sub-{i:02}" for i in range(n_obs))
        design = Design(study.matrix, (), ids, study.contrasts, None, rank, n_obs - rank, "x", {})
        design = replace(design, variance_groups=study.groups)
        data = xr.Dataset(
            {"effect": (("observation", "location"), study.data)}, coords={"observation": list(ids)}
        )
        stats = contrast_maps(fit(data, design, engine=Threads(1)), design, engine=Threads(1))
        schemes = make_schemes(
            design, build_tree(n_obs), exchange=study.exchange, n=n, seed=11, nuisance="freedman_lane"
        )
        analysed = {c.name: np.isfinite(stats["p"].sel(contrast=c.name).values) for c in study.contrasts}
        statistics = shuffled_model(data, design, schemes, analysed, nuisance="freedman_lane")
        engine = others.pop("engine", Threads(1))
        return stats, bench.Box(SHAPE), Permuted(statistics, schemes, engine, **others)

    return prepare


def arrays(found):
    names = ("thresholded", "p_corrected", "logp", "uncorrected_logp", "enhanced", "null")
    return {name: value for name in names if (value := getattr(found, name)) is not None}


def assert_same_bits(one, other):
    for mine, theirs in zip(one, other, strict=True):
        for name, values in arrays(mine).items():
            np.testing.assert_array_equal(values, arrays(theirs)[name], err_msg=name)


@pytest.mark.parametrize("name", STUDIES)
def test_threads_do_not_matter_and_p_are_what_counts_can_say(prepared, name):
    stats, space, permuted = prepared(STUDIES[name])
    found = infer(stats, space, EVERY, Provisions(permuted=permuted))
    others = infer(stats, space, EVERY, Provisions(permuted=replace(permuted, engine=Threads(2))))
    assert_same_bits(found, others)
    n = found[0].null.size
    for one in found:
        p = one.p_corrected[np.isfinite(one.p_corrected)]
        assert p.size > 0.9 * N_LOC
        assert 1 / n <= p.min() <= p.max() <= 1
        # Every p is a count.
        np.testing.assert_allclose(p * n, np.round(p * n), atol=1e-9)
        # The observed labelling counts itself, in every null.
        assert one.null[0] <= one.null.max()
        if one.uncorrected_logp is not None and one.inference == "voxel":
            own = 10.0**-one.uncorrected_logp
            assert np.nanmax(own - one.p_corrected) <= 1e-12


def test_no_part_of_an_interrupted_run_is_lost(prepared, tmp_path):
    stats, space, permuted = prepared(STUDIES["covariate"])
    once = infer(stats, space, EVERY, Provisions(permuted=permuted))
    store = ChunkStore(tmp_path / "chunks")

    class Stop(Exception):
        pass

    def stop(done, total):
        if done >= total / 2:
            raise Stop

    with pytest.raises(Stop):
        infer(
            stats,
            space,
            EVERY,
            Provisions(permuted=replace(permuted, store=store, progress=stop, engine=Threads(2))),
        )
    told = []
    again = infer(
        stats,
        space,
        EVERY,
        Provisions(permuted=replace(permuted, store=store, progress=lambda done, total: told.append(done))),
    )
    assert told[0] >= 48
    assert_same_bits(once, again)


@pytest.mark.parametrize("name", ["two-sample", "covariate", "unequal variances", "missing values"])
def test_a_contrast_and_its_negative(prepared, name):
    study = STUDIES[name]
    turned = {"two-sided": "two-sided", "greater": "less", "less": "greater"}
    negative = tuple(contrast(c.name, -c.weights, turned[c.alternative]) for c in study.contrasts)
    one = infer(*prepared(study)[:2], EVERY, Provisions(permuted=prepared(study)[2]))
    stats, space, permuted = prepared(replace(study, contrasts=negative))
    for mine, theirs in zip(one, infer(stats, space, EVERY, Provisions(permuted=permuted)), strict=True):
        np.testing.assert_array_equal(mine.p_corrected, theirs.p_corrected)
        np.testing.assert_allclose(mine.null, theirs.null, rtol=1e-6)


@pytest.mark.parametrize("name", ["one-sample", "two-sample", "three groups"])
def test_all_labellings_against_maps_in_float64(prepared, name, bench):
    """Every labelling's map from float64 values; clusters and heights by counting."""
    stats, space, permuted = prepared(STUDIES[name], None)
    found = infer(stats, space, (VOXEL, MASS), Provisions(permuted=permuted))
    names = [c.name for c in STUDIES[name].contrasts]
    (scheme,) = permuted.schemes
    shuffles = scheme.shuffles()
    assert shuffles.exhaustive
    for place, contrast_name in enumerate(names):
        statistic = permuted.statistics[contrast_name]
        maps = statistic.values(shuffles.rows, shuffles.signs, np.arange(N_LOC))
        alternative = stats["alternative"].sel(contrast=contrast_name).item()
        sides = {"two-sided": (1, -1), "greater": (1,), "less": (-1,)}[alternative]
        sides = sides if statistic.signed else (1,)
        evidence = np.max([side * maps for side in sides], axis=0)
        null = evidence.max(axis=1)
        expected = np.mean(null[:, None] >= evidence[0] - 1e-9 * np.abs(evidence[0]), axis=0)
        np.testing.assert_array_equal(found[place].p_corrected, expected)
        u = found[len(names) + place].threshold
        null = np.array(
            [max(masses(side * one, space, u)[1].max(initial=0) for side in sides) for one in maps]
        )
        p = np.ones(N_LOC)
        for side in sides:
            labels, mass = masses(side * maps[0], space, u)
            inside = labels >= 0
            p[inside] = np.mean(null[:, None] >= mass[labels[inside]] * (1 - 1e-9), axis=0)
        np.testing.assert_array_equal(found[len(names) + place].p_corrected, p)


def masses(values, space, u):
    from scipy.sparse.csgraph import connected_components

    labels = np.full(N_LOC, -1)
    within = values >= u
    count, labels[within] = connected_components(space.adjacency(26, within))
    return labels, np.bincount(labels[within], values[within], count)


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("scale", ["t", "z"])
def test_maps_in_float64_are_exact_and_each_shuffle_is_by_itself(prepared, name, scale):
    _, _, permuted = prepared(STUDIES[name], 24)
    (scheme,) = permuted.schemes
    listed, every = scheme.shuffles(), np.arange(N_LOC)
    for statistic in permuted.statistics.values():
        single, exact = np.empty((24, N_LOC), dtype=np.float32), np.empty((24, N_LOC))
        statistic.fill(listed.rows, listed.signs, single, scale=scale)
        statistic.fill(listed.rows, listed.signs, exact, scale=scale)
        values = statistic.values(listed.rows, listed.signs, every)
        if scale == "t" or statistic.varying:  # values are on the statistic's own scale
            np.testing.assert_allclose(exact, values, rtol=1e-11, atol=1e-13)
        # As exact as maps in float32 are said to be.
        rounding = rounding_of(statistic, scale)
        error = rounding.relative * np.maximum(np.abs(exact), rounding.floor)
        assert np.all(np.abs(single - exact) <= error)
        # Two routes to the same numbers: the observed ones, and each alone.
        np.testing.assert_array_equal(
            exact[0], statistic.observed if scale == "t" and not statistic.varying else statistic.observed_z
        )
        for shuffle in (5, 17):
            one = np.empty((1, N_LOC))
            here = slice(shuffle, shuffle + 1)
            statistic.fill(
                listed.rows[here], None if listed.signs is None else listed.signs[here], one, scale=scale
            )
            np.testing.assert_array_equal(one[0], exact[shuffle])


def test_half_of_a_balanced_two_sample_test_tells_the_other(prepared, monkeypatch):
    from specgl.inference.permutation import work

    made = []
    original = work.measured
    monkeypatch.setattr(work, "measured", lambda *given: made.append(1) or original(*given))
    study = replace(STUDIES["two-sample"], contrasts=(contrast("either", [0, 1]),))
    stats, space, permuted = prepared(study, None)
    (mirrored,) = infer(stats, space, [MASS], Provisions(permuted=permuted))
    assert mirrored.null.size == 70
    assert len(made) == 70  # 35 shuffles, two sides
    assert mirrored.p_corrected.min() >= 2 / 70


@pytest.mark.parametrize("name", ["two-sample", "unequal variances", "missing values"])
def test_work_can_be_sent_to_another_process(prepared, name, monkeypatch):
    stats, space, permuted = prepared(STUDIES[name])
    sent = []

    @dataclass(frozen=True)
    class Elsewhere:
        n: int = 1

        def stream(self, fn, shared, items):
            sent.append(pickle.dumps((fn, shared)))
            for place, item in enumerate(items):
                there, copy = pickle.loads(sent[-1])
                yield place, pickle.loads(pickle.dumps(there(copy, pickle.loads(pickle.dumps(item)))))

    asked = (*EVERY, replace(VOXEL, name="gpd", tail="gpd"))
    found = infer(stats, space, asked, Provisions(permuted=permuted))
    assert_same_bits(
        found, infer(stats, space, asked, Provisions(permuted=replace(permuted, engine=Elsewhere())))
    )


def test_shuffling_is_imported_when_something_is_shuffled():
    code = "import sys, specgl.inference; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_mean_that_is_permuted_is_refused(prepared):
    """When the schemes are made where it can be seen there, else before the first shuffle."""
    study = replace(STUDIES["one-sample"], exchange="permute")
    with pytest.raises((DesignError, ComputationError)) as error:
        infer(*(whole := prepared(study))[:2], [ENHANCED], Provisions(permuted=whole[2]))
    assert error.value.findings[0].code in ("E270", "E430", "E431")


@pytest.mark.parametrize("tail", ["gpd", "gamma"])
def test_tails(prepared, tail):
    asked = [replace(one, tail=tail, name=f"{one.name}{tail}") for one in (VOXEL, MASS, ENHANCED)]
    asked.append(replace(VOXEL, name="fdr", correction="fdr_bh", tail=tail))
    stats, space, permuted = prepared(STUDIES["covariate"], 480)
    found = infer(stats, space, asked, Provisions(permuted=permuted))
    assert_same_bits(
        found, infer(stats, space, asked, Provisions(permuted=replace(permuted, engine=Threads(2))))
    )
    for one in found:
        assert np.all(one.p_corrected > 0)
        assert one.extrapolated.dtype == bool
    assert any(one.extrapolated.any() for one in found)
