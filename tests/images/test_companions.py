"""Variances and covariates beside the effects: what lacks one is missing, and every count follows."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.engines import Threads
from specgl.errors import Finding, ImageError
from specgl.images import (
    Companions,
    Grid,
    ImageRef,
    Loaded,
    MaskImage,
    MissingVoxels,
    Resample,
    common_grid,
    load,
    read_header,
    read_headers,
    read_stacks,
)

SHAPE = (6, 7, 5)
N = 6
Save = Callable[..., ImageRef]
Refs = dict[str, ImageRef]


def write(save: Save, name: str, stack: np.ndarray, suffix: str = ".nii") -> Refs:
    return {f"s{n}": save(f"{name}/s{n}{suffix}", volume) for n, volume in enumerate(stack)}


def grid_of(refs: Refs) -> Grid:
    return read_header(next(iter(refs.values()))).grid


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in findings]


@pytest.fixture
def effects() -> np.ndarray:
    rng = np.random.default_rng(4)
    data = rng.normal(size=(N, *SHAPE)).astype(np.float32)
    data[:, 0] = 0  # outside every brain
    data[1, 1, 0] = np.nan
    data[:, 2, 0] = 7.5  # constant
    return data


@pytest.fixture
def variances() -> np.ndarray:
    return np.random.default_rng(5).uniform(0.5, 1.5, size=(N, *SHAPE)).astype(np.float32)


def spoil(variances: np.ndarray) -> np.ndarray:
    """Each way in which a number is no variance, where the effects have values and elsewhere."""
    bad = variances.copy()
    bad[0, 3, 0, 0], bad[0, 3, 0, 1], bad[2, 3, 0, 1], bad[3, 3, 0, 2], bad[4, 3, 0, 3] = (
        0,
        -1,
        np.nan,
        np.inf,
        -0.0,
    )
    bad[:, 0] = 0  # as the effects: nothing is lost
    bad[1, 1, 0] = np.nan  # likewise
    bad[:5, 3, 1, 0] = 0  # one effect is left there, which varies under no rule
    return bad


def truth(
    effects: np.ndarray, usable: np.ndarray, share: float, inside: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Effects that count, where they are analysed, and where the effects alone would be."""

    def places(there: np.ndarray) -> np.ndarray:
        enough = there.sum(axis=0) >= int(np.ceil(round(share * N, 9)))
        values = np.where(there, effects, np.nan)
        high, low = np.fmax.reduce(values), np.fmin.reduce(values)
        return enough & (high > low) & (True if inside is None else inside)

    alone = np.isfinite(effects) & (effects != 0)
    there = alone & (usable | ~places(alone))
    return there, places(alone & usable) & places(alone), places(alone)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("share", [1.0, 0.8, 0.15])
@pytest.mark.parametrize("with_mask", [True, False])
def test_an_effect_without_a_usable_variance_is_missing(
    save: Save, effects: np.ndarray, variances: np.ndarray, threads: int, share: float, with_mask: bool
) -> None:
    bad = spoil(variances)
    refs, beside = write(save, "e", effects), write(save, "v", bad)
    inside = np.random.default_rng(1).random(SHAPE) < 0.9
    inside[3] = True
    mask = MaskImage(save("mask.nii", inside.astype(np.uint8))) if with_mask else None
    options = {"mask": mask, "missing": MissingVoxels(share), "engine": Threads(threads)}
    loaded = load(refs, grid_of(refs), companions=Companions(beside), **options)

    usable = np.isfinite(bad) & (bad > 0)
    there, where, before = truth(effects, usable, share, inside if with_mask else None)
    assert np.array_equal(loaded.space.voxels, np.argwhere(where))
    values = np.where(there, effects, np.nan)[:, where]
    assert np.array_equal(loaded.data.effect.values, values, equal_nan=True)
    has = np.isfinite(values)
    assert np.array_equal(loaded.data.variance.values[has], bad[:, where][has])
    assert (loaded.data.variance.dims, loaded.data.variance.dtype) == (
        ("observation", "location"),
        np.float32,
    )
    assert loaded.counts["without_variance"] == np.count_nonzero(before & ~where)
    parts = ("constant", "without_variance", "analysed")
    assert loaded.counts["enough"] == sum(loaded.counts[part] for part in parts)
    assert np.array_equal(loaded.n_values, has.sum(axis=1))
    of = inside if with_mask else np.ones(SHAPE, bool)
    assert np.array_equal(loaded.present, np.where(of, there.sum(axis=0), 0))
    alone = np.isfinite(effects) & (effects != 0)
    expected = inside if with_mask else alone.sum(axis=0) >= N / 2
    assert loaded.coverage == pytest.approx((there & expected).sum(axis=(1, 2, 3)) / expected.sum())

    (finding,) = [finding for finding in loaded.findings if finding.code == "W313"]
    lost = alone & ~usable & before
    assert finding.where == ("data", "variances")
    assert f"{lost.sum()} effects" in finding.message
    assert f"in {lost.any(axis=(1, 2, 3)).sum()} of {N} observations" in finding.message
    assert f"at {lost.any(axis=0).sum()} of {before.sum()} locations" in finding.message
    assert finding.notes[1].endswith(f": {np.count_nonzero(before & ~where)}")


