"""How a model was estimated: by what, with which errors, and with which degrees of freedom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from specgl.grammar import read_formula
from specgl.reporting.words.citations import Citations
from specgl.reporting.words.facts import Facts
from specgl.reporting.words.language import name, names, one_space

ESTIMATORS = {
    "ols": "ordinary least squares",
    "fixed_effects": "least squares in which each observation weighs the inverse of its first-level variance",
    "mixed_effects": "least squares in which each observation weighs the inverse of the sum of its "
    "first-level variance and the variance between observations, τ²",
    "robust": "M-estimation",
}
"""How coefficients were estimated."""

ERRORS = {
    "homoscedastic": "independent errors of one variance",
    **dict.fromkeys(("hc0", "hc1", "hc2", "hc3", "hc4"), "independent errors of any variances"),
    "cluster": "errors that may depend on each other within clusters of {by}",
}
"""What was taken of the errors under ordinary least squares, where no groups have variances of their own."""

TAU2: dict[str, tuple[str, tuple[str, ...]]] = {
    "reml": ("restricted maximum likelihood", ("viechtbauer2005", "raudenbush2009")),
    "ml": ("maximum likelihood", ("viechtbauer2005",)),
    "dl": ("the method of DerSimonian and Laird", ("dersimonian1986",)),
    "pm": ("the method of Paule and Mandel", ("paule1982",)),
    "hedges": ("the method of Hedges", ("hedges1985",)),
}
"""How the variance between observations was estimated, and whose method that is."""

ADJUSTMENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "none": ("standard errors took it as known", ()),
    "knapp_hartung": ("standard errors were adjusted for its being estimated", ("knapp2003",)),
}
"""What standard errors made of it."""

LOSSES: dict[str, tuple[str, str]] = {
    "huber": ("Huber's loss (tuned at 1.345)", "huber1981"),
    "bisquare": ("Tukey's bisquare (tuned at 4.685)", "beaton1974"),
}
"""What residuals cost, and whose loss that is."""

SANDWICHES: dict[str, tuple[str, str]] = {
    "hc0": ("squared residuals as they are", "white1980"),
    "hc1": ("squared residuals scaled by n over the residual degrees of freedom", "mackinnon1985"),
    "hc2": ("squared residuals over 1 minus their leverage", "mackinnon1985"),
    "hc3": ("squared residuals over the square of 1 minus their leverage", "mackinnon1985"),
    "hc4": ("squared residuals over a power of 1 minus their leverage that grows with it", "cribari2004"),
}
"""What stood for the errors' variances, and who proposed that."""

CORRECTIONS: dict[str, tuple[str, str]] = {
    "c0": ("residuals as they are", "liang1986"),
    "c1": ("residuals scaled by one factor for the numbers of clusters and regressors", "liang1986"),
    "c2": ("residuals corrected to be unbiased for independent errors of one variance", "bell2002"),
    "c3": ("residuals corrected as if each cluster were left out in turn", "bell2002"),
}
"""What stood for the errors of clusters, and who proposed that."""

_T_AND_F = "tests were t and F with the model's residual degrees of freedom"


def fitted_by(model: Mapping[str, Any]) -> str:
    """By what a model was fitted, in a few words; empty for least squares with independent errors of one
    variance, or one in each variance group.

    Parameters
    ----------
    model
        The section ``model`` of the resolved spec.
    """
    estimator, errors = model.get("estimator") or {}, model.get("errors") or {}
    match estimator.get("method"), errors.get("type"):
        case "fixed_effects", _:
            return "fixed effects"
        case "mixed_effects", _:
            adjusted = ", Knapp–Hartung" if estimator.get("adjustment") == "knapp_hartung" else ""
            return (
                f"mixed effects, τ² by {TAU2_SHORT.get(str(estimator.get('tau2')), 'its method')}{adjusted}"
            )
        case "robust", _:
            return f"robust, {estimator.get('loss')}"
        case _, "cluster":
            return f"least squares, errors clustered by {one_space(str(errors.get('by')))}"
        case _, str(kind) if kind in SANDWICHES:
            return f"least squares, {kind.upper()} errors"
    return ""


