"""p-values of peaks and clusters: laws, brute force over heights, and simulated fields."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft
from scipy.optimize import brentq

from specgl.kernels.fields import (
    Family,
    FormedClusters,
    PeakField,
    count_lattice,
    height_at,
    log_any,
    log_cluster_p,
    log_densities,
    log_expected,
    log_peak_p,
    log_sf,
    resels,
)

FAMILIES = [Family("z"), Family("t", dof=9), Family("t", dof=40), Family("chi2", 3), Family("F", 2, 15)]
families = st.sampled_from(FAMILIES)
counts = st.tuples(st.integers(-3, 5).map(float), st.floats(-5, 60), st.floats(0, 300), st.floats(0.01, 500))
"""Resels of a mask with cubes: only the volume cannot vanish or be negative."""

BRAIN = (1.0, 19.4, 124.12, 262.392)
"""A box of 30 x 40 x 30 voxels at a smoothness of 5."""


def brute(field: PeakField, u: float) -> float:
    """The greatest expected number at any of many heights from u on."""
    grid = np.append(np.linspace(u, u + 12, 40_000), np.geomspace(u + 12, 1e5, 2_000))
    return field.tails * float(np.exp(log_expected(field.family, field.resels, grid)).max())


def single(field: PeakField, u) -> np.ndarray:
    """The uncorrected p-value's logarithm."""
    return np.minimum(np.log(field.tails) + log_sf(field.family, np.atleast_1d(u)), 0.0)


@given(log_number=st.floats(-60, 5))
def test_at_least_one(log_number):
    number = np.exp(log_number)
    np.testing.assert_allclose(np.exp(log_any(log_number)), -np.expm1(-number), rtol=1e-13)


def test_at_least_one_of_almost_none_and_of_too_many():
    np.testing.assert_array_equal(log_any([-2000.0, 40.0, np.inf]), [-2000.0, 0.0, 0.0])


@given(family=families, resel=counts, u=st.floats(0, 12))
def test_the_expected_number_is_the_sum_of_products(family, resel, u):
    logs, signs = log_densities(family, u)
    terms = np.array(resel) * (signs * np.exp(logs))[:, 0]
    total = terms.sum()
    found = np.exp(log_expected(family, resel, u)[0])
    np.testing.assert_allclose(found, max(total, 0.0), rtol=1e-9, atol=1e-13 * np.abs(terms).sum())


@settings(max_examples=40)
@given(family=families, resel=counts, u=st.floats(0, 6), tails=st.sampled_from([1, 2]))
def test_corrected_p_is_that_of_the_greatest_number_from_there_on(family, resel, u, tails):
    field = PeakField(family, resel, tails)
    p = single(field, u)
    expected = min(-np.expm1(-brute(field, u)), 1e6 * np.exp(p[0]))
    # A grid of 40,000 heights misses the top of a bend by one part in 1e7.
    found = np.exp(log_peak_p(u, p, field, n=10**6))
    np.testing.assert_allclose(found, min(max(expected, np.exp(p[0])), 1.0), rtol=1e-6)


@settings(max_examples=40)
@given(family=families, resel=counts, tails=st.sampled_from([1, 2]), n=st.integers(1, 10**6))
def test_p_never_rises_with_the_height_and_lies_between_the_uncorrected_and_bonferroni(
    family, resel, tails, n
):
    field = PeakField(family, resel, tails)
    low = -2 if family.kind in "zt" else 0
    u = np.random.default_rng(n).permutation(np.append(np.linspace(low, 50, 999), [1.0, 1.0, 1.0]))
    p = single(field, u)
    found = log_peak_p(u, p, field, n=n)
    assert (np.diff(found[np.argsort(u)]) <= 0).all()
    assert (found <= 0).all()
    assert (found >= p).all()
    # 1e-12: accumulated over neighbours whose last bits differ.
    assert (found <= np.minimum(p + np.log(n), 0) + 1e-12 * np.abs(p)).all()


def test_one_voxel_is_its_own_family():
    u = np.linspace(-3, 8, 50)
    field = PeakField(Family("t", dof=12), (1.0, 0.0, 0.0, 0.0))
    np.testing.assert_array_equal(log_peak_p(u, single(field, u), field, n=1), single(field, u))