def test_what_is_no_variance_where_there_is_no_effect_is_passed_over(
    save: Save, effects: np.ndarray, variances: np.ndarray
) -> None:
    variances[:, 0], variances[1, 1, 0] = 0, -3
    refs = write(save, "e", effects)
    options = {"missing": MissingVoxels(0.5), "engine": Threads(2)}
    alone = load(refs, grid_of(refs), **options)
    loaded = load(refs, grid_of(refs), companions=Companions(write(save, "v", variances)), **options)
    assert loaded.data.effect.equals(alone.data.effect)
    assert loaded.findings == alone.findings == ()
    assert loaded.counts == {**alone.counts, "without_variance": 0}
    assert np.array_equal(loaded.present, alone.present)
    assert np.array_equal(loaded.coverage, alone.coverage)


@pytest.mark.parametrize("zero", ["missing", "data"])
def test_covariates_follow_the_rule_for_zeros_and_keep_their_order(
    save: Save, effects: np.ndarray, zero: str
) -> None:
    rng = np.random.default_rng(8)
    gm = rng.uniform(0.1, 1, size=(N, *SHAPE))  # float64
    csf = rng.uniform(0.1, 1, size=(N, *SHAPE)).astype(np.float32)
    gm[2, 3, 2, 2], gm[4, 3, 3, 3], csf[4, 3, 3, 3], csf[5, 4, 0] = 0, np.inf, np.nan, 0
    refs = write(save, "e", effects)
    wanted = {"gm": write(save, "gm", gm), "csf": write(save, "csf", csf)}
    missing = MissingVoxels(0.8, zero)
    loaded = load(
        refs, grid_of(refs), companions=Companions(voxelwise=wanted), missing=missing, engine=Threads(2)
    )
    values = loaded.data.voxelwise
    assert values.dims == ("covariate", "observation", "location")
    assert list(values.covariate.values) == ["gm", "csf"]
    assert values.dtype == np.float64
    has = np.isfinite(loaded.data.effect.values)
    for name, stack in (("gm", gm), ("csf", csf)):
        read = np.stack([loaded.space.from_volume(volume) for volume in stack])
        assert np.array_equal(values.sel(covariate=name).values[has], read[has])
    assert np.isfinite(values.values[:, has]).all()
    found = {finding.where[-1]: finding for finding in loaded.findings if finding.code == "W316"}
    counted = {name: int(finding.message.split()[0]) for name, finding in found.items()}
    assert counted == ({"gm": 2, "csf": 6} if zero == "missing" else {"gm": 1, "csf": 1})
    lost = {"gm": {(2, (3, 2, 2)), (4, (3, 3, 3))}, "csf": {(4, (3, 3, 3)), (5, (4, 0, 0))}}
    for name, places in lost.items():
        for row, place in places:
            gone = not (zero == "data" and (gm if name == "gm" else csf)[(row, *place)] == 0)
            at = np.flatnonzero((loaded.space.voxels == place).all(axis=1))
            assert np.isnan(loaded.data.effect.values[row, at]).all() == gone


def test_variances_go_first_and_each_loss_is_counted_once(
    save: Save, effects: np.ndarray, variances: np.ndarray
) -> None:
    covariate = np.ones((N, *SHAPE), np.float32)
    variances[0, 3, 0, 0] = variances[0, 3, 0, 1] = 0
    covariate[1, 3, 0, 1] = covariate[1, 3, 0, 2] = covariate[2, 3, 0, 2] = np.nan
    refs = write(save, "e", effects)
    wanted = Companions(write(save, "v", variances), {"gm": write(save, "gm", covariate)})
    loaded = load(refs, grid_of(refs), companions=wanted, engine=Threads(2))
    assert (loaded.counts["without_variance"], loaded.counts["without_covariate"]) == (2, 1)
    assert loaded.present[3, 0].tolist() == [N - 1, N - 2, N - 2, N, N]
    roles = [file.role for file in loaded.inputs]
    assert [roles.count(role) for role in ("image", "variance", "covariate")] == [N, N, N]


