"""Conjunctions under shuffles, against every shuffle's map made and measured by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage
from scipy import stats as scipy_stats

from specgl.design import Conjunction
from specgl.design.records import Block, Contrast, Design
from specgl.engines import Threads
from specgl.errors import ComputationError
from specgl.inference import Forming, Inferred, Permutation, Permuted, Provisions, Tfce, infer
from specgl.inference.asked import Sets
from specgl.kernels.minimum import least
from specgl.kernels.shuffles import build_tree
from specgl.models import contrast_maps, fit
from specgl.models.schemes import make_schemes
from specgl.models.shuffled import shuffled_model

SHAPE = (6, 5, 4)
N_LOC = 120
P = 0.05
STEP = 0.25
VOXEL = Permutation("voxel", "voxel")
EXTENT = Permutation("extent", "cluster_extent", forming=Forming(p=P))
MASS = Permutation("mass", "cluster_mass", forming=Forming(p=P))
EXCESS = replace(MASS, name="excess", mass="excess")
ENHANCED = Permutation("tfce", "tfce", tfce=Tfce(dh=STEP))
FREE = Permutation("free", "voxel", correction="none")
OWN = replace(ENHANCED, name="own", correction="none")
EVERY = (VOXEL, EXTENT, MASS, EXCESS, ENHANCED, FREE, OWN)
CORNERS = np.ones((3, 3, 3))


@dataclass(frozen=True)
class Study:
    """Two members, tested two-sided and downwards by themselves."""

    matrix: np.ndarray
    weights: tuple[tuple[float, ...], tuple[float, ...]]
    groups: bool = False
    missing: bool = False
    n: int | None = 80
    on_z: bool = False


def covariates(n: int) -> np.ndarray:
    return np.column_stack([np.ones(n), np.random.default_rng(2).standard_normal((n, 2))])


MEANS = np.repeat(np.eye(2), 4, axis=0)
STUDIES = {
    "all flips, each with its mirror": Study(MEANS, ((1, 0), (0, 1)), n=None),
    "orders": Study(covariates(11), ((0, 1, 0), (0, 0, 1))),
    "variance groups": Study(np.repeat(np.eye(2), 6, axis=0), ((1, 0), (0, 1)), groups=True, on_z=True),
    "missing values": Study(covariates(12), ((0, 1, 0), (0, 0, 1)), missing=True, on_z=True),
}


@dataclass(frozen=True, eq=False)
class Shuffles:
    """What inference gets, and every shuffle's maps of the members on the scale that is compared."""

    stats: xr.Dataset
    permuted: Permuted
    maps: dict[str, np.ndarray]
    z: dict[str, np.ndarray]


def data_for(study: Study) -> np.ndarray:
    rng = np.random.default_rng(5)
    n = len(study.matrix)
    noise = ndimage.gaussian_filter(rng.standard_normal((n, *SHAPE)), (0, 0.7, 0.7, 0.7)).reshape(n, N_LOC)
    noise /= noise.std()
    first, second = (study.matrix @ np.linalg.pinv(study.matrix) @ study.matrix @ w for w in study.weights)
    noise[:, :50] += 2.5 * first[:, None]
    noise[:, 20:60] += 2.5 * second[:, None]
    noise[:, 70:100] += 1.5 * (first - second)[:, None]
    noise[:, 100:] -= 2.5 * (first + second)[:, None]
    if study.missing:
        noise[rng.integers(0, n, 30), rng.integers(0, N_LOC, 30)] = np.nan
        noise[: n - 3, 7] = np.nan  # no statistic at all
    return noise


@pytest.fixture(scope="module")
def shuffled() -> Callable[[str, str], Shuffles]:
    """A study under all of its shuffles, with a conjunction in a direction."""
    made: dict[tuple[str, str], Shuffles] = {}

    def make(name: str, alternative: str) -> Shuffles:
        if (name, alternative) not in made:
            made[name, alternative] = shuffle(STUDIES[name], alternative)
        return made[name, alternative]

    return make


