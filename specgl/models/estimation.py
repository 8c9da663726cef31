"""How a model is estimated, and what is assumed of its errors: values that choose the kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from specgl.kernels.estimators import ClusterCorrection, HcKind, Loss, Tau2Method
from specgl.kernels.welch import KINDS

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Block, Design

Adjustment = Literal["none", "knapp_hartung"]


@dataclass(frozen=True, slots=True)
class Homoscedastic:
    """Independent errors of one variance, or of one in each variance group."""


@dataclass(frozen=True, slots=True)
class Hc:
    """Independent errors of any variances.

    Attributes
    ----------
    kind
        How squared residuals stand in for the variances, ``hc0`` to ``hc4``.
    """

    kind: HcKind


@dataclass(frozen=True, slots=True, eq=False)
class Clustered:
    """Errors of any variances and covariances within clusters, and independent between them.

    Attributes
    ----------
    by
        The clusters.
    correction
        What residuals are corrected by, ``c0`` (nothing) to ``c3``.
    """

    by: Block
    correction: ClusterCorrection = "c2"


Errors = Homoscedastic | Hc | Clustered


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """Ordinary least squares.

    Attributes
    ----------
    errors
        What is assumed of the errors.
    """

    errors: Errors = Homoscedastic()


@dataclass(frozen=True, slots=True)
class FixedEffects:
    """Observations weighted by their first-level variances, which are all the variance there is."""


@dataclass(frozen=True, slots=True)
class MixedEffects:
    """Observations weighted by their first-level variances and a variance between them.

    Attributes
    ----------
    tau2
        How the variance between observations is estimated.
    adjustment
        Of standard errors, for small samples.
    """

    tau2: Tau2Method = "reml"
    adjustment: Adjustment = "none"


@dataclass(frozen=True, slots=True)
class Robust:
    """An M-estimator: observations with large residuals count for less.

    Attributes
    ----------
    loss
        How much less.
    """

    loss: Loss = "huber"


Estimation = LeastSquares | FixedEffects | MixedEffects | Robust


def uses_variances(estimation: Estimation) -> bool:
    """Whether observations are weighted by their first-level variances."""
    return isinstance(estimation, FixedEffects | MixedEffects)


def is_classical(estimation: Estimation) -> bool:
    """Whether it is ordinary least squares, with one variance or one in each variance group."""
    return isinstance(estimation, LeastSquares) and isinstance(estimation.errors, Homoscedastic)


def letters_of(design: Design, estimation: Estimation) -> dict[str, str]:
    """Letter of each contrast's statistic by its name.

    t and F; with variance groups under least squares v and G; of fixed effects z and chi2. A conjunction of t
    has the t of one of its members; where its members' degrees of freedom differ, or are none, it has a z.
    """
    if isinstance(estimation, FixedEffects):
        letters = {c.name: _NORMAL[c.kind] for c in design.contrasts}
        return letters | {c.name: "z" for c in design.conjunctions}
    own = design.varies_by_group and isinstance(estimation, LeastSquares)
    letters = {c.name: KINDS[c.kind] if own else c.kind for c in design.contrasts}
    clustered = isinstance(estimation, LeastSquares) and isinstance(estimation.errors, Clustered)
    return letters | {c.name: "z" if own or clustered else "t" for c in design.conjunctions}


_NORMAL = {"t": "z", "F": "chi2"}
"""Letters where the reference is normal."""
