"""Label images on any grid, their tables, and everything that is none."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.errors import Finding, ImageError
from specgl.images import Grid, ImageRef, LabelImage, Roots, Space, locate_labels, read_labels
from specgl.images.labels import _at

from .conftest import AFFINE, Save

SHAPE = (6, 5, 4)
WHERE = ("inference", "reg", "regions")


def everywhere(shape: tuple[int, ...] = SHAPE, affine: np.ndarray = AFFINE) -> Space:
    return Space.from_mask(np.ones(shape, dtype=bool), Grid(shape, affine))


def fault(label_image: LabelImage, space: Space | None = None) -> Finding:
    with pytest.raises(ImageError) as caught:
        read_labels(label_image, everywhere() if space is None else space)
    (finding,) = caught.value.findings
    return finding


def table(folder: Path, text: str, name: str = "labels.tsv") -> ImageRef:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return ImageRef(path, name=name)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_on_its_own_grid_a_location_has_its_voxels_label(save: Save, dtype) -> None:
    labels = np.arange(120).reshape(SHAPE) % 7
    image = save("atlas.nii.gz", labels.astype(dtype))
    mask = np.random.default_rng(1).random(SHAPE) < 0.4
    space = Space.from_mask(mask, Grid(SHAPE, AFFINE))
    codes, names, inputs = read_labels(LabelImage(image), space)
    assert codes.dtype == np.int64
    np.testing.assert_array_equal(codes, labels[mask])
    assert names == {code: f"region {code}" for code in range(1, 7)}
    (file,) = inputs
    assert (file.role, file.name) == ("label image", "atlas.nii.gz")
    assert file.sha256 == hashlib.sha256(image.path.read_bytes()).hexdigest()


def nearest(places: np.ndarray, labels: np.ndarray, affine: np.ndarray) -> list[set[int]]:
    """By brute force: labels of the voxels whose centres are nearest in mm; 0 where outside the box."""
    centres = np.argwhere(np.ones(labels.shape)) @ affine[:3, :3].T + affine[:3, 3]
    found = []
    for place in places:
        index = np.linalg.solve(affine[:3, :3], place - affine[:3, 3])
        far = np.linalg.norm(centres - place, axis=1)
        equal = labels.ravel()[far <= far.min() + 1e-6]
        beyond = np.maximum(-index, index - np.array(labels.shape) + 1).max()
        outside = {0} if beyond > 0.5 - 1e-3 else set()
        found.append(outside if beyond > 0.5 + 1e-3 else outside | set(equal.tolist()))
    return found


@settings(max_examples=60)
@given(
    zooms=st.tuples(*[st.sampled_from([1.0, 1.5, 2.0, 3.3])] * 3),
    flips=st.tuples(*[st.sampled_from([-1, 1])] * 3),
    order=st.permutations(range(3)),
    origin=st.tuples(*[st.sampled_from([-4.0, -1.5, 0.0, 0.5, 2.2])] * 3),
    seed=st.integers(0, 99),
)
def test_on_any_other_grid_it_has_the_nearest_voxels(zooms, flips, order, origin, seed) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 9, (4, 5, 3))
    affine = np.eye(4)
    affine[:3, :3] = (np.diag(zooms) * np.array(flips))[order]
    affine[:3, 3] = origin
    places = everywhere((4, 4, 4), np.diag([2.0, 2.0, 2.0, 1.0])).coordinates - 3.0
    found = _at(places, labels.ravel(order="F"), Grid(labels.shape, affine))
    possible = nearest(places, labels, affine)
    assert all(int(code) in options for code, options in zip(found, possible, strict=True))


def test_halfway_is_decided_the_same_way_everywhere() -> None:
    # A grid of 2 mm whose centres lie between those of 1 mm; the affine has the noise of float32.
    labels = np.arange(1, 11).reshape(10, 1, 1)
    for noise in (-1e-5, 0.0, 1e-5):
        places = np.array([[0.5 + 2 * i + noise, 0.0, 0.0] for i in range(5)])
        found = _at(places, labels.ravel(order="F"), Grid(labels.shape, np.eye(4)))
        assert found.tolist() == [1, 3, 5, 7, 9]


def test_outside_the_image_there_is_no_region(save: Save) -> None:
    image = save("small.nii", np.full((2, 2, 2), 4, dtype=np.uint8))
    codes = read_labels(LabelImage(image), everywhere()).codes.reshape(SHAPE)
    assert (codes[:2, :2, :2] == 4).all()
    assert np.count_nonzero(codes) == 8


def test_a_voxel_without_a_value_is_in_no_region(save: Save) -> None:
    values = np.full(SHAPE, 3.0, dtype=np.float32)
    values[0] = np.nan
    codes = read_labels(LabelImage(save("a.nii", values)), everywhere()).codes.reshape(SHAPE)
    assert (codes[0] == 0).all()
    assert (codes[1:] == 3).all()


def test_a_slope_in_the_header_leaves_labels_whole(save: Save) -> None:
    import nibabel as nib

    image = nib.Nifti1Image(np.full(SHAPE, 30, dtype=np.uint8), AFFINE)
    ref = save("a.nii", np.zeros(SHAPE, dtype=np.uint8))
    image.header.set_slope_inter(0.1, 0)
    nib.save(image, ref.path)
    raw = bytearray(ref.path.read_bytes())
    raw[112:116] = np.float32(0.1).tobytes()
    raw[352:] = bytes([30]) * 120
    ref.path.write_bytes(bytes(raw))
    assert set(read_labels(LabelImage(ref), everywhere()).codes) == {3}


@pytest.mark.parametrize(
    ("value", "seen"), [(2.5, "2.5"), (-1.0, "-1"), (np.inf, "inf"), (1e17, "1e+17"), (0.02, "0.02")]
)
def test_values_that_number_no_region(save: Save, value: float, seen: str) -> None:
    values = np.ones(SHAPE)
    values[1, 2, :2] = value
    finding = fault(LabelImage(save("map.nii", values), where=WHERE))
    assert (finding.code, finding.where) == ("E323", (*WHERE, "image"))
    assert "2 voxels of 'map.nii'" in finding.message
    assert finding.message.endswith(f": {seen}")


def test_no_location_in_any_region(save: Save) -> None:
    finding = fault(LabelImage(save("empty.nii", np.zeros(SHAPE)), where=WHERE))
    assert (finding.code, len(finding.notes)) == ("E325", 2)


def test_an_atlas_of_several_volumes_is_none(save: Save) -> None:
    finding = fault(LabelImage(save("p.nii", np.ones((*SHAPE, 3))), where=WHERE))
    assert finding.code == "E312"
    assert "most probable" in (finding.help or "")


@pytest.mark.parametrize("text", [
    "index\tname\n1\tleft, upper\n2\tright\n",
    "\ufeffindex\tname\tcolor\r\n1\tleft, upper\t#ff0000\r\n\r\n2\tright\t#00ff00\r\n",
    "abbreviation\tName \t Index\nx\tleft, upper\t1\ny\tright\t2\ny\tright\t2\n",
    'index,name\n1,"left, upper"\n2,right\n9,nowhere\n',
])  # fmt: skip
def test_tables_name_regions(save: Save, tmp_path: Path, text: str) -> None:
    values = np.ones(SHAPE, dtype=np.uint8)
    values[1:3], values[4] = 2, 7
    labels = table(tmp_path, text)
    codes, names, inputs = read_labels(LabelImage(save("a.nii", values), labels), everywhere())
    assert set(codes) == {1, 2, 7}
    assert {code: name for code, name in names.items() if code != 9} == {
        1: "left, upper", 2: "right", 7: "region 7",
    }  # fmt: skip
    assert [file.role for file in inputs] == ["label image", "label table"]
    assert inputs[1].sha256 == hashlib.sha256(labels.path.read_bytes()).hexdigest()
    assert inputs[1].bytes == labels.path.stat().st_size


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "no column `index` and no column `name`"),
        ("1\tleft\n2\tright\n", 1, "no column `index`"),
        ("index\tlabel\n1\tleft\n", 1, "there is no column `name`"),
        ("index\tname\n1\tleft\n1.5\tright\n", 3, "the index '1.5' is no whole number"),
        ("index\tname\n-1\tleft\n", 2, "the index '-1'"),
        ("index\tname\n²\tleft\n", 2, "the index '²'"),
        ("index\tname\n1\tleft\n1\tright\n", 3, "region 1 has two names, 'left' and 'right'"),
        ("index\tname\n1\n", 2, "the row is too short"),
        ("index\tname\n\n3\t \n", 3, "region 3 has no name"),
        ("index\tname\n3\tn/a\n", 2, "region 3 has no name"),
        ('index,name\n1,"left\n', 2, "cannot be read"),
    ],
)
def test_a_fault_of_a_table_is_told_at_its_line(save: Save, tmp_path, text, line, words) -> None:
    finding = fault(LabelImage(save("a.nii", np.ones(SHAPE)), table(tmp_path, text), WHERE))
    assert (finding.code, finding.file, finding.line) == ("E324", str(tmp_path / "labels.tsv"), line)
    assert words in finding.message
    assert "`index` and `name`" in (finding.help or "")


def test_all_faults_of_a_table_are_told(save: Save, tmp_path: Path) -> None:
    labels = table(tmp_path, "index\tname\nx\ta\n1\tb\n2\t\n")
    with pytest.raises(ImageError) as caught:
        read_labels(LabelImage(save("a.nii", np.ones(SHAPE)), labels), everywhere())
    assert [finding.line for finding in caught.value.findings] == [2, 4]


@pytest.mark.parametrize("content", [b"index\tname\n1\t\xff\n", b"\x1f\x8b\0\0", b"index\tname\n1\t\0\n"])
def test_what_is_no_text_is_no_table(save: Save, tmp_path: Path, content: bytes) -> None:
    labels = table(tmp_path, "")
    labels.path.write_bytes(content)
    finding = fault(LabelImage(save("a.nii", np.ones(SHAPE)), labels, WHERE))
    assert (finding.code, finding.where) == ("E324", (*WHERE, "labels"))


def test_files_are_located_before_voxels_are_read(save: Save, roots: Roots, tmp_path: Path) -> None:
    save("atlas.nii", np.full(SHAPE, 0.5))  # no labels: seen when it is read
    table(tmp_path, "no table either")
    found, findings = locate_labels("atlas.nii", "labels.tsv", roots=roots, where=WHERE)
    assert findings == ()
    assert found is not None
    assert (found.image.path, found.where) == (tmp_path / "atlas.nii", WHERE)
    assert found.labels is not None
    assert found.labels.path == tmp_path / "labels.tsv"
    bare, _ = locate_labels("atlas.nii", None, roots=roots, where=WHERE)
    assert bare is not None
    assert bare.labels is None


def test_all_that_is_wrong_with_files_is_told_together(save: Save, roots: Roots, tmp_path: Path) -> None:
    found, findings = locate_labels("none.nii", "../none.tsv", roots=roots, where=WHERE)
    assert found is None
    assert [(finding.code, finding.where[-1]) for finding in findings] == [
        ("E309", "image"), ("E303", "labels"),
    ]  # fmt: skip
    (tmp_path / "text.nii").write_text("hello")
    found, (finding,) = locate_labels("text.nii", None, roots=roots, where=WHERE)
    assert (found, finding.code, finding.where) == (None, "E310", (*WHERE, "image"))
    save("four.nii", np.ones((*SHAPE, 2)))
    found, (finding,) = locate_labels("four.nii", None, roots=roots, where=WHERE)
    assert (found, finding.code) == (None, "E312")
    save("good.nii", np.ones(SHAPE))
    found, (finding,) = locate_labels("good.nii", "none.tsv", roots=roots, where=WHERE)
    assert (found, finding.code) == (None, "E309")


@pytest.mark.parametrize(
    ("name", "space", "codes"),
    [
        ("tpl-MNI152Lin_atlas-x_dseg.nii", "MNI152NLin6Asym", ["W303"]),
        ("atlas-x_space-MNI152Lin_dseg.nii", "MNI152NLin6Asym", ["W303"]),
        ("tpl-MNI152Lin_atlas-x_dseg.nii", "MNI152Lin", []),
        ("tpl-MNI152Lin_atlas-x_dseg.nii", None, []),
        ("atlas.nii", "MNI152Lin", []),
    ],
)
def test_a_label_image_of_another_space(save: Save, roots: Roots, name, space, codes) -> None:
    save(name, np.ones(SHAPE))
    grid = Grid(SHAPE, AFFINE, space=space)
    found, findings = locate_labels(name, None, roots=roots, where=WHERE, grid=grid)
    assert found is not None
    assert [finding.code for finding in findings] == codes
    assert all("MNI152Lin" in finding.message for finding in findings)
