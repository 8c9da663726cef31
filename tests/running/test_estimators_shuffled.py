"""Estimators under shuffles, from a spec to corrected p: beside all labellings, one at a time."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import linalg, stats

import specgl
from specgl.engines import Dask
from specgl.errors import SpecglError

MIXED = {"estimator": {"method": "mixed_effects"}}
FIXED = {"estimator": {"method": "fixed_effects"}}
VARIANCES = {"variances": "v/{id}.nii"}
COVARIATE = {"voxelwise": {"gm": "gm/{id}.nii"}}
AVAILABLE = {"missing": {"voxel": {"available": 0.7}}}
MAXIMUM = {"maxT": {"method": "permutation", "statistic": "voxel"}}
ALL = {"n": "all", "seed": 1}
DIFFERENCE = {"difference": "group[b] - group[a]"}
MEAN = {"average": "mean"}


# All labellings, one at a time ------------------------------------------------------------------------


def flips(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(np.arange(n), np.array(signs)) for signs in itertools.product([1, -1], repeat=n)]


def orders(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(np.array(order), np.ones(n)) for order in itertools.permutations(range(n))]


def null_of(
    x: np.ndarray,
    row: np.ndarray,
    y: np.ndarray,
    labellings: list[tuple[np.ndarray, np.ndarray]],
    *,
    w: np.ndarray | None = None,
    scale: str = "residual",
) -> np.ndarray:
    """t (n_labellings,) at one voxel: residuals of the weighted model without what is tested are shuffled."""
    root = np.ones(len(y)) if w is None else np.sqrt(w)
    x, y = root[:, None] * x, root * y
    nuisance = x @ linalg.null_space(row[None])
    e = y - nuisance @ np.linalg.lstsq(nuisance, y, rcond=None)[0] if nuisance.size else y
    inverse = np.linalg.inv(x.T @ x)
    half = inverse @ x.T
    leverage = np.diag(x @ half)
    found = []
    for order, signs in labellings:
        shuffled = signs * e[order]
        b = half @ shuffled
        residual = shuffled - x @ b
        match scale:
            case "known":
                cov = inverse
            case "hc3":
                cov = half @ np.diag((residual / (1 - leverage)) ** 2) @ half.T
            case _:
                cov = residual @ residual / (len(y) - x.shape[1]) * inverse
        found.append(float(row @ b / np.sqrt(row @ cov @ row)))
    return np.array(found)


def corrected(null: np.ndarray) -> np.ndarray:
    """Two-sided p of the maximum, from statistics (n_labellings, n_loc) of which the first is observed."""
    size = np.abs(null)
    maxima = size.max(axis=1)
    return np.mean(maxima[:, None] >= size[0] * (1 - 1e-7), axis=0)


def p_of(bundle: specgl.Bundle, contrast: str, inference: str = "maxT") -> np.ndarray:
    """Corrected p at every voxel, in the order of `np.ndindex`."""
    held = bundle.maps[f"logp_{inference}"].sel(contrast=contrast).values
    return np.asarray(10.0 ** -held.astype(float)).ravel()


SHAPE = (3, 2, 2)


@pytest.fixture(scope="module")
def tiny(make_group: Callable[..., Any]) -> Callable[..., Any]:
    """Groups of very few in twelve voxels, with an effect in some of them."""

    def make(n: int, seed: int = 5) -> Any:
        group = make_group(n, seed=seed, shape=SHAPE)
        volumes = group.effects.copy()
        volumes[:, 0] += 2
        volumes[1::2, 1] += 4
        group.save("y", volumes)
        group.effects[...] = volumes
        return group

    return make


def voxels(group: Any) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Effects, variances and covariate of each voxel, in the order of `np.ndindex`."""
    held = (group.effects, group.variances, group.grey)
    return [tuple(a[(slice(None), *v)].astype(float) for a in held) for v in np.ndindex(*SHAPE)]


