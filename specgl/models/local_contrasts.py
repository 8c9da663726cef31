"""Contrasts of a fit whose covariances belong to each location."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from specgl.kernels.tails import Tails, chi2_tails, f_tails, t_tails, z_tails
from specgl.kernels.welch import KINDS
from specgl.models.estimation import FixedEffects
from specgl.models.fitted import GroupFit, LocalFit
from specgl.models.tested import Floats, Outcome, effect_of

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Contrast

_SINGULAR = 1e-10
"""Share of the largest variance of a combination of estimates below which the smallest is rounding."""


def local_outcome(fit: GroupFit, contrast: Contrast) -> Outcome:
    """Test one contrast: an estimate over its standard error, or Wald's quadratic form over its rank.

    Parameters
    ----------
    fit
        A fit with covariances of its own at each location.
    contrast
        One of the contrasts that it was made with.

    Returns
    -------
    Outcome
        t and F; v and G with variance groups under least squares; of fixed effects z and chi-square. With
        clusters, F is Hotelling's T² brought to F (Pustejovsky and Tipton 2018,
        doi:10.1080/07350015.2016.1247004), and degrees of freedom are the contrast's own.
    """
    local = fit.local
    assert local is not None
    if contrast.kind == "t":
        return _test_t(fit, local, contrast)
    return _test_f(fit, local, contrast)


def _test_t(fit: GroupFit, local: LocalFit, contrast: Contrast) -> Outcome:
    effect, variance = effect_of(fit, contrast.weights[0]), local.covariances[contrast.name][0, 0]
    stat = effect / np.sqrt(variance)
    own = local.own_dof.get(contrast.name)
    normal = isinstance(local.estimation, FixedEffects)
    tails = z_tails(stat) if normal else t_tails(stat, fit.dof if own is None else own)
    return Outcome(
        kind="z" if normal else _letter(local, "t"),
        stat=stat,
        z=tails.z(),
        p=tails.p(contrast.alternative),
        dof1=1,
        effect=effect,
        variance=variance,
        cohen_d=effect / np.sqrt(fit.sigma2) if fit.group_rss is None and not local.separate else None,
        dof=own,
    )


def _test_f(fit: GroupFit, local: LocalFit, contrast: Contrast) -> Outcome:
    rows, covariance = local.rows[contrast.name], local.covariances[contrast.name]
    rank = len(rows)
    effects = np.stack([effect_of(fit, row) for row in rows])
    wald = quadratic(covariance, effects)
    own, dof = local.own_dof.get(contrast.name), fit.dof
    tails: Tails
    if isinstance(local.estimation, FixedEffects):
        kind, stat = "chi2", wald
        tails = chi2_tails(stat, rank)
    elif local.separate:
        assert own is not None
        kind, stat = _letter(local, "F"), wald / (rank * local.separate[contrast.name])
        tails = f_tails(stat, rank, own)
    elif own is not None:
        # Eta, of one row, is the Satterthwaite approximation itself.
        kind, stat = "F", wald * (own - rank + 1) / (own * rank)
        own = np.where(own > rank - 1, own - rank + 1, np.nan)
        tails = f_tails(np.where(np.isnan(own), np.nan, stat), rank, own)
    else:
        kind, stat = "F", wald / rank
        tails = f_tails(stat, rank, dof)
    single = len(contrast.weights) == 1
    return Outcome(
        kind=kind,
        stat=stat,
        z=tails.z(),
        p=tails.p("greater"),
        dof1=rank,
        effect=effects[0] if single else None,
        variance=covariance[0, 0] if single else None,
        dof=own,
    )


def quadratic(covariance: Floats, effects: Floats) -> Floats:
    """``(m,)`` ``e'V^-1 e`` for effects ``(r, m)`` and covariances ``(r, r, m)``; NaN where V is singular."""
    if len(effects) == 1:
        one: Floats = effects[0] ** 2 / covariance[0, 0]
        return one
    result = np.full(effects.shape[1], np.nan)
    scale = np.sqrt(np.einsum("rrm->rm", covariance))
    known = np.flatnonzero(np.isfinite(covariance).all(axis=(0, 1)) & (scale > 0).all(axis=0))
    size = scale[:, known]
    inner = np.moveaxis(covariance[:, :, known] / (size[:, None] * size[None]), 2, 0)
    values, axes = np.linalg.eigh(inner)
    along = np.einsum("mrs,rm->ms", axes, effects[:, known] / size)
    regular = values[:, 0] > _SINGULAR * values[:, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        result[known] = np.where(regular, (along**2 / values).sum(axis=1), np.nan)
    return result


def _letter(local: LocalFit, letter: str) -> str:
    return KINDS[letter] if local.separate else letter
