"""Public multi-subject data: the numbers that their descriptions give."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from specgl.engines import Threads
from specgl.images import (
    Column,
    MaskImage,
    MissingVoxels,
    Roots,
    common_grid,
    load,
    locate_file,
    locate_images,
    read_headers,
)


def rows(path: Path, index: str) -> pd.DataFrame:
    frame = pd.read_csv(path, sep=None, engine="python", dtype=str, keep_default_na=False)
    return frame.set_index(index, drop=False)


def mask_of(name: str, roots: Roots) -> MaskImage:
    ref = locate_file(name, roots=roots, where=("mask",)).ref
    assert ref is not None
    return MaskImage(ref)


def test_wager2008_has_49245_complete_voxels(shared_data: Path) -> None:
    folder = shared_data / "wager2008"
    roots = Roots(folder, folder)
    frame = rows(folder / "participants.tsv", "participant_id")
    found = locate_images(Column("effect_map"), frame, roots=roots, where=("data", "images"))
    assert (len(found.refs), found.missing, found.findings) == (30, {}, ())
    mask = mask_of("masks/brainmask_on_data_grid_49792vox.nii.gz", roots)
    agreement = common_grid(read_headers(found.refs, Threads(2)), mask=mask)
    assert agreement.findings == ()
    loaded = load(
        found.refs, agreement.grid, mask=mask, missing=MissingVoxels(zero="data"), engine=Threads(2)
    )
    assert loaded.counts["mask"] == 49792
    assert loaded.space.n_locations == 49245
    assert loaded.findings == ()
    first = nib.load(next(iter(found.refs.values())).path).get_fdata()
    assert np.array_equal(loaded.data.effect.values[0], loaded.space.from_volume(first))


def test_modelarray_toy_has_123_core_voxels(shared_data: Path) -> None:
    folder = shared_data / "modelarray_toy"
    roots = Roots(folder, folder)
    frame = rows(folder / "cohort_FA.csv", "subject_id")
    images = locate_images(Column("source_file"), frame, roots=roots, where=("data", "images"))
    masks = locate_images(Column("source_mask_file"), frame, roots=roots, where=("data", "masks"))
    assert images.findings == masks.findings == ()
    assert len(images.refs) == len(masks.refs) == 20
    own = read_headers(masks.refs, Threads(2), where=("data", "masks"))
    group = mask_of("group_mask_FA.nii.gz", roots)
    grid = common_grid(read_headers(images.refs, Threads(2)), mask=group, own_masks=own).grid
    complete = load(images.refs, grid, mask=group, own_masks=masks.refs, engine=Threads(2))
    core = nib.load(folder / "core_mask_FA.nii.gz").get_fdata() != 0
    assert complete.space.n_locations == 123
    assert np.array_equal(complete.space.mask, core)
    some = load(
        images.refs, grid, mask=group, own_masks=masks.refs, missing=MissingVoxels(0.5), engine=Threads(2)
    )
    assert some.counts["mask"] == 257
    assert 123 < some.space.n_locations <= 257
    each = np.stack([nib.load(ref.path).get_fdata() != 0 for ref in masks.refs.values()])
    expected = np.stack([some.space.from_volume(volume) for volume in each])
    assert np.array_equal(np.isfinite(some.data.effect.values), expected)
