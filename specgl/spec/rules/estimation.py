"""Estimators and errors: what they need, and what they have no meaning with."""

from __future__ import annotations

from collections.abc import Iterator

from specgl.errors import Finding
from specgl.spec.outline import Outline

WEIGHTED = ("fixed_effects", "mixed_effects")
"""Estimators that use the first level's variances."""

OTHERS = (*WEIGHTED, "robust")
"""Estimators other than ordinary least squares."""

SANDWICH = ("hc0", "hc1", "hc2", "hc3", "hc4")
"""Errors that each have a variance of their own."""

_NO_GROUPS = {
    "`method: fixed_effects`": "each observation's variance is given, and none is estimated",
    "`method: robust`": "one scale is estimated from all residuals",
    "`type: cluster`": "errors of different clusters may differ in variance already",
    **{f"`type: {kind}`": "each error may have a variance of its own already" for kind in SANDWICH},
}
"""What groups with variances of their own have no meaning with, and why."""


def check_estimation(outline: Outline) -> Iterator[Finding]:
    """What an estimator or errors need, and what they do not go together with."""
    if "model" not in outline.sections:
        return
    yield from _variances(outline)
    yield from _errors(outline)
    yield from _variance_groups(outline)
    yield from _block(outline)


def _variances(outline: Outline) -> Iterator[Finding]:
    """First-level variances that are needed, that nothing uses, or that smoothing would make wrong."""
    estimation = outline.estimation
    method = estimation.method
    if method in WEIGHTED and not estimation.has_variances:
        if outline.has_images and not outline.is_partial:
            yield Finding(
                "E011",
                f"missing key 'variances': `method: {method}` weighs each observation by the variance of its "
                "first level",
                ("model", "estimator", "method"),
                help="name the images in `data.variances`, in the same forms as `data.images`, or take "
                "`method: ols`",
            )
    elif method in WEIGHTED and estimation.smooths:
        yield Finding(
            "E014",
            "`smoothing_fwhm` does not go together with `variances`: the variance of a smoothed map depends "
            "on correlations between voxels, which nobody has",
            ("data", "smoothing_fwhm"),
            on_key=True,
            help="smooth at the first level, before variances are estimated",
        )
    elif estimation.has_variances and method in ("ols", "robust"):
        yield Finding(
            "W208",
            f"`method: {method}` does not use `variances`: they change nothing",
            ("data", "variances"),
            on_key=True,
            help="take `method: mixed_effects` or `method: fixed_effects`, or leave them out",
        )


def _errors(outline: Outline) -> Iterator[Finding]:
    method, errors = outline.estimation.method, outline.estimation.errors
    where = ("model", "errors", "type")
    if errors not in (*SANDWICH, "cluster"):
        return
    if method in OTHERS:
        yield Finding(
            "E014",
            f"`type: {errors}` does not go together with `method: {method}`, which takes errors in a way of "
            "its own",
            where,
            help="leave `errors` out, or take `method: ols`",
        )
    elif errors == "cluster" and outline.voxelwise_used:
        yield Finding(
            "E014",
            f"`type: cluster` does not go together with `{outline.voxelwise_used[0]}` in the formula: its "
            "adjustment and degrees of freedom are those of one design for all voxels",
            where,
            help="leave the covariate out, or take `type: hc3`",
        )


def _variance_groups(outline: Outline) -> Iterator[Finding]:
    estimation = outline.estimation
    if outline.shuffles.variance_groups is None:
        return
    # Errors of their own under another estimator are told by themselves.
    errors = None if estimation.method in OTHERS else estimation.errors
    for what in (f"`method: {estimation.method}`", f"`type: {errors}`"):
        if what in _NO_GROUPS:
            yield Finding(
                "E014",
                f"`variance_groups` does not go together with {what}: {_NO_GROUPS[what]}",
                ("model", "variance_groups"),
                on_key=True,
                help="leave it out, or take `method: ols` with errors of one variance a group, or "
                "`method: mixed_effects` with a tau squared for each group",
            )


def _block(outline: Outline) -> Iterator[Finding]:
    if outline.block is None or outline.estimation.method not in OTHERS:
        return
    yield Finding(
        "E014",
        f"`block` does not go together with `method: {outline.estimation.method}`: means that are taken out "
        "beforehand weigh all observations alike, and this estimator does not",
        ("model", "block"),
        on_key=True,
        help=f"leave it out, declare `{outline.block}` as categorical and write it in the formula",
    )
