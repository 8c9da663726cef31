"""Smooth noise: its variance, its autocorrelation, and whose random numbers it takes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from specgl.engines import Threads
from specgl.kernels.fields import NoiseMaker, smoothing_kernel


@pytest.mark.parametrize("fwhm", [0.3, 0.7, 1.0, 1.5, 2.0, 2.5, 4.0, 6.3, 15.0])
def test_the_kernel_gives_the_autocorrelation_of_a_gaussian_field(fwhm: float) -> None:
    kernel = smoothing_kernel(fwhm)
    found = np.correlate(kernel, kernel, mode="full")[kernel.size - 1 :]
    lags = np.arange(found.size)
    # What is cut off is below 1e-4 of the peak, at each end, and beside it stands as little.
    assert_allclose(found, np.exp(-2 * np.log(2) * (lags / fwhm) ** 2), atol=3e-4)
    assert_allclose(found[0], 1, rtol=1e-14)
    assert_allclose(kernel, kernel[::-1], rtol=1e-12)
    # The roughness of neighbours, from which smoothness is read: 1 - rho to a part in two thousand.
    expected = 1 - np.exp(-2 * np.log(2) / fwhm**2)
    assert_allclose(1 - found[1] if kernel.size > 1 else 1.0, expected, rtol=5e-4)


def test_wide_kernels_are_gaussian() -> None:
    kernel = smoothing_kernel(4.0)
    lags = np.arange(kernel.size) - kernel.size // 2
    gauss = np.exp(-4 * np.log(2) * (lags / 4.0) ** 2)
    assert_allclose(
        kernel, gauss / np.linalg.norm(gauss), atol=1e-6
    )  # roots of a spectrum that ends in rounding


def test_a_field_is_white_noise_convolved() -> None:
    shape, fwhm = (5, 6, 4), (2.0, 3.0, 1.2)
    maker = NoiseMaker.of_box(shape, fwhm)
    bits = np.random.Philox(key=np.array([7, 3], dtype=np.uint64))
    white = np.random.Generator(bits).standard_normal(maker.drawn, dtype=np.float32).astype(float)
    for axis, width in enumerate(fwhm):
        kernel = smoothing_kernel(width)
        white = np.apply_along_axis(np.convolve, axis, white, kernel, mode="valid")
    found = maker.field(7, 3)
    assert found.shape == shape
    assert found.dtype == np.float32
    assert_allclose(found, white, atol=3e-6)  # sums of some thirty float32 products


def test_the_variance_is_one_everywhere_and_no_edge_wraps() -> None:
    shape = (3, 12, 5)  # thinner than the kernel, and not
    maker = NoiseMaker.of_box(shape, (4.0, 4.0, 6.0))
    for smoother in maker.smoothers:
        assert smoother is not None
        assert_allclose((smoother**2).sum(axis=1), 1, rtol=1e-6)
    n = 2500
    fields = np.stack([maker.field(1, k) for k in range(n)])
    assert_allclose(fields.mean(axis=0), 0, atol=5 / np.sqrt(n))
    assert_allclose(fields.var(axis=0), 1, atol=5 * np.sqrt(2 / n))
    for axis, width in enumerate((4.0, 4.0, 6.0)):
        first, last = fields.take(0, axis + 1), fields.take(shape[axis] - 1, axis + 1)
        lag = shape[axis] - 1
        expected = np.exp(-2 * np.log(2) * (lag / width) ** 2)
        # Averaged over a face; the error of one correlation of n values is an upper bound.
        assert_allclose((first * last).mean(), expected, atol=4 / np.sqrt(n))


def test_autocorrelation_along_every_axis() -> None:
    fwhm = (2.5, 3.0, 5.0)
    maker = NoiseMaker.of_box((40, 40, 40), fwhm)
    fields = np.stack([maker.field(2, k) for k in range(6)])
    for axis, width in enumerate(fwhm):
        moved = np.moveaxis(fields, axis + 1, 0)
        for lag in (1, 2, 3):
            found = (moved[lag:] * moved[:-lag]).mean()
            # 6 * 40^3 / (2.5 * 3 * 5 * 3.3) independent values.
            assert_allclose(found, np.exp(-2 * np.log(2) * (lag / width) ** 2), atol=0.06)


def test_numbers_depend_on_seed_and_number_alone() -> None:
    maker = NoiseMaker.of_box((8, 9, 7), (3.0, 3.0, 3.0))
    keys = [(seed, k) for seed in (0, 1, 2**64 - 1) for k in range(4)]
    forth = Threads(1).map(lambda key: maker.field(*key), keys)
    back = Threads(3).map(lambda key: maker.field(*key), keys[::-1])[::-1]
    for one, other in zip(forth, back, strict=True):
        assert_array_equal(one, other)
    assert len({one.tobytes() for one in forth}) == len(keys)
    correlations = np.corrcoef([one.ravel() for one in forth])[np.triu_indices(len(keys), 1)]
    assert np.abs(correlations).max() < 0.6  # 504 voxels of some 20 independent values


def test_an_axis_of_one_voxel_is_not_smoothed() -> None:
    maker = NoiseMaker.of_box((1, 30, 30), (np.nan, 3.0, 3.0))
    assert maker.smoothers[0] is None
    assert maker.drawn[0] == 1
    assert maker.field(0, 0).shape == (1, 30, 30)
    assert NoiseMaker.of_box((1, 1, 1), (np.nan,) * 3).field(0, 0).shape == (1, 1, 1)


@pytest.mark.parametrize("fwhm", [0.0, -1.0, np.nan, np.inf])
def test_widths_are_positive_numbers(fwhm: float) -> None:
    with pytest.raises(ValueError, match="not a positive number"):
        NoiseMaker.of_box((4, 4, 4), (3.0, fwhm, 3.0))
