"""Smoothness of a fit's residuals: whatever the design, the scale, the missing values and the slabs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

import specgl.models.smoothness as module
from specgl.design.records import Block, Design
from specgl.engines import Threads
from specgl.errors import ComputationError
from specgl.images import Grid, Space
from specgl.kernels.fields import (
    NoiseMaker,
    ResidualSmoothness,
    average_near,
    find_beside,
    local_roughness,
)
from specgl.models import fit, residual_smoothness, residuals

Make = Callable[..., object]
SHAPE = (18, 20, 19)
FWHM = (3.0, 3.5, 4.0)


def space_of(mask: np.ndarray) -> Space:
    return Space.from_mask(mask, Grid(mask.shape, np.diag([2.0, 2.0, 2.0, 1.0])))


@pytest.fixture(scope="module")
def fields() -> np.ndarray:
    """Noise of a known width, (24, i, j, k)."""
    maker = NoiseMaker.of_box(SHAPE, FWHM)
    return np.stack([maker.field(4, k) for k in range(24)])


@pytest.fixture
def estimate(make_design: Make, make_data: Make) -> Callable[..., ResidualSmoothness]:
    """Smoothness of data (n_obs, n_loc) under a design of a matrix."""

    def run(
        y: np.ndarray,
        mask: np.ndarray,
        matrix: np.ndarray | None = None,
        *,
        groups: np.ndarray | None = None,
        threads: int = 1,
        **others: Mapping[str, Sequence[float]] | np.ndarray,
    ) -> ResidualSmoothness:
        matrix = np.ones((len(y), 1)) if matrix is None else matrix
        design: Design = make_design(matrix, **others)
        if groups is not None:
            labels = tuple(str(g) for g in np.unique(groups))
            design = dataclasses.replace(design, variance_groups=Block("scanner", groups, labels))
        data: xr.Dataset = make_data(y)
        engine = Threads(threads)
        return residual_smoothness(
            data, design, fit(data, design, engine=engine), space_of(mask), engine=engine
        )

    return run


@pytest.mark.parametrize("n", [8, 24])
def test_a_known_width_is_found(estimate: Make, fields: np.ndarray, n: int) -> None:
    mask = np.ones(SHAPE, dtype=bool)
    rng = np.random.default_rng(n)
    matrix = np.column_stack([np.ones(n), rng.standard_normal((n, 2))])
    found = estimate(fields[:n, mask], mask, matrix)
    assert found.dof == n - 3
    # 18 * 20 * 19 / 336 patches of independent roughness, each known from n - 3 residuals.
    assert_allclose(found.fwhm_voxels, FWHM, rtol=0.1 if n == 8 else 0.05)
    assert_allclose(found.rpv.mean(), 1 / np.prod(found.fwhm_voxels), rtol=1e-12)


def test_what_the_model_explains_and_the_scale_do_not_matter(estimate: Make, fields: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    mask = rng.random(SHAPE) < 0.8
    matrix = np.column_stack([np.ones(12), rng.standard_normal(12)])
    y = fields[:12, mask].astype(np.float64)
    first = estimate(y, mask, matrix)
    scaled = y * rng.uniform(0.01, 100, y.shape[1]) + matrix @ rng.standard_normal((2, y.shape[1]))
    second = estimate(scaled, mask, matrix)
    # Residuals are held in float32, and neighbours differ by a third of them.
    assert_allclose(second.fwhm_voxels, first.fwhm_voxels, rtol=1e-6)
    assert_allclose(second.rpv, first.rpv, rtol=1e-4)


@pytest.mark.parametrize("missing", [0.0, 0.04])
def test_slabs_and_threads_change_no_bit(
    estimate: Make, fields: np.ndarray, missing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(2)
    mask = rng.random(SHAPE) < 0.7
    mask[7] = False  # a gap of one plane
    y = np.where(rng.random((10, mask.sum())) < missing, np.nan, fields[:10, mask])
    whole = estimate(y, mask)
    for cells in (1, 6000):
        monkeypatch.setattr(module, "CELLS", cells)
        once, twice = (estimate(y, mask, threads=threads) for threads in (1, 3))
        assert once.fwhm_voxels == twice.fwhm_voxels
        assert_array_equal(once.rpv, twice.rpv)
        # Sums over observations may run in another order in products of another shape.
        assert_allclose(once.rpv, whole.rpv, rtol=1e-4)
        assert_allclose(once.fwhm_voxels, whole.fwhm_voxels, rtol=1e-6)


def test_it_is_what_residuals_tell(make_design: Make, make_data: Make, fields: np.ndarray) -> None:
    mask = np.random.default_rng(3).random(SHAPE) < 0.8
    rng = np.random.default_rng(4)
    design: Design = make_design(np.column_stack([np.ones(14), rng.standard_normal((14, 2))]))
    y = fields[:14, mask].astype(np.float64)
    order = rng.permutation(14)
    data: xr.Dataset = make_data(y).isel(observation=order)
    fitted = fit(data, design, engine=Threads(1))
    found = residual_smoothness(data, design, fitted, space_of(mask), engine=Threads(1))
    left = residuals(data, design, fitted, engine=Threads(1))
    beside = find_beside(np.argwhere(mask), np.ones(y.shape[1], dtype=bool))
    products = local_roughness(left.T, np.arange(y.shape[1]), beside.location)
    complete = np.isfinite(products).all(axis=(1, 2))
    roots = np.sqrt(np.linalg.det(products[complete]))
    # Up to one factor for all locations, and averaged over their surroundings; single precision once more.
    raw = np.ones(y.shape[1])
    raw[complete] = roots / roots.mean()
    averaged = average_near(raw, np.argwhere(mask), found.fwhm_voxels)
    assert_allclose(found.rpv / found.rpv.mean(), averaged / averaged.mean(), rtol=1e-4)


@pytest.mark.parametrize("how", ["scattered", "edges"])
def test_available_cases(estimate: Make, fields: np.ndarray, how: str) -> None:
    mask = np.ones(SHAPE, dtype=bool)
    y = fields[:, mask].copy()
    rng = np.random.default_rng(5)
    if how == "scattered":
        y[rng.random(y.shape) < 0.05] = np.nan
    else:  # the maps of some observations end early, as they do at the brain's edge
        ends = np.where(np.arange(24) < 10, rng.integers(12, 18, 24), 18)
        y[np.argwhere(mask)[:, 0] >= ends[:, None]] = np.nan
    found = estimate(y, mask)
    complete = estimate(fields[:, mask], mask)
    assert found.dof < complete.dof == 23
    # Two fits to different observations leave a little of their means' difference between neighbours.
    assert_allclose(found.fwhm_voxels, complete.fwhm_voxels, rtol=0.03)
    assert np.isfinite(found.rpv).all()


def test_scattered_values_of_a_small_group(estimate: Make, fields: np.ndarray) -> None:
    """Residuals of fits to different observations differ, however smooth the noise."""
    mask = np.ones(SHAPE, dtype=bool)
    rng = np.random.default_rng(6)
    matrix = np.column_stack([np.ones(9), rng.standard_normal((9, 2))])
    y = fields[:9, mask].copy()
    complete = estimate(y, mask, matrix)
    y[rng.random(y.shape) < 0.05] = np.nan
    found = estimate(y, mask, matrix)
    # Of two sets of voxels from the same noise; before like was compared with like it was 0.12.
    assert_allclose(found.fwhm_voxels, complete.fwhm_voxels, rtol=0.05)


def test_groups_with_variances_of_their_own(estimate: Make, fields: np.ndarray) -> None:
    mask = np.ones(SHAPE, dtype=bool)
    groups = np.repeat([0, 1], [14, 10])
    matrix = np.eye(2)[groups]
    y = fields[:, mask].astype(np.float64)
    found = estimate(y, mask, matrix, groups=groups)
    loud = estimate(np.where(groups[:, None] == 1, 50 * y, y), mask, matrix, groups=groups)
    assert found.dof == 22
    assert_allclose(loud.fwhm_voxels, found.fwhm_voxels, rtol=1e-6)
    assert_allclose(loud.rpv, found.rpv, rtol=1e-4)
    assert_allclose(found.fwhm_voxels, FWHM, rtol=0.05)
    # One variance for all would let the loud group speak alone.
    together = estimate(y, mask, matrix)
    assert_allclose(found.fwhm_voxels, together.fwhm_voxels, rtol=0.02)


def test_blocks(estimate: Make, fields: np.ndarray) -> None:
    mask = np.ones(SHAPE, dtype=bool)
    blocks = np.repeat(np.arange(12), 2)
    rng = np.random.default_rng(6)
    y = fields[:, mask] + 30 * rng.standard_normal((12, mask.sum()))[blocks]
    found = estimate(y, mask, np.tile([[0.0], [1.0]], (12, 1)), blocks=blocks)
    assert found.dof == 11
    assert_allclose(found.fwhm_voxels, FWHM, rtol=0.07)


def test_locations_without_variance_are_left_out(estimate: Make, fields: np.ndarray) -> None:
    mask = np.ones(SHAPE, dtype=bool)
    y = fields[:12, mask].copy()
    constant = np.random.default_rng(7).random(y.shape[1]) < 0.1
    y[:, constant] = 3.0
    found = estimate(y, mask)
    assert_array_equal(np.isnan(found.rpv), constant)
    assert_allclose(found.fwhm_voxels, FWHM, rtol=0.07)
    inside = mask.copy()
    inside[mask] = ~constant
    alone = estimate(fields[:12, inside], inside)
    assert_allclose(found.fwhm_voxels, alone.fwhm_voxels, rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 60, 70), (60, 1, 70), (60, 70, 1), (1, 4000, 1)])
def test_planes_and_lines(estimate: Make, shape: tuple[int, int, int]) -> None:
    maker = NoiseMaker.of_box(shape, FWHM)
    mask = np.ones(shape, dtype=bool)
    found = estimate(np.stack([maker.field(1, k)[mask] for k in range(16)]), mask)
    expected = np.where(np.array(shape) > 1, FWHM, np.nan)
    assert_allclose(found.fwhm_voxels, expected, rtol=0.06)


@pytest.mark.parametrize(
    ("n", "mask", "reason"),
    [
        (4, np.ones((4, 4, 4), dtype=bool), "3 residual degrees of freedom are too few for 3 axes"),
        (9, np.indices((4, 4, 4)).sum(axis=0) % 2 == 0, "no voxel has neighbours"),
        (9, np.ones((1, 1, 1), dtype=bool), "no voxel has neighbours"),
    ],
)
def test_what_cannot_be_told(estimate: Make, n: int, mask: np.ndarray, reason: str) -> None:
    y = np.random.default_rng(0).standard_normal((n, int(mask.sum())))
    with pytest.raises(ComputationError) as caught:
        estimate(y, mask)
    assert [finding.code for finding in caught.value.findings] == ["E433"]
    assert reason in caught.value.findings[0].message
