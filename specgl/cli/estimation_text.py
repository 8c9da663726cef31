"""How a model is estimated, in one line."""

from __future__ import annotations

from functools import singledispatch

from specgl.models import Clustered, Estimation, FixedEffects, Hc, LeastSquares, MixedEffects, Robust


def estimation_words(estimation: Estimation) -> str:
    """The line of a plan that says how coefficients and their errors are estimated."""
    return f"Estimation: {_words(estimation)}"


@singledispatch
def _words(estimation: object) -> str:
    raise TypeError(f"no such estimation: {estimation!r}")


@_words.register
def _(estimation: LeastSquares) -> str:
    match estimation.errors:
        case Hc(kind=kind):
            return f"ordinary least squares, errors of any variances ({kind})"
        case Clustered(by=by, correction=correction):
            n = len(by.labels)
            return (
                f"ordinary least squares, errors that go together in {n} clusters of {by.name} ({correction})"
            )
        case _:
            return "ordinary least squares"


@_words.register
def _(estimation: FixedEffects) -> str:
    return "fixed effects, weighted by first-level variances; normal reference"


@_words.register
def _(estimation: MixedEffects) -> str:
    adjusted = ", adjusted by Knapp and Hartung" if estimation.adjustment == "knapp_hartung" else ""
    return f"mixed effects, weighted by first-level variances plus tau2 ({estimation.tau2}){adjusted}"


@_words.register
def _(estimation: Robust) -> str:
    return f"robust ({estimation.loss}), iteratively reweighted"
