"""What a bundle says of shuffles is what was done, and who asked for what cannot be told."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

import specgl
from specgl.errors import ComputationError

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


def test_a_smoothness_that_cannot_be_told_points_at_the_inference_that_wants_it(study) -> None:
    """Not at the first inference, and not at one that was told how smooth the maps are."""
    text = study.spec.read_text()
    head, tail = text[: text.index("inference:")], text[text.index("output:") :]
    asked = """\
inference:
  fdr: {method: parametric, correction: fdr_bh}
  given: {method: random_field, statistic: voxel, smoothness: {fwhm: 8}}
  peaks: {method: random_field, statistic: voxel}
"""
    study.write(head.replace("mask: ", "mask: one.nii.gz # ") + asked + tail)
    image = nib.load(study.image(1))
    one = np.zeros(image.shape[:3], dtype=np.uint8)
    one[3, 3, 2] = 1
    nib.save(nib.Nifti1Image(one, image.affine), study.spec.parent / "one.nii.gz")
    with pytest.raises(ComputationError) as caught:
        specgl.run(specgl.read(study.spec), threads=1)
    (finding,) = caught.value.findings
    assert (finding.code, finding.where) == ("E433", ("inference", "peaks"))