def check(bundle: specgl.Bundle, contrast: str, null: np.ndarray) -> None:
    expected = corrected(null)
    np.testing.assert_allclose(p_of(bundle, contrast), expected, rtol=1e-5)
    assert expected.min() < 0.25 < expected.max(), "the labellings tell voxels apart"
    (row,) = [row for row in bundle.manifest["results"] if row["contrast"] == contrast]
    assert row["min_p"] == pytest.approx(expected.min())
    assert len(bundle.null[contrast, "maxT"]) == len(null)


def test_mixed_effects_of_a_mean_by_all_flips(tiny, one_voxel) -> None:
    group = tiny(7)
    bundle = group.run(
        model={**MIXED, "formula": "1"},
        data=VARIANCES,
        variables={},
        contrasts=MEAN,
        inference=MAXIMUM,
        permutation=ALL,
    )
    nothing = np.empty((7, 0))
    null = []
    for y, s, _ in voxels(group):
        tau2 = one_voxel.most_likely(nothing, y, s, np.zeros(7, dtype=int), "ml")  # no part of a mean is left
        null.append(null_of(np.ones((7, 1)), np.array([1.0]), y, flips(7), w=1 / (s + tau2[0])))
    check(bundle, "average", np.transpose(null))


def test_fixed_effects_of_a_mean_by_all_flips(tiny) -> None:
    group = tiny(7)
    bundle = group.run(
        model={**FIXED, "formula": "1"}, data=VARIANCES, contrasts=MEAN, inference=MAXIMUM, permutation=ALL
    )
    null = [
        null_of(np.ones((7, 1)), np.array([1.0]), y, flips(7), w=1 / s, scale="known")
        for y, s, _ in voxels(group)
    ]
    check(bundle, "average", np.transpose(null))


def test_mixed_effects_of_a_mean_beside_a_factor_by_all_flips(tiny, one_voxel) -> None:
    group = tiny(8)
    bundle = group.run(
        model={**MIXED, "formula": "group"},
        data=VARIANCES,
        contrasts={"a": "group[a]"},
        inference=MAXIMUM,
        permutation={**ALL, "exchange": "flip"},
    )
    x = np.column_stack([np.ones(8), group.of_group_b])
    null = []
    for y, s, _ in voxels(group):
        tau2 = one_voxel.between(x[:, 1:], y, s, "reml")
        null.append(null_of(x, np.array([1.0, 0]), y, flips(8), w=1 / (s + tau2)))
    check(bundle, "a", np.transpose(null))


def test_mixed_effects_of_a_difference_by_all_orders(tiny, one_voxel) -> None:
    """Each observation has a weight of its own, so that every order is another labelling."""
    group = tiny(6)
    bundle = group.run(
        model={**MIXED, "formula": "group"},
        data=VARIANCES,
        contrasts=DIFFERENCE,
        inference=MAXIMUM,
        permutation={**ALL, "exchange": "permute"},
    )
    x = np.column_stack([np.ones(6), group.of_group_b])
    null = []
    for y, s, _ in voxels(group):
        tau2 = one_voxel.between(x[:, :1], y, s, "reml")
        null.append(null_of(x, np.array([0, 1.0]), y, orders(6), w=1 / (s + tau2)))
    check(bundle, "difference", np.transpose(null))


def test_hc3_of_a_difference_by_all_orders(tiny) -> None:
    group = tiny(8)
    bundle = group.run(
        model={"formula": "group", "errors": {"type": "hc3"}},
        contrasts=DIFFERENCE,
        inference=MAXIMUM,
        permutation=ALL,
    )
    x = np.column_stack([np.ones(8), group.of_group_b])
    # Orders that move equal rows of the design are one labelling: who is in which group is all that counts.
    labellings = []
    for those in itertools.combinations(range(8), 4):
        order = np.empty(8, dtype=int)
        order[group.of_group_b == 0] = those
        order[group.of_group_b == 1] = sorted(set(range(8)) - set(those))
        labellings.append((order, np.ones(8)))
    labellings.sort(key=lambda labelling: not np.array_equal(labelling[0], np.arange(8)))
    null = [null_of(x, np.array([0, 1.0]), y, labellings, scale="hc3") for y, _, _ in voxels(group)]
    check(bundle, "difference", np.transpose(null))


