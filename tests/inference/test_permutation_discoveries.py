"""True discoveries calibrated by shuffles: every p-value of every shuffle computed anew is the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import xarray as xr
from scipy import ndimage
from scipy import stats as scipy_stats

from specgl.design.records import Block, Contrast, Design
from specgl.engines import ChunkStore, Threads
from specgl.errors import DataError
from specgl.inference import Forming, Permutation, Permuted, Provisions, Regions, Sets, Tfce, infer
from specgl.kernels.shuffles import build_tree
from specgl.models import contrast_maps, fit
from specgl.models.schemes import make_schemes
from specgl.models.shuffled import shuffled_model

SHAPE = (7, 6, 5)
N_LOC = 210
TDP = Permutation("tdp", "voxel", "tdp", alpha=0.1, sets=Sets(forming_z=(1.0, 2.0)))
ON_Z = replace(TDP, name="on z", scale="z")
POOLED = replace(TDP, name="pooled", across="contrasts")
BESIDE = (
    Permutation("voxel", "voxel"),
    Permutation("mass", "cluster_mass", forming=Forming(p=0.02)),
    Permutation("tfce", "tfce", connectivity=6, tfce=Tfce(dh=0.2)),
)
FLOAT32 = 1e-4
"""A height is known to 1e-6, of itself or of 1; −log10 p of a deviate below 10 changes five times as fast."""
EXACT = 1e-9
"""What follows from float64; logarithms of p are good to 1e-12 here and in scipy."""


@dataclass(frozen=True)
class Asks:
    """A contrast, and the columns of the design that it tests, for whoever refits."""

    name: str
    columns: tuple[int, ...]
    alternative: str = "two-sided"


@dataclass(frozen=True)
class Study:
    """A design and its data."""

    matrix: np.ndarray
    tested: tuple[Asks, ...]
    groups: Block | None = None
    exchange: str | None = None
    n: int | None = 96

    @property
    def data(self) -> np.ndarray:
        rng = np.random.default_rng(len(self.matrix))
        noise = rng.standard_normal((len(self.matrix), *SHAPE))
        for axis in (1, 2, 3):
            noise = noise + np.roll(noise, 1, axis)
        data = noise.reshape(len(self.matrix), N_LOC)
        data[:, :40] += 4 * self.matrix[:, -1:]
        data[:, 100:130] -= 3 * self.matrix[:, -1:]
        data[:, 5] = 1.0  # nothing can be analysed there
        return data

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        weights = [np.eye(self.matrix.shape[1])[list(one.columns)] for one in self.tested]
        return tuple(
            Contrast(one.name, rows, "F" if len(rows) > 1 else "t", one.alternative, (one.name,) * len(rows))
            for one, rows in zip(self.tested, weights, strict=True)
        )


def studies() -> dict[str, Study]:
    rng = np.random.default_rng(7)
    two = np.column_stack([np.ones(8), np.repeat([0.0, 1.0], 4)])
    covariate = np.column_stack([np.ones(12), rng.standard_normal(12), rng.standard_normal(12)])
    three = np.column_stack([np.ones(9), np.repeat(np.eye(3), 3, axis=0)[:, 1:]])
    slope = np.column_stack([rng.standard_normal(7), np.ones(7)])
    groups = Block("group", np.repeat([0, 1], 6), ("a", "b"))
    return {
        "one-sample": Study(np.ones((7, 1)), (Asks("mean", (0,)), Asks("up", (0,), "greater")), n=None),
        "two-sample": Study(two, (Asks("less", (1,), "less"), Asks("more", (1,), "greater")), n=None),
        "covariate": Study(covariate, (Asks("slope", (2,)), Asks("other", (1,)))),
        "three groups": Study(three, (Asks("any", (1, 2)),)),
        "flips of all kinds": Study(
            slope,
            (
                Asks("mean", (1,)),
                Asks("up", (1,), "greater"),
                Asks("down", (1,), "less"),
                Asks("any", (0, 1)),
            ),
            exchange="flip",
            n=None,
        ),
        "unequal variances": Study(
            np.column_stack([np.ones(12), np.repeat([0.0, 1.0], 6)]), (Asks("v", (1,)),), groups
        ),
    }


STUDIES = studies()


@dataclass(frozen=True)
class Prepared:
    """A study, ready to be inferred from."""

    study: Study
    stats: xr.Dataset
    space: object
    permuted: Permuted

    def infer(self, asked, **others):
        regions = others.pop("regions", {})
        permuted = replace(self.permuted, **others)
        return infer(self.stats, self.space, asked, Provisions(permuted=permuted, regions=regions))


@pytest.fixture(scope="module")
def prepared(bench) -> Callable[[str], Prepared]:
    """Statistics, space and what shuffling needs of a study."""
    made: dict[str, Prepared] = {}

    def prepare(name: str) -> Prepared:
        if name in made:
            return made[name]
        study = STUDIES[name]
        n_obs = len(study.matrix)
        rank = study.matrix.shape[1]
        ids = tuple(f"sub-{i:02}" for i in range(n_obs))
        design = Design(study.matrix, (), ids, study.contrasts, None, rank, n_obs - rank, "x", {})
        design = replace(design, variance_groups=study.groups)
        data = xr.Dataset(
            {"effect": (("observation", "location"), study.data)}, coords={"observation": list(ids)}
        )
        found = contrast_maps(fit(data, design, engine=Threads(1)), design, engine=Threads(1))
        schemes = make_schemes(
            design, build_tree(n_obs), exchange=study.exchange, n=study.n, seed=11, nuisance="freedman_lane"
        )
        analysed = {c.name: np.isfinite(found["p"].sel(contrast=c.name).values) for c in study.contrasts}
        statistics = shuffled_model(data, design, schemes, analysed, nuisance="freedman_lane")
        made[name] = Prepared(study, found, bench.Box(SHAPE), Permuted(statistics, schemes, Threads(1)))
        return made[name]

    return prepare


@pytest.fixture(scope="module")
def every_p(prepared, bench) -> Callable[[str], dict[str, np.ndarray]]:
    """p-values of the analysed locations under every shuffle, (J, m), by contrast, from refits."""
    made: dict[str, dict[str, np.ndarray]] = {}

    def compute(name: str) -> dict[str, np.ndarray]:
        if name not in made:
            one = prepared(name)
            (scheme,) = one.permuted.schemes
            shuffles = scheme.shuffles()
            made[name] = {
                tested.name: _p_under(one, tested, shuffles.rows, shuffles.signs, bench)
                for tested in one.study.tested
            }
        return made[name]

    return compute


def _p_under(one, tested, rows, signs, bench):
    """By ordinary least squares and scipy; with variance groups from the normal deviates in float64."""
    analysed = np.isfinite(one.stats["p"].sel(contrast=tested.name).values)
    if one.study.groups is not None:
        z = np.empty((len(rows), N_LOC))
        one.permuted.statistics[tested.name].fill(rows, signs, z, scale="z")
        return 2 * scipy_stats.norm.sf(np.abs(z[:, analysed]))
    matrix, data = one.study.matrix, one.study.data
    chosen = np.isin(np.arange(matrix.shape[1]), tested.columns)
    refit = bench.Refit(matrix[:, chosen], matrix[:, ~chosen], data, analysed)
    stat = np.array([refit.stat(r, None if signs is None else signs[k]) for k, r in enumerate(rows)])
    stat = stat[:, analysed]
    if not refit.signed:
        return scipy_stats.f.sf(stat, chosen.sum(), refit.dof)
    if tested.alternative == "two-sided":
        return 2 * scipy_stats.t.sf(np.abs(stat), refit.dof)
    return scipy_stats.t.sf(stat if tested.alternative == "greater" else -stat, refit.dof)


def psi_of(p):
    """The least m p(k) / k of each shuffle, (J,)."""
    m = p.shape[1]
    return (m * np.sort(p, axis=1) / np.arange(1, m + 1)).min(axis=1)


def lambda_of(psi, alpha):
    """The largest number that at most a share alpha of shuffles stay below."""
    return max(one for one in psi if np.mean(psi < one * (1 - EXACT)) <= alpha)


def bound_of(p, m, lam):
    """True discoveries in a set, by trying every u."""
    u = np.arange(1, p.size + 1)
    below = np.count_nonzero(p[None] < lam * u[:, None] / m * (1 - EXACT), axis=1)
    return int(np.max(1 - u + below, initial=0))


def check(one, found, p, family, alpha):
    """One contrast's record against the p-values of all shuffles."""
    psi, m = psi_of(family), family.shape[1]
    lam = lambda_of(psi, alpha)
    np.testing.assert_allclose(found.null, -np.log10(psi), rtol=FLOAT32, atol=FLOAT32)
    np.testing.assert_allclose(found.null[0], -np.log10(psi[0]), rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(10.0**-found.shuffling.critical, lam, rtol=1e-8)
    np.testing.assert_allclose(found.discoveries.factor, m / lam, rtol=1e-8)
    analysed = np.isfinite(found.p_corrected)
    reached = psi[:, None] <= m * p[0] * (1 + EXACT) + 1e-12
    np.testing.assert_array_equal(found.p_corrected[analysed], reached.mean(axis=0))
    np.testing.assert_allclose(found.logp[analysed], -np.log10(reached.mean(axis=0)), atol=1e-12)
    assert found.discoveries.n_locations == m
    assert found.discoveries.template == "calibrated"
    assert found.discoveries.h is None
    assert found.discoveries.at_least == bound_of(p[0], m, lam)
    assert found.shuffling.tail == "counts"
    row = one.stats.sel(contrast=found.contrast)
    z = np.where(np.isfinite(row["p"].values), row["z"].values, np.nan)
    alternative = "greater" if row["kind"].item() == "F" else row["alternative"].item()
    signs = {"two-sided": (1, -1), "greater": (1,), "less": (-1,)}[alternative]
    _check_clusters(found, z, p[0], m, lam, signs)
    # Somewhere there is a discovery, wherever it lies, where few psi are as small as the observed one.
    assert (bound_of(p[0], m, lam) > 0) <= (np.mean(psi <= psi[0] * (1 + EXACT)) <= alpha)
    if family is p:
        assert (found.discoveries.at_least > 0) == (np.mean(psi <= psi[0] * (1 + EXACT)) <= alpha)
    # One location alone is a discovery where its corrected p says so.
    assert np.array_equal(found.p_corrected[analysed] <= alpha, p[0] < lam / m * (1 - EXACT))


def _check_clusters(found, z, p, m, lam, signs):
    """Clusters of every height, found by scipy, with the bound of each; the map has those of the highest."""
    everywhere = np.ones(N_LOC)
    everywhere[np.isfinite(z)] = p
    told, tdp = [], np.where(np.isfinite(z), 0.0, np.nan)
    for height in TDP.sets.forming_z:
        for sign in signs:
            within = np.nan_to_num(sign * z, nan=-np.inf) >= height
            labels, count = ndimage.label(within.reshape(SHAPE), np.ones((3, 3, 3)))
            for cluster in range(1, count + 1):
                inside = labels.ravel() == cluster
                discoveries = bound_of(everywhere[inside], m, lam)
                told.append((height, sign, np.count_nonzero(inside), discoveries))
                tdp[inside] = discoveries / np.count_nonzero(inside)
    rows = found.clusters[found.clusters["peak"] == 1]
    sign = np.where(rows["sign"] == "+", 1, -1)
    table = zip(rows["threshold"], sign, rows["size"], rows["discoveries"], strict=True)
    assert sorted(table) == sorted(told)
    np.testing.assert_array_equal(found.tdp, tdp)


@pytest.mark.parametrize("alpha", [0.05, 0.3])
@pytest.mark.parametrize("asked", [TDP, ON_Z], ids=lambda one: one.name)
@pytest.mark.parametrize("name", STUDIES)
def test_every_shuffle_computed_anew(prepared, every_p, name, asked, alpha):
    study = prepared(name)
    for found in study.infer([replace(asked, alpha=alpha)]):
        p = every_p(name)[found.contrast]
        check(study, found, p, p, alpha)


@pytest.mark.parametrize("alpha", [0.05, 0.3])
@pytest.mark.parametrize("name", ["one-sample", "two-sample", "covariate", "flips of all kinds"])
def test_a_family_over_contrasts_pools_their_p_values(prepared, every_p, name, alpha):
    study = prepared(name)
    family = np.concatenate(list(every_p(name).values()), axis=1)
    every = study.infer([replace(POOLED, alpha=alpha)])
    for found in every:
        check(study, found, every_p(name)[found.contrast], family, alpha)
        np.testing.assert_array_equal(found.null, every[0].null)


def arrays_of(found):
    names = ("thresholded", "p_corrected", "logp", "null", "tdp")
    return {name: value for name in names if (value := getattr(found, name)) is not None}


def assert_equal(one, other):
    for mine, theirs in zip(one, other, strict=True):
        for name, values in arrays_of(mine).items():
            np.testing.assert_array_equal(values, arrays_of(theirs)[name], err_msg=name)
        assert mine.shuffling == theirs.shuffling
        assert mine.discoveries == theirs.discoveries
        assert mine.clusters.equals(theirs.clusters)


@pytest.mark.parametrize("name", ["covariate", "flips of all kinds", "unequal variances"])
def test_neither_threads_nor_chunks_nor_company_matter(prepared, name, monkeypatch):
    study = prepared(name)
    asked = [TDP, ON_Z, POOLED]
    once = study.infer(asked)
    assert_equal(once, study.infer(asked, engine=Threads(3)))
    assert_equal(once, study.infer(asked, engine=Threads(3), memory=1))
    together = study.infer([*BESIDE, *asked])
    assert_equal(once, together[len(BESIDE) * len(study.study.tested) :])
    alone = [one for single in asked for one in study.infer([single])]
    assert_equal(once, alone)
    assert_equal(study.infer(BESIDE), [replace(one, tdp=None) for one in together[: -len(once)]])
    monkeypatch.setattr("specgl.inference.permutation.nulls.CHUNKS", 2)
    assert_equal(once, study.infer(asked))


def test_what_a_store_holds_is_not_made_again(prepared, tmp_path):
    study, asked = prepared("covariate"), [TDP, POOLED]

    class Stop(Exception):
        pass

    def stop(done, total):
        if done >= total / 2:
            raise Stop

    store = ChunkStore(tmp_path / "chunks")
    with pytest.raises(Stop):
        study.infer(asked, store=store, progress=stop)
    told = []
    again = study.infer(asked, store=store, progress=lambda done, total: told.append(done))
    assert told[0] >= 48
    assert_equal(study.infer(asked), again)
    # Pooled p-values are another question than those of each contrast.
    told.clear()
    study.infer([TDP], store=store, progress=lambda done, total: told.append(done))
    assert told[0] == 0


def test_regions_are_told_one_by_one(prepared, every_p):
    study = prepared("covariate")
    codes = np.arange(N_LOC) // 50  # 40 of the first 50 locations have an effect, which are no region's
    codes = np.where(codes == 4, 7, codes)
    regions = Regions(codes, {1: "one", 2: "two", 3: "three", 7: "seven", 8: "nowhere"})
    asked = replace(TDP, alpha=0.3, sets=Sets(regions=True))
    found = study.infer([asked], regions={"tdp": regions})[0]
    p = every_p("covariate")["slope"]
    lam = lambda_of(psi_of(p), 0.3)
    analysed = np.isfinite(found.p_corrected)
    expected = [bound_of(p[0][codes[analysed] == code], p.shape[1], lam) for code in (1, 2, 3, 7)]
    assert found.clusters["discoveries"].tolist() == expected
    assert found.clusters["region"].tolist() == ["one", "two", "three", "seven"]
    nowhere = {"tdp": Regions(np.zeros(N_LOC, dtype=np.int64), {})}
    with pytest.raises(DataError) as caught:
        study.infer([asked], regions=nowhere)
    assert {finding.code for finding in caught.value.findings} == {"E325"}
    with pytest.raises(ValueError, match="regions"):
        study.infer([asked])
    with pytest.raises(ValueError, match="sets of locations"):
        study.infer([replace(asked, sets=None)])


def test_the_largest_clusters_with_a_share_have_that_share(prepared):
    study = prepared("covariate")
    for found in study.infer([replace(TDP, alpha=0.3, sets=Sets(largest=0.5))]):
        rows = found.clusters[found.clusters["peak"] == 1]
        assert (found.n_surviving > 0) == (len(rows) > 0) == (found.contrast == "slope")
        assert (rows["tdp"] >= 0.5).all()
