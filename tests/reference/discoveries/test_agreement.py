"""specgl by its public doors beside the brute force, and beside nilearn."""

from __future__ import annotations

import warnings
from itertools import product

import nibabel
import numpy as np
import pytest
import xarray as xr
from discovery_truth import calibrated, closed
from nilearn.glm import cluster_level_inference
from scipy import ndimage, stats

from specgl.design.records import Contrast, Design
from specgl.engines import Threads
from specgl.images.grid import Grid
from specgl.images.space import Space
from specgl.inference import (
    AllResolutions,
    Permutation,
    Permuted,
    Provisions,
    Regions,
    Sets,
    infer,
    stats_from_map,
)
from specgl.kernels.shuffles import build_tree
from specgl.models import contrast_maps, fit
from specgl.models.schemes import make_schemes
from specgl.models.shuffled import shuffled_model

SIDES = {"two-sided": (1, -1), "greater": (1,), "less": (-1,)}
NEIGHBOURS = {6: 1, 18: 2, 26: 3}


def space(shape: tuple[int, int, int]) -> Space:
    return Space.from_mask(np.ones(shape, dtype=bool), Grid(shape, np.diag([2.0, 2.0, 2.0, 1.0])))


def p_of(z: np.ndarray, alternative: str) -> np.ndarray:
    return {
        "two-sided": 2 * stats.norm.sf(np.abs(z)),
        "greater": stats.norm.sf(z),
        "less": stats.norm.cdf(z),
    }[alternative]


def parts(above: np.ndarray, connectivity: int) -> list[np.ndarray]:
    """Connected components of a volume, as flat locations."""
    structure = ndimage.generate_binary_structure(3, NEIGHBOURS[connectivity])
    labels, n = ndimage.label(above, structure)
    return [np.flatnonzero(labels.reshape(-1) == i) for i in range(1, n + 1)]


def signalled(shape: tuple[int, int, int], seed: int) -> np.ndarray:
    """Heights of z with something in them, (n_loc,)."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(shape) * 1.3
    z[:2] += 2.2
    z[-1] -= 2.0
    return z.reshape(-1)


TINY = [(2, 2, 2), (3, 3, 1), (1, 10, 1), (5, 2, 1)]


@pytest.mark.parametrize(
    ("shape", "seed", "alternative", "alpha"),
    list(product(TINY, range(4), SIDES, (0.05, 0.2))),
)
def test_clusters_against_closed_testing(shape, seed, alternative, alpha):
    """h, adjusted p-values and every cluster's bound, over all subsets of at most ten locations."""
    z, thresholds = signalled(shape, seed), (0.5, 1.5, 2.5)
    p = p_of(z, alternative)
    asked = AllResolutions("ari", Sets(forming_z=thresholds), alpha=alpha, connectivity=6)
    (found,) = infer(stats_from_map("m", z, "z", None, alternative), space(shape), [asked])
    h = closed.h(p, alpha)
    assert found.discoveries is not None
    assert (found.discoveries.h, found.discoveries.template) == (h, "simes")
    assert found.discoveries.n_locations == p.size
    assert found.discoveries.at_least == closed.true_discoveries(p, list(range(p.size)), alpha)
    np.testing.assert_allclose(found.p_corrected, closed.adjusted(p), rtol=1e-9)

    tdp, rows, surviving = np.zeros(p.size), [], np.zeros(p.size, dtype=bool)
    for threshold in thresholds:
        for sign in SIDES[alternative]:
            for members in parts((sign * z >= threshold).reshape(shape), 6):
                d = closed.true_discoveries(p, list(members), alpha)
                tdp[members] = d / members.size
                surviving[members] |= d > 0
                rows.append((threshold, members.size, sign, d))
    np.testing.assert_allclose(found.tdp, tdp, rtol=1e-12)
    np.testing.assert_array_equal(found.thresholded != 0, surviving)
    main = found.clusters[found.clusters["peak"] == 1]
    told = main[["threshold", "size", "sign", "discoveries"]].itertuples(index=False)
    signs = {"+": 1, "-": -1}
    assert sorted(rows) == sorted((t, int(n), signs[s], int(d)) for t, n, s, d in told)
    np.testing.assert_array_equal(main["cluster"], np.arange(1, len(rows) + 1))


