"""How large an effect is, and how sure: maps beside a contrast's test, each where it has a meaning."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from specgl.errors import Finding
from specgl.kernels import effect_sizes
from specgl.kernels.bayes import jzs_bf10
from specgl.models.fitted import Floats, GroupFit
from specgl.variables import VARIABLES

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Contrast, Design

LEVEL = 0.95
"""Level of confidence limits where nothing is said."""


@dataclass(frozen=True, eq=False)
class _One:
    """A contrast of one row, with what its maps are made from, each ``(n_loc,)``."""

    contrast: Contrast
    stat: Floats
    effect: Floats
    variance: Floats
    dof: Floats
    sigma2: Floats
    level: float
    margin: float | None
    spread: float | None

    @cached_property
    def per_d(self) -> Floats:
        """What Cohen's d is of t: the root of the contrast's variance for unit residual variance."""
        result: Floats = np.sqrt(self.variance / self.sigma2)
        return result

    @cached_property
    def limits(self) -> effect_sizes.Limits:
        """Of the effect."""
        return effect_sizes.confidence_limits(self.effect, self.variance, self.dof, self.level)

    @cached_property
    def d_limits(self) -> effect_sizes.Limits:
        """Of Cohen's d."""
        return effect_sizes.d_limits(self.stat, self.dof, self.per_d, self.level)

    @cached_property
    def g_limits(self) -> effect_sizes.Limits:
        """Of Hedges' g."""
        factor, of_d = effect_sizes.hedges_factor(self.dof), self.d_limits
        return effect_sizes.Limits(of_d.lower * factor, of_d.upper * factor)

    def hedges_g(self) -> Floats:
        """Cohen's d without its small-sample bias."""
        return effect_sizes.hedges_g(self.effect / np.sqrt(self.sigma2), self.dof)

    def equivalence(self) -> Floats | None:
        """P of the equivalence test; None without a margin."""
        if self.margin is None:
            return None
        return effect_sizes.equivalence_p(self.effect, self.variance, self.dof, self.margin)

    def bayes_factor(self) -> Floats | None:
        """Evidence for an effect; None where its size has no scale."""
        if self.spread is None:
            return None
        return jzs_bf10(self.stat, 1.0 / (self.spread * self.per_d) ** 2, self.dof)


_OF_ONE_ROW: Mapping[str, Callable[[_One], Floats | None]] = {
    "standard_error": lambda one: effect_sizes.standard_error(one.variance),
    "ci_lower": lambda one: one.limits.lower,
    "ci_upper": lambda one: one.limits.upper,
    "cohen_d_lower": lambda one: one.d_limits.lower,
    "cohen_d_upper": lambda one: one.d_limits.upper,
    "hedges_g": lambda one: one.hedges_g(),
    "hedges_g_lower": lambda one: one.g_limits.lower,
    "hedges_g_upper": lambda one: one.g_limits.upper,
    "tost": lambda one: one.equivalence(),
    "bf10": lambda one: one.bayes_factor(),
}
"""Maps of contrasts of one row, by their names in the vocabulary."""


def add_estimates(
    stats: xr.Dataset,
    names: Collection[str],
    fit: GroupFit,
    design: Design,
    *,
    level: float = LEVEL,
    margins: Mapping[str, float] | None = None,
) -> tuple[xr.Dataset, tuple[Finding, ...]]:
    """Add the asked-for maps that tell how large effects are, and how sure.

    Parameters
    ----------
    stats
        What `contrast_maps` gave.
    names
        Names in the vocabulary; those of other maps are left to whoever makes them.
    fit, design
        The fitted model and its design.
    level
        Of confidence limits.
    margins
        Margin of equivalence by contrast, in the contrast's unit.

    Returns
    -------
    stats : xarray.Dataset
        With further variables ``(contrast, location)``, NaN where a contrast has no such map: those of one
        row have none for several rows, ``tost`` none without a margin.
    findings : tuple of Finding
        W406 for each contrast whose effect has no scale that a Bayes factor could use.
    """
    wanted = [name for name in names if name in _OF_ONE_ROW or name == "partial_r2"]
    shape = stats["stat"].shape
    added = {name: np.full(shape, np.nan) for name in wanted}
    findings: list[Finding] = []
    for row, contrast in enumerate(design.contrasts):
        own = stats.isel(contrast=row)
        dof = np.broadcast_to(np.asarray(own["dof"].values, dtype=np.float64), shape[1:])
        if "partial_r2" in added:
            stat = own["stat"].values
            of_f = stat**2 if contrast.kind == "t" else stat
            added["partial_r2"][row] = effect_sizes.partial_r2(of_f, int(own["dof1"]), dof)
        if contrast.kind != "t":
            continue
        spread = spread_of(design, contrast)
        if spread is None and "bf10" in added:
            findings.append(_no_scale(contrast))
        one = _One(
            contrast=contrast,
            stat=own["stat"].values,
            effect=own["effect"].values,
            variance=own["variance"].values,
            dof=dof,
            sigma2=np.where(fit.tested, fit.sigma2, np.nan),
            level=level,
            margin=(margins or {}).get(contrast.name),
            spread=spread,
        )
        for name in wanted:
            if name in _OF_ONE_ROW and (values := _OF_ONE_ROW[name](one)) is not None:
                added[name][row] = values
    variables = {
        name: (
            ("contrast", "location"),
            values,
            {"units": VARIABLES[name].unit, "long_name": VARIABLES[name].meaning},
        )
        for name, values in added.items()
    }
    return stats.assign(variables), tuple(findings)


def spread_of(design: Design, contrast: Contrast) -> float | None:
    """What one step of a contrast is, for an effect that does not depend on units.

    Returns
    -------
    float or None
        1 for means and differences of levels, wherever covariates stand in them; for a slope, or a difference
        of slopes, of one declared variable its standard deviation over the rows; None for anything else.
    """
    steps: set[str | None] = set()
    (weights,) = contrast.weights
    for weight, regressor in zip(weights, design.regressors, strict=False):
        if weight == 0.0:
            continue
        coded = {name for name, _ in regressor.codings}
        numbers = [name for name, _ in regressor.factors if name not in coded]
        if not numbers and not regressor.covariates:
            return 1.0
        plain = len(numbers) == 1 and not regressor.covariates and "(" not in regressor.term
        steps.add(numbers[0] if plain else None)
    if len(steps) != 1 or None in steps:
        return None
    values = getattr(design.columns[str(steps.pop())], "values", None)
    return None if values is None else float(np.std(values))


def _no_scale(contrast: Contrast) -> Finding:
    return Finding(
        "W406",
        f"contrast '{contrast.name}' has no Bayes factor: its effect is no mean, no difference of levels and "
        "no slope of one variable, so that its size depends on units",
        where=("contrasts", contrast.name),
    )
