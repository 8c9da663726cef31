"""Volumes as bytes: read back by nibabel, or by another way of saying the same."""

from __future__ import annotations

import gzip

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from specgl.reporting.viewer.volumes import compress, nifti, pack, pack_bits, quantise

AFFINES = [
    np.diag([2.0, 2.0, 2.0, 1.0]),
    np.array([[-3.4375, 0, 0, 79.0625], [0, 3.4375, 0, -113.4375], [0, 0, 4.5, -49.5], [0, 0, 0, 1]]),
    np.array([[0, 0.5, 2.0, -9], [1.9, 0.1, 0, 4], [0.2, -2.1, 0.4, 1], [0, 0, 0, 1]]),
]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("affine", AFFINES)
def test_nibabel_reads_what_was_written(dtype: str, affine: np.ndarray) -> None:
    values = np.random.default_rng(0).uniform(0, 200, (3, 4, 5)).astype(dtype)

    read = nib.Nifti1Image.from_bytes(nifti(values, affine, calibration=(1, 250)))

    np.testing.assert_array_equal(np.asarray(read.dataobj), values)
    assert read.get_data_dtype() == np.dtype(dtype)
    np.testing.assert_allclose(read.affine, affine, rtol=1e-6)  # the header has float32
    np.testing.assert_allclose(read.header.get_zooms(), np.linalg.norm(affine[:3, :3], axis=0), rtol=1e-6)
    assert (read.header["cal_min"], read.header["cal_max"]) == (1, 250)
    assert read.header.get_xyzt_units()[0] == "mm"


def test_one_slice_is_a_volume() -> None:
    values = np.arange(12, dtype=np.int16).reshape(3, 1, 4)
    assert nib.Nifti1Image.from_bytes(nifti(values, np.eye(4))).shape == (3, 1, 4)


@pytest.mark.parametrize("values", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 2), np.float64)])
def test_other_volumes_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="is not written"):
        nifti(values, np.eye(4))


FLOATS = hnp.arrays(np.float32, st.integers(1, 40), elements=st.floats(-1e6, 1e6, width=32))


@given(FLOATS, st.sampled_from([16, 14, 12, 10, 8]))
def test_no_value_is_further_than_half_a_step(values: np.ndarray, bits: int) -> None:
    made = quantise(values, bits)

    back = made.codes.astype(np.float64) * made.step
    # Half a step, and the rounding of the division and the product.
    assert np.abs(back - values).max() <= made.step * (0.5 + 1e-9)
    assert np.abs(made.codes).max() <= 2 ** (bits - 1) - 1
    assert made.step <= max(np.abs(values).max(), 1e-30) / (2 ** (bits - 1) - 1) or not values.any()


def test_no_value_is_kept_apart_and_infinity_is_the_largest() -> None:
    made = quantise(np.array([np.nan, 2.0, np.inf, -np.inf, 0.0]), 8)

    assert made.codes.tolist() == [-128, 127, 127, -127, 0]
    assert made.missing == -128


@pytest.mark.parametrize("values", [[0.0, 0.0], [np.nan], [], [5e-324]])
def test_nothing_to_round_gives_zeros(values: list[float]) -> None:
    made = quantise(np.array(values), 16)

    assert made.step == 1
    assert set(made.codes.tolist()) <= {0, made.missing}


def unpacked(packed: bytes, inside: np.ndarray) -> np.ndarray:
    """Codes of the voxels inside, said one by one with whole numbers."""
    held = gzip.decompress(packed)
    n = len(held) // 2
    codes: dict[tuple[int, ...], int] = {}
    made = []
    for number, (k, j, i) in enumerate(np.argwhere(inside.transpose())):
        folded = held[number] + 256 * held[n + number]
        difference = folded // 2 if folded % 2 == 0 else -(folded + 1) // 2
        before, beside, across = (
            codes.get(at, 0) for at in ((i - 1, j, k), (i, j - 1, k), (i - 1, j - 1, k))
        )
        code = (before + beside - across + difference + 2**15) % 2**16 - 2**15
        codes[i, j, k] = code
        made.append(code)
    return np.array(made, dtype=np.int16)


@given(st.data())
def test_packed_codes_come_back(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(*[st.integers(1, 4)] * 3))
    inside = data.draw(hnp.arrays(bool, shape))
    codes = data.draw(hnp.arrays(np.int16, int(inside.sum())))

    np.testing.assert_array_equal(unpacked(pack(codes, inside), inside), codes)


def test_smooth_maps_become_small() -> None:
    """The reason for it all: less than gzip of the same numbers."""
    where = np.indices((24, 24, 24)).astype(float)
    inside = ((where - 11.5) ** 2).sum(0) < 130
    values = np.sin(where[0] / 3) + np.cos(where[1] / 4) * where[2] / 24
    codes = quantise(values.T[inside.T], 12).codes

    assert len(pack(codes, inside)) < 0.8 * len(gzip.compress(codes.tobytes(), 9))


@given(hnp.arrays(bool, st.integers(0, 40)))
def test_flags_stand_eight_a_byte(flags: np.ndarray) -> None:
    held = gzip.decompress(pack_bits(flags))

    assert [bool(held[at // 8] >> (at % 8) & 1) for at in range(flags.size)] == flags.tolist()


def test_the_same_bytes_give_the_same_bytes() -> None:
    assert compress(b"abc" * 100) == compress(b"abc" * 100)
    assert compress(b"")[4:8] == b"\0" * 4, "no time stands in it"
