"""What shuffles cannot tell, found before any long work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specgl.errors import ComputationError, Finding
from specgl.inference.asked import Permutation
from specgl.inference.permutation.work import SchemeWork
from specgl.kernels.statistics import BLOCK

if TYPE_CHECKING:
    from specgl.models.schemes import Scheme

PROBES = 16
"""Locations at which the statistic is looked at."""

LOOKED_AT = 16 * BLOCK
"""Shuffles under which it is looked at."""

STILL = 1e-7
"""Relative spread below which a statistic does not move: what is left is rounding."""


def check_families(
    asked: Sequence[Permutation], schemes: Sequence[Scheme], conjunctions: Sequence[str] = ()
) -> None:
    """Refuse a family of contrasts that are not shuffled alike, and true discoveries of conjunctions.

    Parameters
    ----------
    asked
        The inferences.
    schemes
        How observations are shuffled.
    conjunctions
        Names of the conjunctions.

    Raises
    ------
    ComputationError
        E432 and E434.
    """
    findings = (
        *torn_families([one.name for one in asked if one.across == "contrasts"], schemes),
        *refused_conjunctions([one.name for one in asked if one.correction == "tdp"], conjunctions),
    )
    if findings:
        raise ComputationError(*findings)


def torn_families(families: Sequence[str], schemes: Sequence[Scheme]) -> tuple[Finding, ...]:
    """E432 for each inference over all contrasts, where these are not shuffled alike.

    Parameters
    ----------
    families
        Names of the inferences over all contrasts.
    schemes
        How observations are shuffled.
    """
    if len(schemes) < 2:
        return ()
    told = "; ".join(f"{scheme.exchange}: {', '.join(scheme.contrasts)}" for scheme in schemes)
    return tuple(
        Finding(
            "E432",
            f"inference '{name}' compares contrasts that are not shuffled alike ({told})",
            where=("inference", name, "across"),
            help="say `permutation.exchange`, so that one scheme serves all contrasts, or leave out `across`",
        )
        for name in families
    )


def refused_conjunctions(inferences: Sequence[str], conjunctions: Sequence[str]) -> tuple[Finding, ...]:
    """E434 for each inference about true discoveries, where there are conjunctions.

    Parameters
    ----------
    inferences
        Names of the inferences by permutation with the correction ``tdp``.
    conjunctions
        Names of the conjunctions.
    """
    if not conjunctions:
        return ()
    told = ", ".join(f"'{name}'" for name in conjunctions)
    return tuple(
        Finding(
            "E434",
            f"inference '{name}' cannot bound the true discoveries of {told}: a conjunction has no null "
            "distribution of its own",
            where=("inference", name, "correction"),
            help="take `method: all_resolutions`, or leave the conjunction to an analysis of its own",
        )
        for name in inferences
    )


def check_spread(schemes: Sequence[SchemeWork], analysed: Mapping[str, NDArray[np.bool_]]) -> None:
    """Refuse contrasts whose statistic no shuffle changes: the observed one would be its whole null.

    Parameters
    ----------
    schemes
        The shuffles with their contrasts.
    analysed
        Locations of the family of each contrast that is looked at, (n_loc,).

    Raises
    ------
    ComputationError
        E430 where the statistic is constant, E431 where there is no shuffle but the observed labelling.
    """
    findings = []
    for scheme in schemes:
        for contrast in scheme.contrasts:
            if contrast.name not in analysed:
                continue
            where = ("contrasts", contrast.name)
            if len(scheme.rows) < 2:
                message = f"contrast '{contrast.name}': the observed labelling is the only one there is"
                findings.append(Finding("E431", message, where=where, help=_HELP))
                continue
            locations = np.flatnonzero(analysed[contrast.name])
            probes = (
                locations[np.unique(np.linspace(0, locations.size - 1, PROBES).astype(np.int64))]
                if locations.size
                else locations
            )
            signs = None if scheme.signs is None else scheme.signs[:LOOKED_AT]
            values = contrast.statistic.values(scheme.rows[:LOOKED_AT], signs, probes)
            size = np.abs(values).max(axis=0, initial=0.0)
            if locations.size and np.all(np.ptp(values, axis=0) <= STILL * size):
                message = f"contrast '{contrast.name}': its statistic is the same under every shuffle"
                findings.append(Finding("E430", message, where=where, help=_HELP))
    if findings:
        raise ComputationError(*findings)


_HELP = (
    "let `permutation.exchange` and `permutation.blocks` move what the contrast tests, or test it by "
    "`method: parametric`"
)