def test_a_covariate_of_each_voxel_by_all_orders(tiny) -> None:
    group = tiny(6)
    volumes = group.effects + 9 * group.grey * (np.arange(12).reshape(SHAPE) % 3 == 0)
    group.save("y", volumes.astype(np.float32))
    group.effects[...] = volumes
    bundle = group.run(
        model={"formula": "gm"},
        data=COVARIATE,
        contrasts={"slope": "gm"},
        inference=MAXIMUM,
        permutation=ALL,
    )
    null = [
        null_of(np.column_stack([np.ones(6), gm]), np.array([0, 1.0]), y, orders(6))
        for y, _, gm in voxels(group)
    ]
    check(bundle, "slope", np.transpose(null))


def test_flips_where_values_are_missing_are_of_those_that_are_there(tiny, one_voxel) -> None:
    """Degrees of freedom vary, so that the maximum is of z."""
    group = tiny(9)
    volumes = group.effects.copy()
    volumes[2, 0, 0, 0], volumes[5, 1, 1, 0], volumes[[0, 7], 2, 1, 1] = np.nan, np.nan, np.nan
    group.save("y", volumes)
    group.effects[...] = volumes
    bundle = group.run(
        model={**MIXED, "formula": "1"},
        data={**VARIANCES, **AVAILABLE},
        contrasts=MEAN,
        inference=MAXIMUM,
        permutation=ALL,
    )
    null = []
    for y, s, _ in voxels(group):
        there = np.isfinite(y)
        y, s, n = y[there], s[there], int(there.sum())
        tau2 = one_voxel.most_likely(np.empty((n, 0)), y, s, np.zeros(n, dtype=int), "ml")
        own = [(np.arange(n), signs[there]) for _, signs in flips(9)]
        t = null_of(np.ones((n, 1)), np.array([1.0]), y, own, w=1 / (s + tau2[0]))
        null.append(np.sign(t) * stats.norm.isf(stats.t.sf(np.abs(t), n - 1)))
    check(bundle, "average", np.transpose(null))


# Whole runs -------------------------------------------------------------------------------------------

SPATIAL = {
    **MAXIMUM,
    "mass": {"method": "permutation", "statistic": "cluster_mass", "cluster_forming_p": 0.05},
    "tfce": {"method": "permutation", "statistic": "tfce"},
}
RUNS: dict[str, dict[str, Any]] = {
    "mixed effects, flips, values missing, a factor beside": {
        "model": {**MIXED, "formula": "group"},
        "data": {**VARIANCES, **AVAILABLE},
        "contrasts": {**MEAN, "a": "group[a]"},
        "permutation": {"n": 300, "seed": 4, "exchange": "flip"},
    },
    "mixed effects, orders, values missing": {
        "model": MIXED,
        "data": {**VARIANCES, **AVAILABLE},
        "permutation": {"n": 300, "seed": 4, "exchange": "permute"},
    },
    "tau squared by group": {
        "model": {**MIXED, "formula": "group", "variance_groups": "group"},
        "data": VARIANCES,
        "contrasts": DIFFERENCE,
        "permutation": {"n": 300, "seed": 4},
    },
    "fixed effects": {"model": FIXED, "data": VARIANCES, "permutation": {"n": 300, "seed": 4}},
    "hc3": {"model": {"errors": {"type": "hc3"}}, "permutation": {"n": 300, "seed": 4}},
    "a covariate, mixed effects": {
        "model": {**MIXED, "formula": "group + gm"},
        "data": {**VARIANCES, **COVARIATE},
        "contrasts": {**DIFFERENCE, "slope": "gm", "both": {"hypothesis": ["gm", "group[b] - group[a]"]}},
        "permutation": {"n": 300, "seed": 4},
    },
    "a covariate, flips, values missing": {
        "model": {"formula": "group * gm"},
        "data": {**COVARIATE, **AVAILABLE},
        "contrasts": {**DIFFERENCE, "slope": "gm"},
        "permutation": {"n": 300, "seed": 4, "exchange": "flip"},
    },
}