def shuffle(study: Study, alternative: str) -> Shuffles:
    n_obs, rank = study.matrix.shape
    ids = tuple(f"sub-{i:02}" for i in range(n_obs))
    contrasts = tuple(
        Contrast(name, np.array([weights], dtype=float), "t", own, (name,))
        for name, weights, own in zip("ab", study.weights, ("two-sided", "less"), strict=True)
    )
    groups = Block("group", np.repeat([0, 1], n_obs // 2), ("x", "y")) if study.groups else None
    design = Design(study.matrix, (), ids, contrasts, None, rank, n_obs - rank, "x", {}, (), groups)
    design = replace(design, conjunctions=(Conjunction("both", ("a", "b"), alternative),))
    data = xr.Dataset(
        {"effect": (("observation", "location"), data_for(study))}, coords={"observation": list(ids)}
    )
    stats = contrast_maps(fit(data, design, engine=Threads(1)), design, engine=Threads(1))
    nuisance = "draper_stoneman" if study.missing else "freedman_lane"
    tree = build_tree(n_obs)
    schemes = make_schemes(design, tree, exchange=None, n=study.n, seed=3, nuisance=nuisance)
    analysed = {c: np.isfinite(stats["p"].sel(contrast=c).values) for c in "ab"}
    statistics = shuffled_model(data, design, schemes, analysed, nuisance=nuisance)
    joint = {"both": ("a", "b")}
    permuted = Permuted(statistics, schemes, Threads(2), conjunctions=joint)
    drawn = {c: next(s for s in schemes if c in s.contrasts).shuffles() for c in "ab"}
    return Shuffles(
        stats,
        permuted,
        {c: filled(statistics[c], drawn[c], "z" if study.on_z else "t") for c in "ab"},
        {c: filled(statistics[c], drawn[c], "z") for c in "ab"},
    )


def filled(statistic: object, drawn: object, scale: str) -> np.ndarray:
    """All maps in float64, (J, n_loc); 0 where nothing is analysed."""
    maps = np.empty((len(drawn.rows), N_LOC))
    statistic.fill(drawn.rows, drawn.signs, maps, scale=scale)
    return maps


def by_height(heights: np.ndarray, _: float) -> np.ndarray:
    return heights


def by_clusters(heights: np.ndarray, u: float, what: str) -> np.ndarray:
    labels, n = ndimage.label((heights >= u).reshape(SHAPE), CORNERS)
    found, labels = np.zeros(N_LOC), labels.ravel()
    for one in range(1, n + 1):
        here = labels == one
        over = {"extent": 1.0, "mass": heights[here], "excess": heights[here] - u}[what]
        found[here] = np.sum(np.broadcast_to(over, here.sum()))
    return found


def enhanced(heights: np.ndarray, _: float) -> np.ndarray:
    """The integral as a sum of steps: extent^0.5 height^2 at every step that a location reaches."""
    found = np.zeros(N_LOC)
    for h in STEP * np.arange(1, int(heights.max(initial=0.0) / STEP) + 1):
        found += np.sqrt(by_clusters(heights, h, "extent")) * h**2 * STEP
    return found


MEASURED: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "voxel": by_height,
    "extent": lambda heights, u: by_clusters(heights, u, "extent"),
    "mass": lambda heights, u: by_clusters(heights, u, "mass"),
    "excess": lambda heights, u: by_clusters(heights, u, "excess"),
    "tfce": enhanced,
}
SIDES = {"two-sided": (1, -1), "greater": (1,), "less": (-1,)}


def forming_threshold(case: Shuffles, alternative: str, *, on_z: bool) -> float:
    p = P / len(SIDES[alternative])
    return float(scipy_stats.norm.isf(p) if on_z else scipy_stats.t.isf(p, case.stats["dof"].item()))


def sided(measure: str, values: np.ndarray, alternative: str, u: float) -> np.ndarray:
    """Each location's measure on whichever side it is greatest."""
    return np.max([MEASURED[measure](sign * values, u) for sign in SIDES[alternative]], axis=0)


def maxima(measure: str, maps: np.ndarray, alternative: str, u: float, here: np.ndarray) -> np.ndarray:
    return np.array([sided(measure, one, alternative, u)[here].max() for one in maps])


def reached(null: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Share of a null, (J,) or (J, n_loc), that is at least as large up to rounding."""
    null = null[:, None] if null.ndim == 1 else null
    return np.mean(null >= values - np.maximum(1e-9 * np.abs(values), 1e-9), axis=0)


def minimum(maps: dict[str, np.ndarray], alternative: str) -> np.ndarray:
    return least(np.stack([maps[c][0] for c in "ab"]), alternative)


def found_for(case: Shuffles, box: object, asked: tuple[Permutation, ...]) -> dict[str, Inferred]:
    inferred = infer(case.stats, box, asked, Provisions(permuted=case.permuted))
    return {one.inference: one for one in inferred if one.contrast == "both"}


@pytest.mark.parametrize("alternative", SIDES)
@pytest.mark.parametrize("name", STUDIES)
def test_every_p_is_the_largest_of_all(shuffled, bench, name: str, alternative: str) -> None:
    case, study = shuffled(name, alternative), STUDIES[name]
    found = found_for(case, bench.Box(SHAPE), EVERY)
    u = forming_threshold(case, alternative, on_z=study.on_z)
    low = minimum(case.maps, alternative)
    here = np.isfinite(case.stats["p"].sel(contrast="both").values)
    within = {c: np.isfinite(case.stats["p"].sel(contrast=c).values) for c in "ab"}
    for measure in MEASURED:
        value = sided(measure, low, alternative, u)
        nulls = [maxima(measure, case.maps[c], alternative, u, within[c]) for c in "ab"]
        p = np.max([reached(null, value) for null in nulls], axis=0)
        p = p if measure == "voxel" else np.where(value > 0, p, 1.0)
        assert_allclose(found[measure].p_corrected, np.where(here, p, np.nan), rtol=1e-12, err_msg=measure)
        assert found[measure].null is None
        assert found[measure].shuffling.n == len(nulls[0])
    assert (found["voxel"].p_corrected < 0.2).any()


@pytest.mark.parametrize("alternative", SIDES)
@pytest.mark.parametrize("name", STUDIES)
def test_uncorrected_p_are_the_largest_of_each(shuffled, bench, name: str, alternative: str) -> None:
    case = shuffled(name, alternative)
    found = found_for(case, bench.Box(SHAPE), EVERY)
    here = np.isfinite(case.stats["p"].sel(contrast="both").values)
    alone = []
    for c in "ab":
        turned = np.max([sign * case.maps[c] for sign in SIDES[alternative]], axis=0)
        alone.append(reached(turned, turned[0]))
    apart = (minimum(case.maps, alternative) == 0.0) & (alternative == "two-sided")
    want = np.where(here, np.where(apart, 1.0, np.max(alone, axis=0)), np.nan)
    assert_allclose(found["free"].p_corrected, want, rtol=1e-12)
    assert_allclose(found["voxel"].uncorrected_logp, 0.0 - np.log10(want), rtol=1e-12, atol=1e-15)
    assert apart.any() == (alternative == "two-sided")


def test_what_survives_surpasses_the_critical_value(shuffled, bench) -> None:
    case = shuffled("orders", "greater")
    found = found_for(case, bench.Box(SHAPE), (replace(VOXEL, alpha=0.3),))["voxel"]
    low = minimum(case.maps, "greater")
    assert_array_equal(found.thresholded != 0, low > found.shuffling.critical)
    assert found.n_surviving > 0


def test_the_minimum_is_enhanced_and_not_a_member(shuffled, bench) -> None:
    case = shuffled("orders", "two-sided")
    found = found_for(case, bench.Box(SHAPE), (ENHANCED,))["tfce"]
    low = minimum(case.maps, "two-sided")
    assert_allclose(found.enhanced, enhanced(low, 0.0) - enhanced(-low, 0.0), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("alternative", SIDES)
def test_over_all_contrasts_there_is_one_null(shuffled, bench, alternative: str) -> None:
    case = shuffled("orders", alternative)
    family = replace(VOXEL, across="contrasts")
    found = {one.contrast: one for one in infer(case.stats, bench.Box(SHAPE), (family,), provided(case))}
    own = [maxima("voxel", case.z[c], side, 0.0, np.ones(N_LOC, bool)) for c, side in OWN_SIDES]
    joint = [maxima("voxel", case.z[c], alternative, 0.0, np.ones(N_LOC, bool)) for c in "ab"]
    null = np.max([*own, *joint], axis=0)
    low = sided("voxel", minimum(case.z, alternative), alternative, 0.0)
    assert_allclose(found["both"].p_corrected, reached(null, low), rtol=1e-12)
    a = np.abs(case.z["a"][0])
    assert_allclose(found["a"].p_corrected, reached(null, a), rtol=1e-12)


OWN_SIDES = (("a", "two-sided"), ("b", "less"))


def provided(case: Shuffles) -> Provisions:
    return Provisions(permuted=case.permuted)


@pytest.mark.parametrize("alternative", SIDES)
@pytest.mark.parametrize("tail", ["counts", "gpd"])
def test_members_are_as_without_the_conjunction(shuffled, bench, alternative: str, tail: str) -> None:
    case, box = shuffled("orders", alternative), bench.Box(SHAPE)
    asked = tuple(replace(one, tail=tail) for one in EVERY)
    with_it = infer(case.stats, box, asked, provided(case))
    members = [one for one in with_it if one.contrast != "both"]
    alone = infer(case.stats.isel(contrast=[0, 1]), box, asked, provided(case))
    for one, other in zip(members, alone, strict=True):
        for array in ("thresholded", "p_corrected", "logp", "uncorrected_logp", "null"):
            assert_array_equal(getattr(one, array), getattr(other, array))


def test_a_conjunction_is_never_more_certain_than_its_members(shuffled, bench) -> None:
    """Where a fitted tail tells p, too, which no count can check."""
    case, box = shuffled("orders", "less"), bench.Box(SHAPE)
    weak = replace(VOXEL, tail="gpd")
    found = {one.contrast: one for one in infer(case.stats, box, (weak,), provided(case))}
    assert (found["both"].logp <= found["b"].logp + 1e-12).all()  # b has the same direction
    assert found["both"].extrapolated.shape == (N_LOC,)


def test_true_discoveries_have_no_null_to_be_calibrated_by(shuffled, bench) -> None:
    case = shuffled("orders", "greater")
    asked = Permutation("share", "voxel", correction="tdp", sets=Sets(forming_z=(2.0,)))
    with pytest.raises(ComputationError) as caught:
        infer(case.stats, bench.Box(SHAPE), (VOXEL, asked), provided(case))
    (finding,) = caught.value.findings
    assert (finding.code, finding.where) == ("E434", ("inference", "share", "correction"))
    assert "'both'" in finding.message
