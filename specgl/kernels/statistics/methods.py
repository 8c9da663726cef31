"""How each way of shuffling with nuisance variables is written as a product of moved rows and fixed data.

Permuting the residuals of the data, or permuting the design against fixed data, differ in which side moves
only (Winkler et al. 2014, doi:10.1016/j.neuroimage.2014.01.060, table 2). Here the data never move. With P
the shuffle, D the data, X the tested part and Q the nuisance, both orthonormal,

    s = (P X)'D,    m = (P Q)'D,    R2 = |s|^2 / (|D|^2 - |m|^2),

so that all methods but two differ in D and in Q only. The other two (Dekker, Draper-Stoneman) move the tested
part against a nuisance that stays: the moved rows are made orthogonal to it, and there is no m.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.statistics.partition import Partition

Floats = NDArray[np.float64]
Nuisance = Literal[
    "freedman_lane", "ter_braak", "manly", "still_white", "dekker", "draper_stoneman", "huh_jhun"
]

_STILL = 1e-8
"""Length below which what an average over all shuffles takes from a unit vector is rounding."""


@dataclass(frozen=True, eq=False)
class Recipe:
    """One method, for one contrast. ``n`` observations; ``m`` are shuffled, fewer with Huh and Jhun's only.

    Attributes
    ----------
    tested
        ``(m, r)`` rows that move.
    moving
        ``(m, q')`` rows of the nuisance that move with them, orthonormal and orthogonal to `tested`.
    remaining
        ``(m, d)`` what neither the tested part nor the nuisance spans, orthonormal. Where it has fewer
        columns than `moving`, it tells more cheaply, and without cancellation, what moved nuisance leaves of
        the data (P is orthogonal: |D|^2 - |m|^2 = |(P [X R])'D|^2); elsewhere without columns.
    fixed
        ``(m, q)`` orthonormal nuisance that stays; without columns where the nuisance moves.
    remove
        ``(n, k)`` orthonormal basis of what is taken out of the data.
    reduce
        ``(n, m)`` orthonormal basis on which the data are written; without columns where they are not.
    orthonormalise
        Whether the tested rows have to be made orthogonal to `fixed`, and orthonormal, once moved.
    """

    tested: Floats
    moving: Floats
    remaining: Floats
    fixed: Floats
    remove: Floats
    reduce: Floats
    orthonormalise: bool

    @property
    def n_shuffled(self) -> int:
        """Length of a shuffle."""
        return int(self.tested.shape[0])


def make_recipe(nuisance: Nuisance, parts: Partition, invariant: Floats | None = None) -> Recipe:
    """Write a method down for one contrast.

    Parameters
    ----------
    nuisance
        The method. Kennedy's is not among them: its false positive rate is wrong (Winkler et al. 2014).
    parts
        The partitioned design.
    invariant
        ``(n, n)`` projector onto the functions that no admissible shuffle changes, or ``None``. Nuisance in
        its range does not move, and its share of ``m`` is zero.

    Returns
    -------
    Recipe
        For all shuffles; ter Braak's is not for the identity, whose statistic is that of the fitted model.
    """
    return _RECIPES[nuisance](parts, invariant)


def split_nuisance(z: Floats, invariant: Floats | None) -> tuple[Floats, Floats]:
    """Bases of the nuisance that admissible shuffles move, and of the one that none of them does.

    Parameters
    ----------
    z
        ``(n, q)`` orthonormal.
    invariant
        As for `make_recipe`.

    Returns
    -------
    tuple
        ``(n, q')`` and ``(n, q - q')``, orthonormal together.
    """
    if invariant is None or not z.shape[1] or not np.any(invariant):
        return z, z[:, :0]
    _, moved, directions = np.linalg.svd(z - invariant @ z, full_matrices=False)
    moves = moved > _STILL
    return z @ directions[moves].T, z @ directions[~moves].T


def _freedman_lane(parts: Partition, invariant: Floats | None) -> Recipe:
    moving, _ = split_nuisance(parts.z, invariant)
    return _recipe(parts.x, moving=moving, remaining=_remaining(parts, moving), remove=parts.z)


def _ter_braak(parts: Partition, invariant: Floats | None) -> Recipe:
    moving, _ = split_nuisance(parts.z, invariant)
    fitted = np.concatenate([parts.z, parts.x], axis=1)
    return _recipe(parts.x, moving=moving, remaining=_remaining(parts, moving), remove=fitted)


def _manly(parts: Partition, invariant: Floats | None) -> Recipe:
    # What does not move is taken out of the data beforehand: its m is the same for all shuffles.
    moving, still = split_nuisance(parts.z, invariant)
    return _recipe(parts.x, moving=moving, remaining=_remaining(parts, moving), remove=still)


def _still_white(parts: Partition, _: Floats | None) -> Recipe:
    return _recipe(parts.x, remove=parts.z)


def _dekker(parts: Partition, _: Floats | None) -> Recipe:
    return _recipe(parts.x, fixed=parts.z, remove=parts.z)


def _draper_stoneman(parts: Partition, invariant: Floats | None) -> Recipe:
    _, still = split_nuisance(parts.z, invariant)
    # What does not move lies in the nuisance that stays: it may go before anything is shuffled.
    tested = parts.x0 - still @ (still.T @ parts.x0)
    return _recipe(tested, fixed=parts.z, remove=parts.z)


def _huh_jhun(parts: Partition, _: Floats | None) -> Recipe:
    n, q = parts.z.shape
    basis, _ = np.linalg.qr(parts.z, mode="complete") if q else (np.eye(n), None)
    reduce = np.ascontiguousarray(basis[:, q:])
    return _recipe(reduce.T @ parts.x, remove=parts.z[:, :0], reduce=reduce)


def _remaining(parts: Partition, moving: Floats) -> Floats:
    """The rest of all functions of the observations, where it is smaller than the nuisance that moves.

    All data that a recipe with moving nuisance keeps are orthogonal to the nuisance that does not move.
    """
    model = np.concatenate([parts.z, parts.x], axis=1)
    n, rank = model.shape
    if n - rank >= moving.shape[1]:
        return model[:, :0]
    basis, _ = np.linalg.qr(model, mode="complete")
    return basis[:, rank:]


def _recipe(
    tested: Floats,
    *,
    remove: Floats,
    moving: Floats | None = None,
    remaining: Floats | None = None,
    fixed: Floats | None = None,
    reduce: Floats | None = None,
) -> Recipe:
    nothing = np.empty((len(tested), 0))
    return Recipe(
        tested=_array(tested),
        moving=_array(nothing if moving is None else moving),
        remaining=_array(nothing if remaining is None else remaining),
        fixed=_array(nothing if fixed is None else fixed),
        remove=_array(remove),
        reduce=_array(np.empty((len(remove), 0)) if reduce is None else reduce),
        orthonormalise=fixed is not None,
    )


def _array(values: Floats) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float64)


_RECIPES: dict[str, Callable[[Partition, Floats | None], Recipe]] = {
    "freedman_lane": _freedman_lane,
    "ter_braak": _ter_braak,
    "manly": _manly,
    "still_white": _still_white,
    "dekker": _dekker,
    "draper_stoneman": _draper_stoneman,
    "huh_jhun": _huh_jhun,
}
METHODS: tuple[str, ...] = tuple(_RECIPES)
"""Ways of shuffling with nuisance variables."""
