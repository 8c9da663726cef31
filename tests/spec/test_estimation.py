"""Estimators, errors, first-level variances and the maps made of them: what is filled in and refused."""

from __future__ import annotations

import json
from itertools import product
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from specgl.errors import Finding
from specgl.spec import (
    AnalysisSpec,
    ClusterErrors,
    FixedEffects,
    HcErrors,
    HomoscedasticErrors,
    MixedEffects,
    OlsEstimator,
    PermutationSettings,
    RobustEstimator,
    check,
    examine_text,
    resolve,
)
from specgl.spec.output import DEFAULT, MapName

Where = tuple[str | int, ...]

BASE: dict[str, Any] = {
    "specgl": 1,
    "name": "base",
    "data": {"table": "rows.tsv", "images": "{id}.nii"},
    "variables": {"group": {"type": "categorical", "levels": ["a", "b"]}},
    "model": {"formula": "group"},
    "contrasts": {"diff": "group[b] - group[a]"},
}
VARIANCES = {**BASE["data"], "variances": "{id}_var.nii"}
SHUFFLED = {"inference": {"maxT": {"method": "permutation", "statistic": "voxel"}}}
HC = ["hc0", "hc1", "hc2", "hc3", "hc4"]
METHODS = ["ols", "fixed_effects", "mixed_effects", "robust"]
CLUSTER = {"type": "cluster", "by": "family"}


def model(method: str = "ols", errors: Any = "homoscedastic", **keys: Any) -> dict[str, Any]:
    said = errors if isinstance(errors, dict) else {"type": errors}
    return {"formula": "group", "estimator": {"method": method}, "errors": said, **keys}


def data_for(method: str) -> dict[str, Any]:
    """Data that an estimator asks for, and no more."""
    wanted: dict[str, Any] = VARIANCES if method.endswith("effects") else BASE["data"]
    return wanted


def found(**changes: Any) -> tuple[Finding, ...]:
    return examine_text(json.dumps({**BASE, **changes}), is_json=True).findings


def told(**changes: Any) -> list[tuple[str, Where]]:
    """Codes with their places, all of which say what to do."""
    findings = found(**changes)
    assert all(finding.help for finding in findings if finding.code != "W201")
    return [(finding.code, finding.where) for finding in findings]


def spec_of(**changes: Any) -> AnalysisSpec:
    return AnalysisSpec.model_validate({**BASE, **changes})


def test_what_is_not_said_is_filled_in() -> None:
    said = spec_of(model=model("mixed_effects")).model
    assert said is not None
    assert said.estimator == MixedEffects(method="mixed_effects", tau2="reml", adjustment="none")
    robust = spec_of(model=model("robust")).model
    assert robust is not None
    assert robust.estimator == RobustEstimator(method="robust", loss="huber")
    clusters = spec_of(model=model(errors=CLUSTER)).model
    assert clusters is not None
    assert clusters.errors == ClusterErrors(type="cluster", by="family", correction="c2")
    plain = spec_of().model
    assert plain is not None
    assert isinstance(plain.estimator, OlsEstimator)
    assert isinstance(plain.errors, HomoscedasticErrors)
    # What stands unsaid and unvalidated in the class is what validation would make of it.
    assert plain == spec_of(model=model()).model


@pytest.mark.parametrize(
    ("estimator", "key"),
    [
        ({"method": "ols", "tau2": "reml"}, "tau2"),
        ({"method": "fixed_effects", "tau2": "reml"}, "tau2"),
        ({"method": "robust", "adjustment": "none"}, "adjustment"),
        ({"method": "mixed_effects", "loss": "huber"}, "loss"),
    ],
)
def test_each_estimator_has_keys_of_its_own(estimator: dict[str, str], key: str) -> None:
    where = ("model", "estimator", key)
    changes = {"model": {"formula": "group", "estimator": estimator}, "data": data_for(estimator["method"])}
    assert told(**changes) == [("E014", where)]


@pytest.mark.parametrize(
    ("part", "said", "code", "where"),
    [
        ("estimator", {"method": "mixed_effects", "tau2": "eb"}, "E012", ("tau2",)),
        ("estimator", {"method": "mixed_effects", "adjustment": "kr"}, "E012", ("adjustment",)),
        ("estimator", {"method": "robust", "loss": "tukey"}, "E012", ("loss",)),
        ("estimator", {"method": "mixed"}, "E012", ("method",)),
        ("estimator", {}, "E011", ()),
        ("estimator", "ols", "E016", ()),
        ("errors", {"type": "hc5"}, "E012", ("type",)),
        ("errors", {"type": "cluster"}, "E011", ()),
        ("errors", {"type": "hc3", "by": "family"}, "E014", ("by",)),
        ("errors", {**CLUSTER, "correction": "cr2"}, "E012", ("correction",)),
    ],
)
def test_words_that_are_none(part: str, said: Any, code: str, where: Where) -> None:
    findings = found(model={"formula": "group", part: said}, data=VARIANCES)
    errors = [(finding.code, finding.where) for finding in findings if finding.is_error]
    assert errors == [(code, ("model", part, *where))]


