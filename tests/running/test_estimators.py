"""Every estimator from a spec to a bundle, beside the same model written down for one voxel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import specgl

VARIANCES = {"variances": "v/{id}.nii"}
COVARIATE = {"voxelwise": {"gm": "gm/{id}.nii"}}
AVAILABLE = {"missing": {"voxel": {"available": 0.7}}}
TAU2 = ("dl", "pm", "ml", "reml", "hedges")
CROSSED = {
    "difference": "group[b] - group[a]",
    "both": {"hypothesis": ["gm", "group[b] - group[a]"]},
}


def ways() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, `model` and `data` of every estimator and every kind of errors."""
    yield "ols", {}, {}
    yield "fixed", {"estimator": {"method": "fixed_effects"}}, VARIANCES
    for tau2 in TAU2:
        for adjustment in ("none", "knapp_hartung"):
            said = {"method": "mixed_effects", "tau2": tau2, "adjustment": adjustment}
            yield f"{tau2}, {adjustment}", {"estimator": said}, VARIANCES
    for tau2 in ("ml", "reml"):
        said = {"method": "mixed_effects", "tau2": tau2}
        yield f"{tau2} by group", {"estimator": said, "variance_groups": "group"}, VARIANCES
    for loss in ("huber", "bisquare"):
        yield loss, {"estimator": {"method": "robust", "loss": loss}}, {}
    for kind in range(5):
        yield f"hc{kind}", {"errors": {"type": f"hc{kind}"}}, {}
    for correction in range(4):
        errors = {"type": "cluster", "by": "family", "correction": f"c{correction}"}
        yield f"c{correction}", {"errors": errors}, {}


WAYS = {name: (model, data) for name, model, data in ways()}
CLUSTERED = [f"c{correction}" for correction in range(4)]
# Maps are float32; what is iterated, there and here, agrees less.
CLOSE = {"rtol": 2e-6, "atol": 1e-9}
ITERATED = {"rtol": 5e-5, "atol": 2e-6}


@pytest.fixture(scope="module")
def holed(make_group: Callable[..., Any]) -> Any:
    """A group in which values are missing."""
    return make_group(share=0.06)


def by_the_book(
    one: Any, name: str, x: np.ndarray, y: np.ndarray, s: np.ndarray, rows: np.ndarray, group: Any
):
    """The fit of one voxel; `rows` of the design that have a value there."""
    model = WAYS[name][0]
    estimator = model.get("estimator", {"method": "ols"})
    if "errors" in model and name.startswith("hc"):
        return one.sandwich(x, y, name)
    if "errors" in model:
        return one.clustered(x, y, group.family[rows], name, np.eye(x.shape[1])[1])
    match estimator["method"]:
        case "ols":
            return one.least_squares(x, y)
        case "fixed_effects":
            return one.fixed(x, y, s)
        case "robust":
            return one.robust(x, y, estimator["loss"])
    if "variance_groups" in model:
        codes = group.of_group_b[rows].astype(int)
        tau2 = one.most_likely(x, y, s, codes, estimator["tau2"])
        found = one.weighted(x, y, s, tau2[codes])
        return one.Fit(found.b, found.cov, found.dof, tau2=tau2, weights=found.weights)
    tau2 = one.between(x, y, s, estimator["tau2"])
    return one.weighted(x, y, s, tau2, adjusted=estimator["adjustment"] == "knapp_hartung")


