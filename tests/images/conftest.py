"""Images for these tests, made by nibabel where the test runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest

from specgl.images import ImageRef, Roots

AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3.0, 0, -40], [0, 0, 4.0, -20], [0, 0, 0, 1]])

Save = Callable[..., ImageRef]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write an array as an image below the test's folder."""

    def write(
        name: str,
        data: npt.ArrayLike,
        affine: npt.NDArray[np.float64] = AFFINE,
        *,
        kind: type = nib.Nifti1Image,
    ) -> ImageRef:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = kind(np.asarray(data), affine)
        image.header.set_qform(affine, code=2)
        image.header.set_sform(affine, code=2)
        nib.save(image, path)
        return ImageRef(path, name=name)

    return write


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    return Roots(spec=tmp_path, table=tmp_path)
