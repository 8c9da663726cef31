"""Averages of resels per voxel: beside sums written out."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from specgl.kernels.fields import average_near
from specgl.kernels.fields.averaging import REACH

RNG = np.random.default_rng(20261123)


@pytest.mark.parametrize(
    ("shape", "widths"),
    [((7, 6, 5), (1.5, 2.0, 1.2)), ((9, 8, 1), (2.0, 1.0, np.nan)), ((1, 1, 20), (np.nan,) * 2 + (3.0,))],
)
def test_it_is_the_weighted_mean_of_the_voxels_inside(shape, widths):
    mask = RNG.random(shape) < 0.8
    voxels = np.argwhere(mask) + 3
    density = RNG.uniform(0.01, 0.1, len(voxels))
    density[::7] = np.nan
    found = average_near(density, voxels, widths)
    known = np.isfinite(density)
    np.testing.assert_array_equal(np.isnan(found), ~known)
    sigma = REACH * np.nan_to_num(np.array(widths), nan=1e-9) / np.sqrt(8 * np.log(2))
    steps = (voxels[:, None, :] - voxels[known][None]) / np.maximum(sigma, 1e-9)
    weights = np.exp(-0.5 * (steps**2).sum(axis=2))
    slow = (weights @ density[known] / weights.sum(axis=1))[known]
    slow *= density[known].mean() / slow.mean()
    # The filter stops at four standard deviations, where a weight is 3e-4 of the first.
    assert_allclose(found[known], slow, rtol=2e-3)
    assert_allclose(found[known].mean(), density[known].mean(), rtol=1e-12)


def test_what_is_even_stays_even():
    voxels = np.argwhere(RNG.random((8, 8, 8)) < 0.5)
    density = np.full(len(voxels), 0.02)
    assert_allclose(average_near(density, voxels, (3.0, 4.0, 5.0)), density, rtol=1e-12)


def test_nothing_known_stays_unknown():
    assert np.isnan(
        average_near(np.full(4, np.nan), np.argwhere(np.ones((2, 2, 1))), (2.0, 2.0, np.nan))
    ).all()