@pytest.mark.parametrize("method", ["fixed_effects", "mixed_effects"])
def test_first_level_variances_are_needed(method: str) -> None:
    where = ("model", "estimator", "method")
    assert told(model=model(method)) == [("E011", where)]
    assert told(model=model(method), data=VARIANCES) == []
    # Without images nothing is run, and a design needs no variances.
    assert told(model=model(method), data={"table": "rows.tsv"}, contrasts={}) == []


@pytest.mark.parametrize("method", METHODS)
def test_variances_that_nothing_uses_are_told(method: str) -> None:
    expected = [] if method.endswith("effects") else [("W208", ("data", "variances"))]
    assert told(model=model(method), data=VARIANCES) == expected


@pytest.mark.parametrize("method", METHODS)
def test_variances_cannot_be_smoothed(method: str) -> None:
    refused = method.endswith("effects")
    expected = [("E014", ("data", "smoothing_fwhm"))] if refused else []
    assert told(model=model(method), data={**data_for(method), "smoothing_fwhm": 6}) == expected


@pytest.mark.parametrize(("method", "errors"), [*product(METHODS, [*HC, "homoscedastic", "cluster"])])
def test_errors_belong_to_least_squares(method: str, errors: str) -> None:
    refused = method != "ols" and errors != "homoscedastic"
    expected = [("E014", ("model", "errors", "type"))] if refused else []
    said = CLUSTER if errors == "cluster" else errors
    assert told(model=model(method, said), data=data_for(method)) == expected


@pytest.mark.parametrize(
    ("method", "errors", "fine"),
    [
        ("ols", "homoscedastic", True),
        ("mixed_effects", "homoscedastic", True),
        ("fixed_effects", "homoscedastic", False),
        ("robust", "homoscedastic", False),
        ("ols", "hc3", False),
        ("ols", CLUSTER, False),
    ],
)
@pytest.mark.parametrize("groups", ["group", {"from": "blocks"}])
def test_where_variance_groups_have_a_meaning(method: str, errors: Any, fine: bool, groups: Any) -> None:
    expected = [] if fine else [("E014", ("model", "variance_groups"))]
    said = model(method, errors, variance_groups=groups)
    blocks = {"permutation": {"seed": 1, "blocks": {"by": "pair"}}} if groups != "group" else {}
    findings = told(model=said, data=data_for(method), **blocks)
    assert [one for one in findings if one[0] != "W204"] == expected


@pytest.mark.parametrize("method", METHODS)
def test_blocks_are_taken_out_for_least_squares_alone(method: str) -> None:
    expected = [] if method == "ols" else [("E014", ("model", "block"))]
    assert told(model=model(method, block="pair"), data=data_for(method)) == expected


@pytest.mark.parametrize("errors", ["homoscedastic", "hc3", CLUSTER])
def test_clusters_do_not_go_with_covariates_that_are_used(errors: Any) -> None:
    data = {**BASE["data"], "voxelwise": {"gm": "{id}_gm.nii"}}
    expected = [("E014", ("model", "errors", "type"))] if errors is CLUSTER else []
    assert told(model={**model(errors=errors), "formula": "group + gm"}, data=data) == expected
    assert told(model=model(errors=errors), data=data) == [("W201", ("data", "voxelwise", "gm"))]


@pytest.mark.parametrize(
    ("method", "errors", "fine"),
    [
        ("ols", "homoscedastic", True),
        ("ols", "hc3", True),
        ("fixed_effects", "homoscedastic", True),
        ("mixed_effects", "homoscedastic", True),
        ("robust", "homoscedastic", False),
        ("ols", CLUSTER, False),
    ],
)
def test_what_can_be_shuffled(method: str, errors: Any, fine: bool) -> None:
    expected = [] if fine else [("E014", ("inference", "maxT", "method"))]
    said = {"model": model(method, errors), "data": data_for(method), "permutation": {"seed": 1}}
    assert told(**said, **SHUFFLED) == expected
    other = {
        "inference": {
            "rft": {"method": "random_field", "statistic": "voxel"},
            "ari": {"method": "all_resolutions"},
        }
    }
    assert told(model=said["model"], data=said["data"], **other) == []


