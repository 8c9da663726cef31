"""Contrasts of a fitted model: effects, variances, t and F (or v and G), their z and p."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.engines import Threads
from specgl.kernels.rank import RANK_TOLERANCE
from specgl.kernels.tails import f_tails, t_tails
from specgl.models.conjunctions import join_outcomes
from specgl.models.fitted import GroupFit
from specgl.models.local_contrasts import local_outcome
from specgl.models.separate import separate_outcome
from specgl.models.tested import Floats, Outcome, effect_of
from specgl.variables import VARIABLES

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Conjunction, Contrast, Design

_MAPS = ("effect", "variance", "stat", "z", "p", "cohen_d")
_TILE = 16384
_HERE = Threads(1)


def contrast_maps(fit: GroupFit, design: Design, *, engine: Threads = _HERE) -> xr.Dataset:
    """Test all contrasts of a design.

    ``t = c'b / sqrt(c'(X'X)^- c * sigma2)``; ``F = (Cb)'(C(X'X)^- C')^- Cb / (rank(C) * sigma2)``, so that
    repeated or dependent rows of ``C`` do no harm (Winkler 2014, doi:10.1016/j.neuroimage.2014.01.060).

    Parameters
    ----------
    fit
        The fitted model.
    design
        The design it was fitted with.
    engine
        Where it runs, a contrast a piece.

    Returns
    -------
    xarray.Dataset
        ``effect, variance, stat, z, p, cohen_d`` ``(contrast, location)`` in float64, NaN where a contrast
        has no statistic; an F over several rows has no effect and variance, and no F has a Cohen's d.
        Conjunctions follow after all other contrasts: see `specgl.models.conjunctions.join_outcomes`.
        ``dof`` and ``n`` are numbers or ``(location)``. With variance groups the statistics are v and G
        (Winkler 2014), ``dof`` is ``(contrast, location)``, NaN where there is no statistic, and there is no
        Cohen's d. Coordinates ``contrast, kind, alternative, dof1`` and
        ``not_estimable`` (locations lost to missing values) along ``contrast``, and those of the data along
        ``location``. The p of an F is its upper tail's.
    """
    found = engine.map(partial(_test, fit, design), design.contrasts)
    usable = [fit.testable(contrast.weights) for contrast in design.contrasts]
    _add_conjunctions(fit, design, found, usable)
    shape = (len(found), fit.sigma2.size)
    arrays: dict[str, Floats] = {name: np.full(shape, np.nan) for name in _MAPS}
    for row, (tested, ok) in enumerate(zip(found, usable, strict=True)):
        for name in _MAPS:
            values = getattr(tested, name)
            if values is not None:
                np.copyto(arrays[name][row], values, where=ok)
    lost = [int(np.count_nonzero(fit.tested & ~ok)) for ok in usable]
    return _labelled(arrays, fit, tuple(design.asked.values()), found, lost)


def _add_conjunctions(
    fit: GroupFit, design: Design, found: list[Outcome], usable: list[NDArray[np.bool_]]
) -> None:
    """Put conjunctions, and where they can be tested, after the contrasts that they join."""
    rows = {contrast.name: row for row, contrast in enumerate(design.contrasts)}
    for conjunction in design.conjunctions:
        joined = [rows[name] for name in conjunction.members]
        everywhere: NDArray[np.bool_] = np.logical_and.reduce([usable[row] for row in joined])
        outcomes = {name: found[rows[name]] for name in conjunction.members}
        found.append(join_outcomes(conjunction, outcomes, fit.dof, everywhere))
        usable.append(everywhere)


def _test(fit: GroupFit, design: Design, contrast: Contrast) -> Outcome:
    with np.errstate(divide="ignore", invalid="ignore"):  # locations without a statistic become NaN
        if fit.local is not None:
            return local_outcome(fit, contrast)
        if fit.group_rss is not None:
            return separate_outcome(fit, design, contrast)
        return _TESTS[contrast.kind](fit, contrast)


def _test_t(fit: GroupFit, contrast: Contrast) -> Outcome:
    (weights,) = contrast.weights
    effect, variance = effect_of(fit, weights), _variance(fit, weights)
    stat = effect / np.sqrt(variance)
    tails = t_tails(stat, fit.dof)
    return Outcome(
        kind="t",
        stat=stat,
        z=tails.z(),
        p=tails.p(contrast.alternative),
        dof1=1,
        effect=effect,
        variance=variance,
        cohen_d=effect / np.sqrt(fit.sigma2),
    )


def _test_f(fit: GroupFit, contrast: Contrast) -> Outcome:
    root, dof1 = _root(fit, contrast.weights)
    effects = np.stack([effect_of(fit, weights) for weights in contrast.weights])
    stat = _quadratic(root, effects, fit.patterns.of_location) / (dof1 * fit.sigma2)
    tails = f_tails(stat, dof1, fit.dof)
    single = len(contrast.weights) == 1
    return Outcome(
        kind="F",
        stat=stat,
        z=tails.z(),
        p=tails.p("greater"),
        dof1=dof1,
        effect=effects[0] if single else None,
        variance=_variance(fit, contrast.weights[0]) if single else None,
    )


_TESTS: dict[str, Callable[[GroupFit, Contrast], Outcome]] = {"t": _test_t, "F": _test_f}


def _variance(fit: GroupFit, weights: Floats) -> Floats:
    """``(n_loc,)`` variance of the effect, a sum of squares and so never negative."""
    spread = weights @ fit.geometry.spread
    unscaled = np.einsum("pk,pk->p", spread, spread)
    return _by_location(unscaled, fit.patterns.of_location) * fit.sigma2


def _by_location(values: Floats, of_location: NDArray[np.int64]) -> Floats:
    """Values of each location's pattern; one value for all is left to broadcast."""
    return values if values.size == 1 else values[of_location]


def _root(fit: GroupFit, weights: Floats) -> tuple[Floats, int]:
    """``(n_pat, m, q)`` R with ``R'R = (C(X'X)^- C')^-`` for each pattern, and the rank of ``C``."""
    spread = weights[None] @ fit.geometry.spread
    size = np.linalg.norm(spread, axis=2, keepdims=True)
    # Rows of length 1: which are dependent must not depend on the units of what they test.
    size = np.where(size > 0, size, 1.0)
    left, values, _ = np.linalg.svd(spread / size, full_matrices=False)
    keep = values > RANK_TOLERANCE * np.max(values, axis=1, keepdims=True, initial=0.0)
    inverse = np.where(keep, 1 / np.where(keep, values, 1.0), 0.0)
    root = np.swapaxes(left * inverse[:, None, :] / size, 1, 2)
    # Patterns that cannot estimate the contrast have a lower rank; their locations are dropped.
    return root, int(keep.sum(axis=1).max(initial=1))


def _quadratic(root: Floats, effects: Floats, of_location: NDArray[np.int64]) -> Floats:
    """``(n_loc,)`` squared length of the root times the effects ``(q, n_loc)``."""
    result = np.empty(effects.shape[1])
    for start in range(0, result.size, _TILE):
        here = slice(start, start + _TILE)
        if len(root) == 1:
            scores = root[0] @ effects[:, here]
        else:
            scores = np.einsum("lmq,ql->ml", root[of_location[here]], effects[:, here])
        result[here] = np.einsum("ml,ml->l", scores, scores)
    return result


def _labelled(
    arrays: dict[str, Floats],
    fit: GroupFit,
    contrasts: tuple[Contrast | Conjunction, ...],
    found: list[Outcome],
    lost: list[int],
) -> xr.Dataset:
    variables: dict[str, object] = {
        name: (("contrast", "location"), values, _describe(name)) for name, values in arrays.items()
    }
    for name, values in (("dof", fit.dof), ("n", fit.n)):
        variables[name] = (("location",) if np.ndim(values) else (), values, _describe(name))
    own = [outcome.dof for outcome in found if outcome.dof is not None]
    if own:
        variables["dof"] = (("contrast", "location"), np.stack(own), _describe("dof"))
    coordinates = {
        "contrast": [contrast.name for contrast in contrasts],
        "kind": ("contrast", [outcome.kind for outcome in found]),
        "alternative": ("contrast", [contrast.alternative for contrast in contrasts]),
        "dof1": ("contrast", np.array([outcome.dof1 for outcome in found], dtype=np.int64)),
        "not_estimable": ("contrast", np.array(lost, dtype=np.int64)),
        **fit.coordinates,
    }
    return xr.Dataset(variables, coords=coordinates)


def _describe(name: str) -> dict[str, str]:
    """Attributes of an array, from the vocabulary."""
    return {"units": VARIABLES[name].unit, "long_name": VARIABLES[name].meaning}
