"""Inference by random field theory: against its formulas put together by hand, and by its laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter

from specgl.inference import METHODS, Lattice, Provisions, RandomField, infer
from specgl.inference.asked import Forming
from specgl.kernels.fields import (
    Family,
    FormedClusters,
    PeakField,
    ResidualSmoothness,
    count_lattice,
    height_at,
    log_cluster_p,
    log_expected,
    log_sf,
    resels,
)
from specgl.kernels.tails import f_tails, t_tails, z_tails

SHAPE = (12, 10, 9)
STEPS = (2.0, 3.0, 2.5)
WIDTH = (4.0, 4.0, 5.0)
DOF = 25.0
PEAKS = RandomField("rft", "voxel")
CLUSTERS = RandomField("rftc", "cluster_extent", forming=Forming(p=0.001))


@pytest.fixture
def box(bench):
    return bench.Box(SHAPE)


def provisions(box, width=WIDTH, rpv=None) -> Provisions:
    mean = float(np.prod(1 / np.array([w for w in width if not np.isnan(w)])))
    rpv = np.full(len(box.voxels), mean) if rpv is None else rpv
    return Provisions(
        lattice=Lattice(box.voxels.astype(np.int32), STEPS), smoothness=ResidualSmoothness(width, rpv, DOF)
    )


def smooth(seed: int, shape=SHAPE, height: float = 0.0) -> np.ndarray:
    """A smooth map with a hill of each sign."""
    noise = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 1.7)
    noise /= noise.std()
    centre = tuple(side // 3 for side in shape)
    other = tuple(-1 - side // 3 for side in shape)
    hill = np.zeros(shape)
    hill[centre], hill[other] = 1.0, -0.8
    hill = gaussian_filter(hill, 1.5)
    return (noise + height * hill / hill.max()).ravel()


def dataset(maps: dict[str, tuple[str, str, np.ndarray]], dof=DOF, dof1: float = 3.0) -> xr.Dataset:
    """Statistics of maps given as kind, alternative and values."""
    z, p = [], []
    for kind, alternative, values in maps.values():
        if kind in ("F", "G"):
            tails, tail = f_tails(values, dof1, dof), "greater"
        else:
            tails = z_tails(values) if kind == "z" else t_tails(values, dof)
            tail = alternative
        z.append(values if kind == "z" else tails.z())
        p.append(tails.p(tail))
    dims = ("contrast", "location")
    stat = np.array([values for _, _, values in maps.values()])
    return xr.Dataset(
        {"stat": (dims, stat), "z": (dims, np.array(z)), "p": (dims, np.array(p))}
        | {"dof": ("location", dof) if np.ndim(dof) else ((), dof)},
        coords={
            "contrast": list(maps),
            "kind": ("contrast", [kind for kind, _, _ in maps.values()]),
            "alternative": ("contrast", [alternative for _, alternative, _ in maps.values()]),
            "dof1": ("contrast", [dof1 if kind in ("F", "G") else 1.0 for kind, _, _ in maps.values()]),
        },
    )


def one(stats, box, asked, **others):
    (found,) = infer(stats, box, [asked], provisions(box, **others))
    return found


def counted(box, width=WIDTH) -> tuple[float, ...]:
    return tuple(float(r) for r in resels(count_lattice(box.voxels), width))


def test_it_is_a_method():
    assert "random_field" in METHODS


@pytest.mark.parametrize(("alternative", "tails"), [("two-sided", 2), ("greater", 1), ("less", 1)])
def test_peaks_of_t_put_together_by_hand(box, alternative, tails):
    t = smooth(1, height=7.0)
    found = one(dataset({"a": ("t", alternative, t)}), box, PEAKS)
    heights = {"two-sided": np.abs(t), "greater": t, "less": -t}[alternative]
    high = heights > 4  # beyond all turning points
    number = tails * np.exp(log_expected(Family("t", dof=DOF), counted(box), heights[high]))
    bonferroni = t.size * t_tails(t, DOF).p(alternative)[high]
    expected = np.minimum(-np.expm1(-number), bonferroni)
    assert high.sum() > 5
    np.testing.assert_allclose(found.p_corrected[high], expected, rtol=1e-9)
    np.testing.assert_allclose(found.logp, -np.log10(found.p_corrected), atol=1e-12)
    kept = found.p_corrected <= 0.05
    assert found.n_surviving == kept.sum() > 0
    np.testing.assert_array_equal(found.thresholded, np.where(kept, t, 0))
    assert found.threshold == heights[kept].min()
    assert (
        set(found.clusters["sign"]) == {"two-sided": {"+", "-"}, "greater": {"+"}, "less": {"-"}}[alternative]
    )


def test_the_field_is_told(box):
    found = one(dataset({"a": ("t", "two-sided", smooth(2))}), box, PEAKS)
    assert found.field.source == "residuals"
    assert found.field.fwhm_voxels == WIDTH
    np.testing.assert_allclose(found.field.fwhm, np.multiply(WIDTH, STEPS))
    np.testing.assert_allclose(found.field.resels, counted(box))
    assert found.findings == ()


def test_a_given_smoothness_in_mm_is_that_of_residuals_in_voxels(box):
    stats = dataset({"a": ("t", "two-sided", smooth(2, height=6.0))})
    given = tuple(np.multiply(WIDTH, STEPS))
    for asked in (PEAKS, CLUSTERS):
        residual = one(stats, box, asked)
        lattice = Lattice(box.voxels.astype(np.int32), STEPS)
        (found,) = infer(stats, box, [replace(asked, fwhm=given)], Provisions(lattice=lattice))
        np.testing.assert_array_equal(found.p_corrected, residual.p_corrected)
        assert found.field == replace(residual.field, source="given", fwhm=found.field.fwhm)


def test_only_analysed_locations_count(box):
    t = smooth(3, height=6.0)
    t[box.voxels[:, 0] >= 8] = np.nan
    stats = dataset({"a": ("t", "two-sided", t)})
    found = one(stats, box, PEAKS)
    inside = np.isfinite(t)
    expected = resels(count_lattice(box.voxels[inside]), WIDTH)
    np.testing.assert_allclose(found.field.resels, expected)
    np.testing.assert_array_equal(np.isfinite(found.p_corrected), inside)
    assert np.isfinite(found.logp[inside]).all()


def test_nothing_analysed_is_no_error(box):
    stats = dataset({"a": ("t", "two-sided", np.full(len(box.voxels), np.nan))})
    for asked in (PEAKS, CLUSTERS):
        found = one(stats, box, asked)
        assert np.isnan(found.p_corrected).all()
        assert found.n_surviving == 0
        assert found.peak is None
        assert found.findings == ()


@pytest.mark.parametrize("asked", [PEAKS, CLUSTERS])
def test_a_contrast_and_its_negative_have_the_same_bits(box, asked):
    t = smooth(4, height=7.0)
    stats = dataset({"a": ("t", "two-sided", t), "b": ("t", "two-sided", -t)})
    for across in ("none", "contrasts"):
        a, b = infer(stats, box, [replace(asked, across=across)], provisions(box))
        np.testing.assert_array_equal(a.p_corrected, b.p_corrected)
        np.testing.assert_array_equal(a.logp, b.logp)
        np.testing.assert_array_equal(a.thresholded, -b.thresholded)
        assert a.threshold == b.threshold
    up, down = infer(
        dataset({"a": ("t", "greater", t), "b": ("t", "less", -t)}), box, [asked], provisions(box)
    )
    np.testing.assert_array_equal(up.logp, down.logp)


@pytest.mark.parametrize("kind", ["t", "z"])
def test_p_never_rises_and_its_logarithm_is_finite(box, kind):
    values = np.linspace(-60, 45, len(box.voxels))
    found = one(dataset({"a": (kind, "greater", values)}), box, PEAKS)
    assert (np.diff(found.p_corrected) <= 0).all()
    assert (np.diff(found.logp) >= 0).all()
    assert found.p_corrected.max() <= 1
    assert np.isfinite(found.logp).all()
    assert kind != "z" or (found.p_corrected[-1] == 0 and found.logp[-1] > 430)


def test_each_kind_is_taken_for_its_field(box):
    f = smooth(5, height=6.0) ** 2
    widely = np.where(np.arange(f.size) % 2, 25.0, 30.0)
    stats = dataset({"a": ("F", "two-sided", f)})
    varying = dataset({"a": ("F", "two-sided", f)}, dof=widely)
    same = dataset({"a": ("F", "two-sided", f)}, dof=np.full(f.size, DOF))
    high = f > 14
    assert high.sum() > 3

    def expected(family, u, tails=1):
        number = tails * np.exp(log_expected(family, counted(box), u[high]))
        return -np.expm1(-number)

    def bounded(p, stats):
        return np.minimum(p, f.size * stats["p"].values[0][high])

    of_f = bounded(expected(Family("F", 3, DOF), f), stats)
    np.testing.assert_allclose(one(stats, box, PEAKS).p_corrected[high], of_f, rtol=1e-9)
    np.testing.assert_allclose(one(same, box, PEAKS).p_corrected[high], of_f, rtol=1e-9)
    of_z = bounded(expected(Family("z"), varying["z"].values[0]), varying)
    np.testing.assert_allclose(one(varying, box, PEAKS).p_corrected[high], of_z, rtol=1e-9)
    # A v has no constant dof even where it is one number; the dof of chi-square is its dof1.
    v = dataset({"a": ("v", "two-sided", np.sqrt(f))})
    of_v = bounded(expected(Family("z"), v["z"].values[0], 2), v)
    np.testing.assert_allclose(one(v, box, PEAKS).p_corrected[high], of_v, rtol=1e-9)
    of_three = Family("chi2", 3)
    chi2 = stats.assign_coords(kind=("contrast", ["chi2"])).assign(dof=((), np.nan), stat=3 * stats["stat"])
    chi2["p"] = stats["p"].copy(data=np.exp(log_sf(of_three, 3 * f))[None])
    of_chi2 = bounded(expected(of_three, 3 * f), chi2)
    np.testing.assert_allclose(one(chi2, box, PEAKS).p_corrected[high], of_chi2, rtol=1e-9)


# Clusters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("alternative", "tails"), [("two-sided", 2), ("greater", 1)])
def test_clusters_put_together_by_hand(box, alternative, tails):
    t = smooth(6, height=9.0)
    found = one(dataset({"a": ("t", alternative, t)}), box, CLUSTERS)
    family = Family("t", dof=DOF)
    threshold = height_at(family, 0.001 / tails)
    assert found.threshold == threshold
    formed = FormedClusters.above(threshold, PeakField(family, counted(box), tails), 3)
    main = found.clusters[found.clusters["peak"] == 1]
    assert set(main["sign"]) == ({"+", "-"} if tails == 2 else {"+"})
    extents = main["size"].to_numpy(float) / np.prod(WIDTH)
    np.testing.assert_allclose(main["p_corrected"], np.exp(log_cluster_p(extents, formed)), rtol=1e-12)
    # The peak's own p-value is that of the inference about peaks.
    peaks = one(dataset({"a": ("t", alternative, t)}), box, PEAKS)
    at = {tuple(xyz): p for xyz, p in zip(box.coordinates, peaks.p_corrected, strict=True)}
    own = [at[xyz] for xyz in found.clusters[["x", "y", "z"]].itertuples(index=False, name=None)]
    np.testing.assert_array_equal(found.clusters["p_peak"], own)
    above = t >= threshold if tails == 1 else np.abs(t) >= threshold
    assert (found.p_corrected[~above] == 1).all()
    np.testing.assert_array_equal(found.thresholded, np.where(found.p_corrected <= 0.05, t, 0))


def test_resels_of_the_places_where_a_cluster_lies(box):
    t = smooth(7, height=9.0)
    stats = dataset({"a": ("t", "two-sided", t)})
    asked = replace(CLUSTERS, extent="resels", alpha=1.0)
    flat = one(stats, box, asked)
    np.testing.assert_allclose(
        flat.p_corrected, one(stats, box, replace(asked, extent="voxels")).p_corrected, rtol=1e-12
    )
    # Twice as rough where x is small: a cluster there is worth more, one elsewhere as much as before.
    rpv = np.full(t.size, 1 / np.prod(WIDTH))
    here = box.voxels[:, 0] < 6
    rpv[here] *= 2
    rough = one(stats, box, asked, rpv=rpv)
    size = flat.clusters["size"].to_numpy(float, na_value=np.nan)
    main = ~np.isnan(size)
    left = flat.clusters["center_x"].to_numpy() < 2.0 * 4
    assert (rough.clusters["p_corrected"][main & left] < flat.clusters["p_corrected"][main & left]).all()
    assert (main & left).any()
    far = np.abs(t) >= flat.threshold
    far &= ~np.isin(np.arange(t.size), np.flatnonzero(here))
    outside = rough.p_corrected[far & (box.voxels[:, 0] > 8)]
    np.testing.assert_allclose(outside, flat.p_corrected[far & (box.voxels[:, 0] > 8)], rtol=1e-12)
    assert outside.size


def test_a_place_without_known_roughness_has_the_mean(box):
    stats = dataset({"a": ("t", "two-sided", smooth(7, height=9.0))})
    rpv = np.full(len(box.voxels), 1 / np.prod(WIDTH))
    rpv[::3] = np.nan
    asked = replace(CLUSTERS, extent="resels")
    np.testing.assert_allclose(
        one(stats, box, asked, rpv=rpv).p_corrected, one(stats, box, asked).p_corrected, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("shape", "width", "dimension"),
    [((40, 30, 1), (4.0, 4.0, np.nan), 2), ((1, 200, 1), (np.nan, 4.0, np.nan), 1)],
)
def test_planes_and_lines(bench, shape, width, dimension):
    box = bench.Box(shape)
    values = gaussian_filter(np.random.default_rng(1).standard_normal(shape), 1.7).ravel()
    values *= 4.5 / np.abs(values).max()
    found = one(dataset({"a": ("z", "two-sided", values)}), box, CLUSTERS, width=width)
    np.testing.assert_array_equal(np.isnan(found.field.fwhm), np.isnan(width))
    np.testing.assert_array_equal(np.array(found.field.resels)[dimension + 1 :], 0)
    family = PeakField(Family("z"), tuple(found.field.resels), 2)
    formed = FormedClusters.above(height_at(family.family, 0.0005), family, dimension)
    main = found.clusters[found.clusters["peak"] == 1]
    extents = main["size"].to_numpy(float) / np.nanprod(width)
    np.testing.assert_allclose(main["p_corrected"], np.exp(log_cluster_p(extents, formed)), rtol=1e-12)
    given = replace(CLUSTERS, fwhm=tuple(np.nan_to_num(np.multiply(width, STEPS), nan=8.0)))
    np.testing.assert_array_equal(
        one(dataset({"a": ("z", "two-sided", values)}), box, given).field.fwhm, found.field.fwhm
    )


def test_a_threshold_may_be_given_on_the_statistics_own_scale(box):
    stats = dataset({"a": ("t", "two-sided", smooth(6, height=9.0))})
    u = height_at(Family("t", dof=DOF), 0.0005)
    by_p, by_stat = (
        one(stats, box, replace(CLUSTERS, forming=forming)) for forming in (Forming(p=0.001), Forming(stat=u))
    )
    np.testing.assert_array_equal(by_p.p_corrected, by_stat.p_corrected)


# Families ---------------------------------------------------------------------------------------


def test_a_family_of_two_contrasts(box):
    maps = {"a": ("t", "two-sided", smooth(8, height=7.0)), "b": ("t", "two-sided", smooth(9))}
    stats = dataset(maps)
    alone = infer(stats, box, [PEAKS], provisions(box))
    both = infer(stats, box, [replace(PEAKS, across="contrasts")], provisions(box))
    for one_alone, one_both in zip(alone, both, strict=True):
        assert one_alone.contrast == one_both.contrast
        assert (one_both.p_corrected >= one_alone.p_corrected).all()
        small = one_alone.p_corrected < 1e-3
        # Two equal fields: twice the expected number, twice the locations.
        np.testing.assert_allclose(one_both.p_corrected[small], 2 * one_alone.p_corrected[small], rtol=1e-3)
    assert (alone[0].p_corrected < 1e-3).any()


def test_a_family_of_different_fields_adds_what_is_as_unlikely(box):
    t, f = smooth(8, height=7.0), smooth(9, height=2.0) ** 2
    stats = dataset({"a": ("t", "greater", t), "b": ("F", "two-sided", f)})
    a, b = infer(stats, box, [replace(PEAKS, across="contrasts")], provisions(box))
    i = int(np.argmax(t))
    p = float(stats["p"].values[0, i])
    of_a = log_expected(Family("t", dof=DOF), counted(box), t[i])[0]
    of_b = log_expected(Family("F", 3, DOF), counted(box), height_at(Family("F", 3, DOF), p))[0]
    expected = min(-np.expm1(-np.exp(of_a) - np.exp(of_b)), 2 * t.size * p)
    np.testing.assert_allclose(a.p_corrected[i], expected, rtol=1e-5)
    # As unlikely alone, as unlikely in the family: p of both contrasts are one function.
    order = np.argsort(stats["p"].values.ravel())
    together = np.concatenate([a.p_corrected, b.p_corrected])[order]
    assert (np.diff(together) > -1e-5 * together[1:]).all()


def test_clusters_of_a_family_count_all_clusters_expected(box):
    maps = {"a": ("t", "two-sided", smooth(8, height=8.0)), "b": ("z", "greater", smooth(9))}
    stats = dataset(maps)
    found, _ = infer(stats, box, [replace(CLUSTERS, across="contrasts")], provisions(box))
    formed = [
        FormedClusters.above(height_at(family, p), PeakField(family, counted(box), tails), 3)
        for family, p, tails in [(Family("t", dof=DOF), 0.0005, 2), (Family("z"), 0.001, 1)]
    ]
    main = found.clusters[found.clusters["peak"] == 1]
    extents = main["size"].to_numpy(float) / np.prod(WIDTH)
    expected = np.exp(log_cluster_p(extents, formed[0], formed[1:]))
    assert len(main)
    np.testing.assert_allclose(main["p_corrected"], expected, rtol=1e-12)


# Out of range -----------------------------------------------------------------------------------


def codes(found) -> list[str]:
    assert all(finding.where == ("inference", found.inference) for finding in found.findings)
    return [finding.code for finding in found.findings]


def test_a_low_threshold_gives_p_of_one_and_says_so(box):
    t = smooth(6, height=9.0)
    low = replace(CLUSTERS, forming=Forming(stat=0.6))
    found = one(dataset({"a": ("t", "two-sided", t)}), box, low)
    assert codes(found) == ["W430"]
    assert (found.p_corrected == 1).all()
    assert found.n_surviving == 0


def test_rough_maps_and_few_degrees_of_freedom_are_told(box):
    t = smooth(6)
    assert codes(one(dataset({"a": ("t", "two-sided", t)}), box, PEAKS, width=(2.9, 4.0, 4.0))) == ["W431"]
    assert codes(one(dataset({"a": ("t", "two-sided", t)}, dof=19.0), box, PEAKS)) == ["W432"]
    assert codes(one(dataset({"a": ("t", "two-sided", t)}, dof=20.0), box, CLUSTERS)) == []
    varying = np.linspace(12, 40, t.size)
    assert codes(one(dataset({"a": ("v", "two-sided", t)}, dof=varying), box, PEAKS)) == ["W432"]
    assert codes(one(dataset({"a": ("z", "two-sided", t)}, dof=np.nan), box, PEAKS)) == []


def test_what_is_missing_is_refused(box):
    stats = dataset({"a": ("t", "two-sided", smooth(1))})
    whole = provisions(box)
    with pytest.raises(ValueError, match="lattice"):
        infer(stats, box, [PEAKS], replace(whole, lattice=None))
    with pytest.raises(ValueError, match="smoothness"):
        infer(stats, box, [PEAKS], replace(whole, smoothness=None))
    with pytest.raises(ValueError, match="resels"):
        infer(stats, box, [replace(CLUSTERS, extent="resels", fwhm=(8.0, 8.0, 8.0))], whole)
    with pytest.raises(ValueError, match="cluster-forming"):
        infer(stats, box, [replace(CLUSTERS, forming=None)], whole)
    with pytest.raises(ValueError, match="axis"):
        infer(stats, box, [PEAKS], provisions(box, width=(4.0, 4.0, np.nan)))