def test_groups_and_covariates_are_not_shuffled_at_once() -> None:
    data = {**BASE["data"], "voxelwise": {"gm": "{id}_gm.nii"}}
    said = {"data": data, "model": {"formula": "group + gm", "variance_groups": "group"}}
    assert told(**said) == []
    assert told(**said, **SHUFFLED, permutation={"seed": 1}) == [("E014", ("inference", "maxT", "method"))]


NUISANCE = ["freedman_lane", "draper_stoneman", "dekker", "still_white", "ter_braak", "manly", "huh_jhun"]


@pytest.mark.parametrize("nuisance", NUISANCE)
@pytest.mark.parametrize(
    ("changes", "fine"),
    [
        ({}, NUISANCE),
        ({"model": model("mixed_effects"), "data": VARIANCES}, NUISANCE[:2]),
        ({"model": model("fixed_effects"), "data": VARIANCES}, NUISANCE[:2]),
        ({"model": model(errors="hc3")}, NUISANCE[:1]),
        (
            {
                "model": {"formula": "group + gm"},
                "data": {**BASE["data"], "voxelwise": {"gm": "{id}_gm.nii"}},
            },
            NUISANCE[:2],
        ),
    ],
    ids=["ols", "mixed", "fixed", "hc3", "voxelwise"],
)
def test_nuisance_methods(changes: dict[str, Any], fine: list[str], nuisance: str) -> None:
    expected = [] if nuisance in fine else [("E032", ("permutation", "nuisance"))]
    assert told(**changes, **SHUFFLED, permutation={"seed": 1, "nuisance": nuisance}) == expected


@pytest.mark.parametrize("permutation", [{"seed": 1}, PermutationSettings(seed=1)])
def test_tau2_is_kept_from_the_reduced_model_under_shuffles(permutation: Any) -> None:
    def kept(**changes: Any) -> Any:
        return resolve(spec_of(permutation=permutation, data=VARIANCES, **changes))["permutation"]["tau2"]

    assert kept(model=model("mixed_effects"), **SHUFFLED) == "reduced_model"
    assert kept(model=model("mixed_effects")) is None
    assert kept(model=model("fixed_effects"), **SHUFFLED) is None
    assert kept(model=model(), **SHUFFLED) is None
    spec = spec_of(model=model("mixed_effects"), data=VARIANCES, permutation=permutation, **SHUFFLED)
    assert check(spec) == ()
    assert AnalysisSpec.model_validate(resolve(spec)) == spec
    assert AnalysisSpec.model_validate_json(json.dumps(resolve(spec))) == spec


@pytest.mark.parametrize("method", METHODS)
def test_tau2_under_shuffles_is_of_mixed_effects_alone(method: str) -> None:
    shuffles = {"permutation": {"seed": 1, "tau2": "reduced_model"}}
    findings = told(model=model(method), data=data_for(method), **shuffles, **SHUFFLED)
    place = ("E014", ("permutation", "tau2"))
    assert (place in findings) == (method != "mixed_effects")


HAS: dict[str, set[str]] = {
    "cohen_d": {"ols"},
    "hedges_g": {"ols"},
    "bf10": {"ols"},
    "partial_r2": {"ols", "groups"},
    "r2": {"ols", "groups"},
    "sigma": {"ols", "groups", "hc3", "cluster", "robust"},
    "weights": {"robust", "fixed_effects", "mixed_effects"},
    "q": {"fixed_effects", "mixed_effects"},
    "i2": {"fixed_effects", "mixed_effects"},
    "tau2": {"mixed_effects"},
}
MODELS: dict[str, dict[str, Any]] = {
    "ols": model(),
    "groups": model(variance_groups="group"),
    "hc3": model(errors="hc3"),
    "cluster": model(errors=CLUSTER),
    "robust": model("robust"),
    "fixed_effects": model("fixed_effects"),
    "mixed_effects": model("mixed_effects"),
}


@pytest.mark.parametrize(("name", "kind"), [*product(get_args(MapName), MODELS)])
def test_which_maps_a_model_has(name: str, kind: str) -> None:
    contrasts = {"diff": {"hypothesis": "group[b] - group[a]", "margin": 1}}
    data = data_for(MODELS[kind]["estimator"]["method"])
    maps = [*dict.fromkeys(["tost", name])]
    findings = told(model=MODELS[kind], data=data, output={"maps": maps}, contrasts=contrasts)
    fine = kind in HAS.get(name, set(MODELS))
    assert findings == ([] if fine else [("E038", ("output", "maps", 1))])


