"""specgl by its public doors beside the slow truth."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr
from field_truth import lattice
from field_truth.pvalues import Family, cluster, expected, peak
from scipy import stats

from specgl.images.grid import Grid
from specgl.images.space import Space
from specgl.inference import (
    Forming,
    Lattice,
    Parametric,
    Provisions,
    RandomField,
    infer,
    stats_from_map,
)
from specgl.kernels.fields import ResidualSmoothness

STEPS = (2.0, 3.0, 4.0)
FWHM = (9.0, 10.0, 14.0)
SHAPE = (9, 8, 7)

FAMILIES = {
    "z": (Family("z"), None),
    "t": (Family("t", dof=14), 14),
    "F": (Family("F", 3, 24), (3, 24)),
    "chi2": (Family("chi2", 4), 4),
}


def mask(kind: str) -> np.ndarray:
    """A volume with a hole and a tail, a plane, a line."""
    on = np.zeros(SHAPE, dtype=bool)
    if kind == "volume":
        on[1:8, 1:7, 1:6] = True
        on[3:5, 3, 3] = False
        on[8, 2, 2] = on[7, 7, 5] = True
        on[1:3, 1:3, 1:3] = False
    elif kind == "plane":
        on[:, :, 3] = True
        on[4:6, 4:6, 3] = False
    else:
        on[:, 2, 2] = True
    return on


def space(on: np.ndarray) -> Space:
    return Space.from_mask(on, Grid(on.shape, np.diag([*STEPS, 1.0])))


def sf(family: Family, u: np.ndarray) -> np.ndarray:
    return {
        "z": lambda: stats.norm.sf(u),
        "t": lambda: stats.t.sf(u, family.dof),
        "F": lambda: stats.f.sf(u, family.dof1, family.dof),
        "chi2": lambda: stats.chi2.sf(u, family.dof1),
    }[family.kind]()


def isf(family: Family, p: float) -> float:
    return {
        "z": lambda: stats.norm.isf(p),
        "t": lambda: stats.t.isf(p, family.dof),
        "F": lambda: stats.f.isf(p, family.dof1, family.dof),
        "chi2": lambda: stats.chi2.isf(p, family.dof1),
    }[family.kind]()


def given(family: Family, values: np.ndarray, alternative: str, name: str = "m") -> xr.Dataset:
    dof = FAMILIES[family.kind][1]
    return stats_from_map(name, values, family.kind, dof, alternative)


def resels_of(on: np.ndarray) -> np.ndarray:
    """Resel counts of a mask; along an axis of one voxel there is none to measure."""
    return lattice.resels(np.argwhere(on), in_voxels())


def in_voxels() -> tuple[float, float, float]:
    i, j, k = (width / step for width, step in zip(FWHM, STEPS, strict=True))
    return i, j, k


CASES = [
    *itertools.product(("volume", "plane", "line"), ("z", "t"), ("two-sided", "greater", "less")),
    *itertools.product(("volume", "plane", "line"), ("F", "chi2"), ("two-sided",)),
]


@pytest.mark.parametrize(("where", "kind", "alternative"), CASES)
def test_peaks(where, kind, alternative):
    """Corrected p of heights from next to nothing to the far tail."""
    family, on = FAMILIES[kind][0], mask(where)
    n = int(on.sum())
    low, high = isf(family, 0.4), isf(family, 1e-12)
    values = np.linspace(low, high, n)
    places = np.unique(np.linspace(0, n - 1, 6).astype(int))
    sign = -1 if alternative == "less" else 1
    asked = RandomField("rft", "voxel", fwhm=FWHM)
    here = space(on)
    (found,) = infer(
        given(family, sign * values, alternative),
        here,
        [asked],
        Provisions(lattice=Lattice(here.voxels, STEPS)),
    )
    tails = 2 if alternative == "two-sided" and kind in "zt" else 1
    ours = [peak(family, resels_of(on), values[i], tails, n) for i in places]
    # the greatest E above a low height is looked for in steps
    np.testing.assert_allclose(found.p_corrected[places], ours, rtol=1e-6)
    np.testing.assert_allclose(found.logp[places], -np.log10(ours), rtol=1e-6, atol=1e-6)
    assert found.field is not None
    np.testing.assert_allclose(found.field.resels, resels_of(on), rtol=1e-12)


def test_far_tails_stay_numbers():
    on = mask("volume")
    here = space(on)
    provisions = Provisions(lattice=Lattice(here.voxels, STEPS))
    values = np.linspace(1, 60, int(on.sum()))
    for kind, top in (("t", 60.0), ("z", 37.0)):
        family = FAMILIES[kind][0]
        heights = values * top / 60
        asked = RandomField("rft", "voxel", fwhm=FWHM)
        (found,) = infer(given(family, heights, "greater"), here, [asked], provisions)
        assert np.isfinite(found.logp).all()
        assert np.all(np.diff(found.logp) >= 0)
        ours = peak(family, resels_of(on), heights[-1], 1, heights.size)
        assert found.logp[-1] == pytest.approx(-np.log10(ours), rel=1e-6)


def blobs(on: np.ndarray, u: float) -> np.ndarray:
    """A map with clusters of several sizes of either sign, touching by faces, edges and corners, (n_loc,)."""
    rng = np.random.default_rng(3)
    field = rng.uniform(0.1, 0.9, on.shape) * u * rng.choice([-1, 1], on.shape)
    if on.sum() > 100:
        field[1:4, 3:6, 1:3] = 1.2 * u
        field[4, 6, 3] = 1.1 * u  # a corner away from the first
        field[6, 1:4, 4] = u  # the threshold itself belongs to it
        field[5:7, 5:7, 4:6] = -1.3 * u
        field[6, 4, 1] = -1.5 * u
    else:
        flat = field.reshape(-1)
        chosen = np.flatnonzero(on.reshape(-1))
        flat[chosen[1:4]] = 1.1 * u
        flat[chosen[6:7]] = -1.4 * u
    return field[on]


@pytest.mark.parametrize("forming", [Forming(p=0.001), Forming(p=0.01), None])
@pytest.mark.parametrize(
    ("connectivity", "case"), [(18, case) for case in CASES] + [(6, CASES[0]), (26, CASES[0])]
)
def test_clusters(case, connectivity, forming):
    where, kind, alternative = case
    family, on = FAMILIES[kind][0], mask(where)
    two = alternative == "two-sided" and kind in "zt"
    forming = Forming(stat={"z": 3.4, "t": 3.4, "F": 6.5, "chi2": 14.0}[kind]) if forming is None else forming
    u = isf(family, forming.p / (2 if two else 1)) if forming.p else forming.stat
    values = blobs(on, u)
    values = np.abs(values) if kind in ("F", "chi2") else values
    # a threshold that is computed twice may differ in its last place
    values[np.abs(np.abs(values) - u) < 1e-9] *= 1 + 1e-9
    here = space(on)
    asked = RandomField("rft", "cluster_extent", connectivity=connectivity, forming=forming, fwhm=FWHM)
    (found,) = infer(
        given(family, values, alternative), here, [asked], Provisions(lattice=Lattice(here.voxels, STEPS))
    )
    ours = np.ones(values.size)
    voxels, resels = np.argwhere(on), resels_of(on)
    dimension = lattice.dimension(voxels)
    thick = [axis for axis in range(3) if len(set(voxels[:, axis])) > 1]
    for sign in {"two-sided": (1, -1), "greater": (1,), "less": (-1,)}[alternative] if kind in "zt" else (1,):
        above = np.flatnonzero(sign * values >= u)
        for one in lattice.components(voxels[above], connectivity):
            k = len(one) / np.prod([in_voxels()[axis] for axis in thick])
            ours[above[one]] = cluster(family, resels, u, k, 2 if two else 1, dimension)
    assert (ours < 1).any()
    np.testing.assert_allclose(found.p_corrected, ours, rtol=1e-6)


def test_clusters_in_resels():
    """Rough places count more: the extent is the sum of resels per voxel."""
    on = mask("volume")
    family, u = FAMILIES["t"][0], 3.4
    values, here = blobs(on, u), space(on)
    rng = np.random.default_rng(5)
    mean = 1 / np.prod(in_voxels())
    rpv = rng.uniform(0.3, 2, values.size)
    rpv *= mean / rpv.mean()
    provisions = Provisions(
        lattice=Lattice(here.voxels, STEPS), smoothness=ResidualSmoothness(in_voxels(), rpv, family.dof)
    )
    common = {"forming": Forming(stat=u), "connectivity": 6}
    asked = [
        RandomField("resels", "cluster_extent", extent="resels", **common),
        RandomField("voxels", "cluster_extent", extent="voxels", **common),
    ]
    in_resels, in_numbers = infer(given(family, values, "two-sided"), here, asked, provisions)
    voxels = np.argwhere(on)
    for found, weights in ((in_resels, rpv), (in_numbers, np.full(rpv.size, mean))):
        ours = np.ones(values.size)
        for sign in (1, -1):
            above = np.flatnonzero(sign * values >= u)
            for one in lattice.components(voxels[above], 6):
                ours[above[one]] = cluster(family, resels_of(on), u, weights[above[one]].sum(), 2, 3)
        np.testing.assert_allclose(found.p_corrected, ours, rtol=1e-6)


def test_across_contrasts():
    """Peaks of a t and an F: expected characteristics at the same uncorrected p, added up."""
    on = mask("volume")
    here, n = space(on), int(on.sum())
    t, f = FAMILIES["t"][0], FAMILIES["F"][0]
    heights = {"t": np.linspace(1, 9, n), "F": np.linspace(1, 30, n)}
    maps = [given(t, heights["t"], "two-sided", "t"), given(f, heights["F"], "two-sided", "F")]
    asked = RandomField("rft", "voxel", fwhm=FWHM, across="contrasts")
    both = infer(xr.concat(maps, "contrast"), here, [asked], Provisions(lattice=Lattice(here.voxels, STEPS)))
    for found, family, tails in zip(both, (t, f), (2, 1), strict=True):
        for i in (n // 2, 3 * n // 4, n - 1):
            p = tails * float(sf(family, heights[family.kind][i]))
            total = sum(k * expected(one, resels_of(on), isf(one, p / k)) for one, k in ((t, 2), (f, 1)))
            assert found.p_corrected[i] == pytest.approx(min(-np.expm1(-total), 2 * n * p, 1), rel=1e-5)


def test_across_equal_contrasts_clusters_count_twice():
    on = mask("volume")
    here, u = space(on), 3.4
    values = blobs(on, u)
    maps = [given(FAMILIES["t"][0], values, "two-sided", name) for name in ("a", "b")]
    common = {"forming": Forming(stat=u), "connectivity": 6, "fwhm": FWHM}
    asked = [
        RandomField("one", "cluster_extent", **common),
        RandomField("all", "cluster_extent", across="contrasts", **common),
    ]
    found = infer(xr.concat(maps, "contrast"), here, asked, Provisions(lattice=Lattice(here.voxels, STEPS)))
    one, both = found[0].p_corrected, found[2].p_corrected
    np.testing.assert_allclose(both[one < 1], 1 - (1 - one[one < 1]) ** 2, rtol=1e-9)


def test_few_voxels_are_bonferroni():
    """Where the field is rough, the bound by the number of voxels is the smaller one."""
    on = mask("line")
    here = space(on)
    values = np.linspace(2, 5, int(on.sum()))
    asked = [
        RandomField("rft", "voxel", fwhm=(0.5, 0.5, 0.5)),
        Parametric("b", "bonferroni", 0.05, 1, 26, "none"),
    ]
    rft, bonferroni = infer(
        given(FAMILIES["z"][0], values, "greater"),
        here,
        asked,
        Provisions(lattice=Lattice(here.voxels, STEPS)),
    )
    np.testing.assert_allclose(rft.p_corrected, bonferroni.p_corrected, rtol=1e-9)


@pytest.mark.parametrize("u", [2.0, 3.4])
def test_a_threshold_too_low_for_the_theory_says_nothing(u):
    """Where the field's own density of characteristics is not above 0 there are no clusters to speak of."""
    on, family = mask("volume"), FAMILIES["chi2"][0]
    assert family.densities(u)[3] < 0
    here = space(on)
    asked = RandomField("rft", "cluster_extent", forming=Forming(stat=u), fwhm=FWHM)
    values = np.abs(blobs(on, u))
    (found,) = infer(
        given(family, values, "two-sided"), here, [asked], Provisions(lattice=Lattice(here.voxels, STEPS))
    )
    np.testing.assert_array_equal(found.p_corrected, 1.0)
    assert "W430" in [finding.code for finding in found.findings]


def test_what_is_not_analysed_is_no_part_of_the_volume():
    """A map with NaN is the map of the smaller mask."""
    whole, smaller = np.ones(SHAPE, dtype=bool), mask("volume")
    values = np.full(SHAPE, np.nan)
    values[smaller] = blobs(smaller, 3.4)
    asked = [
        RandomField("peaks", "voxel", fwhm=FWHM),
        RandomField("clusters", "cluster_extent", forming=Forming(stat=3.4), fwhm=FWHM),
    ]
    told = []
    for on in (whole, smaller):
        here = space(on)
        provisions = Provisions(lattice=Lattice(here.voxels, STEPS))
        told.append(infer(given(FAMILIES["t"][0], values[on], "two-sided"), here, asked, provisions))
    for large, small in zip(*told, strict=True):
        there = smaller[whole]
        np.testing.assert_allclose(large.p_corrected[there], small.p_corrected, rtol=1e-12)
        assert np.isnan(large.p_corrected[~there]).all()
        np.testing.assert_allclose(large.field.resels, small.field.resels, rtol=1e-12)
