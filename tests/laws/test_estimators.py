"""Whole runs of every estimator: what does not depend on rows' order, on units, or on how a model is said."""

from __future__ import annotations

from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import specgl

SEEDS = st.integers(0, 2**32 - 1)
SHAPE = (3, 3, 2)
N = 12
MAPS = ("effect", "variance", "stat", "z", "p")
# Maps are written in float32, and what is iterated comes to rest within 1e-10 of the residuals.
CLOSE = {"rtol": 2e-6, "atol": 1e-9}
ITERATED = {"rtol": 2e-5, "atol": 1e-7}


def _mixed(tau2: str, **others: str) -> dict[str, Any]:
    return {"estimator": {"method": "mixed_effects", "tau2": tau2, **others}}


WAYS: dict[str, dict[str, Any]] = {
    "ols": {},
    "fixed": {"estimator": {"method": "fixed_effects"}},
    **{tau2: _mixed(tau2) for tau2 in ("dl", "pm", "reml")},
    "reml, knapp_hartung": _mixed("reml", adjustment="knapp_hartung"),
    "reml by group": {**_mixed("reml"), "variance_groups": "group"},
    "huber": {"estimator": {"method": "robust", "loss": "huber"}},
    "bisquare": {"estimator": {"method": "robust", "loss": "bisquare"}},
    "hc3": {"errors": {"type": "hc3"}},
    "hc4": {"errors": {"type": "hc4"}},
    "c2": {"errors": {"type": "cluster", "by": "family"}},
}


