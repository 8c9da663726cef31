"""What a bundle says of shuffles is what was done."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

import specgl

SHUFFLED = """\
inference:
  maxT: {method: permutation, statistic: voxel}
permutation: {n: 40, seed: 3}
"""


@pytest.mark.parametrize(("lacking", "nuisance"), [(True, "draper_stoneman"), (False, "freedman_lane")])
def test_a_bundle_names_the_way_of_shuffling_that_was_used(study, lacking: bool, nuisance: str) -> None:
    """Where a location lacks an observation another one is used than the spec's default."""
    text = study.spec.read_text()
    head, tail = text[: text.index("inference:")], text[text.index("output:") :]
    study.write(head.replace("data:\n", "data:\n  missing: {voxel: {available: 0.8}}\n") + SHUFFLED + tail)
    image = nib.load(study.image(1))
    values = image.get_fdata()
    if lacking:
        values[3, 3, 2] = np.nan
    nib.save(nib.Nifti1Image(values.astype(np.float32), image.affine), study.image(1))
    bundle = specgl.run(specgl.read(study.spec), threads=1)
    (scheme,) = bundle.manifest["shuffling"]
    assert scheme["nuisance"] == nuisance
    assert f"nuisance by {nuisance}" in (bundle.path / "README.md").read_text()
