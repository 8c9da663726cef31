"""From the words of the spec to how a model is estimated, and which maps such a model has."""

from __future__ import annotations

from functools import singledispatch

from specgl import models
from specgl import spec as language
from specgl.design import Rows, read_clusters
from specgl.errors import DesignError, Finding, TableError
from specgl.spec import AnalysisSpec, Model
from specgl.variables import VARIABLES

_LIMITS = {
    "ci": ("ci_lower", "ci_upper"),
    "cohen_d": ("cohen_d_lower", "cohen_d_upper"),
    "hedges_g": ("hedges_g_lower", "hedges_g_upper"),
}
"""Confidence limits that `ci` asks for: those of the effect, and of what else is written."""


def plan_estimation(model: Model, rows: Rows) -> tuple[models.Estimation | None, tuple[Finding, ...]]:
    """How a model is estimated; None where the table cannot tell, which is then in the findings.

    Parameters
    ----------
    model
        What is asked.
    rows
        The analysed rows.
    """
    try:
        return _estimation(model.estimator, model, rows)
    except (DesignError, TableError) as error:
        return None, error.findings


@singledispatch
def _estimation(asked: object, model: Model, rows: Rows) -> tuple[models.Estimation, tuple[Finding, ...]]:
    raise TypeError(f"no such estimator: {asked!r}")


@_estimation.register
def _(
    asked: language.OlsEstimator, model: Model, rows: Rows
) -> tuple[models.Estimation, tuple[Finding, ...]]:
    errors = model.errors
    if isinstance(errors, language.ClusterErrors):
        clusters, found = read_clusters(rows, errors.by)
        return models.LeastSquares(models.Clustered(clusters, errors.correction)), found
    if isinstance(errors, language.HcErrors):
        return models.LeastSquares(models.Hc(errors.type)), ()
    return models.LeastSquares(), ()


@_estimation.register
def _(
    asked: language.FixedEffects, model: Model, rows: Rows
) -> tuple[models.Estimation, tuple[Finding, ...]]:
    return models.FixedEffects(), ()


@_estimation.register
def _(
    asked: language.MixedEffects, model: Model, rows: Rows
) -> tuple[models.Estimation, tuple[Finding, ...]]:
    return models.MixedEffects(asked.tau2, asked.adjustment), ()


@_estimation.register
def _(
    asked: language.RobustEstimator, model: Model, rows: Rows
) -> tuple[models.Estimation, tuple[Finding, ...]]:
    return models.Robust(asked.loss), ()


def margins(spec: AnalysisSpec) -> dict[str, float]:
    """Margin of equivalence of each contrast that has one, in the contrast's unit."""
    return {
        name: asked.margin
        for name, asked in spec.contrasts.items()
        if isinstance(asked, language.OneRow) and asked.margin is not None
    }


def written_maps(spec: AnalysisSpec) -> tuple[str, ...]:
    """Names in the vocabulary of the maps that a run writes: what is asked for and the model has."""
    asked: set[str] = set(spec.output.maps)
    names = asked - {"ci"}
    if "ci" in asked:
        names |= {name for of in _LIMITS if of in asked for name in _LIMITS[of]}
    estimator = None if spec.model is None else spec.model.estimator
    if not isinstance(estimator, language.MixedEffects):
        names.discard("tau2")
    if not isinstance(estimator, language.MixedEffects | language.FixedEffects):
        names -= {"i2", "q"}
    if not margins(spec):
        names.discard("tost")
    return tuple(name for name in VARIABLES if name in names)