@pytest.mark.parametrize("seed", range(6))
def test_regions_against_closed_testing(seed):
    shape = (5, 2, 1)
    z = signalled(shape, seed)
    codes = np.random.default_rng(seed).choice([0, 2, 5, 9], z.size)
    names = {2: "left", 5: "middle", 9: "right", 11: "empty"}
    asked = AllResolutions("ari", Sets(regions=True))
    (found,) = infer(
        stats_from_map("m", z, "z"), space(shape), [asked], Provisions(regions={"ari": Regions(codes, names)})
    )
    p = p_of(z, "two-sided")
    expected = {
        names[code]: closed.true_discoveries(p, list(np.flatnonzero(codes == code)), 0.05)
        for code in sorted(set(codes) - {0})
    }
    table = found.clusters
    assert list(table["region"]) == list(expected)
    assert [int(d) for d in table["discoveries"]] == list(expected.values())
    for row in table.itertuples():
        members = np.flatnonzero(codes == next(code for code, name in names.items() if name == row.region))
        assert row.size == members.size
        assert row.tdp == pytest.approx(expected[row.region] / members.size)
        assert row.z_score == z[members[np.argmax(np.abs(z[members]))]]
        np.testing.assert_allclose(found.tdp[members], row.tdp)
    assert not np.any(found.tdp[codes == 0])


def largest(z: np.ndarray, shape: tuple[int, ...], factor: float, p: np.ndarray, share: float, sign: int):
    """Maximal clusters above any height over 0 of which `share` are true discoveries: all are tried."""
    enough: list[frozenset[int]] = []
    for height in np.unique(sign * z[sign * z > 0]):
        for members in parts((sign * z >= height).reshape(shape), 26):
            if closed.bound(p[members], factor) >= share * members.size:
                enough.append(frozenset(members.tolist()))
    return {one for one in enough if not any(one < other for other in enough)}


@pytest.mark.parametrize(("seed", "share"), list(product(range(6), (0.3, 0.7, 1.0))))
def test_largest_clusters_by_trying_all(seed, share):
    shape = (6, 5, 4)
    z = signalled(shape, 100 + seed)
    z = np.round(z, 1) if seed % 2 else z  # many locations of equal height
    p = p_of(z, "two-sided")
    asked = AllResolutions("ari", Sets(largest=share))
    (found,) = infer(stats_from_map("m", z, "z"), space(shape), [asked])
    h = closed.h_by_definition(p, 0.05)
    assert found.discoveries is not None
    assert found.discoveries.h == h
    ours = [one for sign in (1, -1) for one in largest(z, shape, h / 0.05, p, share, sign)]
    tdp = np.zeros(z.size)
    for one in ours:
        members = np.array(sorted(one))
        tdp[members] = closed.bound(p[members], h / 0.05) / members.size
    np.testing.assert_allclose(found.tdp, tdp, rtol=1e-12)
    main = found.clusters[found.clusters["peak"] == 1]
    assert sorted(int(n) for n in main["size"]) == sorted(len(one) for one in ours)
    lowest = sorted(float(np.abs(z[sorted(one)]).min()) for one in ours)
    np.testing.assert_allclose(sorted(main["threshold"]), lowest)


def test_all_contrasts_are_one_family():
    """h over all p-values of both maps, and bounds with it in each."""
    shape = (5, 1, 1)
    a, b = signalled(shape, 1), signalled(shape, 2)
    maps = xr.concat([stats_from_map("a", a, "z"), stats_from_map("b", b, "z")], "contrast")
    asked = AllResolutions("ari", Sets(forming_z=(1.0,)), across="contrasts")
    found = infer(maps, space(shape), [asked])
    pooled = np.concatenate([p_of(a, "two-sided"), p_of(b, "two-sided")])
    adjusted = closed.adjusted(pooled)
    for one, values, offset in zip(found, (a, b), (0, 5), strict=True):
        tdp = np.zeros(5)
        for sign in (1, -1):
            for members in parts((sign * values >= 1).reshape(shape), 26):
                d = closed.true_discoveries(pooled, [int(i) + offset for i in members], 0.05)
                tdp[members] = d / members.size
        np.testing.assert_allclose(one.tdp, tdp, rtol=1e-12)
        np.testing.assert_allclose(one.p_corrected, adjusted[offset : offset + 5], rtol=1e-9)
        assert one.discoveries is not None
        assert one.discoveries.h == closed.h(pooled, 0.05)
        assert one.discoveries.n_locations == 10


# Calibrated by shuffles -------------------------------------------------------------------------

N = 7


def one_sample(alternative: str) -> Design:
    ids = tuple(f"s{i}" for i in range(N))
    contrast = Contrast("c", np.ones((1, 1)), "t", alternative, ("c",))
    return Design(np.ones((N, 1)), (), ids, (contrast,), None, 1, N - 1, "x", {}, (), None)


