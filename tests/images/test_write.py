"""Maps as files: equal maps are equal bytes, and other programs read them."""

from __future__ import annotations

import gzip
from io import BytesIO
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from specgl.images import Grid, Space, data_digest, file_data_digest, open_map, write_map

AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3.0, 0, -40], [0, 0, 4.0, -20], [0, 0, 0, 1]])


def space_of(mask: np.ndarray, **grid: int) -> Space:
    return Space.from_mask(mask, Grid(mask.shape, AFFINE, **grid))


@settings(max_examples=40)
@given(
    mask=hnp.arrays(np.bool_, hnp.array_shapes(min_dims=3, max_dims=3, max_side=6)),
    n=st.none() | st.integers(1, 3),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_what_is_written_is_read_by_us_and_by_nibabel(
    tmp_path_factory: pytest.TempPathFactory, mask: np.ndarray, n: int | None, dtype
) -> None:
    space = space_of(mask)
    shape = (space.n_locations,) if n is None else (n, space.n_locations)
    values = np.random.default_rng(0).normal(size=shape).astype(dtype)
    path = tmp_path_factory.mktemp("w") / "sub-1_space-A_statmap.nii.gz"
    with path.open("wb") as file:
        digest = write_map(file, values, space, fill=np.nan, dtype=dtype)
    image = nib.load(path)
    read = image.get_fdata()
    stack = read if n is not None else read[..., None]
    for volume, row in zip(np.moveaxis(stack, 3, 0), np.atleast_2d(values), strict=True):
        assert np.array_equal(volume, space.to_volume(row.astype(float), fill=np.nan), equal_nan=True)
    grid, loader = open_map(path)
    ours = loader()
    assert ours.dtype == dtype
    assert grid.same_as(space.grid)
    assert grid.space == "A"
    if n is not None and n > 1:
        assert np.array_equal(np.moveaxis(ours, 0, 3), read, equal_nan=True)
    else:
        assert np.array_equal(ours, read.reshape(mask.shape), equal_nan=True)
    assert digest == file_data_digest(path) == data_digest(ours, image.affine)


def test_the_header_says_what_the_map_is(tmp_path: Path) -> None:
    space = space_of(np.ones((3, 4, 5), bool), qform_code=4, sform_code=1)
    for intent, code, parameters in [
        (("t", (28.0,)), "t test", (28.0,)),
        (("F", (2.0, 27.0)), "f test", (2.0, 27.0)),
        (("z", ()), "z score", ()),
        (("p", ()), "p value", ()),
        (("logp", ()), "log10 p value", ()),
        (("effect", ()), "estimate", ()),
    ]:
        with (tmp_path / "a.nii.gz").open("wb") as file:
            write_map(file, np.zeros(60), space, fill=0, intent=intent, description="d" * 100)
        header = nib.load(tmp_path / "a.nii.gz").header
        assert header.get_intent()[:2] == (code, parameters)
        assert (int(header["qform_code"]), int(header["sform_code"])) == (4, 1)
        assert header.get_xyzt_units()[0] == "mm"
        assert header["descrip"].item() == b"d" * 79
        assert np.allclose(header.get_qform(), AFFINE, atol=1e-5)
        assert np.array_equal(header.get_sform(), AFFINE)
    with pytest.raises(KeyError):
        write_map(BytesIO(), np.zeros(60), space, fill=0, intent=("tea", ()))
    with pytest.raises(ValueError, match="do not fit"):
        write_map(BytesIO(), np.zeros(59), space, fill=0)


def test_equal_maps_are_equal_bytes_without_time_or_name(tmp_path: Path) -> None:
    space = space_of(np.ones((3, 4, 5), bool))
    streams = [BytesIO(), (tmp_path / "b.nii.gz").open("w+b")]
    for stream in streams:
        write_map(stream, np.arange(60.0), space, fill=0)
        stream.seek(0)
    one, other = (stream.read() for stream in streams)
    streams[1].close()
    assert one == other
    assert one[3] == 0  # no name, no comment
    assert one[4:8] == bytes(4)  # no time
    assert len(gzip.decompress(one)) == 352 + 240


def test_the_digest_sees_voxels_and_affine_only(tmp_path: Path) -> None:
    mask = np.ones((3, 4, 5), bool)
    values = np.arange(60.0)
    plain = write_map(BytesIO(), values, space_of(mask), fill=0)
    assert plain == write_map(
        BytesIO(), values, space_of(mask), fill=0, intent=("z", ()), description="other"
    )
    moved = Space.from_mask(mask, Grid(mask.shape, AFFINE + np.eye(4)))
    assert plain != write_map(BytesIO(), values, moved, fill=0)
    assert plain != write_map(BytesIO(), values + 1, space_of(mask), fill=0)
    with (tmp_path / "m.nii.gz").open("wb") as file:
        mask_digest = write_map(file, np.ones(60), space_of(mask), fill=0, dtype="uint8")
    assert mask_digest == file_data_digest(tmp_path / "m.nii.gz")
    assert open_map(tmp_path / "m.nii.gz")[1]().dtype == np.float32


@pytest.mark.parametrize("codes", [(2, 0), (0, 0), (0, 2), (1, 4)])
def test_a_grid_comes_back_with_its_codes(codes: tuple[int, int]) -> None:
    turned = AFFINE.copy()
    turned[:3, :3] = [[2.9, 0.3, 0], [-0.3, 2.9, 0], [0, 0, 4]]
    if codes == (0, 0):  # what NIfTI says of a file that does not tell: zooms, x to the left, centre at 0
        turned = nib.Nifti1Image(np.ones((3, 4, 5)), None).header.get_base_affine()
    grid = Grid((3, 4, 5), turned, *codes)
    stream = BytesIO()
    write_map(stream, np.ones(60), Space.from_mask(np.ones(grid.shape, bool), grid), fill=0)
    header = nib.Nifti1Image.from_bytes(gzip.decompress(stream.getvalue())).header
    assert (int(header["qform_code"]), int(header["sform_code"])) == codes
    assert np.allclose(header.get_best_affine(), turned, atol=1e-5)
