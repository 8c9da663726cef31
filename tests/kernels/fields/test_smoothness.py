"""Smoothness from residuals: widths that are known, small cases by hand, and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from specgl.kernels.fields import (
    NoiseMaker,
    ResidualSmoothness,
    find_beside,
    local_roughness,
    settle_smoothness,
)
from specgl.kernels.fields.smoothness import LEAST, correlation_behind, expected_root, mean_cosine

SEEDS = st.integers(0, 2**32 - 1)


def voxels_of(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask)


def noise(mask: np.ndarray, fwhm: tuple[float, float, float], nu: int, seed: int = 0) -> np.ndarray:
    """Residuals (n_loc, nu): of `nu` free dimensions, so that no design is needed."""
    maker = NoiseMaker.of_box(mask.shape, fwhm)
    return np.stack([maker.field(seed, k)[mask] for k in range(nu)], axis=1)


def smoothness(
    mask: np.ndarray, residuals: np.ndarray, dof: np.ndarray | None = None, share: np.ndarray | None = None
) -> ResidualSmoothness:
    every = np.ones(len(residuals), dtype=bool)
    beside = find_beside(voxels_of(mask), every)
    products = local_roughness(residuals, np.arange(len(residuals)), beside.location)
    dof = np.array([[float(residuals.shape[1])]]) if dof is None else dof
    return settle_smoothness(products, beside, every, dof, np.ones(1) if share is None else share)


@pytest.mark.parametrize("nu", [5, 8, 30])
@pytest.mark.parametrize("fwhm", [(2.5, 2.5, 2.5), (3.0, 4.0, 5.0), (6.0, 5.0, 6.0), (1.5, 1.5, 2.0)])
def test_a_known_width_is_found(fwhm: tuple[float, float, float], nu: int) -> None:
    mask = np.ones((20, 20, 20), dtype=bool)
    found = smoothness(mask, noise(mask, fwhm, nu))
    # The box holds some 20^3 nu / prod(2 fwhm) independent values of roughness. A factor (nu - 2) / (nu - 1)
    # under the determinant's root, or none for the lattice, would be off by 3 to 14 per cent.
    many = 20**3 * nu / np.prod(2 * np.array(fwhm))
    assert_allclose(found.fwhm_voxels, fwhm, rtol=0.01 + 2 / np.sqrt(many))
    volume = np.prod(found.fwhm_voxels) ** (1 / 3)
    assert_allclose(volume, np.prod(fwhm) ** (1 / 3), rtol=0.006 + 1.5 / np.sqrt(many))
    assert found.dof == nu


@pytest.mark.parametrize("fwhm", [2.5, 3.5])
def test_few_degrees_of_freedom_do_not_bias_the_width(fwhm: float) -> None:
    mask = np.ones((20, 20, 20), dtype=bool)
    several = [smoothness(mask, noise(mask, (fwhm,) * 3, 8, seed)) for seed in range(10)]
    widths = np.array([one.fwhm_voxels for one in several]) / fwhm
    error = widths.std(axis=0, ddof=1).max() / np.sqrt(len(several))
    assert error < 0.007  # 2 per cent of bias would be seen
    assert_allclose(widths.mean(axis=0), 1, atol=3 * error + 0.002)


@pytest.mark.parametrize(
    ("shape", "fwhm"),
    [
        ((120, 1, 120), (3.0, np.nan, 4.0)),
        ((1, 120, 120), (np.nan, 3.0, 4.0)),
        ((1, 1, 6000), (np.nan, np.nan, 3.5)),
        ((6000, 1, 1), (3.5, np.nan, np.nan)),
    ],
)
def test_planes_and_lines(shape: tuple[int, int, int], fwhm: tuple[float, float, float]) -> None:
    mask = np.ones(shape, dtype=bool)
    found = smoothness(mask, noise(mask, fwhm, 12))
    # 12 * 14400 / 48 or 12 * 6000 / 7 independent values: one per cent.
    assert_allclose(found.fwhm_voxels, fwhm, rtol=0.04)
    assert_allclose(np.nanmean(found.rpv), np.prod(1 / np.array(found.fwhm_voxels)[np.array(shape) > 1]))


def test_mean_resels_are_the_product_of_widths_and_every_location_has_some() -> None:
    rng = np.random.default_rng(2)
    mask = rng.random((18, 18, 18)) < 0.85  # ragged: many voxels lack a neighbour, some along both directions
    found = smoothness(mask, noise(mask, (3.0, 4.0, 3.5), 15))
    assert np.isfinite(found.rpv).all()
    assert_allclose(found.rpv.mean(), 1 / np.prod(found.fwhm_voxels), rtol=1e-12)
    assert_allclose(found.fwhm_voxels, (3.0, 4.0, 3.5), rtol=0.06)  # some 250 independent values


def test_resels_follow_the_noise_where_it_is_not_stationary() -> None:
    shape = (20, 20, 40)
    rough, smooth = (NoiseMaker.of_box(shape, (w,) * 3) for w in (2.5, 5.0))
    left = np.indices(shape)[2] < 20
    fields = [np.where(left, rough.field(1, k), smooth.field(1, k)).ravel() for k in range(20)]
    mask = np.ones(shape, dtype=bool)
    found = smoothness(mask, np.stack(fields, axis=1)).rpv.reshape(shape)
    # The lattice's factor is the whole map's: too small by 6 per cent where it is rough, too large elsewhere.
    assert_allclose(found[..., :18].mean(), 1 / 2.5**3, rtol=0.1)
    assert_allclose(found[..., 22:].mean(), 1 / 5.0**3, rtol=0.2)


@given(SEEDS)
@settings(max_examples=5)
def test_the_scale_and_the_sign_of_a_location_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((5, 4, 6)) < 0.9
    residuals = noise(mask, (2.0, 2.5, 3.0), 9, seed).astype(np.float64)
    first = smoothness(mask, residuals)
    scaled = smoothness(mask, residuals * rng.uniform(0.01, 100, len(residuals))[:, None])
    assert_allclose(scaled.rpv, first.rpv, rtol=1e-10)
    assert_allclose(scaled.fwhm_voxels, first.fwhm_voxels, rtol=1e-10)
    turned = smoothness(mask, residuals * np.where(rng.random(9) < 0.5, 1, -1)[rng.permutation(9)])
    assert_allclose(turned.rpv, first.rpv, rtol=1e-10)


@given(SEEDS)
@settings(max_examples=40)
def test_neighbours_by_looking_for_each(seed: int) -> None:
    rng = np.random.default_rng(seed)
    voxels = voxels_of(rng.random(rng.integers(1, 5, 3)) < 0.7) + rng.integers(0, 9, 3)
    usable = rng.random(len(voxels)) < 0.8
    found = find_beside(voxels, usable)
    at = {tuple(voxel): i for i, voxel in enumerate(voxels.tolist()) if usable[i]}
    spans = np.ptp(voxels[usable], axis=0) if usable.any() else np.zeros(3)
    assert found.axes == tuple(np.flatnonzero(spans > 0))
    for i, voxel in enumerate(voxels):
        for column, axis in enumerate(found.axes):
            step = np.eye(3, dtype=int)[axis]
            following, previous = at.get(tuple(voxel + step), -1), at.get(tuple(voxel - step), -1)
            expected = (following if following >= 0 else previous) if usable[i] else -1
            assert found.location[i, column] == expected
            assert found.forward[i, column] == (usable[i] and following >= 0)


@given(SEEDS)
@settings(max_examples=20)
def test_local_roughness_by_hand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    residuals = rng.standard_normal((6, 9))
    residuals[rng.random(residuals.shape) < 0.15] = np.nan
    beside = np.array([[1, 2], [0, -1], [3, 5], [4, 2], [3, 0], [-1, -1]])
    found = local_roughness(residuals, np.arange(6), beside)
    for i, others in enumerate(beside):
        steps = []
        for other in others:
            both = np.isfinite(residuals[i]) & np.isfinite(residuals[other])
            step = np.zeros(9)
            own, its = residuals[i, both], residuals[other, both]
            step[both] = its / np.linalg.norm(its) - own / np.linalg.norm(own)
            steps.append(step if other >= 0 else np.full(9, np.nan))
        assert_allclose(found[i], np.array(steps) @ np.array(steps).T, rtol=1e-12, atol=1e-14)


def test_locations_without_a_common_observation_are_not_compared() -> None:
    residuals = np.array([[1.0, 2.0, np.nan, np.nan], [np.nan, np.nan, 1.0, 3.0]])
    assert np.isnan(local_roughness(residuals, np.arange(2), np.array([[1], [0]]))).all()


@pytest.mark.parametrize("nu", [1, 2, 5, 30])
@pytest.mark.parametrize("rho", [0.1, 0.6, 0.95])
def test_the_mean_cosine_is_that_of_correlated_vectors(rho: float, nu: int) -> None:
    rng = np.random.default_rng(nu)
    a, b = rng.standard_normal((2, 60_000, nu))
    b = rho * a + np.sqrt(1 - rho**2) * b
    cosines = np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    error = cosines.std() / np.sqrt(len(cosines))
    assert_allclose(mean_cosine(rho, float(nu)), cosines.mean(), atol=5 * error)


def test_the_mean_cosine_in_closed_form() -> None:
    rho = np.linspace(0, 0.99, 12)
    assert_allclose([mean_cosine(one, 1.0) for one in rho], 2 / np.pi * np.arcsin(rho), rtol=1e-12)
    large = 1e5  # the first two terms of the series in 1 / nu
    expected = rho * (1 - (1 - rho**2) / (2 * large))
    assert_allclose([mean_cosine(one, large) for one in rho], expected, rtol=1e-9)
    below, above = mean_cosine(0.97, 100.0), mean_cosine(0.97, 100.0 + 1e-9)  # two ways of summing
    assert_allclose(above, below, rtol=1e-12)
    # The limit of smooth noise is the factor that gradients are known to have.
    assert_allclose((1 - mean_cosine(1 - 1e-7, 8.0)) / 1e-7, 7 / 6, rtol=1e-5)


@given(st.floats(0.02, 0.999), st.lists(st.floats(1, 200), min_size=1, max_size=4))
def test_the_correlation_behind_a_cosine(rho: float, dof: list[float]) -> None:
    nu = np.array(dof)
    share = np.full(nu.size, 1 / nu.size)
    cosine = float(share @ mean_cosine(rho, nu))
    assert_allclose(correlation_behind(cosine, nu, share), rho, rtol=1e-9)


def test_neighbours_that_do_not_correlate() -> None:
    assert correlation_behind(-0.2, np.array([9.0]), np.ones(1)) == LEAST
    assert 1 - correlation_behind(1.0, np.array([9.0]), np.ones(1)) < 1e-11
    mask = np.ones((9, 9, 9), dtype=bool)
    found = smoothness(mask, np.random.default_rng(0).standard_normal((729, 10)))
    assert max(found.fwhm_voxels) < 1.0


@pytest.mark.parametrize("groups", [(4,), (12,), (3,), (9, 5), (3, 3, 7)])
@pytest.mark.parametrize("rho", [(0.9,), (0.8, 0.9), (0.9, 0.95, 0.8)])
def test_the_expected_root_is_that_of_correlated_vectors(
    rho: tuple[float, ...], groups: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(5)
    n, size = 60_000, len(rho) + 1
    correlations = np.outer((1, *rho), (1, *rho))
    np.fill_diagonal(correlations, 1)
    products = np.zeros((n, size - 1, size - 1))
    for nu in groups:
        vectors = np.linalg.cholesky(correlations) @ rng.standard_normal((n, size, nu))
        vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
        steps = vectors[:, 1:] - vectors[:, :1]
        products += nu / sum(groups) * steps @ np.swapaxes(steps, 1, 2)
    roots = np.sqrt(np.maximum(np.linalg.det(products), 0))
    error = roots.std() / np.sqrt(n)
    assert_allclose(expected_root(np.array(rho), np.array(groups, dtype=float)), roots.mean(), atol=6 * error)


def test_groups_that_are_scaled_by_themselves() -> None:
    mask = np.ones((24, 24, 24), dtype=bool)
    residuals = noise(mask, (3.0, 4.0, 5.0), 18)
    for part in (slice(0, 7), slice(7, 18)):
        own = residuals[:, part]
        own *= np.sqrt(own.shape[1]) / np.linalg.norm(own, axis=1, keepdims=True)
    found = smoothness(mask, residuals, np.array([[7.0, 11.0]]))
    assert_allclose(found.fwhm_voxels, (3, 4, 5), rtol=0.03)  # 500 independent values
    assert found.dof == 18
    # As one group they would seem rougher than they are.
    one = smoothness(mask, residuals)
    assert np.prod(one.fwhm_voxels) < 0.97 * np.prod(found.fwhm_voxels)


@pytest.mark.parametrize(
    "mask",
    [
        np.indices((4, 4, 4)).sum(axis=0) % 2 == 0,
        np.ones((1, 1, 1), dtype=bool),
        np.eye(4, dtype=bool)[None],
        (np.indices((5, 5, 5)) == 2).sum(axis=0) >= 2,  # a cross, whose arms have neighbours along one axis
    ],
)
def test_voxels_without_neighbours_tell_nothing(mask: np.ndarray) -> None:
    residuals = np.random.default_rng(0).standard_normal((int(mask.sum()), 9))
    if mask.shape == (5, 5, 5):  # but its centre has all, which is enough to tell
        assert_allclose(np.unique(smoothness(mask, residuals).rpv).size, 1)
        return
    with pytest.raises(ValueError, match="no voxel has neighbours"):
        smoothness(mask, residuals)


def test_no_more_degrees_of_freedom_than_axes_tell_nothing() -> None:
    mask = np.ones((5, 5, 5), dtype=bool)
    residuals = np.repeat(np.random.default_rng(0).standard_normal((125, 1)), 2, axis=1)
    with pytest.raises(ValueError, match="too few degrees of freedom"):
        smoothness(mask, residuals)


def test_locations_without_a_statistic_have_no_resels() -> None:
    mask = np.ones((8, 8, 8), dtype=bool)
    residuals = noise(mask, (3.0,) * 3, 10)
    tested = np.random.default_rng(0).random(512) < 0.9
    residuals[~tested] = 0.0
    beside = find_beside(voxels_of(mask), tested)
    products = local_roughness(residuals, np.arange(512), beside.location)
    found = settle_smoothness(products, beside, tested, np.array([[10.0]]), np.ones(1))
    assert_array_equal(np.isfinite(found.rpv), tested)
