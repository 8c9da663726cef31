"""Smoothing and resampling within each image's own support."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from specgl.engines import Threads
from specgl.images import (
    Grid,
    ImageRef,
    MaskImage,
    MissingVoxels,
    Resample,
    Space,
    common_grid,
    load,
    read_headers,
)
from specgl.images.transforms import Smoother, resample, resample_nearest

AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3.0, 0, -40], [0, 0, 4.0, -20], [0, 0, 0, 1]])
RNG = np.random.default_rng(4)
supports = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=8))
# A float32 holds 7 digits and the sums run over some hundred terms.
RTOL = {np.float32: 1e-5, np.float64: 1e-12}


def file_order(volume: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(volume.transpose())


@settings(max_examples=50)
@given(support=supports, fwhm=st.floats(1, 20), dtype=st.sampled_from([np.float32, np.float64]))
def test_a_constant_stays_and_the_missing_stay_missing(support: np.ndarray, fwhm: float, dtype: type) -> None:
    smooth = Smoother(fwhm, Grid(support.shape, AFFINE))
    volume = file_order(np.where(support, dtype(3.7), dtype(np.nan)))
    for _ in range(2):  # the second time from what was remembered
        result = smooth(volume)
        assert result.dtype == dtype
        assert np.array_equal(np.isfinite(result), support.transpose())
        assert np.allclose(result[support.transpose()], 3.7, rtol=RTOL[dtype])


def test_on_a_full_box_far_from_the_edge_it_is_the_plain_gaussian() -> None:
    volume = RNG.normal(size=(30, 31, 32))
    smooth = Smoother(6.0, Grid(volume.shape, AFFINE))
    sigma = 6.0 / np.sqrt(8 * np.log(2)) / np.array([3, 3, 4])
    plain = ndimage.gaussian_filter(volume, sigma, truncate=4.0)
    middle = (slice(8, -8),) * 3
    assert np.allclose(smooth(file_order(volume)).transpose()[middle], plain[middle], rtol=1e-12)


def test_it_is_the_weighted_mean_over_the_support() -> None:
    shape = (5, 4, 6)
    support = RNG.random(shape) < 0.6
    values = RNG.normal(size=shape)
    result = Smoother(7.0, Grid(shape, AFFINE))(file_order(np.where(support, values, np.nan))).transpose()
    sigma = 7.0 / np.sqrt(8 * np.log(2)) / np.array([3, 3, 4])
    points = np.argwhere(support)
    apart = (points[:, None] - points[None]).astype(float)
    weight = np.exp(-0.5 * ((apart / sigma) ** 2).sum(axis=2))
    weight[(np.abs(apart) > (4 * sigma + 0.5).astype(int)).any(axis=2)] = 0
    expected = (weight @ values[support]) / weight.sum(axis=1)
    assert np.allclose(result[support], expected, rtol=1e-12)


def test_another_support_is_not_taken_for_the_last() -> None:
    smooth = Smoother(6.0, Grid((6, 6, 6), AFFINE))
    first, second = np.ones((6, 6, 6)), np.ones((6, 6, 6))
    first[0], second[5] = np.nan, np.nan
    for volume in (first, second, first):
        assert np.allclose(smooth(volume)[np.isfinite(volume)], 1, rtol=1e-12)


@settings(max_examples=30)
@given(support=supports, how=st.sampled_from(["linear", "nearest"]))
def test_resampling_onto_the_same_grid_changes_nothing(support: np.ndarray, how) -> None:
    volume = file_order(np.where(support, RNG.normal(size=support.shape), np.nan))
    shifted = AFFINE.copy()
    shifted[0, 3] += 1e-9  # rounding in an affine strips no layer
    result = resample(volume, Grid(support.shape, AFFINE), Grid(support.shape, shifted), how)
    assert np.array_equal(np.isfinite(result), np.isfinite(volume))
    assert np.allclose(result, volume, equal_nan=True, atol=1e-8)


def test_a_linear_ramp_is_kept_on_a_finer_and_turned_grid() -> None:
    source = Grid((12, 13, 11), AFFINE)
    turned = np.array([[0, -2.0, 0, 25], [1.5, 0, 0, -30], [0, 0, 2.0, -15], [0, 0, 0, 1]])
    target = Grid((14, 10, 12), turned)

    def ramp(grid: Grid) -> np.ndarray:
        space = Space.from_mask(np.ones(grid.shape, bool), grid)
        return space.to_volume(space.coordinates @ [0.3, -0.2, 0.7] + 5, fill=np.nan)

    result = resample(file_order(ramp(source)), source, target, "linear").transpose()
    assert np.isfinite(result).mean() > 0.9
    # Beyond the outermost centres, within half a voxel, the nearest values are continued.
    inner = np.isfinite(result)
    space = Space.from_mask(np.ones(target.shape, bool), target)
    voxel = np.linalg.inv(source.affine) @ np.c_[space.coordinates, np.ones(space.n_locations)].T
    last = np.array(source.shape)[:, None] - 1
    between = ((voxel[:3] >= 0) & (voxel[:3] <= last)).all(axis=0).reshape(target.shape)
    assert inner[between].all()
    assert np.allclose(result[between], ramp(target)[between], rtol=1e-10)


def test_a_missing_voxel_is_not_mixed_in() -> None:
    values = np.full((1, 1, 4), 2.0)
    values[0, 0, 1] = np.nan
    half = np.diag([0.5, 1, 1, 1.0])
    result = resample(values, Grid((4, 1, 1), np.eye(4)), Grid((7, 1, 1), half), "linear").ravel()
    # Halfway to the missing voxel just enough weight is left.
    assert np.array_equal(np.isfinite(result), [True, True, False, True, True, True, True])
    assert np.allclose(result[np.isfinite(result)], 2.0)


def test_masks_are_brought_by_the_nearest_voxel() -> None:
    bits = np.array([True, False, True])
    wide = np.diag([0.5, 1, 1, 1.0])
    wide[0, 3] = -0.25
    result = resample_nearest(bits, Grid((3, 1, 1), np.eye(4)), Grid((6, 1, 1), wide))
    assert result.tolist() == [True, True, False, False, True, True]


def test_images_are_resampled_and_smoothed_by_load(tmp_path: Path) -> None:
    fine = np.diag([1.5, 1.5, 2.0, 1.0])
    fine[:3, 3] = AFFINE[:3, 3] - [24, 0, 0]
    refs = {}
    for n in range(4):
        volume = RNG.normal(size=(9, 8, 7)).astype(np.float32) + 3
        nib.save(nib.Nifti1Image(volume, AFFINE), tmp_path / f"{n}.nii.gz")
        refs[f"s{n}"] = ImageRef(tmp_path / f"{n}.nii.gz")
    nib.save(nib.Nifti1Image(np.ones((16, 15, 12), np.uint8), fine), tmp_path / "mask.nii.gz")
    mask = MaskImage(ImageRef(tmp_path / "mask.nii.gz"))
    headers = read_headers(refs, Threads(1))
    grid = common_grid(headers, mask=mask, resample=Resample("mask")).grid
    assert grid.shape == (16, 15, 12)
    options = {"mask": mask, "resample": "linear", "smoothing_fwhm": 4.0, "missing": MissingVoxels()}
    one = load(refs, grid, engine=Threads(1), **options)
    two = load(refs, grid, engine=Threads(2), **options)
    assert one.data.equals(two.data)
    assert one.counts["analysed"] > 0.8 * 16 * 15 * 12
    assert one.data.effect.dtype == np.float32
    assert float(one.data.effect.mean()) == pytest.approx(3, abs=0.2)


@pytest.mark.parametrize("origin", [-90.3, -77.1, 12.6])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("zoom", [1.1, 2.3, 3.3])
def test_half_a_voxel_apart_keeps_the_outermost_layer(zoom: float, side: int, origin: float) -> None:
    """Headers round such affines, and the weight of that layer is a half up to rounding."""
    affine = np.diag([zoom, zoom, zoom, 1.0])
    affine[:3, 3] = origin
    apart = affine.copy()
    apart[0, 3] += side * zoom / 2
    target, source = (Grid((6, 6, 6), a.astype(np.float32).astype(np.float64)) for a in (affine, apart))
    for dtype in (np.float32, np.float64):
        volume = RNG.normal(size=(6, 6, 6)).astype(dtype)
        assert np.isfinite(resample(volume, source, target, "linear")).all()
