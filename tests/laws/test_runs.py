"""What a bundle holds does not depend on rows' order, units, threads, or the road that leads to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from statsmodels.regression.linear_model import OLS

import specgl
from specgl import images, models
from specgl.bundle import Role
from specgl.engines import Threads
from specgl.inference import infer
from specgl.planning import GroupSource

SEEDS = st.integers(0, 2**32 - 1)
SHAPE = (4, 3, 3)
N = 12
MAPS = ("effect", "variance", "stat", "z", "p")
# Maps are written in float32. Two computations that agree in all but their last bits in float64 may round to
# neighbours there; the atol is for values that are themselves next to 0.
WRITTEN = {"rtol": float(np.finfo(np.float32).eps), "atol": 1e-12}

GROUPED = {
    "variables": {"group": {"type": "categorical"}, "age": {"type": "continuous"}},
    "model": {"formula": "group + age"},
    "contrasts": {
        "difference": "group[b] - group[a]",
        "both": {"hypothesis": ["age", "group[b] - group[a]"]},
    },
}


def table(seed: int) -> dict[str, list[object]]:
    rng = np.random.default_rng(seed)
    return {
        "id": [f"s{i:02d}" for i in range(N)],
        "group": rng.permutation(["a", "b"] * (N // 2)).tolist(),
        "age": np.round(rng.uniform(20, 60, N), 1).tolist(),
    }


def volumes(seed: int, dtype: type = np.float64) -> np.ndarray:
    return (np.random.default_rng([seed, 1]).standard_normal((N, *SHAPE)) + 0.4).astype(dtype)


def with_holes(seed: int, share: float = 0.15) -> np.ndarray:
    made = volumes(seed)
    made[np.random.default_rng([seed, 2]).random(made.shape) < share] = np.nan
    return made


def digests(bundle: specgl.Bundle) -> dict[str, str | None]:
    """Digests of the data of all images, by their paths."""
    return {file.path: file.data_sha256 for file in bundle.files if file.role.is_image}


@given(SEEDS)
@settings(max_examples=4)
def test_relabelled_and_reordered_rows_give_the_same_maps(laboratory, seed: int) -> None:
    rng = np.random.default_rng(seed)
    order, names = rng.permutation(N), [f"x{i}" for i in rng.permutation(100)[:N]]
    columns, data = table(seed), volumes(seed)
    first = laboratory.run(columns, data, **GROUPED)
    moved = {name: [cells[i] for i in order] for name, cells in columns.items()} | {"id": names}
    second = laboratory.run(moved, data[order], **GROUPED)
    for name in MAPS:
        assert_allclose(second.maps[name], first.maps[name], **WRITTEN, err_msg=name)
    assert second.design is not None
    assert second.design.index.tolist() == names


@given(SEEDS, st.floats(1e-6, 1e6), st.integers(-20, 20), st.booleans())
@settings(max_examples=4)
def test_other_units_of_the_images(laboratory, seed: int, scale: float, power: int, negative: bool) -> None:
    """Effect goes with the scale, variance with its square; t, z and p stay, to the bit for a power of 2."""
    data, sign = volumes(seed), -1.0 if negative else 1.0
    plain = laboratory.run(table(seed), data, **GROUPED).maps
    scaled = laboratory.run(table(seed), sign * scale * data, **GROUPED).maps
    assert_allclose(scaled["effect"] / scale, sign * plain["effect"], rtol=1e-6, atol=1e-12)
    assert_allclose(scaled["variance"] / scale**2, plain["variance"], rtol=1e-6)
    direction = np.array([sign, 1.0])[:, None, None, None]  # F has none
    for name in ("stat", "z"):
        assert_allclose(scaled[name], direction * plain[name], **WRITTEN, err_msg=name)
    assert_allclose(scaled["p"], plain["p"], **WRITTEN)

    shifted = laboratory.run(table(seed), sign * 2.0**power * data, **GROUPED).maps
    for name in ("stat", "z"):
        assert_array_equal(shifted[name], direction * plain[name], err_msg=name)
    assert_array_equal(shifted["p"], plain["p"])


@given(SEEDS, st.floats(-30, 300))
@settings(max_examples=4)
def test_a_contrast_and_its_negative_are_mirror_images(laboratory, seed: int, shift: float) -> None:
    """To the last bit, from no effect to one whose p a double can't hold (z beyond 38)."""
    data = volumes(seed, np.float32)
    data[:, :2] += np.float32(shift)
    said = {
        "contrasts": {
            "up": {"hypothesis": "mean", "alternative": "greater"},
            "down": {"hypothesis": "-mean", "alternative": "less"},
            "plus": "mean",
            "minus": "-1 * mean",
        },
        "model": {"formula": "1"},
        "inference": {"fdr": {"method": "parametric", "correction": "fdr_by", "alpha": 0.2}},
    }
    bundle = laboratory.run(table(seed), data, **said)
    maps = bundle.maps.load()
    for one, other in (("up", "down"), ("plus", "minus")):
        a, b = maps.sel(contrast=one), maps.sel(contrast=other)
        for name in ("effect", "stat", "z", "stat_fdr"):
            assert_array_equal(a[name], -b[name], err_msg=name)
        for name in ("variance", "p", "logp_fdr"):
            assert_array_equal(a[name], b[name], err_msg=name)
    z = maps["z"].sel(contrast="plus")
    assert np.isfinite(z).all()
    if shift > 250:
        assert float(z.max()) > 5