def test_on_a_rough_map_bonferroni_is_smaller_and_on_a_smooth_one_it_is_not():
    u, n = 5.0, 36_000
    smooth = PeakField(Family("z"), BRAIN)
    rough = PeakField(Family("z"), tuple(np.array(BRAIN) * 10.0 ** np.arange(4)))
    p = single(smooth, u)
    assert log_peak_p(u, p, smooth, n=n)[0] < p[0] + np.log(n) - 0.5
    assert log_peak_p(u, p, rough, n=n)[0] == p[0] + np.log(n)


def test_a_field_with_too_few_degrees_of_freedom_leaves_bonferroni():
    field = PeakField(Family("t", dof=2), BRAIN, 2)
    u = np.array([3.0, 300.0, 1e5])
    p = single(field, u)
    np.testing.assert_array_equal(log_peak_p(u, p, field, n=500), np.minimum(p + np.log(500), 0))


@pytest.mark.parametrize("family", FAMILIES)
def test_logarithms_are_finite_at_any_height(family):
    u = np.array([0.0, 45.0, 200.0, 1e4])
    field = PeakField(family, BRAIN)
    p = single(field, u)
    for others in ([], [PeakField(Family("z"), BRAIN, 2)]):
        found = log_peak_p(u, p, field, others, n=36_000)
        assert np.isfinite(found).all()
        assert (np.diff(found) < 0).all()


def test_an_equal_field_beside_it_doubles_the_expected_number():
    field = PeakField(Family("t", dof=30), BRAIN, 2)
    u = np.array([5.0, 7.0, 40.0])
    p = single(field, u)
    alone = log_expected(field.family, BRAIN, u) + np.log(2)
    np.testing.assert_allclose(
        log_peak_p(u, p, field, [field], n=10**9), log_any(alone + np.log(2)), rtol=1e-14
    )


@pytest.mark.parametrize("tails", [1, 2])
@pytest.mark.parametrize("own", FAMILIES)
@pytest.mark.parametrize("beside", FAMILIES)
def test_another_field_counts_at_the_height_of_equal_p(own, beside, tails):
    field, other = PeakField(own, BRAIN, 1), PeakField(beside, tuple(np.array(BRAIN) / 2), tails)
    for p in (1e-4, 1e-6, 1e-9):
        u = height_at(own, p)
        # The height in the other field, by bisection on the logarithm of its tail.
        there = brentq(lambda v, p=p: single(other, v)[0] - np.log(p), 0.01, 1e6, xtol=1e-13, rtol=1e-14)
        number = np.exp(log_expected(own, BRAIN, u)[0]) + tails * np.exp(
            log_expected(beside, other.resels, there)[0]
        )
        found = np.exp(log_peak_p(u, np.log(p), field, [other], n=10**15))
        np.testing.assert_allclose(found, -np.expm1(-number), rtol=1e-5)


# Clusters ---------------------------------------------------------------------------------------


