"""``model.estimator`` and ``model.errors``: how coefficients are estimated, what is taken of the errors."""

from typing import Annotated, Literal

from pydantic import Field

from specgl.spec.base import Part, Text


class OlsEstimator(Part):
    """Ordinary least squares."""

    method: Literal["ols"]
    """`ols`: ordinary least squares."""


class FixedEffects(Part):
    """Least squares weighted by the first level's variances, which are taken for the only ones."""

    method: Literal["fixed_effects"]
    """`fixed_effects`: each observation weighs the inverse of its own variance, which `data.variances`
    names. What is found holds for these observations, not for others like them. Tests are z and
    chi-square."""


class MixedEffects(Part):
    """Least squares weighted by the first level's variances and one between observations."""

    method: Literal["mixed_effects"]
    """`mixed_effects`: each observation weighs the inverse of its own variance, which `data.variances`
    names, plus the variance between observations (tau squared), estimated at each location."""

    tau2: Literal["reml", "dl", "pm", "ml", "hedges"] = "reml"
    """How the variance between observations is estimated: by restricted maximum likelihood (`reml`),
    DerSimonian-Laird (`dl`), Paule-Mandel (`pm`), maximum likelihood (`ml`) or Hedges (`hedges`). With
    `variance_groups` each group has its own."""

    adjustment: Literal["none", "knapp_hartung"] = "none"
    """Standard errors as if tau squared were known (`none`), or scaled by the weighted residuals, which
    allows for its being estimated from few observations (`knapp_hartung`). Tests are t and F with the
    model's residual degrees of freedom in both."""


class RobustEstimator(Part):
    """M-estimation, in which observations far from the others weigh less."""

    method: Literal["robust"]
    """`robust`: M-estimation by reweighted least squares, with the median absolute residual as the scale."""

    loss: Literal["huber", "bisquare"] = "huber"
    """How weight falls with the size of a residual: `huber` (tuned at 1.345; none is left out), `bisquare`
    (tuned at 4.685; residuals beyond that weigh nothing). At both, normal errors cost 5% of efficiency."""


class HomoscedasticErrors(Part):
    """Independent errors of one variance."""

    type: Literal["homoscedastic"]
    """`homoscedastic`: independent errors of one variance, or of one in each of `variance_groups`."""


class HcErrors(Part):
    """Independent errors, each of a variance of its own."""

    type: Literal["hc0", "hc1", "hc2", "hc3", "hc4"]
    """Independent errors, each of a variance of its own (the sandwich estimator): `hc0` with squared
    residuals as they are; `hc1` scaled by n / (n - rank); `hc2` and `hc3` divided by 1 - leverage, once and
    twice; `hc4` by a power of it that grows with the leverage. `hc3` suits small samples."""


class ClusterErrors(Part):
    """Errors that may depend on each other within clusters, and not between them."""

    type: Literal["cluster"]
    """`cluster`: errors may depend on each other, and differ in variance, within clusters."""

    by: Text
    """Column of the table that says to which cluster an observation belongs, such as `family`."""

    correction: Literal["c2", "c0", "c1", "c3"] = "c2"
    """How residuals, which are smaller than errors, are adjusted: `c2` (unbiased where errors are independent
    and of one variance; Bell and McCaffrey), `c0` not at all, `c1` by a factor for all, `c3` by leaving each
    cluster out."""


AnyEstimator = OlsEstimator | FixedEffects | MixedEffects | RobustEstimator
AnyErrors = HomoscedasticErrors | HcErrors | ClusterErrors

Estimator = Annotated[AnyEstimator, Field(discriminator="method")]
"""How coefficients are estimated, by its `method`."""

Errors = Annotated[AnyErrors, Field(discriminator="type")]
"""What is taken of the errors, by its `type`."""