def images(bundle: specgl.Bundle) -> dict[str, str | None]:
    return {file.path: file.data_sha256 for file in bundle.files if file.role.is_image}


def nulls(bundle: specgl.Bundle) -> dict[str, str]:
    return {file.path: file.sha256 for file in bundle.files if file.path.startswith("null/")}


@pytest.fixture(scope="module")
def several(make_group: Callable[..., Any]) -> dict[bool, Any]:
    """A group by whether values are missing."""
    return {share > 0: make_group(12, share=share, seed=9) for share in (0.0, 0.05)}


@pytest.mark.parametrize("name", RUNS)
def test_threads_change_no_bit_and_every_p_is_a_count(several, name: str) -> None:
    sections = RUNS[name]
    group = several["missing" in sections.get("data", {})]
    one = group.run(threads=1, inference=SPATIAL, **sections)
    two = group.run(threads=2, inference=SPATIAL, **sections)
    one.verify()
    assert images(one) == images(two)
    assert nulls(one) == nulls(two) != {}
    for inference in SPATIAL:
        p = 10.0 ** -one.maps[f"logp_{inference}"].values.astype(float)
        held = p[np.isfinite(p)]
        np.testing.assert_allclose(held * 300, np.rint(held * 300), atol=1e-3)
        assert held.size
        assert held.min() >= 1 / 300 - 1e-9
    resolved = one.spec["permutation"]
    assert resolved.get("tau2") == ("reduced_model" if "mixed_effects" in str(sections["model"]) else None)


def test_a_cluster_of_processes_changes_no_bit(several, cluster) -> None:
    sections = RUNS["mixed effects, flips, values missing, a factor beside"]
    spec = several[True].spec(inference=SPATIAL, **sections)
    here = specgl.run(spec, several[True].folder / "here", threads=2)
    there = specgl.run(
        spec, several[True].folder / "there", engine=Dask(cluster.scheduler_address, threads=1)
    )
    there.verify()
    assert images(here) == images(there)
    assert nulls(here) == nulls(there)


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(several, monkeypatch) -> None:
    from specgl.inference.permutation import journey

    sections = RUNS["a covariate, mixed effects"]
    spec = several[False].spec(inference=SPATIAL, **sections)
    whole = specgl.run(spec, several[False].folder / "whole")
    original, left = journey.run_chunk, [8]

    def until(work: Any, chunk: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return original(work, chunk)

    monkeypatch.setattr(journey, "run_chunk", until)
    with pytest.raises(KeyboardInterrupt):
        specgl.run(spec, several[False].folder / "stopped", threads=1)
    done = list(several[False].folder.glob(".stopped.*.chunks/*.npz"))
    assert len(done) >= 7
    monkeypatch.setattr(journey, "run_chunk", original)
    again = specgl.run(spec, several[False].folder / "stopped", threads=2)
    assert images(again) == images(whole)
    assert nulls(again) == nulls(whole)


# What cannot be shuffled ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        (
            {
                "model": {"formula": "group + gm"},
                "data": {**COVARIATE, **AVAILABLE},
                "contrasts": {"slope": "gm"},
            },
            "voxelwise covariates",
        ),
        (
            {"model": {"errors": {"type": "hc3"}}, "data": AVAILABLE, "contrasts": {"slope": "age"}},
            "HC errors",
        ),
    ],
)
def test_labels_that_cannot_move_are_refused(several, sections: dict[str, Any], words: str) -> None:
    said = {**sections, "inference": MAXIMUM, "permutation": {"n": 300, "seed": 4, "exchange": "permute"}}
    with pytest.raises(SpecglError) as caught:
        several[True].run(**said)
    found = {finding.code: finding for finding in caught.value.findings}["E435"]
    assert words in found.message
    assert found.where == ("contrasts", "slope")
    assert found.line is not None
    assert "exchange: flip" in (found.help or "")
    several[False].run(**said).verify()