@pytest.mark.parametrize(("seed", "alternative", "alpha"), list(product(range(3), SIDES, (0.05, 0.2))))
def test_calibrated_bounds_against_all_signs(seed, alternative, alpha):
    """All 128 flips of seven subjects, each refitted by scipy; scale and bounds by their definition."""
    shape = (3, 3, 1)
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((N, 9))
    y[:, :4] += 1.5
    y[:, 7:] -= 1.2
    design = one_sample(alternative)
    data = xr.Dataset(
        {"effect": (("observation", "location"), y)}, coords={"observation": list(design.observations)}
    )
    engine = Threads(1)
    maps = contrast_maps(fit(data, design, engine=engine), design)
    schemes = make_schemes(
        design, build_tree(N, ()), exchange=None, n=None, seed=1, nuisance="freedman_lane", contrasts=None
    )
    statistics = shuffled_model(
        data, design, schemes, {"c": np.ones(9, dtype=bool)}, nuisance="freedman_lane"
    )
    provisions = Provisions(permuted=Permuted(statistics, schemes, engine))
    asked = Permutation(
        "tdp", "voxel", correction="tdp", alpha=alpha, connectivity=6, sets=Sets(forming_z=(0.7, 1.5))
    )
    (found,) = infer(maps, space(shape), [asked], provisions)

    shuffled = np.array(
        [
            stats.ttest_1samp(y * np.array(signs)[:, None], 0, alternative=alternative).pvalue
            for signs in product((1, -1), repeat=N)
        ]
    )
    psi = (9 * np.sort(shuffled, axis=1) / np.arange(1, 10)).min(axis=1)
    assert found.null is not None
    np.testing.assert_allclose(np.sort(found.null), np.sort(-np.log10(psi)), rtol=1e-6, atol=1e-6)
    assert found.null[0] == pytest.approx(-np.log10(psi[0]), rel=1e-6)
    scale = calibrated.calibrate(shuffled, alpha)
    assert found.discoveries is not None
    assert found.discoveries.template == "calibrated"
    assert found.discoveries.factor == pytest.approx(9 / scale, rel=1e-6)

    p, z = shuffled[0], maps["z"].values[0]
    tdp = np.zeros(9)
    for threshold in (0.7, 1.5):
        for sign in SIDES[alternative]:
            for members in parts((sign * z >= threshold).reshape(shape), 6):
                tdp[members] = calibrated.true_discoveries(p, list(members), scale) / members.size
    np.testing.assert_allclose(found.tdp, tdp, rtol=1e-12)
    assert found.discoveries.at_least == calibrated.true_discoveries(p, list(range(9)), scale)
    # p-values of one shuffle that agree in exact arithmetic may differ in their last place
    ours = [(psi <= 9 * one * (1 + 1e-9)).mean() for one in p]
    np.testing.assert_allclose(found.p_corrected, ours, rtol=1e-12)


# nilearn ----------------------------------------------------------------------------------------


def nilearn_tdp(
    z: np.ndarray, shape: tuple[int, int, int], thresholds: list[float], alpha: float
) -> np.ndarray:
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    mask = nibabel.Nifti1Image(np.ones(shape, dtype=np.uint8), affine)
    image = nibabel.Nifti1Image(z.reshape(shape), affine)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = cluster_level_inference(image, mask_img=mask, threshold=thresholds, alpha=alpha)
    return found.get_fdata().reshape(-1)


@pytest.mark.parametrize(("seed", "alpha"), list(product(range(4), (0.05, 0.2))))
def test_nilearn_on_positive_clusters(seed, alpha):
    """Its clusters are positive, share faces, and have one-sided p-values; so do ours, asked for that."""
    shape = (12, 11, 10)
    rng = np.random.default_rng(seed)
    z = ndimage.gaussian_filter(rng.standard_normal(shape), 1.0)
    z /= z.std()
    z[2:6, 2:6, 2:6] += 3
    z[8:10, 7:10, 5:9] += 2
    flat = z.reshape(-1)
    asked = AllResolutions("ari", Sets(forming_z=(2.0, 2.8, 3.5)), alpha=alpha, connectivity=6)
    (found,) = infer(stats_from_map("m", flat, "z", None, "greater"), space(shape), [asked])
    theirs = nilearn_tdp(flat, shape, [2.0, 2.8, 3.5], alpha)
    assert theirs.max() > 0.3
    # their image is float32, where the map is
    np.testing.assert_allclose(found.tdp, theirs, rtol=1e-6)


def test_where_nilearn_counts_one_too_many():
    """nilearn 0.14: where every hypothesis is rejected, h is 0 and its clusters have more than all locations.

    Its categories begin at 0 there, and 1 − 0 + m is one more than there are; d counts u from 1.
    """
    shape = (2, 2, 2)
    z = np.full(8, 6.0) + np.arange(8) / 10
    theirs = nilearn_tdp(z, shape, [3.1], 0.05)
    assert theirs[0] == pytest.approx(9 / 8)
    asked = AllResolutions("ari", Sets(forming_z=(3.1,)), connectivity=6)
    (found,) = infer(stats_from_map("m", z, "z", None, "greater"), space(shape), [asked])
    np.testing.assert_array_equal(found.tdp, 1.0)
