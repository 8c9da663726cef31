"""Inference by simulated noise: its null against slow simulations, its p-values by counting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage, stats

from specgl.engines import Threads
from specgl.images import Grid, Space
from specgl.inference import infer
from specgl.inference.asked import Forming, Simulated
from specgl.inference.provisions import Lattice, Provisions
from specgl.inference.simulated import MaximaNull, simulated
from specgl.kernels.fields import NoiseMaker, ResidualSmoothness

STEPS = (2.0, 2.0, 3.0)
ASKED = Simulated("mc", "cluster_extent", Forming(p=0.01), n=30, seed=5, fwhm=(6.0, 6.0, 6.0))
STRUCTURES = {6: 1, 18: 2, 26: 3}


def space_of(mask: np.ndarray) -> Space:
    return Space.from_mask(mask, Grid(mask.shape, np.diag([*STEPS, 1.0])))


def provisions(space: Space, **others: object) -> Provisions:
    return Provisions(lattice=Lattice(space.voxels, STEPS), **others)


def stats_of(maps: dict[str, np.ndarray], kinds: dict[str, tuple[str, str]] | None = None) -> xr.Dataset:
    """z maps (n_loc,) as statistics; of each its kind and alternative, z and two-sided by default."""
    told = [(kinds or {}).get(name, ("z", "two-sided")) for name in maps]
    p = []
    for z, (kind, alternative) in zip(maps.values(), told, strict=True):
        upper, lower = stats.norm.sf(z), stats.norm.cdf(z)
        one = {"two-sided": 2 * np.minimum(upper, lower), "greater": upper, "less": lower}
        p.append(upper if kind in ("F", "G") else one[alternative])
    dims = ("contrast", "location")
    values = np.array(list(maps.values()))
    return xr.Dataset(
        {"stat": (dims, 2 * values), "z": (dims, values), "p": (dims, np.array(p))},
        coords={
            "contrast": list(maps),
            "kind": ("contrast", [kind for kind, _ in told]),
            "alternative": ("contrast", [alternative for _, alternative in told]),
        },
    )


def slow_maxima(
    volume: np.ndarray, mask: np.ndarray, threshold: float, connectivity: int, signs: tuple[int, ...]
) -> tuple[float, float, float]:
    """Greatest extent, mass and excess of the clusters of either sign, by scipy's labels."""
    found = np.zeros(3)
    structure = ndimage.generate_binary_structure(3, STRUCTURES[connectivity])
    for sign in signs:
        heights = sign * volume.astype(np.float64)
        labels, count = ndimage.label(mask & (heights >= threshold), structure)
        index = np.arange(1, count + 1)
        if count:
            sizes = ndimage.sum(mask, labels, index)
            masses = ndimage.sum(heights, labels, index)
            found = np.maximum(found, [sizes.max(), masses.max(), (masses - threshold * sizes).max()])
    return tuple(found)


@pytest.fixture(scope="module")
def ragged() -> np.ndarray:
    rng = np.random.default_rng(0)
    mask = rng.random((11, 12, 9)) < 0.9
    mask[:2] = mask[:, -1] = False  # the box of its voxels is smaller than the grid
    return mask


@pytest.fixture(scope="module")
def peaked(ragged: np.ndarray) -> np.ndarray:
    """A z map with clusters of both signs."""
    volume = 2.5 * NoiseMaker.of_box(ragged.shape, (3.0, 3.0, 2.0)).field(99, 0)
    return volume[ragged].astype(np.float64)


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_the_null_is_that_of_maps_of_the_maker(
    ragged: np.ndarray, peaked: np.ndarray, alternative: str, connectivity: int
) -> None:
    space = space_of(ragged)
    asked = [
        replace(ASKED, connectivity=connectivity),
        replace(ASKED, name="mass", connectivity=connectivity, statistic="cluster_mass"),
        replace(ASKED, name="excess", connectivity=connectivity, statistic="cluster_mass", mass="excess"),
    ]
    found = simulated(stats_of({"a": peaked}, {"a": ("z", alternative)}), space, asked, provisions(space))
    threshold = stats.norm.isf(0.005 if alternative == "two-sided" else 0.01)
    signs = (1, -1) if alternative == "two-sided" else (1,)
    low, high = space.voxels.min(axis=0), space.voxels.max(axis=0) + 1
    inside = ragged[tuple(map(slice, low, high))]
    maker = NoiseMaker.of_box(inside.shape, (3.0, 3.0, 2.0))
    expected = np.array(
        [slow_maxima(maker.field(5, k), inside, threshold, connectivity, signs) for k in range(30)]
    )
    assert (expected[:, 0] > 1).any()
    for (one,), column in zip(found, expected.T, strict=True):
        assert_allclose(one.null, column, rtol=1e-6)  # sums of float32 heights
        assert_allclose(one.threshold, threshold, rtol=1e-12)
        assert (one.simulations.n, one.simulations.seed) == (30, 5)


