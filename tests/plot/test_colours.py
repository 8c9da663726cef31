"""Colour tables hold what they promise: even lightness, symmetry, and differences that every eye sees."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from specgl.errors import UsageError
from specgl.plot.colours import NAMES, lightness_of, lut

Floats = NDArray[np.float64]

ROUNDING = 0.35
"""Lightness by which a colour of bytes misses the one that was meant: the best of eight corners is taken."""


def _linear(rgb: NDArray[np.uint8]) -> Floats:
    curved = rgb / 255.0
    return np.where(curved <= 0.04045, curved / 12.92, ((curved + 0.055) / 1.055) ** 2.4)


def _lab(linear: Floats) -> Floats:
    """CIELAB of linear sRGB, written down apart from the module's own."""
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    ratio = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


# Machado, Oliveira and Fernandes 2009, doi:10.1109/TVCG.2009.113, severity 1.
EYES = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


@pytest.mark.parametrize("name", ["positive", "negative", "sequential", "grey"])
@pytest.mark.parametrize("n", [8, 64, 256])
def test_lightness_rises_by_equal_steps(name: str, n: int) -> None:
    lightness = lightness_of(lut(name, n))
    ideal = np.linspace(lightness[0], lightness[-1], n)
    assert np.abs(lightness - ideal).max() < ROUNDING
    assert (np.diff(lightness) >= 0).all()


@pytest.mark.parametrize("n", [9, 64, 255])
def test_lightness_falls_from_the_middle_of_a_diverging_table(n: int) -> None:
    lightness = lightness_of(lut("diverging", n))
    assert (np.diff(lightness[: n // 2]) > 0).all()
    assert (np.diff(lightness[-(n // 2) :]) < 0).all()
    assert np.abs(lightness - lightness[::-1]).max() < 2 * ROUNDING


@pytest.mark.parametrize("n", [2, 16, 256])
def test_equal_magnitudes_are_equally_light(n: int) -> None:
    signed = lut("signed", n)
    assert np.abs(lightness_of(signed) - lightness_of(signed[::-1])).max() < 2 * ROUNDING
    assert np.array_equal(signed[n // 2 :], lut("positive", n // 2) if n > 2 else lut("positive", 2)[:1])
    assert np.array_equal(
        signed[: n // 2][::-1], lut("negative", n // 2) if n > 2 else lut("negative", 2)[:1]
    )


@pytest.mark.parametrize("eye", EYES)
def test_signs_stay_apart_for_every_eye(eye: str) -> None:
    """A difference of 2 in CIELAB can be seen; 25 is told apart from afar."""
    seen = {name: _lab(np.clip(_linear(lut(name)) @ EYES[eye].T, 0, 1)) for name in ("positive", "negative")}
    assert np.linalg.norm(seen["positive"] - seen["negative"], axis=1).min() > 25


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("name", ["positive", "negative", "sequential", "grey"])
def test_the_order_of_colours_stays_for_every_eye(name: str, eye: str) -> None:
    seen = _lab(np.clip(_linear(lut(name, 16)) @ EYES[eye].T, 0, 1))
    assert (np.diff(seen[:, 0]) > 0).all()


@pytest.mark.parametrize("name", ["positive", "negative"])
def test_colours_stand_out_on_grey_and_on_white(name: str) -> None:
    seen = _lab(_linear(lut(name)))
    white = np.array([100.0, 0, 0])
    chroma = np.linalg.norm(seen[:, 1:], axis=1)  # greys have none
    assert chroma.min() > 35
    assert np.linalg.norm(seen - white, axis=1).min() > 35


@pytest.mark.parametrize("name", NAMES)
def test_tables_are_bytes_and_nobody_shares_them(name: str) -> None:
    table = lut(name, 17)
    assert table.shape == (17, 3)
    assert table.dtype == np.uint8
    table[:] = 0
    assert lut(name, 17).any()


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(UsageError, match="there is no colour table 'jet'"):
        lut("jet")
    with pytest.raises(UsageError, match="at least 2"):
        lut("grey", 1)
