"""Maps that are asked for and that the model does not have, and what is said of maps that are not written."""

from __future__ import annotations

from collections.abc import Iterator

from specgl.errors import Finding
from specgl.spec.outline import Estimation, Outline
from specgl.spec.output import DEFAULT, LEVEL
from specgl.spec.rules.estimation import OTHERS, WEIGHTED

ORDINARY = frozenset({"cohen_d", "hedges_g", "partial_r2", "bf10", "r2"})
"""Maps that the residual variance of ordinary least squares defines."""

COMMON = frozenset({"cohen_d", "hedges_g", "bf10"})
"""Those of them that need one variance for all observations."""

_MAPS = ("output", "maps")
_OLS = "leave it out, or take `method: ols` with `type: homoscedastic`"
_WEIGHTED = "leave it out, or take `method: mixed_effects` with `data.variances`"


def check_maps(outline: Outline) -> Iterator[Finding]:
    """Maps without a meaning, and levels and margins without a map."""
    if "model" not in outline.sections:
        return
    estimation = outline.estimation
    for number, name in asked_for(estimation.maps):
        fault = _fault(name, outline)
        if fault is not None:
            why, advice = fault
            yield Finding("E038", f"there is no `{name}`: {why}", (*_MAPS, number), help=advice)
        elif name == "tost" and outline.contrasts and not estimation.margins and not outline.is_partial:
            yield Finding(
                "W208",
                "no contrast has a `margin`: there is no `tost` to write",
                (*_MAPS, number),
                help="say what counts as none, in units of the contrast: `{hypothesis: age, margin: 0.1}`",
            )
    yield from _unwritten(estimation)


def asked_for(maps: tuple[object, ...]) -> Iterator[tuple[int, str]]:
    """Place and name of each map that was asked for.

    Where all maps of the default stand together, as in a resolved spec or where others are added to them,
    they were not asked for one by one: those that a model does not have are just not written.
    """
    whole = set(DEFAULT) <= {name for name in maps if isinstance(name, str)}
    for number, name in enumerate(maps):
        if isinstance(name, str) and not (whole and name in DEFAULT):
            yield number, name


def _fault(name: str, outline: Outline) -> tuple[str, str] | None:
    """Why a model does not have a map, and what to do."""
    method, errors = outline.estimation.method, outline.estimation.errors
    if method is None or errors is None:
        return None
    model = f"`method: {method}`" if method in OTHERS else f"`type: {errors}`"
    if name in ORDINARY and (method in OTHERS or errors != "homoscedastic"):
        return f"it is made from errors of one variance by least squares, and this is {model}", _OLS
    if name in COMMON and outline.shuffles.variance_groups is not None:
        return (
            "`variance_groups` have no common standard deviation",
            "leave it out, or leave `variance_groups` out",
        )
    if name == "sigma" and method in WEIGHTED:
        return "observations of unequal variance have no common standard deviation", "leave it out"
    if name == "weights" and method not in OTHERS:
        return "by least squares all observations weigh alike", "leave it out, or take another `method`"
    if name in ("q", "i2") and method not in WEIGHTED:
        return f"it compares observations by their first level's variances, and this is {model}", _WEIGHTED
    if name == "tau2" and method != "mixed_effects":
        return f"only `method: mixed_effects` estimates it, and this is `method: {method}`", _WEIGHTED
    return None


def _unwritten(estimation: Estimation) -> Iterator[Finding]:
    """What is said of maps that are not written."""
    level = estimation.level
    if isinstance(level, float) and 0 < level < 1 and level != LEVEL and "ci" not in estimation.maps:
        yield Finding(
            "W208",
            "no confidence interval is written: `level` changes nothing",
            ("output", "level"),
            on_key=True,
            help="add `ci` to `output.maps`, or leave it out",
        )
    if estimation.maps and "tost" not in estimation.maps:
        for name in estimation.margins:
            yield Finding(
                "W208",
                "`tost` is not among `output.maps`: this margin changes nothing",
                ("contrasts", name, "margin"),
                on_key=True,
                help="add `tost` to `output.maps`, or leave it out",
            )