@pytest.mark.parametrize("kind", MODELS)
def test_maps_of_the_default_are_never_refused(kind: str) -> None:
    data = data_for(MODELS[kind]["estimator"]["method"])
    for maps in (None, DEFAULT, (*DEFAULT, "residuals")):
        output = {} if maps is None else {"output": {"maps": maps}}
        assert told(model=MODELS[kind], data=data, **output) == []
        assert check(spec_of(model=MODELS[kind], data=data, **output)) == ()
    resolved = resolve(spec_of(model=MODELS[kind], data=data))
    assert examine_text(json.dumps(resolved), is_json=True).findings == ()


def test_levels_and_margins_want_their_maps() -> None:
    margin = {"contrasts": {"diff": {"hypothesis": "group[b] - group[a]", "margin": 1}}}
    assert told(output={"level": 0.9}) == [("W208", ("output", "level"))]
    assert told(output={"level": 0.95}) == []
    assert told(output={"level": 0.9, "maps": ["ci"]}) == []
    assert told(**margin) == []
    assert told(**margin, output={"maps": ["effect"]}) == [("W208", ("contrasts", "diff", "margin"))]
    assert told(output={"maps": ["tost"]}) == [("W208", ("output", "maps", 0))]


@pytest.mark.parametrize(
    ("value", "code"), [(0, "E020"), (1, "E020"), (-1, "E020"), (1.5, "E020"), ("95", "E016")]
)
def test_a_level_lies_between_0_and_1(value: Any, code: str) -> None:
    assert [finding.code for finding in found(output={"level": value, "maps": ["ci"]})] == [code]


@pytest.mark.parametrize(("value", "code"), [(0, "E020"), (-0.1, "E020"), ("1", "E016"), (True, "E016")])
def test_a_margin_is_positive(value: Any, code: str) -> None:
    for form in ({"hypothesis": "mean"}, {"weights": {"group": 1}}):
        (finding,) = found(contrasts={"one": {**form, "margin": value}})
        assert (finding.code, finding.where) == (code, ("contrasts", "one", "margin"))


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"hypothesis": ["mean"]}, "E014"),
        ({"weights": [{"group": 1}]}, "E014"),
        ({"term": "group"}, "E014"),
        ({"conjunction": ["a", "b"]}, "E014"),
    ],
)
def test_only_one_row_has_a_margin(form: dict[str, Any], code: str) -> None:
    contrasts = {"a": "mean", "b": "group[b]", "c": {**form, "margin": 1}}
    assert ("contrasts", "c", "margin") in [f.where for f in found(contrasts=contrasts) if f.code == code]


@pytest.mark.parametrize("where", [("variances",), ("voxelwise", "gm")])
def test_images_beside_the_effects_are_named_alike(where: tuple[str, ...]) -> None:
    def data(value: Any) -> dict[str, Any]:
        held = {where[0]: value} if len(where) == 1 else {where[0]: {where[1]: value}}
        return {**VARIANCES, **held}

    said = model("mixed_effects") if len(where) == 1 else {**model("mixed_effects"), "formula": "group + gm"}
    bids = {"bids": {"dataset": "derivatives", "filters": {"stat": "variance"}}}
    for fine in ("{id}.nii", {"column": "file"}, {"file": "all.nii", "index": "volume"}, bids):
        assert told(model=said, data=data(fine)) == []
    for value, code in (
        ("/abs/{id}.nii", "E018"),
        ("one.nii", "E017"),
        ({"column": 3}, "E016"),
        ("", "E022"),
    ):
        findings = found(model=said, data=data(value))
        assert [finding.code for finding in findings] == [code]
        assert findings[0].where[: 1 + len(where)] == ("data", *where)


def test_clusters_have_a_column_that_has_a_role() -> None:
    variables = {**BASE["variables"], "family": {"type": "categorical"}}
    assert told(variables=variables, model=model(errors=CLUSTER)) == []
    assert told(variables=variables) == [("W201", ("variables", "family"))]


@pytest.mark.parametrize("cls", [FixedEffects, HcErrors, MixedEffects, RobustEstimator, ClusterErrors])
def test_what_tells_forms_apart_is_always_said(cls: Any) -> None:
    with pytest.raises(ValidationError):
        cls.model_validate({})


def test_rules_of_models_are_silent_on_ready_made_maps() -> None:
    maps = {"maps": {"motor": {"image": "z.nii", "statistic": "z"}}, "output": {"maps": ["tau2", "cohen_d"]}}
    text = json.dumps({"specgl": 1, "name": "ready", **maps})
    assert examine_text(text, is_json=True).findings == ()