def test_cluster_numbers_worked_out_by_hand():
    """Gauss, u = 3, a cube of 1000 resels without a border: Friston's and Worsley's formulas term by term."""
    u, a = 3.0, 4 * np.log(2)
    rho = a**1.5 / (2 * np.pi) ** 2 * 8 * np.exp(-4.5)
    tail = 0.0013498980316301035
    formed = FormedClusters.above(u, PeakField(Family("z"), (0.0, 0.0, 0.0, 1000.0), 2), 3)
    np.testing.assert_allclose(np.exp(formed.log_number), 2 * 1000 * rho, rtol=1e-12)
    np.testing.assert_allclose(np.exp(formed.log_resels), tail / rho, rtol=1e-12)
    k = np.array([0.01, 0.1, 1.0])
    beta = (1.329340388179137 / (tail / rho)) ** (2 / 3)
    np.testing.assert_allclose(np.exp(formed.log_tail(k)), np.exp(-beta * k ** (2 / 3)), rtol=1e-12)
    expected = -np.expm1(-2 * 1000 * rho * np.exp(-beta * k ** (2 / 3)))
    np.testing.assert_allclose(np.exp(log_cluster_p(k, formed)), expected, rtol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_mean_of_the_extents_is_the_expected_one(family, dimension):
    resel = tuple(100.0 if d == dimension else 0.0 for d in range(4))
    formed = FormedClusters.above(height_at(family, 1e-4), PeakField(family, resel), dimension)
    mean = np.exp(formed.log_resels)
    k = np.linspace(0, 60, 400_001) * mean
    below = np.trapezoid(np.exp(formed.log_tail(k)), k)
    # exp(-beta k^(2/3)) still has a tail of 1e-6 at sixty times its mean.
    np.testing.assert_allclose(below, mean, rtol=1e-4)
    # All extents together are what exceeds the threshold.
    total = mean * np.exp(formed.log_number)
    np.testing.assert_allclose(total, 100 * 1e-4, rtol=1e-7)


@settings(max_examples=30)
@given(u=st.floats(2, 6), beside=st.floats(2, 6))
def test_cluster_p_falls_with_extent_and_other_fields_add_clusters(u, beside):
    formed = FormedClusters.above(u, PeakField(Family("z"), BRAIN), 3)
    other = FormedClusters.above(beside, PeakField(Family("t", dof=14), BRAIN, 2), 3)
    k = np.append(0.0, np.geomspace(1e-4, 1e4, 200))
    alone, both = log_cluster_p(k, formed), log_cluster_p(k, formed, [other])
    assert np.isfinite(both).all()
    assert (np.diff(alone) <= 0).all()
    assert (alone <= both).all()
    assert (both <= 0).all()
    number = np.exp(formed.log_number) + np.exp(other.log_number)
    np.testing.assert_allclose(np.exp(both[0]), -np.expm1(-number), rtol=1e-9)


@pytest.mark.parametrize(
    ("family", "u"),
    [
        (Family("z"), 0.5),
        (Family("z"), -2.0),
        (Family("t", dof=10), 0.9),
        (Family("t", dof=2), 5.0),
        (Family("chi2", 4), 3.0),
        (Family("chi2", 4), 0.5),  # hollows: the density is positive here again
        (Family("F", 4, 20), 0.1),
    ],
)
def test_a_low_threshold_tells_nothing(family, u):
    formed = FormedClusters.above(u, PeakField(family, BRAIN), 3)
    assert not formed.told
    np.testing.assert_array_equal(log_cluster_p([0.1, 1e3], formed), [0.0, 0.0])
    high = FormedClusters.above(4.0, PeakField(Family("z"), BRAIN), 3)
    assert high.told
    np.testing.assert_array_equal(log_cluster_p([0.1, 1e3], high, [formed]), [0.0, 0.0])


def test_a_single_voxel_has_clusters_without_extent():
    formed = FormedClusters.above(2.0, PeakField(Family("z"), (1.0, 0.0, 0.0, 0.0)), 0)
    number = np.exp(log_sf(Family("z"), 2.0))
    np.testing.assert_allclose(np.exp(log_cluster_p([1.0], formed)), -np.expm1(-number))


# Simulated fields -------------------------------------------------------------------------------


def smooth(rng: np.random.Generator, shape: tuple[int, ...], n: int, fwhm: float) -> np.ndarray:
    """Gaussian fields (n, *shape) of that FWHM in voxels, cut out of periodic ones with wide margins."""
    whole = [fft.next_fast_len(side + int(3 * fwhm), real=True) for side in shape]
    sigma = fwhm / np.sqrt(8 * np.log(2))
    power = sum(
        np.square(f).reshape([-1 if d == axis else 1 for d in range(len(shape))])
        for axis, f in enumerate([*(fft.fftfreq(side) for side in whole[:-1]), fft.rfftfreq(whole[-1])])
    )
    gain = np.exp(-2 * (np.pi * sigma) ** 2 * power)
    axes = tuple(range(1, len(shape) + 1))
    noise = fft.rfftn(rng.standard_normal((n, *whole)), axes=axes) * gain
    fields = fft.irfftn(noise, s=whole, axes=axes)
    # The variance of the sum, by Parseval over the whole spectrum.
    square = np.square(fft.irfftn(gain, s=whole)).sum()
    return fields[(slice(None), *(slice(side) for side in shape))] / np.sqrt(square)


def euler(above: np.ndarray) -> np.ndarray:
    """Euler characteristic of each set of voxels (n, *shape), from its points, edges, faces and cubes."""
    total, parts = 0, [(above, 1)]
    for axis in range(1, above.ndim):
        low, high = [slice(None)] * above.ndim, [slice(None)] * above.ndim
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        parts += [(part[tuple(low)] & part[tuple(high)], -sign) for part, sign in parts]
    for part, sign in parts:
        total = total + sign * part.reshape(len(above), -1).sum(axis=1)
    return total


def field_of(family: Family, rng, shape, n: int, fwhm: float) -> np.ndarray:
    """Fields of a family, made of independent Gaussian ones."""

    def squares(k: float) -> np.ndarray:
        return sum(np.square(smooth(rng, shape, n, fwhm)) for _ in range(int(k)))

    if family.kind == "z":
        return smooth(rng, shape, n, fwhm)
    if family.kind == "t":
        return smooth(rng, shape, n, fwhm) / np.sqrt(squares(family.dof) / family.dof)
    if family.kind == "chi2":
        return squares(family.dof1)
    return squares(family.dof1) / family.dof1 / (squares(family.dof) / family.dof)


def test_euler_counts_one_ball_a_ring_and_a_shell():
    grid = np.indices((9, 9, 9)) - 4
    radius = np.sqrt((grid**2).sum(axis=0))
    ring = (np.abs(np.hypot(grid[0], grid[1]) - 3) < 0.8) & (np.abs(grid[2]) < 2)
    sets = np.array([radius < 3, np.abs(radius - 3) < 1, ring])
    np.testing.assert_array_equal(euler(sets), [1, 2, 0])


@pytest.mark.parametrize(
    ("family", "shape", "n"),
    [
        (Family("z"), (64, 48), 600),
        (Family("t", dof=8), (64, 48), 400),
        (Family("F", 2, 10), (64, 48), 300),
        (Family("chi2", 3), (64, 48), 300),
        (Family("z"), (28, 24, 20), 120),
        (Family("t", dof=8), (28, 24, 20), 40),
    ],
)
def test_the_mean_euler_characteristic_of_simulated_fields(family, shape, n):
    fwhm, rng = 9.0, np.random.default_rng(20)
    maps = field_of(family, rng, shape, n, fwhm)
    full = shape + (1,) * (3 - len(shape))
    resel = tuple(resels(count_lattice(np.argwhere(np.ones(full))), (fwhm, fwhm, fwhm)))
    for p in (0.2, 0.05, 0.01, 0.002):
        u = height_at(family, p)
        found = euler(maps >= u)
        logs = log_expected(family, resel, u)[0]
        # Four standard errors, and 3 % for what is missed between voxels at this smoothness.
        error = 4 * found.std() / np.sqrt(n) + 0.03 * np.exp(logs)
        assert abs(found.mean() - np.exp(logs)) < error, (family, p, found.mean(), np.exp(logs), error)


def test_maxima_of_simulated_fields_exceed_the_critical_height_as_often_as_they_should():
    family, shape, n, fwhm = Family("z"), (64, 48), 2000, 9.0
    rng = np.random.default_rng(3)
    maxima = np.concatenate([smooth(rng, shape, 250, fwhm).max(axis=(1, 2)) for _ in range(n // 250)])
    resel = resels(count_lattice(np.argwhere(np.ones((*shape, 1)))), (fwhm, fwhm, np.nan))
    field = PeakField(family, tuple(float(one) for one in resel))
    for p in (0.2, 0.05, 0.01):
        u = brentq(lambda v, p=p: log_peak_p(v, single(field, v), field, n=3072)[0] - np.log(p), 1, 6)
        found = np.mean(maxima >= u)
        # Four standard errors of a share; on the lattice maxima are a little lower than between voxels.
        error = 4 * np.sqrt(p * (1 - p) / n)
        assert p - error - 0.1 * p < found < p + error