TAU2_SHORT = {
    "reml": "REML",
    "ml": "ML",
    "dl": "DerSimonian–Laird",
    "pm": "Paule–Mandel",
    "hedges": "Hedges",
}
"""The same in a word."""


def by_words(facts: Facts) -> str:
    """By what a model was fitted, for a sentence: ``ordinary least squares, with independent errors ...``."""
    model = facts.section("model")
    method = str(model["estimator"]["method"])
    if method != "ols" or model.get("variance_groups") is not None:
        return ESTIMATORS[method]
    errors = ERRORS[model["errors"]["type"]].format(by=name(model["errors"].get("by", "")))
    return f"{ESTIMATORS[method]}, with {errors}"


def estimation_words(facts: Facts, cite: Citations) -> Iterator[str]:
    """Sentences on an estimator, its errors and its tests; none for least squares with one variance."""
    model = facts.section("model")
    estimator, errors = model["estimator"], model["errors"]
    yield from _voxelwise(facts)
    yield from _BY_METHOD[estimator["method"]](estimator, cite)
    if errors["type"] in SANDWICHES:
        yield from _sandwich(errors, cite)
    elif errors["type"] == "cluster":
        yield from _clusters(errors, cite)


def mixed_groups(of: str) -> str:
    """That groups had a variance between observations of their own."""
    return f"τ² had a value of its own in each {of}."


def _ols(estimator: Mapping[str, Any], cite: Citations) -> Iterator[str]:
    yield from ()


def _fixed(estimator: Mapping[str, Any], cite: Citations) -> Iterator[str]:
    yield (
        "These variances were taken for the only ones, so that results hold for these observations and not "
        "for others like them; tests were z and chi-square."
    )


def _mixed(estimator: Mapping[str, Any], cite: Citations) -> Iterator[str]:
    method, keys = TAU2[estimator["tau2"]]
    adjusted, more = ADJUSTMENTS[estimator["adjustment"]]
    cited = f" {cite(*more)}" if more else ""
    yield f"τ² was estimated at each voxel by {method} {cite(*keys)}; {adjusted}{cited}, and {_T_AND_F}."


def _robust(estimator: Mapping[str, Any], cite: Citations) -> Iterator[str]:
    loss, key = LOSSES[estimator["loss"]]
    yield (
        f"Its loss was {loss} {cite(key)}, minimised by iteratively reweighted least squares, with the "
        "median absolute residual as the scale; standard errors were those of M-estimates "
        f"{cite('huber1981')}, and {_T_AND_F}."
    )


_BY_METHOD: dict[str, Callable[[Mapping[str, Any], Citations], Iterator[str]]] = {
    "ols": _ols,
    "fixed_effects": _fixed,
    "mixed_effects": _mixed,
    "robust": _robust,
}


def _sandwich(errors: Mapping[str, Any], cite: Citations) -> Iterator[str]:
    kind = str(errors["type"])
    what, key = SANDWICHES[kind]
    yield (
        f"Standard errors came from the sandwich estimator {kind.upper()}, with {what} {cite(key)}, and "
        f"{_T_AND_F}."
    )


def _clusters(errors: Mapping[str, Any], cite: Citations) -> Iterator[str]:
    what, key = CORRECTIONS[errors["correction"]]
    yield (
        f"Standard errors came from the cluster-robust sandwich estimator, with {what} {cite(key)}; tests "
        "were t and F with degrees of freedom of their own for each contrast, approximated from the clusters "
        f"{cite('pustejovsky2018')}."
    )


def _voxelwise(facts: Facts) -> Iterator[str]:
    """Covariates that had a value of their own at each voxel."""
    formula = read_formula(str(facts.section("model")["formula"]))
    used = dict.fromkeys(use.name for use in formula.names)
    held = [one for one in facts.section("data").get("voxelwise") or {} if one in used]
    if held:
        who, whose = ("covariates", "values of their") if len(held) > 1 else ("covariate", "a value of its")
        yield f"The {who} {names(held)} had {whose} own at each voxel, read from images and not centred."
