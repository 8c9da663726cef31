"""The image that figures are drawn on."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from specgl.errors import ImageError
from specgl.images import Grid, Roots, locate_underlay, read_underlay, write_volume
from specgl.images.underlay import shades_of

from .conftest import AFFINE, Save

WHERE = ("output", "underlay")


def test_an_underlay_is_read_in_shades_on_its_own_grid(save: Save) -> None:
    values = np.arange(5 * 4 * 3, dtype=np.float32).reshape(5, 4, 3)
    image = save("t1.nii.gz", values)
    underlay = read_underlay(image)
    assert underlay.shades.shape == (5, 4, 3)
    np.testing.assert_allclose(underlay.grid.affine, AFFINE)
    shades = underlay.shades.reshape(-1).astype(int)
    assert shades[0] == 0, "0 is no value"
    assert shades[1:].min() == 1
    assert shades.max() == 255
    assert (np.diff(shades) >= 0).all()
    assert underlay.input.sha256 == hashlib.sha256(image.path.read_bytes()).hexdigest()
    assert underlay.input.role == "underlay"


@given(arrays.arrays(np.float32, st.integers(0, 40), elements=st.floats(-1e6, 1e6, width=32)))
def test_shades_keep_the_order_of_values(values: np.ndarray) -> None:
    shades = shades_of(values).astype(int)
    shown = values > 0 if (values > 0).any() else np.ones(values.shape, bool)
    order = np.argsort(values[shown], kind="stable")
    assert (np.diff(shades[shown][order]) >= 0).all()
    assert (shades[shown] >= 1).all()
    assert not shades[~shown].any()


def test_what_is_not_finite_has_no_shade() -> None:
    assert shades_of(np.array([np.nan, np.inf, 3.0, 5.0])).tolist() == [0, 0, 1, 255]
    assert shades_of(np.full(3, np.nan)).tolist() == [0, 0, 0]
    assert shades_of(np.array([2.0, 2.0])).tolist() == [1, 1]


def test_faults_are_told_by_their_codes(save: Save, tmp_path: Path) -> None:
    roots = Roots(tmp_path, tmp_path)
    save("four.nii.gz", np.zeros((3, 3, 3, 2), dtype=np.float32))
    (tmp_path / "text.nii").write_text("no image")
    for name, code in (
        ("four.nii.gz", "E312"),
        ("nowhere.nii", "E309"),
        ("text.nii", "E310"),
        ("../out.nii", "E303"),
    ):
        ref, findings = locate_underlay(name, roots=roots, where=WHERE)
        assert ref is None
        assert (findings[-1].code[:2], findings[-1].where) == (code[:2], WHERE), name
    four = save("four.nii.gz", np.zeros((3, 3, 3, 2), dtype=np.float32))
    with pytest.raises(ImageError, match="2 volumes"):
        read_underlay(four)


def test_an_underlay_of_another_template_is_doubtful(save: Save, tmp_path: Path) -> None:
    save("space-MNI152NLin6Asym_T1w.nii.gz", np.ones((3, 3, 3), dtype=np.float32))
    grid = Grid((3, 3, 3), AFFINE, space="MNI152NLin2009cAsym")
    name = "space-MNI152NLin6Asym_T1w.nii.gz"
    ref, findings = locate_underlay(name, roots=Roots(tmp_path, tmp_path), where=WHERE, grid=grid)
    assert ref is not None
    assert [finding.code for finding in findings] == ["W303"]


@pytest.mark.parametrize(
    ("dtype", "shape"), [("int32", (4, 3, 2)), ("float32", (3, 4, 1, 2)), ("uint8", (2, 2, 2))]
)
def test_volumes_are_written_as_they_are(dtype: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    volume = (np.random.default_rng(1).random(shape) * 100).astype(dtype)
    grid = Grid(shape[-3:], AFFINE)  # type: ignore[arg-type]  # three lengths
    target = BytesIO()
    write_volume(target, volume, grid, dtype=dtype)  # type: ignore[arg-type]  # one of the types
    path = tmp_path / "v.nii.gz"
    path.write_bytes(target.getvalue())
    read = np.asarray(nib.load(path).dataobj)
    expected = volume if volume.ndim == 3 else np.moveaxis(volume, 0, -1)
    np.testing.assert_array_equal(read, expected)
    with pytest.raises(ValueError, match="does not fit"):
        write_volume(BytesIO(), volume[..., :1], grid, dtype=dtype)  # type: ignore[arg-type]  # as above
