"""Families: which contrasts' locations are corrected together, and their correction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from specgl.inference.contrasts import ContrastMaps
from specgl.inference.corrected import correct
from specgl.kernels.multiplicity import Adjustment

Floats = NDArray[np.float64]
Member = TypeVar("Member")

FAMILIES: dict[str, Callable[[list[Member]], list[list[Member]]]] = {
    "none": lambda members: [[member] for member in members],
    "contrasts": lambda members: [members],
}
"""How contrasts are gathered into families, by ``across``; the order of contrasts is kept."""


def families(members: list[Member], across: str) -> list[list[Member]]:
    """Contrasts, or what stands for them, gathered into families; their order is kept."""
    return FAMILIES[across](members)


def correct_families(
    contrasts: list[ContrastMaps], across: str, adjust: Adjustment
) -> list[tuple[Floats, Floats]]:
    """Corrected p-values of contrasts, from their own p-values.

    Parameters
    ----------
    contrasts
        The contrasts.
    across
        What makes a family: a key of `FAMILIES`.
    adjust
        The correction.

    Returns
    -------
    corrected
        As `correct_family` gives them, for each contrast, in order.
    """
    return [
        pair
        for family in families(contrasts, across)
        for pair in correct_family(
            family, [contrast.p for contrast in family], [contrast.logs for contrast in family], adjust
        )
    ]


def correct_family(
    family: Sequence[ContrastMaps], p: Sequence[Floats], logs: Sequence[Floats], adjust: Adjustment
) -> list[tuple[Floats, Floats]]:
    """Corrected p-values of a family of contrasts.

    Parameters
    ----------
    family
        The contrasts.
    p, logs
        Their p-values and the −log10 of these, (n_loc,) each.
    adjust
        The correction.

    Returns
    -------
    corrected
        Corrected p and its −log10 for each contrast, (n_loc,) each, NaN where nothing was analysed.
    """
    analysed = [contrast.analysed for contrast in family]
    pooled_p = np.concatenate([values[here] for values, here in zip(p, analysed, strict=True)])
    pooled_logs = np.concatenate([values[here] for values, here in zip(logs, analysed, strict=True)])
    corrected, logp = correct(pooled_p, pooled_logs, adjust)
    ends = np.cumsum([np.count_nonzero(here) for here in analysed])[:-1]
    shares = zip(family, np.split(corrected, ends), np.split(logp, ends), strict=True)
    return [(contrast.spread(one), contrast.spread(log)) for contrast, one, log in shares]