@given(SEEDS)
@settings(max_examples=3)
def test_a_paired_design_is_the_paired_t_test(laboratory, seed: int) -> None:
    """By a block, and by a column for each person."""
    data = volumes(seed)
    person, time = np.repeat(np.arange(N // 2), 2), np.tile(["pre", "post"], N // 2)
    columns = {"id": [f"m{i}" for i in range(N)], "person": [f"p{i}" for i in person], "time": time.tolist()}
    of_time = {"time": {"type": "categorical", "levels": ["pre", "post"]}}
    said = {
        "contrasts": {"change": "time[post] - time[pre]"},
        "inference": {"holm": {"method": "parametric", "correction": "holm", "alpha": 0.05}},
    }
    blocked = laboratory.run(
        columns, data, variables=of_time, model={"formula": "time", "block": "person"}, **said
    )
    dummies = laboratory.run(
        columns,
        data,
        variables={**of_time, "person": {"type": "categorical"}},
        model={"formula": "person + time"},
        **said,
    )
    truth = stats.ttest_rel(data[time == "post"], data[time == "pre"])
    for bundle in (blocked, dummies):
        (row,) = bundle.manifest["results"]
        assert (row["dof"], row["n"]) == (N / 2 - 1, N)
        assert_allclose(bundle.maps["stat"].sel(contrast="change"), truth.statistic, **WRITTEN)
        assert_allclose(bundle.maps["p"].sel(contrast="change"), truth.pvalue, **WRITTEN)
    for name in MAPS:
        assert_allclose(blocked.maps[name], dummies.maps[name], **WRITTEN, err_msg=name)


@given(SEEDS, st.sampled_from([0.5, 0.75, 0.9]))
@settings(max_examples=3)
def test_available_rows_are_fitted_voxel_by_voxel(laboratory, seed: int, share: float) -> None:
    """As if statsmodels were run at each voxel on the rows that have a value there."""
    data, columns = with_holes(seed), table(seed)
    bundle = laboratory.run(columns, data, **GROUPED, data={"missing": {"voxel": {"available": share}}})
    present = np.isfinite(data)
    enough = present.sum(axis=0) >= share * N
    assert_array_equal(bundle.mask, enough)
    maps = bundle.maps.load()
    assert_array_equal(maps["n"].values[enough], present.sum(axis=0)[enough])
    age = np.array(columns["age"], dtype=float)
    # Centred over all analysed rows, not over those of one voxel: the slope and differences don't mind.
    matrix = np.column_stack([np.ones(N), np.array(columns["group"]) == "b", age - age.mean()])
    for i, j, k in np.argwhere(enough):
        rows = present[:, i, j, k]
        fit = OLS(data[rows, i, j, k], matrix[rows]).fit()
        t, f = fit.t_test([0, 1, 0]), fit.f_test([[0, 0, 1], [0, 1, 0]])
        here = maps.isel(i=i, j=j, k=k)
        one, both = here.sel(contrast="difference"), here.sel(contrast="both")
        assert float(here["dof"]) == fit.df_resid
        close = {**WRITTEN, "atol": 1e-9}
        assert_allclose(one["effect"], t.effect.item(), **close)
        assert_allclose(one["variance"], t.sd.item() ** 2, **close)
        assert_allclose(one["stat"], t.tvalue.item(), **close)
        assert_allclose(one["p"], t.pvalue.item(), **close)
        assert_allclose(both["stat"], f.fvalue, **close)
        assert_allclose(both["p"], f.pvalue, **close)


@given(SEEDS)
@settings(max_examples=3)
def test_all_rows_available_is_complete(laboratory, seed: int) -> None:
    data = with_holes(seed, 0.02)
    path = laboratory.study(table(seed), data, **GROUPED)
    spec = specgl.read(path)
    available = specgl.read(
        laboratory.study(table(seed), data, **GROUPED, data={"missing": {"voxel": {"available": 1.0}}})
    )
    complete = specgl.run(spec, threads=1)
    assert digests(complete) == digests(specgl.run(available, threads=1))
    assert_array_equal(complete.mask, np.isfinite(data).all(axis=0))


@given(SEEDS, st.booleans())
@settings(max_examples=3)
def test_threads_change_no_bit(laboratory, seed: int, blocked: bool) -> None:
    """Smoothed, with values missing, with everything that can be written."""
    columns = table(seed) | {"pair": [f"p{i // 2}" for i in range(N)]}
    spec = specgl.read(
        laboratory.study(
            columns,
            with_holes(seed, 0.1).astype(np.float32),
            variables={"age": {"type": "continuous"}},
            model={"formula": "age", **({"block": "pair"} if blocked else {})},
            contrasts={"slope": "age", "f": {"hypothesis": ["age"]}},
            data={"missing": {"voxel": {"available": 0.7}}, "smoothing_fwhm": 4},
            inference={"holm": {"method": "parametric", "correction": "holm", "alpha": 0.5}},
            output={"maps": [*MAPS, "dof", "n", "cohen_d", "r2", "sigma", "residuals"]},
        )
    )
    folder = spec.folder
    runs = [digests(specgl.run(spec, folder / f"with{threads}", threads=threads)) for threads in (1, 2, 3)]
    assert runs[0] == runs[1] == runs[2]
    assert len(runs[0]) >= 18
    assert None not in runs[0].values()


@given(SEEDS)
@settings(max_examples=3)
def test_a_bundle_gives_back_what_was_computed(laboratory, seed: int) -> None:
    """Every map to the bit, after the one rounding to float32 that its manifest tells."""
    spec = specgl.read(
        laboratory.study(
            table(seed),
            with_holes(seed, 0.1),
            **GROUPED,
            data={"missing": {"voxel": {"available": 0.8}}},
            inference={
                "fdr": {"method": "parametric", "correction": "fdr_bh", "alpha": 0.3},
                "alone": {"method": "parametric", "correction": "none", "alpha": 0.05, "min_cluster_size": 2},
            },
            output={"maps": [*MAPS, "dof", "n", "cohen_d", "r2", "sigma", "residuals"]},
        )
    )
    plan, engine = specgl.plan(spec), Threads(1)
    source = plan.source
    assert isinstance(source, GroupSource)
    loaded = images.load(source.images, plan.grid, mask=source.mask, missing=source.missing, engine=engine)
    fit = models.fit(loaded.data, source.design, engine=engine)
    made = models.contrast_maps(fit, source.design)
    extra = models.extra_maps(plan.maps, fit, loaded.data, source.design, engine=engine)
    inferred = infer(made, loaded.space, plan.inferences)

    bundle = specgl.run(spec)
    bundle.verify()
    maps, space = bundle.maps.load(), loaded.space
    assert_array_equal(bundle.mask, space.mask)

    def same(held: np.ndarray, values: np.ndarray, outside: float) -> None:
        assert_array_equal(held, space.to_volume(values.astype(held.dtype), outside))

    for name in (*MAPS, "cohen_d"):
        for contrast in ("difference", "both"):
            same(maps[name].sel(contrast=contrast).values, made[name].sel(contrast=contrast).values, np.nan)
    same(maps["dof"].values, made["dof"].values, np.nan)
    same(maps["n"].values, made["n"].values, np.nan)
    for name in ("r2", "sigma"):
        same(maps[name].values, extra[name], np.nan)
    for row, values in zip(maps["residuals"], extra["residuals"], strict=True):
        same(row.values, values, np.nan)
    assert maps["observation"].values.tolist() == list(source.design.observations)
    assert len(inferred) == 4
    for one in inferred:
        same(maps[f"stat_{one.inference}"].sel(contrast=one.contrast).values, one.thresholded, 0)
        same(maps[f"logp_{one.inference}"].sel(contrast=one.contrast).values, one.logp, np.nan)
        rows = bundle.tables[one.contrast, one.inference]
        assert len(rows) == len(one.clusters)
    assert_allclose(bundle.design, source.design.matrix, rtol=1e-14)


@given(SEEDS)
@settings(max_examples=3)
def test_masking_chooses_voxels_and_changes_none(laboratory, seed: int) -> None:
    """A bundle's own mask leads to the same bundle, and a part of it to a part of the maps."""
    import nibabel as nib

    data = with_holes(seed, 0.02)
    whole = laboratory.run(table(seed), data, **GROUPED)
    path = laboratory.study(table(seed), data, **GROUPED, mask="mask.nii.gz")
    (mask_file,) = [file.path for file in whole.files if file.role is Role.MASK]
    (path.parent / "mask.nii.gz").write_bytes((whole.path / mask_file).read_bytes())
    again = specgl.run(specgl.read(path), threads=1)
    # How many observations have a value is told of the whole mask, which is another one here.
    told = {path for path in digests(whole) if path != "qc/coverage.nii.gz"}
    assert {path: digests(again)[path] for path in told} == {path: digests(whole)[path] for path in told}

    image = nib.load(whole.path / mask_file)
    part = whole.mask.values & (np.random.default_rng(seed).random(SHAPE) < 0.5)
    part[tuple(np.argwhere(whole.mask.values)[0])] = True
    nib.save(nib.Nifti1Image(part.astype(np.uint8), image.affine), path.parent / "mask.nii.gz")
    some = specgl.run(specgl.read(path), path.parent / "part", threads=1)
    assert_array_equal(some.mask, part)
    for name in MAPS:
        held = some.maps[name].values
        assert_allclose(held[:, part], whole.maps[name].values[:, part], **WRITTEN, err_msg=name)
        assert np.isnan(held[:, ~part]).all()


def test_a_spec_made_of_a_bundle_runs_to_the_same_bundle(laboratory) -> None:
    """`resolved.json` says everything: put beside the data, it is the same analysis."""
    path = laboratory.study(table(5), volumes(5), **GROUPED)
    first = specgl.run(specgl.read(path))
    copy = path.with_name("again.json")
    copy.write_bytes((first.path / "spec" / "resolved.json").read_bytes())
    second = specgl.run(specgl.read(copy), path.parent / "again")
    assert digests(second) == digests(first)
    assert second.manifest["spec_digest"] == first.manifest["spec_digest"]
    assert second.maps.attrs["spec_digest"] == first.maps.attrs["spec_digest"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_the_type_of_the_files_is_not_the_type_of_the_sums(laboratory, dtype: type) -> None:
    """Whole numbers are the same number in each type, and large ones lose nothing in the sums."""
    rng = np.random.default_rng(8)
    data = rng.integers(-30000, 30000, (N, *SHAPE)).astype(dtype)
    maps = laboratory.run(table(8), data, model={"formula": "1"}, contrasts={"mean": "mean"}).maps
    truth = stats.ttest_1samp(data.astype(np.float64), 0)
    assert_allclose(maps["stat"].sel(contrast="mean"), truth.statistic, **WRITTEN)