@settings(max_examples=10)
@given(order=st.permutations(range(N)), seed=st.integers(0, 1000))
def test_the_order_of_observations_is_irrelevant(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], seed: int
) -> None:
    import nibabel as nib

    rng = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("order")

    def written(name: str, stack: np.ndarray) -> Refs:
        (folder / name).mkdir()
        for n, volume in enumerate(stack):
            nib.save(nib.Nifti1Image(volume, np.diag([3.0, 3, 3, 1])), folder / name / f"s{n}.nii")
        return {f"s{n}": ImageRef(folder / name / f"s{n}.nii") for n in range(N)}

    refs = written("e", rng.normal(size=(N, *SHAPE)))
    beside = written("v", rng.normal(1, 0.6, size=(N, *SHAPE)))
    options = {"missing": MissingVoxels(0.6), "engine": Threads(2)}
    one = load(refs, grid_of(refs), companions=Companions(beside), **options)
    names = [f"s{n}" for n in order]
    other = load({who: refs[who] for who in names}, grid_of(refs), companions=Companions(beside), **options)
    assert list(other.data.observation.values) == names
    assert one.data.sel(observation=names).equals(other.data)
    assert one.counts == other.counts


def test_a_4d_file_is_the_same_as_its_volumes(save: Save, effects: np.ndarray, variances: np.ndarray) -> None:
    refs, beside = write(save, "e", effects), write(save, "v", spoil(variances))
    stack = save("all.nii.gz", np.moveaxis(spoil(variances), 0, 3))
    volumes = {f"s{n}": ImageRef(stack.path, n) for n in range(N)}
    options = {"missing": MissingVoxels(0.5), "engine": Threads(2)}
    one = load(refs, grid_of(refs), companions=Companions(beside), **options)
    other = load(refs, grid_of(refs), companions=Companions(volumes), **options)
    assert one.data.equals(other.data)
    assert [file.role for file in other.inputs].count("variance") == 1


def test_companions_are_resampled_and_never_smoothed(save: Save, effects: np.ndarray) -> None:
    fine = np.diag([1.5, 1.5, 1.5, 1.0])
    coarse = fine @ np.diag([2.0, 2, 2, 1])
    coarse[:3, 3] = 0.75  # a coarse voxel's centre lies amid eight fine ones
    shape = tuple(2 * edge for edge in SHAPE)
    rng = np.random.default_rng(3)
    maps, own = rng.normal(size=(N, *shape)), rng.uniform(0.5, 2, size=(N, *shape))
    own[:, 4:6, 4:6, 4:5] = 0  # half of what one coarse voxel is made of
    own[:, 8:10, 4:6, 4:6] = -5  # all of it
    refs = {f"s{n}": save(f"e/s{n}.nii", volume, fine) for n, volume in enumerate(maps)}
    beside = {f"s{n}": save(f"v/s{n}.nii", volume, fine) for n, volume in enumerate(own)}
    grid = read_header(save("mask.nii", np.ones(SHAPE, np.uint8), coarse)).grid
    loaded = load(
        refs,
        grid,
        companions=Companions(beside, {"own": beside}),
        resample="linear",
        smoothing_fwhm=6.0,
        missing=MissingVoxels(0.5),
        engine=Threads(2),
    )
    blocks = own.reshape(N, SHAPE[0], 2, SHAPE[1], 2, SHAPE[2], 2)
    usable = blocks > 0
    mean = (np.where(usable, blocks, 0).sum(axis=(2, 4, 6))) / np.maximum(usable.sum(axis=(2, 4, 6)), 1)
    at = tuple(loaded.space.voxels.T)
    # Weights of linear interpolation are computed in float64 from the affines.
    assert loaded.data.variance.values == pytest.approx(mean[(slice(None), *at)], rel=1e-9)
    assert [4, 2, 2] not in loaded.space.voxels.tolist()
    assert [2, 2, 2] in loaded.space.voxels.tolist()
    smooth = load(
        refs, grid, resample="linear", smoothing_fwhm=6.0, missing=MissingVoxels(0.5), engine=Threads(1)
    )
    same = smooth.space.from_volume(loaded.space.mask).astype(bool)
    assert np.array_equal(loaded.data.effect.values, smooth.data.effect.values[:, same])


