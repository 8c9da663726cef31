"""Which models can be shuffled, and how."""

from __future__ import annotations

from collections.abc import Iterator

from specgl.errors import Finding
from specgl.spec.outline import Outline
from specgl.spec.rules.estimation import OTHERS, SANDWICH, WEIGHTED
from specgl.spec.rules.permutation import METHOD

_EITHER = ("freedman_lane", "draper_stoneman")
_PARAMETRIC = "take `method: parametric`, `random_field` or `all_resolutions`"


def check_shuffled(outline: Outline) -> Iterator[Finding]:
    """Models that cannot be shuffled, and ways of shuffling that a model does not have."""
    if "model" not in outline.sections:
        return
    yield from _impossible(outline)
    yield from _tau2(outline)
    yield from _nuisance(outline)


def _asked(outline: Outline) -> list[str]:
    """Inferences that want shuffles."""
    said = outline.inference.items()
    return [name for name, how in said if isinstance(how, dict) and how.get("method") == METHOD]


def _impossible(outline: Outline) -> Iterator[Finding]:
    reasons = dict(_reasons(outline))
    for name in _asked(outline):
        for what, (reason, advice) in reasons.items():
            yield Finding(
                "E014",
                f"`method: permutation` does not go together with {what}: {reason}",
                ("inference", name, "method"),
                help=advice,
            )


def _reasons(outline: Outline) -> Iterator[tuple[str, tuple[str, str]]]:
    """What cannot be shuffled, why, and what to do."""
    if outline.estimation.method == "robust":
        why = "a robust fit's weights depend on the data, so that every shuffle would need a fit of its own"
        yield "`method: robust`", (why, _PARAMETRIC)
    elif outline.estimation.errors == "cluster":
        why = (
            "rows of a cluster are not exchangeable one by one, and the wild bootstrap is not in this release"
        )
        yield "`type: cluster`", (why, _PARAMETRIC)
    separate = outline.shuffles.variance_groups is not None and outline.estimation.method == "ols"
    if separate and outline.voxelwise_used:
        what = f"`variance_groups` and `{outline.voxelwise_used[0]}` in the formula at once"
        why = "under shuffles v and G are computed from one design for all voxels"
        yield what, (why, f"leave one of them out, or {_PARAMETRIC}")


def _tau2(outline: Outline) -> Iterator[Finding]:
    method = outline.estimation.method
    if outline.estimation.tau2 is not None and method in ("ols", "fixed_effects", "robust"):
        yield Finding(
            "E014",
            f"`tau2` does not go together with `method: {method}`: only `method: mixed_effects` has a "
            "variance between observations",
            ("permutation", "tau2"),
            on_key=True,
            help="leave it out",
        )


def _nuisance(outline: Outline) -> Iterator[Finding]:
    asked, estimation = outline.shuffles.nuisance, outline.estimation
    if not isinstance(asked, str):
        return
    refused: dict[str, str] = {}
    if estimation.errors in SANDWICH and estimation.method not in OTHERS and asked != "freedman_lane":
        refused[f"`type: {estimation.errors}`"] = "studentised shuffles keep the design and its leverages"
    if asked not in _EITHER and estimation.method in WEIGHTED:
        refused[f"`method: {estimation.method}`"] = "it is not defined for observations of unequal weight"
    if asked not in _EITHER and outline.voxelwise_used:
        name = outline.voxelwise_used[0]
        refused[f"`{name}` in the formula"] = "it is not defined for a design that differs between voxels"
    for what, why in refused.items():
        fitting = "`freedman_lane`" if what.startswith("`type") else "`freedman_lane` or `draper_stoneman`"
        yield Finding(
            "E032",
            f"`nuisance: {asked}` does not go together with {what}: {why}",
            ("permutation", "nuisance"),
            help=f"leave `nuisance` out, or take {fitting}",
        )