@pytest.mark.parametrize("shape", [(14, 15, 8), (20, 20, 1), (2, 30, 9)])
def test_the_null_is_that_of_any_smooth_noise(shape: tuple[int, int, int]) -> None:
    # Independently: white noise smoothed by scipy on a box with so wide a margin that no edge matters.
    mask = np.ones(shape, dtype=bool)
    space = space_of(mask)
    n = 400
    asked = [
        replace(ASKED, n=n, forming=Forming(stat=2.0)),
        replace(ASKED, n=n, forming=Forming(stat=2.0), statistic="cluster_mass"),
    ]
    found = simulated(stats_of({"a": np.zeros(mask.sum())}), space, asked, provisions(space))
    sigma = np.array([3.0, 3.0, 2.0]) / np.sqrt(8 * np.log(2)) * (np.array(shape) > 1)
    margin = np.where(np.array(shape) > 1, 12, 0)
    unit = np.zeros(2 * margin + 1)
    unit[tuple(margin)] = 1.0
    scale = np.linalg.norm(ndimage.gaussian_filter(unit, sigma, truncate=6))
    rng = np.random.default_rng(8)
    slow = []
    for _ in range(n):
        white = rng.standard_normal(np.array(shape) + 2 * margin)
        smooth = ndimage.gaussian_filter(white, sigma, truncate=6) / scale
        inner = smooth[tuple(slice(m, m + s) for m, s in zip(margin, shape, strict=True))]
        slow.append(slow_maxima(inner, mask, 2.0, 26, (1, -1)))
    for (one,), column in zip(found, np.array(slow).T[:2], strict=True):
        assert stats.ks_2samp(one.null, column).pvalue > 1e-3
        assert_allclose(one.null.mean(), column.mean(), rtol=0.15)  # the means' errors are 4 per cent


def test_p_values_are_counts(ragged: np.ndarray, peaked: np.ndarray) -> None:
    space = space_of(ragged)
    asked = [
        replace(ASKED, alpha=0.2),
        replace(ASKED, alpha=0.2, statistic="cluster_mass"),
        replace(ASKED, alpha=0.2, statistic="cluster_mass", mass="excess"),
    ]
    found = simulated(stats_of({"a": peaked}), space, asked, provisions(space))
    threshold = stats.norm.isf(0.005)
    volume = space.to_volume(peaked, 0.0)
    structure = ndimage.generate_binary_structure(3, 3)
    survived = []
    for (one,), column in zip(found, range(3), strict=True):
        p, thresholded = np.ones(ragged.shape), np.zeros(ragged.shape)
        for sign in (1, -1):
            labels, count = ndimage.label(ragged & (sign * volume >= threshold), structure)
            for label in range(1, count + 1):
                here = labels == label
                sizes = slow_maxima(np.where(here, volume, 0), ragged, threshold, 26, (sign,))
                p[here] = (1 + np.sum(one.null >= sizes[column])) / 31
                if p[here][0] <= 0.2:
                    thresholded[here] = 2 * volume[here]
                assert (sizes[column] > one.simulations.critical) == (p[here][0] <= 0.2)
        assert_array_equal(one.p_corrected, p[ragged])
        assert_allclose(one.logp, -np.log10(p[ragged]), atol=1e-15)
        assert_array_equal(one.thresholded, thresholded[ragged])
        assert one.n_surviving == np.count_nonzero(thresholded)
        rows = one.clusters[one.clusters["peak"] == 1]
        assert (rows["p_corrected"] <= 0.2).all()
        survived.append(set(rows["sign"]))
    assert {"+", "-"} <= set.union(*survived)
    # The table's mass is summed as the inference does it.
    totals, excesses = (one.clusters["mass"].dropna().sum() for one in (found[1][0], found[2][0]))
    assert 0 < excesses < totals


