"""Maps on request, from a spec to the files: names, words beside them, and numbers at a voxel."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, optimize, special, stats

import specgl
from specgl.bundle import planned_maps
from specgl.variables import VARIABLES, WEIGHT

ASKED = ["effect", "variance", "stat", "z", "p", "dof", "n", "standard_error", "ci", "tost"]
LEVEL, MARGIN = 0.9, 0.4
CONTRASTS = {
    "difference": {"hypothesis": "group[b] - group[a]", "margin": MARGIN},
    "average": "mean",
    "both": {"hypothesis": ["age", "group[b] - group[a]"]},
}
VOXEL = (2, 1, 1)
CLOSE = {"rtol": 1e-6, "atol": 1e-9}  # maps are float32
VARIANCES = {"variances": "v/{id}.nii"}
AVAILABLE = {"missing": {"voxel": {"available": 0.7}}}
BY_MEAN = {"age": {"type": "continuous"}}
"""Centred at its mean, so that the mean of the model is one of levels alone and has a Bayes factor."""
FDR = {"fdr": {"method": "parametric", "correction": "fdr_bh", "alpha": 0.4}}


def asked(*maps: str) -> dict[str, Any]:
    return {"maps": [*ASKED, *maps], "level": LEVEL}


ORDINARY = ("cohen_d", "hedges_g", "partial_r2", "bf10", "r2", "sigma", "leverage", "normality")
BESIDE = ("tau2", "i2", "q", "weights", "leverage", "normality")


@pytest.fixture(scope="module")
def group(make_group: Callable[..., Any]) -> Any:
    return make_group(14)


@pytest.fixture(scope="module")
def ordinary(group) -> specgl.Bundle:
    """Least squares with every map that it has."""
    return group.run(variables=BY_MEAN, contrasts=CONTRASTS, inference=FDR, output=asked(*ORDINARY))


@pytest.fixture(scope="module")
def mixed(make_group: Callable[..., Any]) -> tuple[Any, specgl.Bundle]:
    """A group with missing values, and mixed effects of it with every map that they have."""
    holed = make_group(share=0.06)
    bundle = holed.run(
        model={"estimator": {"method": "mixed_effects"}, "variance_groups": "group"},
        data={**VARIANCES, **AVAILABLE},
        contrasts=CONTRASTS,
        inference=FDR,
        output=asked(*BESIDE),
    )
    return holed, bundle


def words(bundle: specgl.Bundle, stat: str, contrast: str | None = None) -> dict[str, Any]:
    """The sidecar of a map."""
    name = f"stat-{stat}_statmap.json"
    name = name if contrast is None else f"contrast-{contrast}_{name}"
    return json.loads((bundle.path / "maps" / name).read_text())


def labels(bundle: specgl.Bundle, contrast: str | None) -> set[str]:
    """What maps there are of a contrast, or of the model, by the label of their statistic."""
    start = "stat-" if contrast is None else f"contrast-{contrast}_stat-"
    names = [path.name for path in (bundle.path / "maps").glob("*_statmap.nii.gz")]
    return {
        name[len(start) :].split("_")[0] for name in names if name.startswith(start) and "desc" not in name
    }


# Names and words ------------------------------------------------------------------------------------


def test_every_map_of_least_squares_has_its_name(ordinary) -> None:
    ordinary.verify()
    of_one_row = {
        *("effect", "variance", "t", "z", "p", "standarderror", "cilower", "ciupper", "cohend"),
        *("cohendlower", "cohendupper", "hedgesg", "hedgesglower", "hedgesgupper", "partialr2", "bf10"),
    }
    assert labels(ordinary, "average") == of_one_row
    assert labels(ordinary, "difference") == of_one_row | {"tost"}
    assert labels(ordinary, "both") == {"F", "z", "p", "partialr2"}
    assert labels(ordinary, None) == {"r2", "sigma", "leverage", "normality"}


def test_every_map_of_mixed_effects_has_its_name(mixed) -> None:
    _, bundle = mixed
    bundle.verify()
    of_one_row = {"effect", "variance", "t", "z", "p", "standarderror", "cilower", "ciupper"}
    assert labels(bundle, "average") == of_one_row
    assert labels(bundle, "difference") == of_one_row | {"tost"}
    assert labels(bundle, "both") == {"F", "z", "p"}
    assert labels(bundle, None) == {"tau2", "i2", "q", "weights", "leverage", "normality", "dof", "n"}


def test_words_beside_a_map_say_what_it_is(ordinary, mixed) -> None:
    _, other = mixed
    for bundle in (ordinary, other):
        for file in bundle.files:
            if file.role.is_map and file.label.inference is None and file.label.variable in VARIABLES:
                variable = VARIABLES[file.label.variable]
                told = json.loads((bundle.path / file.path.replace(".nii.gz", ".json")).read_text())
                assert (told["Units"], told["Description"]) == (variable.unit, variable.meaning), file.path
                limits = variable.name.endswith(("_lower", "_upper"))
                assert told.get("ConfidenceLevel") == (LEVEL if limits else None), file.path
                assert told.get("Margin") == (MARGIN if variable.name == "tost" else None), file.path
    assert words(other, "tau2")["VarianceGroups"] == ["group[a]", "group[b]"]
    assert words(ordinary, "ciupper", "difference")["DegreesOfFreedom"] == 11


def test_maps_by_observation_and_by_group_are_read_with_their_names(mixed) -> None:
    holed, bundle = mixed
    maps = specgl.open(bundle.path).maps
    assert maps["tau2"].dims == ("group", "i", "j", "k")
    assert maps["group"].values.tolist() == ["a", "b"]
    for name in ("weights", "leverage"):
        assert maps[name].dims == ("observation", "i", "j", "k")
        present = np.isfinite(holed.effects)
        np.testing.assert_array_equal(np.isfinite(maps[name].values), present)
    volumes = nib.load(bundle.path / "maps" / "stat-tau2_statmap.nii.gz").get_fdata()
    assert_allclose(maps["tau2"].sel(group="b").values, volumes[..., 1])


@pytest.mark.parametrize("which", ["ordinary", "fixed", "mixed", "robust", "clusters", "voxelwise"])
def test_what_is_planned_is_what_is_written(group, show, which: str) -> None:
    robust = {"estimator": {"method": "robust"}}
    sections: dict[str, Any] = {
        "ordinary": {"variables": BY_MEAN, "output": asked(*ORDINARY)},
        "fixed": {
            "model": {"estimator": {"method": "fixed_effects"}},
            "data": VARIANCES,
            "output": asked("i2", "q", "weights"),
        },
        "mixed": {
            "model": {"estimator": {"method": "mixed_effects"}},
            "data": VARIANCES,
            "output": asked(*BESIDE),
        },
        "robust": {"model": robust, "output": asked("weights", "sigma", "leverage", "normality")},
        "clusters": {
            "model": {"errors": {"type": "cluster", "by": "family"}},
            "output": asked("residuals", "sigma"),
        },
        "voxelwise": {
            "model": {"formula": "group * gm", **robust},
            "data": {"voxelwise": {"gm": "gm/{id}.nii"}},
            "contrasts": {**CONTRASTS, "both": {"hypothesis": ["gm", "group[b] - group[a]"]}},
            "output": asked("weights"),
        },
    }[which]
    spec = group.spec(**{"contrasts": CONTRASTS, "inference": FDR, **sections})
    plan = specgl.plan(spec)
    bundle = specgl.run(plan, group.folder / f"planned-{which}")
    bundle.verify()
    written = {file.path for file in bundle.files if file.role.is_image and not file.path.startswith("qc/")}
    planned = planned_maps(
        plan.maps, plan.source.letters, plan.inferences, without_effect={"both"}, with_margin=plan.margins
    )
    # n and dof vary in no complete data.
    unwritten = {path for path in set(planned) - written if "stat-n_" not in path and "stat-dof_" not in path}
    assert (unwritten, written - set(planned)) == (set(), set())
    assert show("verify", bundle.path)
    assert "difference" in show("show", bundle.path)
    told = show("plan", spec.source.path)
    words = {
        "ordinary": "ordinary least squares",
        "fixed": "fixed effects",
        "mixed": "tau2 (reml)",
        "robust": "robust (huber)",
        "clusters": "7 clusters of family (c2)",
        "voxelwise": "robust (huber)",
    }
    assert words[which] in told


# Numbers --------------------------------------------------------------------------------------------


def at(bundle: specgl.Bundle, contrast: str) -> dict[str, float]:
    """Every map of a contrast at one voxel."""
    here = bundle.maps.sel(contrast=contrast).isel(i=VOXEL[0], j=VOXEL[1], k=VOXEL[2])
    return {str(name): float(values) for name, values in here.data_vars.items() if values.ndim == 0}


def test_intervals_effect_sizes_and_equivalence(ordinary, group) -> None:
    x = np.column_stack([np.ones(14), group.of_group_b, group.age - 40])
    y = group.effects[(slice(None), *VOXEL)].astype(float)
    b, rss = np.linalg.lstsq(x, y)[:2]
    nu, sigma = 11, np.sqrt(rss[0] / 11)
    unit = np.linalg.inv(x.T @ x)[1, 1]
    se = sigma * np.sqrt(unit)
    t, half = b[1] / se, stats.t.ppf((1 + LEVEL) / 2, nu) * se
    here = at(ordinary, "difference")
    truth = {"standard_error": se, "ci_lower": b[1] - half, "ci_upper": b[1] + half, "sigma": sigma}
    # Schuirmann: both one-sided tests at the margin, the larger p.
    truth["tost"] = max(stats.t.sf((b[1] + MARGIN) / se, nu), stats.t.cdf((b[1] - MARGIN) / se, nu))
    factor = special.gamma(nu / 2) / (np.sqrt(nu / 2) * special.gamma((nu - 1) / 2))
    truth |= {"cohen_d": b[1] / sigma, "hedges_g": factor * b[1] / sigma, "partial_r2": t**2 / (t**2 + nu)}
    for name, share in (("lower", (1 + LEVEL) / 2), ("upper", (1 - LEVEL) / 2)):
        centre = optimize.brentq(lambda ncp: stats.nct.cdf(t, nu, ncp) - share, t - 8, t + 8, xtol=1e-12)  # noqa: B023
        truth[f"cohen_d_{name}"] = centre * np.sqrt(unit)
        truth[f"hedges_g_{name}"] = factor * centre * np.sqrt(unit)
    truth["bf10"] = bayes_factor(t, 1 / unit, nu)
    for name, value in truth.items():
        assert_allclose(here[name], value, **CLOSE, err_msg=name)
    assert here["ci_lower"] < here["effect"] < here["ci_upper"]
    f = at(ordinary, "both")
    assert_allclose(f["partial_r2"], 2 * f["stat"] / (2 * f["stat"] + nu), **CLOSE)
    assert "tost" not in f or np.isnan(f["tost"])


def bayes_factor(t: float, n: float, nu: float) -> float:
    """Rouder and others 2009, by quadrature over g, with a prior of scale 0.707."""

    def inside(g: float) -> float:
        wide = 1 + n * 0.5 * g
        return (
            wide**-0.5 * (1 + t**2 / (wide * nu)) ** (-(nu + 1) / 2) * stats.invgamma.pdf(g, 0.5, scale=0.5)
        )

    whole = integrate.quad(inside, 0, 1)[0] + integrate.quad(inside, 1, np.inf)[0]
    return whole / (1 + t**2 / nu) ** (-(nu + 1) / 2)


def test_heterogeneity_weights_and_leverage(mixed, one_voxel) -> None:
    holed, bundle = mixed
    maps = bundle.maps.load()
    for voxel in [(0, 0, 0), VOXEL, (4, 1, 0)]:
        rows = np.isfinite(holed.effects[(slice(None), *voxel)])
        b = holed.of_group_b[rows]
        x = np.column_stack([np.ones(rows.sum()), b, holed.age[rows] - 40])
        y, s = (held[(rows, *voxel)].astype(float) for held in (holed.effects, holed.variances))
        here = maps.isel(i=voxel[0], j=voxel[1], k=voxel[2])
        tau2 = here["tau2"].values.astype(float)[b.astype(int)]
        w = 1 / (s + tau2)
        first = one_voxel.projection(x, s)
        free = len(y) - 3
        typical = free / np.trace(first)
        # With tau squared in float32, and so all that is made from it here.
        close = {"rtol": 3e-6, "atol": 1e-7}
        assert_allclose(float(here["q"]), y @ first @ y, **close)
        assert_allclose(float(here["i2"]), tau2.mean() / (tau2.mean() + typical), **close)
        assert_allclose(here["weights"].values[rows], w / w.sum(), **close)
        hat = x @ np.linalg.inv(x.T @ (w[:, None] * x)) @ x.T @ np.diag(w)
        assert_allclose(here["leverage"].values[rows], np.diag(hat), **close)
        e = (y - hat @ y) * np.sqrt(w) / np.sqrt(1 - np.diag(hat))
        assert_allclose(float(here["normality"]), stats.normaltest(e).pvalue, rtol=1e-4)
        se = np.sqrt(float(here["variance"].sel(contrast="difference")))
        assert_allclose(float(here["standard_error"].sel(contrast="difference")), se, rtol=1e-6)
        effect, half = float(here["effect"].sel(contrast="difference")), stats.t.ppf(0.95, free) * se
        limits = [float(here[name].sel(contrast="difference")) for name in ("ci_lower", "ci_upper")]
        assert_allclose(limits, [effect - half, effect + half], rtol=1e-5, atol=1e-6)


def test_limits_of_fixed_effects_are_normal(group) -> None:
    bundle = group.run(
        model={"estimator": {"method": "fixed_effects"}}, data=VARIANCES, contrasts=CONTRASTS, output=asked()
    )
    here = at(bundle, "difference")
    half = stats.norm.ppf(0.95) * here["standard_error"]
    assert_allclose(here["ci_upper"] - here["ci_lower"], 2 * half, rtol=1e-5)
    e, se = here["effect"], here["standard_error"]
    p = max(stats.norm.sf((e + MARGIN) / se), stats.norm.cdf((e - MARGIN) / se))
    assert_allclose(here["tost"], p, rtol=1e-5)


@pytest.mark.parametrize(
    ("sections", "letter"),
    [
        ({"model": {"estimator": {"method": "fixed_effects"}}, "data": VARIANCES}, "z"),
        ({"model": {"estimator": {"method": "mixed_effects"}}, "data": VARIANCES}, "t"),
        ({"model": {"estimator": {"method": "robust"}}}, "t"),
        ({"model": {"errors": {"type": "hc3"}}}, "t"),
        ({"model": {"errors": {"type": "cluster", "by": "family"}}}, "z"),
    ],
    ids=["fixed", "mixed", "robust", "hc3", "clusters"],
)
def test_a_conjunction_is_the_least_of_its_members(group, sections: dict[str, Any], letter: str) -> None:
    contrasts = {
        "a": "group[a]",
        "b": "group[b]",
        "joint": {"conjunction": ["a", "b"], "alternative": "greater"},
    }
    spec = group.spec(contrasts=contrasts, inference=FDR, **sections)
    plan = specgl.plan(spec)
    bundle = specgl.run(plan, group.folder / f"joint-{next(group.number)}")
    bundle.verify()
    maps = bundle.maps.load()
    members = maps.sel(contrast=["a", "b"])
    assert str(maps["kind"].sel(contrast="joint").values) == letter
    np.testing.assert_array_equal(maps["z"].sel(contrast="joint"), members["z"].min("contrast"))
    assert labels(bundle, "joint") == {letter, "z", "p"}
    assert_allclose(
        maps["p"].sel(contrast="joint"), stats.norm.sf(maps["z"].sel(contrast="joint")), rtol=1e-4
    )
    planned = planned_maps(plan.maps, plan.source.letters, plan.inferences, without_effect={"joint"})
    made = {file.path for file in bundle.files if file.role.is_map}
    assert {path for path in planned if "joint" in path} == {path for path in made if "joint" in path}


# What stands beside the maps --------------------------------------------------------------------------


def test_observations_are_told_of(group, ordinary) -> None:
    table = ordinary.quality.observations
    assert {"distance", "outlier", "mahalanobis", "mean_absolute_residual", "leverage"} <= set(table.columns)
    assert {"mean_weight", "downweighted"}.isdisjoint(table.columns)
    assert (table["mahalanobis"] > 0).all()
    about = json.loads((ordinary.path / "qc/observations.json").read_text())
    assert set(table.columns) <= set(about)


def test_one_who_is_far_off_weighs_less(make_group) -> None:
    spoilt = make_group(14, seed=8)
    volumes = spoilt.effects.copy()
    volumes[5] += 20
    spoilt.save("y", volumes)
    bundle = spoilt.run(
        model={"estimator": {"method": "robust"}}, inference=FDR, output={"maps": [*ASKED[:5], "weights"]}
    )
    table = bundle.quality.observations
    assert table["mean_weight"].idxmin() == "s05"
    assert table["downweighted"]["s05"] == 1
    assert table["downweighted"].drop("s05").max() < 0.5
    weights = bundle.maps["weights"].load()
    assert_allclose(table["mean_weight"], np.nanmean(weights.values, axis=(1, 2, 3)), rtol=1e-5)
    assert_allclose(table["downweighted"], (weights < 0.5).mean(["i", "j", "k"]), rtol=1e-5)
    beside = bundle.quality.beside
    assert beside is not None
    assert set(beside["what"]) == {WEIGHT}


def test_weights_and_covariates_stand_beside_values_at_peaks(group) -> None:
    bundle = group.run(
        model={"formula": "group + gm", "estimator": {"method": "mixed_effects"}},
        data={**VARIANCES, "voxelwise": {"gm": "gm/{id}.nii"}},
        contrasts={"difference": "group[b] - group[a]", "slope": "gm"},
        inference=FDR,
    )
    peaks, beside = bundle.quality.peaks, bundle.quality.beside
    assert beside is not None
    assert beside.columns.tolist() == ["what", *peaks.columns]
    assert beside["what"].value_counts().to_dict() == {WEIGHT: len(peaks), "gm": len(peaks)}
    tau2 = bundle.maps["tau2"].values
    for what, truth in (
        ("gm", lambda voxel: group.grey[(slice(None), *voxel)]),
        (WEIGHT, lambda voxel: 1 / (group.variances[(slice(None), *voxel)] + tau2[voxel])),
    ):
        rows = beside[beside["what"] == what].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows[list("xyz")], peaks[list("xyz")])
        for _, row in rows.iterrows():
            voxel = tuple(np.rint(row[list("xyz")].to_numpy(dtype=float) / 3).astype(int))
            assert_allclose(row.iloc[4:].to_numpy(dtype=float), truth(voxel), rtol=2e-6)


def test_ordinary_fits_have_nothing_beside(ordinary) -> None:
    assert ordinary.quality.beside is None