def table(seed: int) -> dict[str, list[object]]:
    rng = np.random.default_rng(seed)
    return {
        "id": [f"s{i:02}" for i in range(N)],
        "group": rng.permutation(["a", "b"] * (N // 2)).tolist(),
        "age": np.round(rng.uniform(20, 60, N), 1).tolist(),
        "family": [f"f{i}" for i in rng.permutation(N) // 2],
        "one": [f"o{i}" for i in range(N)],
    }


def volumes(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Effects with some values missing, and their variances."""
    rng = np.random.default_rng([seed, 1])
    variances = rng.uniform(0.2, 2, (N, *SHAPE))
    effects = 0.4 + rng.standard_normal((N, *SHAPE)) * np.sqrt(variances + 0.5)
    effects[rng.random(effects.shape) < 0.05] = np.nan
    return effects, variances


def run(laboratory, columns, effects, variances, model: dict[str, Any], **others: Any) -> specgl.Bundle:
    weighted = model.get("estimator", {}).get("method") in ("fixed_effects", "mixed_effects")
    data = {"missing": {"voxel": {"available": 0.7}}} | ({"variances": "v/{id}.nii"} if weighted else {})
    path = laboratory.study(
        columns,
        effects,
        data=data | others.pop("data", {}),
        variables={"group": {"type": "categorical"}, "age": {"type": "continuous"}},
        model={"formula": "group + age", **model},
        contrasts={
            "difference": "group[b] - group[a]",
            "both": {"hypothesis": ["age", "group[b] - group[a]"]},
        },
        **others,
    )
    (path.parent / "v").mkdir()
    for name, volume in zip(columns["id"], variances, strict=True):
        nib.save(
            nib.Nifti1Image(volume, nib.load(path.parent / "maps" / f"{name}.nii").affine),
            path.parent / "v" / f"{name}.nii",
        )
    return specgl.run(specgl.read(path), threads=1)


@pytest.mark.parametrize("name", WAYS)
@given(SEEDS)
@settings(max_examples=2)
def test_relabelled_and_reordered_rows_give_the_same_maps(laboratory, name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    order, names = rng.permutation(N), [f"x{i}" for i in rng.permutation(100)[:N]]
    columns, (effects, variances) = table(seed), volumes(seed)
    moved = {key: [cells[i] for i in order] for key, cells in columns.items()} | {"id": names}
    first = run(laboratory, columns, effects, variances, WAYS[name])
    second = run(laboratory, moved, effects[order], variances[order], WAYS[name])
    for key in (*MAPS, *(["tau2"] if "tau2" in first.maps else [])):
        assert_allclose(second.maps[key], first.maps[key], **ITERATED, err_msg=key)


@pytest.mark.parametrize("name", WAYS)
@given(SEEDS, st.floats(1e-5, 1e5), st.booleans())
@settings(max_examples=2)
def test_other_units_of_the_images(laboratory, name: str, seed: int, scale: float, negative: bool) -> None:
    """Effects times k and variances times k squared leave t, z and p; tau squared goes with the variances."""
    columns, (effects, variances) = table(seed), volumes(seed)
    sign = -1.0 if negative else 1.0
    plain = run(laboratory, columns, effects, variances, WAYS[name]).maps
    scaled = run(laboratory, columns, sign * scale * effects, scale**2 * variances, WAYS[name]).maps
    direction = np.array([sign, 1.0])[:, None, None, None]  # F has none
    for key in ("stat", "z"):
        assert_allclose(scaled[key], direction * plain[key], **ITERATED, err_msg=key)
    assert_allclose(scaled["p"], plain["p"], **ITERATED)
    assert_allclose(scaled["effect"] / scale, sign * plain["effect"], **ITERATED)
    assert_allclose(scaled["variance"] / scale**2, plain["variance"], **ITERATED)
    if "tau2" in plain:
        assert_allclose(scaled["tau2"] / scale**2, plain["tau2"], **ITERATED)


@pytest.mark.parametrize("tau2", ["dl", "pm", "ml", "reml", "hedges"])
@given(SEEDS, st.floats(0.05, 20))
@settings(max_examples=2)
def test_equal_variances_and_their_own_scale_are_least_squares(
    laboratory, tau2: str, seed: int, level: float
) -> None:
    """With Knapp and Hartung's factor the scatter alone counts, whatever the variances are said to be."""
    columns, (effects, variances) = table(seed), volumes(seed)
    equal = np.full(variances.shape, level)
    ols = run(laboratory, columns, effects, equal, {}).maps
    mixed = run(laboratory, columns, effects, equal, _mixed(tau2, adjustment="knapp_hartung")).maps
    for key in MAPS:
        assert_allclose(mixed[key], ols[key], **ITERATED, err_msg=key)


@given(SEEDS)
@settings(max_examples=2)
def test_without_a_tau_squared_mixed_effects_are_fixed(laboratory, seed: int) -> None:
    """Where it comes out as 0; the reference stays a t."""
    columns, (effects, variances) = table(seed), volumes(seed)
    fixed = run(laboratory, columns, effects, 40 * variances, WAYS["fixed"]).maps.load()
    mixed = run(laboratory, columns, effects, 40 * variances, WAYS["reml"]).maps.load()
    nothing = mixed["tau2"].values == 0
    assert nothing.sum() > 5
    for key in ("effect", "variance"):
        assert_allclose(mixed[key].values[0][nothing], fixed[key].values[0][nothing], **CLOSE, err_msg=key)
    assert (mixed["p"].values[0][nothing] > fixed["p"].values[0][nothing]).all()


@pytest.mark.parametrize("number", range(4))
@given(SEEDS)
@settings(max_examples=2)
def test_clusters_of_one_are_errors_of_their_own(laboratory, number: int, seed: int) -> None:
    columns, (effects, variances) = table(seed), volumes(seed)
    errors = {"type": "cluster", "by": "one", "correction": f"c{number}"}
    clusters = run(laboratory, columns, effects, variances, {"errors": errors}).maps
    own = run(laboratory, columns, effects, variances, {"errors": {"type": f"hc{number}"}}).maps
    for key in ("effect", "variance"):
        assert_allclose(clusters[key], own[key], **CLOSE, err_msg=key)
    assert_allclose(
        clusters["stat"].sel(contrast="difference"), own["stat"].sel(contrast="difference"), **CLOSE
    )


@given(SEEDS)
@settings(max_examples=2)
def test_a_robust_fit_of_clean_data_is_close_to_least_squares(laboratory, seed: int) -> None:
    columns, (effects, variances) = table(seed), volumes(seed)
    ols = run(laboratory, columns, effects, variances, {}).maps.load()
    se = np.sqrt(ols["variance"].values[0])
    for loss in ("huber", "bisquare"):
        robust = run(laboratory, columns, effects, variances, WAYS[loss]).maps
        away = np.abs(robust["effect"].values[0] - ols["effect"].values[0]) / se
        assert np.nanmedian(away) < 0.5