def test_a_map_and_its_negative(ragged: np.ndarray, peaked: np.ndarray) -> None:
    space = space_of(ragged)
    maps = {"up": peaked, "down": -peaked, "both": peaked, "turned": -peaked}
    kinds = {"up": ("t", "greater"), "down": ("t", "less")}
    ((up, down, both, turned),) = simulated(stats_of(maps, kinds), space, [ASKED], provisions(space))
    assert_array_equal(up.p_corrected, down.p_corrected)
    assert_array_equal(up.thresholded, -down.thresholded)
    assert_array_equal(both.p_corrected, turned.p_corrected)
    assert set(up.clusters["sign"]) <= {"+"}
    assert set(down.clusters["sign"]) <= {"-"}


def test_numbers_depend_on_the_seed_and_not_on_threads(ragged: np.ndarray, peaked: np.ndarray) -> None:
    space, data = space_of(ragged), stats_of({"a": peaked})
    first, other = (
        simulated(data, space, [replace(ASKED, seed=seed)], provisions(space))[0][0] for seed in (5, 6)
    )
    ((again,),) = simulated(data, space, [ASKED], provisions(space, engine=Threads(3)))
    assert_array_equal(first.null, again.null)
    assert (first.null != other.null).any()
    # A longer simulation begins with the shorter one.
    ((longer,),) = simulated(data, space, [replace(ASKED, n=40)], provisions(space))
    assert_array_equal(longer.null[:30], first.null)


def test_one_simulation_serves_all_that_is_alike(
    ragged: np.ndarray, peaked: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[int, int]] = []
    told: list[tuple[int, int]] = []
    make = NoiseMaker.field
    monkeypatch.setattr(NoiseMaker, "field", lambda self, *key: drawn.append(key) or make(self, *key))
    space = space_of(ragged)
    fewer = np.where(np.arange(peaked.size) < 9, np.nan, peaked)
    data = stats_of({"a": peaked, "b": -peaked, "c": peaked}, {"c": ("z", "greater")})
    asked = [
        ASKED,
        replace(ASKED, name="mass", statistic="cluster_mass"),
        replace(ASKED, name="high", forming=Forming(stat=3.0), connectivity=6),
    ]
    held = provisions(space, progress=lambda done, n: told.append((done, n)))
    several = simulated(data, space, asked, held)
    assert drawn == [(5, k) for k in range(30)]
    assert told == [(k + 1, 30) for k in range(30)]
    assert_array_equal(several[0][0].null, several[0][1].null)
    assert (several[0][0].null >= several[0][2].null - 1e-9).mean() > 0.5  # one tail's p is twice as lenient
    alone = simulated(data, space, asked[2:], provisions(space))[0]
    for one, same in zip(several[2], alone, strict=True):
        assert_array_equal(one.null, same.null)
    drawn.clear()
    simulated(stats_of({"a": peaked, "b": fewer}), space, [ASKED], held)
    assert len(drawn) == 60
    assert told[-1] == (60, 60)


def test_across_contrasts_p_is_multiplied(ragged: np.ndarray, peaked: np.ndarray) -> None:
    space, data = space_of(ragged), stats_of({"a": peaked, "b": peaked[::-1].copy(), "c": -peaked})
    one, all_ = (
        simulated(data, space, [replace(ASKED, across=across)], provisions(space))[0]
        for across in ("none", "contrasts")
    )
    for each, of_all in zip(one, all_, strict=True):
        assert_allclose(of_all.p_corrected, np.minimum(3 * each.p_corrected, 1), rtol=1e-15)
        assert of_all.simulations.critical >= each.simulations.critical


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=25),
    st.integers(1, 4),
    st.sampled_from([0.01, 0.05, 0.1, 0.25, 0.5, 1.0]),
)
def test_what_survives_surpasses_the_critical_value(values: list[int], times: int, alpha: float) -> None:
    null = MaximaNull(np.array(values, dtype=float), times)
    observed = np.arange(1.0, 9.0)
    p = null.p_values(observed)
    brute = [min(1.0, times * (1 + sum(v >= x for v in values)) / (len(values) + 1)) for x in observed]
    assert_array_equal(p, brute)
    assert_array_equal(p <= alpha, observed > null.critical(alpha))


