"""Headers are judged before any voxel is read, and every fault is told at once."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from specgl.engines import Threads
from specgl.errors import ImageError
from specgl.images import (
    ImageRef,
    MaskImage,
    Resample,
    common_grid,
    load,
    read_header,
    read_headers,
)

AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3.0, 0, -40], [0, 0, 4.0, -20], [0, 0, 0, 1]])
DATA = np.random.default_rng(1).normal(size=(5, 6, 7)).astype(np.float32)


def codes(error: ImageError) -> list[str]:
    return [finding.code for finding in error.findings]


def code_of(path: Path, name: str = "x.nii") -> str:
    with pytest.raises(ImageError) as caught:
        read_header(ImageRef(path, name=name))
    (finding,) = caught.value.findings
    assert name in finding.message
    return finding.code


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8, np.int32])
def test_a_header_says_what_nibabel_says(save, name: str, kind: type, dtype: type) -> None:
    ref = save(name, (DATA * 10).astype(dtype), kind=kind)
    header = read_header(ref)
    image = nib.load(ref.path)
    assert header.grid.shape == image.shape
    assert np.array_equal(header.grid.affine, image.affine)
    assert header.dtype == image.get_data_dtype()
    assert header.compressed == name.endswith("gz")
    assert (header.grid.qform_code, header.grid.sform_code) == (2, 2)
    assert header.held_dtype == (np.float32 if np.can_cast(dtype, np.float32) else np.float64)


def test_big_endian_and_scaled_files_are_read(tmp_path: Path) -> None:
    header = nib.Nifti1Header(endianness=">")
    image = nib.Nifti1Image((DATA * 100).astype(np.int16), AFFINE, header)
    image.header.set_data_dtype(np.int16)
    image.header.set_slope_inter(0.5, 3)
    nib.save(image, tmp_path / "b.nii")
    read = read_header(ImageRef(tmp_path / "b.nii"))
    assert (read.slope, read.inter, read.held_dtype) == (0.5, 3.0, np.float64)
    refs = {"a": ImageRef(tmp_path / "b.nii"), "b": ImageRef(tmp_path / "b.nii")}
    refs["b"] = ImageRef(tmp_path / "c.nii")
    nib.save(nib.Nifti1Image(DATA, AFFINE), tmp_path / "c.nii")
    loaded = load(refs, read.grid, engine=Threads(2))
    truth = nib.load(tmp_path / "b.nii").get_fdata()
    assert loaded.data.effect.dtype == np.float64
    assert np.array_equal(loaded.data.effect[0], loaded.space.from_volume(truth))


def test_what_is_no_image_is_told_apart(tmp_path: Path, save) -> None:
    path = tmp_path / "x.nii"
    assert code_of(path) == "E309"
    for content, code in [
        (b"", "E310"),
        (b"participant_id\tage\n" * 40, "E310"),
        (b"../.git/annex/objects/XX", "E310"),
        (bytes(range(256)) * 4, "E310"),
        (struct.pack("<i", 348) + bytes(100), "E311"),
        (gzip.compress(b"just some text " * 50), "E310"),
        (b"\x1f\x8b" + b"nonsense" * 20, "E311"),
    ]:
        path.write_bytes(content)
        assert code_of(path) == code, content[:30]
    nib.save(nib.Nifti1Pair(DATA, AFFINE), tmp_path / "pair.img")
    assert code_of(tmp_path / "pair.hdr") == "E310"
    text = tmp_path / "t.nii"
    text.write_text("a table\n" * 100)
    with pytest.raises(ImageError, match="is text, not an image"):
        read_header(ImageRef(text))


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.999])
def test_a_truncated_gzip_is_found_by_its_header_stage(tmp_path: Path, save, keep: float) -> None:
    ref = save("a.nii.gz", DATA)
    content = ref.path.read_bytes()
    ref.path.write_bytes(content[: int(len(content) * keep)])
    assert code_of(ref.path) == "E311"


def test_a_flipped_bit_is_found_when_the_voxels_are_read(save) -> None:
    refs = {str(n): save(f"{n}.nii.gz", DATA + n) for n in range(3)}
    grid = read_header(refs["0"]).grid
    content = bytearray(refs["1"].path.read_bytes())
    content[len(content) // 2] ^= 1
    refs["1"].path.write_bytes(bytes(content))
    with pytest.raises(ImageError, match=r"1\.nii\.gz") as caught:
        load(refs, grid, engine=Threads(2))
    assert codes(caught.value) == ["E311"]


def test_a_file_of_several_gzip_members_is_sound(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(DATA, AFFINE), tmp_path / "a.nii")
    raw = (tmp_path / "a.nii").read_bytes()
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(raw[:500]) + gzip.compress(raw[500:]))
    nib.save(nib.Nifti1Image(DATA * 2, AFFINE), tmp_path / "b.nii")
    refs = {"a": ImageRef(tmp_path / "a.nii.gz"), "b": ImageRef(tmp_path / "b.nii")}
    loaded = load(refs, read_header(refs["a"]).grid, engine=Threads(1))
    assert np.array_equal(loaded.data.effect[0], DATA.ravel())


def forge(path: Path, **fields: object) -> None:
    header = nib.Nifti1Header()
    header.set_data_shape((5, 6, 7))
    header.set_sform(AFFINE, 2)
    header["magic"], header["vox_offset"] = b"n+1", 352
    for field, value in fields.items():
        header[field] = value
    raw = header.binaryblock + bytes(4) + bytes(5 * 6 * 7 * 4)
    path.write_bytes(gzip.compress(raw, 9) if path.suffix == ".gz" else raw)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"dim": [2, 5, 6, 1, 1, 1, 1, 1]}, "E312"),
        ({"dim": [5, 5, 6, 7, 1, 3, 1, 1]}, "E312"),
        ({"dim": [3, 5, 0, 7, 1, 1, 1, 1]}, "E310"),
        ({"dim": [9, 5, 6, 7, 1, 1, 1, 1]}, "E310"),
        ({"dim": [3, 30000, 30000, 30000, 1, 1, 1, 1]}, "E313"),
        ({"dim": [3, 700, 700, 700, 1, 1, 1, 1]}, "E314"),
        ({"datatype": 32, "bitpix": 64}, "E315"),
        ({"datatype": 128, "bitpix": 24}, "E315"),
        ({"datatype": 999}, "E315"),
        ({"srow_x": [0, 0, 0, 0]}, "E316"),
        ({"srow_x": [np.nan, 0, 0, 0]}, "E316"),
    ],
)
def test_headers_that_cannot_be_used(tmp_path: Path, fields: dict[str, object], code: str) -> None:
    forge(tmp_path / "x.nii.gz", **fields)
    assert code_of(tmp_path / "x.nii.gz") == code
    forge(tmp_path / "x.nii", **fields)
    assert code_of(tmp_path / "x.nii") == {"E314": "E311"}.get(code, code)


def test_a_gzip_bomb_is_inflated_no_further_than_declared(tmp_path: Path) -> None:
    forge(tmp_path / "good.nii")
    raw = (tmp_path / "good.nii").read_bytes()
    (tmp_path / "bomb.nii.gz").write_bytes(gzip.compress(raw + bytes(50_000_000)))
    header = read_header(ImageRef(tmp_path / "bomb.nii.gz"))
    assert header.grid.shape == (5, 6, 7)


def test_forms_that_disagree_or_are_absent_are_warned_of(tmp_path: Path) -> None:
    image = nib.Nifti1Image(DATA, AFFINE)
    image.header.set_sform(AFFINE, 2)
    moved = AFFINE.copy()
    moved[0, 3] += 5
    image.header.set_qform(moved, 1)
    nib.save(image, tmp_path / "a.nii")
    header = read_header(ImageRef(tmp_path / "a.nii"))
    assert [f.code for f in header.findings] == ["W300"]
    assert np.array_equal(header.grid.affine, AFFINE)
    assert "5 mm" in header.findings[0].message
    forge(tmp_path / "b.nii", sform_code=0)
    assert [f.code for f in read_header(ImageRef(tmp_path / "b.nii")).findings] == ["W301"]


def test_differing_grids_are_one_error_that_names_the_files_by_grid(save) -> None:
    moved = AFFINE.copy()
    moved[2, 3] += 1
    refs = {
        "s1": save("1.nii", DATA),
        "s2": save("2.nii", DATA[1:]),
        "s3": save("3.nii", DATA),
        "s4": save("4.nii", DATA, moved),
        "s5": save("5.nii", DATA.astype(complex)),
    }
    headers = read_headers(refs, Threads(2))
    mask = MaskImage(ImageRef(Path("nowhere.nii"), name="nowhere.nii"))
    with pytest.raises(ImageError) as caught:
        common_grid(headers, mask=mask)
    assert codes(caught.value) == ["E315", "E309", "E317"]
    notes = caught.value.findings[-1].notes
    assert [note[:4] for note in notes] == ["2 on", "1 on", "1 on"]
    assert "1.nii, 3.nii" in notes[0]


def test_masks_on_other_grids_are_errors_unless_resampling_is_asked(save) -> None:
    refs = {"a": save("a_space-X_map.nii", DATA), "b": save("b_space-X_map.nii", DATA + 1)}
    small = save("sub-1_space-Y_mask.nii", np.ones((4, 6, 7), np.uint8))
    headers = read_headers(refs, Threads(1))
    own = read_headers({"a": small, "b": refs["b"]}, Threads(1), where=("data", "masks"))
    with pytest.raises(ImageError) as caught:
        common_grid(headers, mask=MaskImage(small), own_masks=own)
    assert codes(caught.value) == ["E318", "E318"]
    to_mask = common_grid(headers, mask=MaskImage(small), own_masks=own, resample=Resample("mask"))
    assert (to_mask.grid.shape, to_mask.grid.space) == ((4, 6, 7), "Y")
    to_first = common_grid(headers, mask=MaskImage(small), resample=Resample("first"))
    assert to_first.grid.shape == (5, 6, 7)
    assert common_grid(headers, resample=Resample(small)).grid.shape == (4, 6, 7)
    with pytest.raises(ImageError) as caught:
        common_grid(headers, resample=Resample("mask"))
    assert codes(caught.value) == ["E319"]


def test_the_space_is_told_by_the_file_names(save) -> None:
    def space(*names: str) -> tuple[str | None, list[str]]:
        headers = read_headers({n: save(n, DATA) for n in names}, Threads(1))
        agreement = common_grid(headers)
        return agreement.grid.space, [f.code for f in agreement.findings]

    assert space("sub-1_space-A_x.nii", "sub-2_space-A_x.nii") == ("A", [])
    assert space("sub-1_space-A_x.nii", "sub-2_space-B_x.nii") == (None, ["W302"])
    assert space("sub-1_space-A_x.nii", "plain.nii") == (None, [])


def test_volumes_are_asked_of_4d_files_only_within_their_number(save) -> None:
    stack = save("all.nii.gz", np.stack([DATA, DATA + 1], axis=3))
    single = save("one.nii.gz", DATA[..., None])
    refs = {"a": stack, "b": ImageRef(stack.path, 2), "c": ImageRef(stack.path, 1), "d": single}
    headers = read_headers(refs, Threads(1))
    assert [f.code for f in headers.findings] == ["E312", "E308"]
    assert list(headers.by_name) == ["c", "d"]


def test_no_image_at_all_is_an_error() -> None:
    with pytest.raises(ImageError) as caught:
        common_grid(read_headers({}, Threads(1)))
    assert codes(caught.value) == ["E300"]


def test_a_gzip_file_that_ends_within_its_first_bytes_is_damaged_and_not_empty(tmp_path: Path) -> None:
    path = tmp_path / "x.nii.gz"
    path.write_bytes(gzip.compress(bytes(range(256)) * 40)[:10])
    assert code_of(path) == "E311"
    path.write_bytes(gzip.compress(b""))
    assert code_of(path) == "E310"


def test_a_small_file_that_inflates_without_end_is_not_inflated_to_its_end(
    save, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = save("a.nii.gz", DATA)
    inner = gzip.decompress(ref.path.read_bytes())
    ref.path.write_bytes(gzip.compress(inner + bytes(2**20)))
    refs = {"a": ref, "b": save("b.nii.gz", -DATA)}
    assert load(refs, read_header(ref).grid, engine=Threads(1)).data["effect"].shape[0] == 2
    for room in ("specgl.images.headers", "specgl.images.stream"):
        monkeypatch.setattr(f"{room}.MAX_BEYOND", 2**16)
    header = read_header(ref)
    with pytest.raises(ImageError, match="far beyond the voxels"):
        load(refs, header.grid, engine=Threads(1))