def test_faults_of_companions_are_told_together_at_their_keys(
    save: Save, effects: np.ndarray, variances: np.ndarray
) -> None:
    refs, beside = write(save, "e", effects), write(save, "v", variances)
    grid = grid_of(refs)
    gm = {who: save(f"gm/{who}.nii", np.ones(SHAPE), np.diag([2.0, 2, 2, 1])) for who in refs}
    del beside["s3"]
    beside["s2"].path.write_bytes(b"no image at all")
    wanted = Companions(beside, {"gm": gm})
    with pytest.raises(ImageError) as caught:
        load(refs, grid, companions=wanted, engine=Threads(2))
    found = {(finding.code, finding.where) for finding in caught.value.findings}
    told = {
        ("E310", ("data", "variances")),
        ("E300", ("data", "variances")),
        ("E318", ("data", "voxelwise", "gm")),
    }
    assert found == told
    assert any("s3" in finding.message for finding in caught.value.findings)
    stacks = read_stacks(wanted, list(refs), Threads(1))
    told.remove(("E300", ("data", "variances")))  # of which a plan tells the reasons
    with pytest.raises(ImageError) as caught:
        common_grid(read_headers(refs, Threads(1)), companions=stacks)
    assert {(finding.code, finding.where) for finding in caught.value.findings} == told
    with pytest.raises(ImageError) as caught:
        common_grid(read_headers(refs, Threads(1)), companions=stacks, resample=Resample("first"))
    assert {finding.code for finding in caught.value.findings} == {"E310"}


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_an_observation_without_any_usable_variance_is_an_error(
    save: Save, effects: np.ndarray, variances: np.ndarray, share: float
) -> None:
    variances[2] = -1
    refs, beside = write(save, "e", effects), write(save, "v", variances)
    with pytest.raises(ImageError) as caught:
        load(
            refs,
            grid_of(refs),
            companions=Companions(beside),
            missing=MissingVoxels(share),
            engine=Threads(1),
        )
    errors = [finding for finding in caught.value.findings if finding.is_error]
    assert codes(tuple(errors)) == (["E320", "E321"] if share == 1 else ["E321"])
    assert "'s2'" in errors[-1].message
    assert errors[-1].where == ("data", "variances")
    if share == 1:
        assert "a variance" in errors[0].notes[-1]


def test_progress_counts_every_image(save: Save, effects: np.ndarray, variances: np.ndarray) -> None:
    refs, beside = write(save, "e", effects), write(save, "v", variances)
    seen: list[tuple[int, int]] = []
    load(
        refs,
        grid_of(refs),
        companions=Companions(beside, {"a": beside}),
        engine=Threads(2),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(n, 3 * N) for n in range(1, 3 * N + 1)]


def test_memory_is_that_of_the_arrays_and_an_image_a_thread(save: Save) -> None:
    rng = np.random.default_rng(2)
    shape, n_obs, threads = (40, 48, 40), 24, 2
    inside = np.zeros(shape, bool)
    inside[4:36, 4:44, 4:36] = True
    one = np.where(inside, rng.normal(size=shape).astype(np.float32), np.float32(0))
    refs = {f"s{n}": save(f"e/s{n}.nii.gz", one * (1 + n / 10)) for n in range(n_obs)}
    own = np.where(inside, np.float32(0.4), np.float32(0))
    own[4:8, 4:8] = 0  # so that the arrays are shrunk
    beside = {f"s{n}": save(f"v/s{n}.nii.gz", own) for n in range(n_obs)}
    mask = MaskImage(save("mask.nii", inside.astype(np.uint8)))

    def run() -> Loaded:
        return load(refs, grid_of(refs), mask=mask, companions=Companions(beside), engine=Threads(threads))

    run()  # imports are not counted
    tracemalloc.start()
    loaded = run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert loaded.counts["without_variance"] == 4 * 4 * 32
    held = 2 * 4 * n_obs * int(inside.sum())
    # Beside the images: 256 kB of file and its inflated bytes a thread, indices and some float64 a location.
    assert peak < held + threads * one.nbytes + 6_000_000