def test_the_smoothness_of_residuals_and_a_given_one(ragged: np.ndarray, peaked: np.ndarray) -> None:
    space, data = space_of(ragged), stats_of({"a": peaked})
    estimated = ResidualSmoothness((3.0, 3.0, 2.0), np.full(peaked.size, 1 / 18), 20.0)
    ((given_,),) = simulated(data, space, [ASKED], provisions(space))
    ((own,),) = simulated(data, space, [replace(ASKED, fwhm=None)], provisions(space, smoothness=estimated))
    assert_array_equal(given_.null, own.null)
    assert (given_.field.source, own.field.source) == ("given", "residuals")
    assert given_.field.fwhm == own.field.fwhm == (6.0, 6.0, 6.0)
    assert own.field.fwhm_voxels == (3.0, 3.0, 2.0)
    assert own.field.resels[3] > 0


def test_a_plane_has_no_width_across_it(peaked: np.ndarray) -> None:
    mask = np.ones((1, 12, 12), dtype=bool)
    space = space_of(mask)
    ((found,),) = simulated(stats_of({"a": peaked[:144]}), space, [ASKED], provisions(space))
    assert_array_equal(np.isnan(found.field.fwhm), [True, False, False])
    assert found.field.resels[3] == 0


def test_nothing_analysed_and_nothing_found(ragged: np.ndarray, peaked: np.ndarray) -> None:
    space = space_of(ragged)
    data = stats_of({"none": np.full(peaked.size, np.nan), "flat": np.zeros(peaked.size)})
    ((none, flat),) = simulated(data, space, [ASKED], provisions(space))
    assert np.isnan(none.p_corrected).all()
    assert none.peak is None
    assert (none.null == 0).all()
    assert none.null.shape == (30,)
    assert (flat.p_corrected == 1).all()
    assert len(flat.clusters) == len(none.clusters) == 0


@pytest.mark.parametrize(
    ("kind", "warned"), [("t", False), ("v", False), ("z", False), ("F", True), ("G", True)]
)
def test_statistics_that_are_no_gaussian_field(
    ragged: np.ndarray, peaked: np.ndarray, kind: str, warned: bool
) -> None:
    space = space_of(ragged)
    data = stats_of({"a": peaked}, {"a": (kind, "two-sided")})
    (found,) = infer(data, space, [ASKED], provisions(space))
    assert [(one.code, one.where) for one in found.findings] == [("W433", ("inference", "mc"))] * warned
    expected = stats.norm.isf(0.01 if warned else 0.005)  # F has one tail
    assert_allclose(found.threshold, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("asked", "lattice", "match"),
    [
        (ASKED, False, "needs a lattice"),
        (replace(ASKED, fwhm=None), True, "needs the smoothness"),
        (replace(ASKED, forming=Forming()), True, "one of the two"),
        (replace(ASKED, forming=Forming(p=0.01, stat=3.0)), True, "one of the two"),
    ],
)
def test_what_is_missing(
    ragged: np.ndarray, peaked: np.ndarray, asked: Simulated, lattice: bool, match: str
) -> None:
    space = space_of(ragged)
    held = provisions(space) if lattice else Provisions()
    with pytest.raises(ValueError, match=match):
        simulated(stats_of({"a": peaked}), space, [asked], held)


def test_the_family_wise_error_is_alpha() -> None:
    mask = np.ones((10, 10, 8), dtype=bool)
    space = space_of(mask)
    maker = NoiseMaker.of_box(mask.shape, (3.0, 3.0, 2.0))
    maps = {str(k): maker.field(77, k)[mask].astype(float) for k in range(200)}
    asked = replace(ASKED, n=400, alpha=0.1, statistic="cluster_mass")
    (found,) = simulated(stats_of(maps), space, [asked], provisions(space))
    errors = np.mean([one.n_surviving > 0 for one in found])
    # Of the share of 200 maps, and of the 400 simulated ones' quantile.
    assert abs(errors - 0.1) < 3 * np.hypot(0.021, 0.015)
