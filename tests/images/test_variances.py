"""Whether first-level variances can be what they are said to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.engines import Threads
from specgl.errors import Finding
from specgl.images import Companions, ImageRef, MaskImage, MissingVoxels, load, read_header
from specgl.images.transforms import PositiveOnly
from specgl.images.variances import check_variances

N_LOC = 400


def simulate(
    rng: np.random.Generator, n_obs: int, tau2: float, unit: float
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Effects and variances of a random-effects model, whose variances differ by person and place."""
    variances = unit**2 * np.exp(rng.normal(0, 0.5, (n_obs, 1)) + rng.normal(0, 0.7, (n_obs, N_LOC)))
    spread = np.sqrt(variances + tau2 * unit**2)
    return rng.normal(0.3 * unit, spread), variances, [f"s{n}" for n in range(n_obs)]


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in findings]


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    n_obs=st.integers(3, 25),
    tau2=st.sampled_from([0.0, 0.1, 1.0, 10.0]),
    unit=st.sampled_from([1e-3, 0.1, 1.0, 100.0]),
    holes=st.booleans(),
)
def test_true_variances_of_any_unit_give_no_warning(
    seed: int, n_obs: int, tau2: float, unit: float, holes: bool
) -> None:
    rng = np.random.default_rng(seed)
    values, variances, names = simulate(rng, n_obs, tau2, unit)
    if holes:
        values[rng.random(values.shape) < 0.1] = np.nan
        variances[np.isnan(values)] = np.nan
    assert check_variances(values, variances, names) == ()


@pytest.mark.parametrize(("unit", "amiss"), [(1000.0, "small"), (0.01, "large")])
def test_standard_errors_are_told_with_what_their_squares_would_give(unit: float, amiss: str) -> None:
    values, variances, names = simulate(np.random.default_rng(3), 12, 0.5, unit)
    (finding,) = check_variances(values, np.sqrt(variances), names)
    assert finding.code == "W315"
    assert f"far too {amiss}" in finding.message
    assert "may be standard errors" in finding.message
    ratio = np.median(values.var(axis=0, ddof=1) / np.sqrt(variances).mean(axis=0))
    assert f"by {ratio:.3g} times" in finding.message
    squared = np.median(values.var(axis=0, ddof=1) / variances.mean(axis=0))
    assert f"{squared:.3g}" in finding.notes[1]
    assert "square these images" in (finding.help or "")


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_another_scale_is_told_with_the_figures(factor: float) -> None:
    values, variances, names = simulate(np.random.default_rng(4), 9, 0.5, 1.0)
    (finding,) = check_variances(values, variances * factor, names)
    assert finding.code == "W315"
    assert ("far too small" if factor < 1 else "far too large") in finding.message
    ratio = np.median(values.var(axis=0, ddof=1) / (factor * variances.mean(axis=0)))
    assert f"by {ratio:.3g} times" in finding.message
    assert "standard errors" not in finding.message


def test_the_ratio_is_over_the_effects_that_there_are() -> None:
    rng = np.random.default_rng(5)
    values, variances, names = simulate(rng, 8, 0.5, 1.0)
    values[rng.random(values.shape) < 0.4] = np.nan
    (finding,) = check_variances(values, 1e4 * variances, names)
    enough = np.isfinite(values).sum(axis=0) >= 3
    within = np.nanmean(np.where(np.isfinite(values), 1e4 * variances, np.nan)[:, enough], axis=0)
    ratio = np.median(np.nanvar(values[:, enough], axis=0, ddof=1) / within)
    assert f"by {ratio:.3g} times" in finding.message


def test_one_image_scaled_unlike_the_others_is_named_and_left_out_of_the_rest() -> None:
    values, variances, names = simulate(np.random.default_rng(6), 10, 0.5, 1.0)
    variances[3] *= 1e6
    (finding,) = check_variances(values, variances, names)
    assert finding.code == "W314"
    assert "'s3'" in finding.message
    values[3] *= 1e3  # in units of its own, effects and variances alike
    assert codes(check_variances(values, variances, names)) == []


@pytest.mark.parametrize("n_obs", [1, 2])
def test_of_too_few_observations_nothing_is_said(n_obs: int) -> None:
    values, variances, names = simulate(np.random.default_rng(7), n_obs, 0.5, 1.0)
    assert check_variances(values, 1e9 * variances, names) == ()


def test_where_no_location_has_enough_effects_nothing_is_said() -> None:
    values, variances, names = simulate(np.random.default_rng(7), 4, 0.5, 1.0)
    values[:2, ::2] = values[2:, 1::2] = np.nan
    assert check_variances(values, 1e9 * variances, names) == ()
    assert check_variances(values[:, :0], variances[:, :0], names) == ()


@given(st.lists(st.floats(width=32), max_size=20))
def test_only_positive_numbers_are_variances(numbers: list[float]) -> None:
    values = np.array(numbers, dtype=np.float32)
    PositiveOnly().mark(values)
    kept = [number for number in numbers if np.isfinite(number) and number > 0]
    assert values[~np.isnan(values)].tolist() == kept


def test_pain21_has_sound_variances_and_its_standard_errors_are_told(
    shared_data: Path, tmp_path: Path
) -> None:
    import nibabel as nib

    folder = shared_data / "pain21"
    numbers = range(1, 22)
    refs = {f"{n:02d}": ImageRef(folder / f"contrast_pain_{n:02d}.nii.gz") for n in numbers}
    true = {f"{n:02d}": ImageRef(folder / f"var_pain_{n:02d}.nii.gz") for n in numbers}
    options = {"mask": MaskImage(ImageRef(folder / "mask.nii.gz")), "engine": Threads(2)}
    grid = read_header(refs["01"]).grid
    loaded = load(refs, grid, companions=Companions(true), **options)
    assert loaded.space.n_locations == 192_885
    assert loaded.counts["without_variance"] == 0
    assert codes(loaded.findings) == ["W310"]  # two studies cover less than the others
    part = load(refs, grid, companions=Companions(true), missing=MissingVoxels(0.2), **options)
    assert part.counts["analysed"] == part.counts["mask"] == 259_353
    assert codes(part.findings) == ["W310"]

    values, variances = loaded.data.effect.values, loaded.data.variance.values
    names = list(refs)
    (finding,) = check_variances(values, np.sqrt(variances), names)
    assert "by 352 times" in finding.message
    assert finding.notes[1].endswith("2.52")
    (finding,) = check_variances(values, 1e-6 * variances, names)
    assert "by 2.52e+06 times" in finding.message
    first = nib.load(true["01"].path)
    assert np.array_equal(loaded.space.from_volume(first.get_fdata()), variances[0])