def design(group: Any, voxel: tuple[int, ...], crossed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Design (n, p) at a voxel, and the rows of the contrast of several."""
    b = group.of_group_b
    if crossed:
        gm = group.grey[(slice(None), *voxel)].astype(float)
        # A slope is that of both groups, half of each.
        return np.column_stack([np.ones(group.n), b, gm, b * gm]), np.array([[0, 0, 1, 0.5], [0, 1, 0, 0]])
    return np.column_stack([np.ones(group.n), b, group.age - 40]), np.array([[0, 0, 1], [0, 1, 0]])


@pytest.mark.parametrize("crossed", [False, True], ids=["column", "voxelwise"])
@pytest.mark.parametrize("name", WAYS)
def test_maps_are_those_of_the_model_at_each_voxel(holed, one_voxel, name: str, crossed: bool) -> None:
    if crossed and name in CLUSTERED:
        pytest.skip("clusters and covariates that differ between voxels are refused together")
    model, data = WAYS[name]
    sections: dict[str, Any] = {"model": model, "data": {**data, **AVAILABLE}}
    if crossed:
        sections["data"] |= COVARIATE
        sections |= {"model": {**model, "formula": "group * gm"}, "contrasts": CROSSED}
    bundle = holed.run(**sections)
    bundle.verify()
    maps = bundle.maps.load()
    present = np.isfinite(holed.effects)
    counts = present.sum(axis=0)
    assert set(np.unique(counts)) >= {11, 12, 13, 14}, "voxels with and without missing values"
    close = ITERATED if any(key in name for key in ("ml", "pm", "huber", "bisquare")) else CLOSE
    for voxel in [(0, 0, 0), (1, 2, 1), (2, 3, 2), (4, 1, 0), *map(tuple, np.argwhere(counts == 11)[:2])]:
        rows = present[(slice(None), *voxel)]
        x, several = design(holed, voxel, crossed)
        y, s = (values[(rows, *voxel)].astype(float) for values in (holed.effects, holed.variances))
        truth = by_the_book(one_voxel, name, x[rows], y, s, rows, holed)
        here = maps.isel(i=voxel[0], j=voxel[1], k=voxel[2])
        only, both = here.sel(contrast="difference"), here.sel(contrast="both")
        assert int(here["n"]) == rows.sum()
        if not np.isinf(truth.dof):
            assert_allclose(float(only["dof"]), truth.dof, rtol=1e-6)
        assert_allclose(float(only["effect"]), truth.b[1], **close)
        assert_allclose(float(only["variance"]), truth.cov[1, 1], **close)
        assert_allclose((float(only["stat"]), float(only["p"])), truth.test(np.eye(len(truth.b))[1]), **close)
        if name not in CLUSTERED:
            assert_allclose((float(both["stat"]), float(both["p"])), truth.test(several), **close)
        if truth.tau2 is not None:
            assert_allclose(np.ravel(here["tau2"]), np.ravel(truth.tau2), rtol=1e-4, atol=1e-4)


def test_several_rows_of_clusters_have_degrees_of_freedom_of_their_own(holed) -> None:
    from scipy import stats

    maps = holed.run(model=WAYS["c2"][0]).maps.load()
    both = maps.sel(contrast="both")
    inside = np.isfinite(both["stat"].values)
    dof = maps["dof"].sel(contrast="both").values[inside] if "dof" in maps else None
    assert dof is None, "one number for all voxels needs no map"
    assert inside.any()
    assert (stats.f.sf(both["stat"].values[inside], 2, 10) < both["p"].values[inside]).all()


@pytest.mark.parametrize("name", [name for name in WAYS if name not in CLUSTERED])
def test_a_covariate_that_is_the_same_everywhere_is_a_column(make_group, name: str) -> None:
    """Also with variance groups, in v and G."""
    group = make_group(12)
    group.save("gm", np.broadcast_to(group.age[:, None, None, None] - 40, group.effects.shape))
    model, data = WAYS[name]
    contrasts = {"difference": "group[b] - group[a]", "slope": "age", "both": {"hypothesis": ["age", "mean"]}}
    column = group.run(model=model, data=data, contrasts=contrasts)
    contrasts = {"difference": "group[b] - group[a]", "slope": "gm", "both": {"hypothesis": ["gm", "mean"]}}
    covariate = group.run(
        model={**model, "formula": "group + gm"}, data={**data, **COVARIATE}, contrasts=contrasts
    )
    for variable in ("effect", "variance", "stat", "z", "p"):
        assert_allclose(
            covariate.maps[variable], column.maps[variable], rtol=1e-5, atol=1e-7, err_msg=variable
        )


def test_a_covariate_meets_variance_groups(make_group) -> None:
    group = make_group(12)
    group.save("gm", np.broadcast_to(group.age[:, None, None, None] - 40, group.effects.shape))
    said = {"variance_groups": "group"}
    contrasts = {"difference": "group[b] - group[a]", "both": {"hypothesis": ["age", "group[b]"]}}
    column = group.run(model=said, contrasts=contrasts)
    contrasts["both"] = {"hypothesis": ["gm", "group[b]"]}
    covariate = group.run(model={**said, "formula": "group + gm"}, data=COVARIATE, contrasts=contrasts)
    assert covariate.maps["kind"].values.tolist() == ["v", "G"]
    for variable in ("effect", "variance", "stat", "z", "p", "dof"):
        assert_allclose(
            covariate.maps[variable], column.maps[variable], rtol=1e-5, atol=1e-7, err_msg=variable
        )


def results(bundle: specgl.Bundle) -> dict[str, Any]:
    return {row["contrast"]: row for row in bundle.manifest["results"]}


FDR = {"fdr": {"method": "parametric", "correction": "fdr_bh", "alpha": 0.4}}


def test_the_manifest_tells_degrees_of_freedom(make_group) -> None:
    """None of a normal reference, one number, or the most and the fewest."""
    group, holes = make_group(14), make_group(share=0.06)
    fixed = results(group.run(model=WAYS["fixed"][0], data=VARIANCES, inference=FDR))
    assert [(row["statistic"], row["dof_numerator"], row["dof"]) for row in fixed.values()] == [
        ("z", None, None),
        ("chi2", 2, None),
    ]
    mixed = results(group.run(model=WAYS["reml, none"][0], data=VARIANCES, inference=FDR))
    assert [(row["statistic"], row["dof"], row["dof_min"]) for row in mixed.values()] == [
        ("t", 11, 11),
        ("F", 11, 11),
    ]
    varying = results(holes.run(model=WAYS["reml, none"][0], data={**VARIANCES, **AVAILABLE}, inference=FDR))[
        "difference"
    ]
    assert (varying["n"], varying["dof"]) == (14, 11)
    assert varying["dof_min"] == varying["n_min"] - 3 < 11
    clusters = results(group.run(model=WAYS["c2"][0], inference=FDR))
    assert 1 < clusters["both"]["dof"] < clusters["difference"]["dof"] < 7


def test_the_identity_of_an_analysis_knows_the_estimator(make_group) -> None:
    group = make_group(14)
    seen = {}
    for name, (model, data) in WAYS.items():
        # The same images are named for all, so that nothing else differs.
        seen[name] = specgl.plan(group.spec(model=model, data={**VARIANCES, **data})).digest
    assert len(set(seen.values())) == len(WAYS) > 20
    spec = group.spec(data=VARIANCES, model={"estimator": {"method": "mixed_effects"}})
    assert specgl.plan(spec).digest == seen["reml, none"], "defaults are said in the resolved spec"
    resolved = specgl.plan(spec).resolved["model"]["estimator"]
    assert resolved == {"method": "mixed_effects", "tau2": "reml", "adjustment": "none"}


@pytest.mark.parametrize("name", ["fixed", "reml, knapp_hartung", "reml by group", "bisquare", "hc3", "c2"])
def test_threads_change_no_bit(holed, name: str) -> None:
    model, data = WAYS[name]
    runs = []
    for threads in (1, 2):
        bundle = holed.run(threads=threads, model=model, data={**data, **AVAILABLE}, inference=FDR)
        runs.append({file.path: file.data_sha256 for file in bundle.files if file.role.is_image})
    assert runs[0] == runs[1]
    assert None not in runs[0].values()
