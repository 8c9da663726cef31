"""What the demo's brain looks like lies where its maps do."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from specgl.demo import make_group_data
from specgl.demo.anatomy import REGIONS


def test_anatomy_and_regions_lie_on_the_brain(tmp_path: Path) -> None:
    data = make_group_data(tmp_path, seed=5, n_subjects=6, shape=(16, 18, 14))
    mask, underlay, atlas = (nib.load(path) for path in (data.mask, data.underlay, data.atlas))
    assert underlay.shape == (32, 36, 28)
    # Corners of the two boxes, half a voxel beyond the first and the last centre.
    for corner in (0, 1):
        coarse = mask.affine @ [*(np.array(mask.shape) * corner - 0.5), 1]
        fine = underlay.affine @ [*(np.array(underlay.shape) * corner - 0.5), 1]
        np.testing.assert_allclose(coarse, fine, atol=1e-4)
    brain = np.asarray(mask.dataobj) > 0
    shades = np.asarray(underlay.dataobj).reshape(16, 2, 18, 2, 14, 2).mean(axis=(1, 3, 5))
    assert (shades[brain] > 0).all()
    assert (shades[~brain] == 0).mean() > 0.8, "but for the voxels on its surface"
    regions = np.asarray(atlas.dataobj)
    assert set(np.unique(regions[brain])) == set(REGIONS)
    assert not regions[~brain].any()
    x = (mask.affine @ np.stack([*np.indices(brain.shape).reshape(3, -1), np.ones(brain.size)]))[0]
    right = np.isin(regions.ravel(), [code for code, name in REGIONS.items() if "right" in name])
    assert (x[right] >= 0).all()
    lines = (tmp_path / "regions.tsv").read_text().splitlines()
    assert lines == ["index\tname", *(f"{code}\t{name}" for code, name in REGIONS.items())]
