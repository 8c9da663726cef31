"""From files to GroupData: masks, missing voxels, memory, and what the voxels tell."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.engines import Threads
from specgl.errors import ImageError
from specgl.images import (
    ImageRef,
    MaskImage,
    MaskThreshold,
    MissingVoxels,
    join_maps,
    load,
    load_map,
    read_header,
)

SHAPE = (6, 7, 5)
AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3.0, 0, -40], [0, 0, 4.0, -20], [0, 0, 0, 1]])
RNG = np.random.default_rng(20)


def write(folder: Path, stack: np.ndarray, suffix: str = ".nii.gz") -> dict[str, ImageRef]:
    refs = {}
    for n, volume in enumerate(stack):
        path = folder / f"s{n}{suffix}"
        nib.save(nib.Nifti1Image(volume, AFFINE), path)
        refs[f"s{n}"] = ImageRef(path, name=path.name)
    return refs


def grid_of(refs: dict[str, ImageRef]):
    return read_header(next(iter(refs.values()))).grid


@pytest.fixture
def stack() -> np.ndarray:
    data = RNG.normal(size=(6, *SHAPE)).astype(np.float32)
    data[:, 0] = 0  # outside every brain
    data[1, 1, 0] = np.nan
    data[2, 1, 1] = 0
    data[3, 1, 2] = np.inf
    data[:, 2, 0] = 7.5  # constant
    return data


def present(stack: np.ndarray, zero: str) -> np.ndarray:
    there = np.isfinite(stack)
    return there & (stack != 0) if zero == "missing" else there


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("zero", ["missing", "data"])
@pytest.mark.parametrize("share", [1.0, 0.8, 0.2])
@pytest.mark.parametrize("with_mask", [True, False])
def test_locations_are_those_of_the_rules(
    tmp_path: Path, stack: np.ndarray, threads: int, zero: str, share: float, with_mask: bool
) -> None:
    refs = write(tmp_path, stack)
    inside = RNG.random(SHAPE) < 0.8
    nib.save(nib.Nifti1Image(inside.astype(np.uint8), AFFINE), tmp_path / "mask.nii")
    mask = MaskImage(ImageRef(tmp_path / "mask.nii")) if with_mask else None
    loaded = load(refs, grid_of(refs), mask=mask, missing=MissingVoxels(share, zero), engine=Threads(threads))

    there = present(stack, zero)
    enough = there.sum(axis=0) >= int(np.ceil(round(share * 6, 9)))
    if with_mask:
        enough &= inside
    values = np.where(there, stack, np.nan)[:, enough]
    with np.errstate(invalid="ignore"):
        varying = np.nanmax(values, axis=0) > np.nanmin(values, axis=0)
    expected = np.where(there, stack, np.nan)[:, enough][:, varying]
    assert np.array_equal(loaded.data.effect.values, expected, equal_nan=True)
    assert loaded.data.effect.dtype == np.float32
    assert np.array_equal(loaded.space.voxels, np.argwhere(enough)[varying])
    assert loaded.counts["enough"] == enough.sum()
    assert loaded.counts["constant"] == (~varying).sum()
    assert loaded.counts["mask"] == (inside.sum() if with_mask else there.any(axis=0).sum())
    assert np.array_equal(loaded.n_values, np.isfinite(expected).sum(axis=1))
    assert list(loaded.data.observation.values) == list(refs)
    assert np.array_equal(loaded.data.k, loaded.space.voxels[:, 2])


@settings(max_examples=15)
@given(order=st.permutations(range(5)))
def test_the_order_of_files_is_irrelevant(tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    folder = tmp_path_factory.mktemp("order")
    data = np.random.default_rng(3).normal(size=(5, *SHAPE))
    data[data < -1] = np.nan
    refs = write(folder, data, ".nii")
    shuffled = {f"s{n}": refs[f"s{n}"] for n in order}
    options = {"missing": MissingVoxels(0.6), "engine": Threads(2), "smoothing_fwhm": 5.0}
    one = load(refs, grid_of(refs), **options)
    other = load(shuffled, grid_of(refs), **options)
    assert list(other.data.observation.values) == list(shuffled)
    assert one.data.sel(observation=other.data.observation).effect.equals(other.data.effect)
    assert one.counts == other.counts


def test_masks_by_threshold(tmp_path: Path, stack: np.ndarray) -> None:
    refs = write(tmp_path, stack)
    weights = RNG.random(SHAPE).astype(np.float32)
    nib.save(nib.Nifti1Image(weights, AFFINE), tmp_path / "m.nii")
    mask = MaskImage(ImageRef(tmp_path / "m.nii"), threshold=0.5)
    loaded = load(refs, grid_of(refs), mask=mask, missing=MissingVoxels(0.5), engine=Threads(1))
    assert loaded.counts["mask"] == (weights > 0.5).sum()
    low = load(refs, grid_of(refs), mask=MaskThreshold(-1.5), missing=MissingVoxels(0.5), engine=Threads(2))
    above = ((stack > -1.5) & present(stack, "missing")).all(axis=0)
    assert low.counts["enough"] == above.sum()
    assert (low.data.effect.values > -1.5).all()


def test_outside_its_own_mask_an_observation_has_no_value(tmp_path: Path) -> None:
    data = RNG.normal(size=(4, *SHAPE))
    refs = write(tmp_path, data)
    own = RNG.random((4, *SHAPE)) < 0.9
    (tmp_path / "own").mkdir()
    masks = write(tmp_path / "own", own.astype(np.int16))
    loaded = load(refs, grid_of(refs), own_masks=masks, engine=Threads(2))
    assert np.array_equal(loaded.space.voxels, np.argwhere(own.all(axis=0)))
    part = load(refs, grid_of(refs), own_masks=masks, missing=MissingVoxels(0.5), engine=Threads(2))
    assert np.array_equal(part.space.from_volume(own[2]), np.isfinite(part.data.effect.values[2]))
    roles = [file.role for file in loaded.inputs]
    assert (roles.count("image"), roles.count("observation mask")) == (4, 4)
    del masks["s2"]
    with pytest.raises(ImageError, match="s2"):
        load(refs, grid_of(refs), own_masks=masks, engine=Threads(2))


@pytest.mark.parametrize("fwhm", [None, 4.0])
def test_a_4d_file_is_the_same_as_its_volumes(tmp_path: Path, stack: np.ndarray, fwhm: float | None) -> None:
    refs = write(tmp_path, stack)
    nib.save(nib.Nifti1Image(np.moveaxis(stack, 0, 3), AFFINE), tmp_path / "all.nii.gz")
    volumes = {f"s{n}": ImageRef(tmp_path / "all.nii.gz", n) for n in (4, 0, 2)}
    options = {"engine": Threads(2), "smoothing_fwhm": fwhm}
    one = load({who: refs[who] for who in volumes}, grid_of(refs), **options)
    other = load(volumes, grid_of(refs), **options)
    assert one.data.equals(other.data)
    assert len(other.inputs) == 1


def test_inputs_carry_the_digest_of_the_bytes_on_disk(tmp_path: Path, stack: np.ndarray) -> None:
    import hashlib

    for suffix in (".nii", ".nii.gz"):
        refs = write(tmp_path, stack, suffix)
        seen: list[tuple[int, int]] = []
        loaded = load(refs, grid_of(refs), engine=Threads(2), progress=lambda a, b, s=seen: s.append((a, b)))
        for file in loaded.inputs:
            content = file.path.read_bytes()
            assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert seen == [(n, 6) for n in range(1, 7)]


def test_an_empty_analysis_counts_each_step(tmp_path: Path, stack: np.ndarray) -> None:
    stack[2] = np.nan
    refs = write(tmp_path, stack)
    with pytest.raises(ImageError) as caught:
        load(refs, grid_of(refs), engine=Threads(1))
    assert [f.code for f in caught.value.findings] == ["E321", "E320"]
    assert "'s2'" in caught.value.findings[0].message
    assert "at least 6 of 6 observations: 0" in caught.value.findings[1].notes[1]
    nib.save(nib.Nifti1Image(np.zeros(SHAPE, np.uint8), AFFINE), tmp_path / "m.nii")
    with pytest.raises(ImageError, match="no voxel of the mask") as caught:
        load(
            refs, grid_of(refs), mask=MaskImage(ImageRef(tmp_path / "m.nii", name="m.nii")), engine=Threads(1)
        )
    assert [f.code for f in caught.value.findings] == ["E320"]


def test_a_file_that_changed_since_the_plan_is_refused(tmp_path: Path, stack: np.ndarray) -> None:
    refs = write(tmp_path, stack)
    grid = grid_of(refs)
    nib.save(nib.Nifti1Image(stack[0, 1:], AFFINE), refs["s1"].path)
    with pytest.raises(ImageError) as caught:
        load(refs, grid, engine=Threads(1))
    assert [f.code for f in caught.value.findings] == ["E318"]


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), n=st.integers(5, 20))
def test_normal_data_give_no_warning_and_faults_do(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int
) -> None:
    rng = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("odd")
    # People differ in scale by a log-normal factor, as real contrast maps do.
    data = (rng.normal(size=(n, *SHAPE)).T * np.exp(rng.normal(0, 0.4, n))).T
    refs = write(folder, data, ".nii")
    assert load(refs, grid_of(refs), engine=Threads(1)).findings == ()
    data[1] *= 100
    data[2] = data[3]
    data[4, :3] = np.nan
    refs = write(folder, data, ".nii")
    loaded = load(refs, grid_of(refs), missing=MissingVoxels(0.5), engine=Threads(1))
    found = {f.code: f.message for f in loaded.findings}
    assert list(found) == ["W310", "W311", "W312"]
    assert "'s4'" in found["W310"]
    assert "'s1'" in found["W311"]
    assert "'s2', 's3'" in found["W312"]


@pytest.mark.parametrize("with_mask", [True, False])
def test_memory_stays_under_twice_the_masked_data_and_an_image_a_thread(
    tmp_path: Path, with_mask: bool
) -> None:
    shape, n_obs, threads = (40, 48, 40), 24, 2
    inside = np.zeros(shape, bool)
    inside[4:36, 4:44, 4:36] = True
    data = np.where(inside, RNG.normal(size=shape).astype(np.float32), np.float32(0))
    refs = write(tmp_path, np.stack([data * (1 + n / 100) for n in range(n_obs)]))
    nib.save(nib.Nifti1Image(inside.astype(np.uint8), AFFINE), tmp_path / "m.nii")
    mask = MaskImage(ImageRef(tmp_path / "m.nii")) if with_mask else None
    load(refs, grid_of(refs), mask=mask, engine=Threads(threads))  # imports are not counted
    tracemalloc.start()
    loaded = load(refs, grid_of(refs), mask=mask, engine=Threads(threads))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    masked = loaded.data.effect.nbytes
    image = data.nbytes
    # Beside the images: 256 kB of file and its inflated bytes a thread, indices of the locations.
    assert peak < 2 * masked + threads * image + 3_000_000
    assert loaded.space.n_locations == inside.sum()


def test_a_ready_made_map(tmp_path: Path) -> None:
    z = RNG.normal(size=SHAPE).astype(np.float32)
    z[0] = 0
    z[1, 0] = np.nan
    inside = RNG.random(SHAPE) < 0.7
    (ref,) = write(tmp_path, z[None]).values()
    nib.save(nib.Nifti1Image(inside.astype(np.uint8), AFFINE), tmp_path / "m.nii")
    free = load_map(ref)
    assert np.array_equal(free.space.mask, np.isfinite(z) & (z != 0))
    assert np.array_equal(free.values, z[free.space.mask])
    masked = load_map(ref, mask=MaskImage(ImageRef(tmp_path / "m.nii")))
    assert np.array_equal(masked.space.mask, np.isfinite(z) & inside)
    assert masked.counts["not_finite"] == (inside & np.isnan(z)).sum()
    assert [file.role for file in masked.inputs] == ["map", "mask"]
    assert (load_map(ref, mask=MaskThreshold(1.0)).values > 1).all()
    with pytest.raises(ImageError, match="E320"):
        load_map(ref, mask=MaskThreshold(100.0))
    nib.save(nib.Nifti1Image(inside[1:].astype(np.uint8), AFFINE), tmp_path / "m.nii")
    with pytest.raises(ImageError, match="E318"):
        load_map(ref, mask=MaskImage(ImageRef(tmp_path / "m.nii")))


def test_one_file_under_two_ids_is_read_once_and_pointed_out(tmp_path: Path) -> None:
    data = RNG.normal(size=(3, *SHAPE)).astype(np.float32)
    refs = write(tmp_path, data)
    refs["again"] = refs["s1"]
    loaded = load(refs, grid_of(refs), engine=Threads(2))
    assert [f.code for f in loaded.findings] == ["W312"]
    assert len(loaded.inputs) == 3
    own = np.ones((4, *SHAPE), np.uint8)
    own[1, 0], own[3, 1] = 0, 0
    (tmp_path / "own").mkdir()
    masks = dict(zip(refs, write(tmp_path / "own", own).values(), strict=True))
    apart = load(refs, grid_of(refs), own_masks=masks, missing=MissingVoxels(0.5), engine=Threads(2))
    for who, mask in zip(refs, own, strict=True):
        there = np.isfinite(apart.data.effect.sel(observation=who).values)
        assert np.array_equal(there, apart.space.from_volume(mask) == 1)


def test_ready_made_maps_are_put_over_all_their_locations(tmp_path: Path) -> None:
    maps = RNG.normal(size=(2, *SHAPE))
    maps[0, 0], maps[1, 1] = 0, np.nan
    loaded = [load_map(ref) for ref in write(tmp_path, maps).values()]
    space, values = join_maps(loaded)
    there = np.isfinite(maps) & (maps != 0)
    assert np.array_equal(space.mask, there.any(axis=0))
    for own, volume, mask in zip(values, maps, there, strict=True):
        assert np.array_equal(own, space.from_volume(np.where(mask, volume, np.nan)), equal_nan=True)
    (other,) = write(tmp_path, maps[:1, 1:]).values()
    with pytest.raises(ImageError, match="E317"):
        join_maps([loaded[1], load_map(other)])
