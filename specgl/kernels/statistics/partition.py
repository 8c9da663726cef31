"""A design in two parts, seen from one contrast: what is tested, and the nuisance.

The tested part is never found by picking columns (Beckmann, Jenkinson and Smith 2003,
doi:10.1016/S1053-8119(03)00435-X; Winkler et al. 2014, appendix A, doi:10.1016/j.neuroimage.2014.01.060).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.ols import factorise
from specgl.kernels.rank import column_ranks

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Partition:
    """The parts of a design.

    Attributes
    ----------
    x
        ``(n, r)`` orthonormal basis of the tested part, orthogonal to the nuisance. With one row of weights
        ``x'y`` has the sign of the estimated effect.
    x0
        ``(n, r)`` the design along the contrast, not orthogonal to the nuisance (Ridgway's form): with the
        nuisance it spans the design.
    z
        ``(n, q)`` orthonormal basis of the nuisance: of what the design can fit where the contrast is zero,
        blocks included.
    rank
        Rank of the design, blocks included.
    dof
        ``n - rank``.
    """

    x: Floats
    x0: Floats
    z: Floats
    rank: int
    dof: int

    @property
    def r(self) -> int:
        """Rank of the contrast."""
        return int(self.x.shape[1])


def partition(matrix: Floats, weights: Floats, block_codes: NDArray[np.integer] | None = None) -> Partition:
    """Partition a design for one contrast.

    Parameters
    ----------
    matrix
        ``(n, n_reg)`` design.
    weights
        ``(q, n_reg)`` contrast that the design can estimate; dependent rows do no harm.
    block_codes
        ``(n,)`` block of each observation, each of which is one more regressor; ``None`` for no blocks.

    Returns
    -------
    Partition
        A contrast and its negative have the same nuisance and opposite ``x``, to the last bit.
    """
    factor = factorise(matrix, block_codes)
    order = np.arange(len(matrix)) if factor.order is None else factor.order
    filled = np.flatnonzero(np.any(factor.basis != 0, axis=0))
    basis = np.empty((len(matrix), filled.size))
    basis[order] = factor.basis[:, filled]
    sign, first = _orientation(weights)
    scores = first @ factor.spread[:, filled]  # (q, k): the contrast on the basis
    r = _rank(scores)
    tested, rest = _split(scores, r)
    dummies = np.empty((len(matrix), 0)) if block_codes is None else unit_dummies(block_codes)
    return Partition(
        x=sign * (basis @ tested),
        x0=sign * (matrix @ _row_space(first, r)),
        z=np.concatenate([dummies, basis @ rest], axis=1),
        rank=factor.rank,
        dof=factor.dof,
    )


def nuisance_on(weights: Floats, spread: Floats) -> Floats:
    """Nuisance in the coordinates of an orthonormal basis of a design's columns.

    Not the design times the coefficients that a contrast does not see: where columns depend on one another,
    some of these fit nothing, and what rounding leaves of them would pass for a direction of its own.

    Parameters
    ----------
    weights
        ``(q, n_reg)`` contrast that the design can estimate.
    spread
        ``(n_reg, k)`` coefficients from scores on the basis.

    Returns
    -------
    ndarray
        ``(k, k - r)`` orthonormal; the same for a contrast and its negative, to the last bit.
    """
    _, first = _orientation(weights)
    scores = first @ spread
    return _split(scores, _rank(scores))[1]


def _orientation(weights: Floats) -> tuple[float, Floats]:
    """A sign and weights whose product is the contrast: one row is turned so that its largest is positive."""
    if len(weights) > 1:
        return 1.0, weights
    sign = -1.0 if weights[0, np.argmax(np.abs(weights[0]))] < 0 else 1.0
    return sign, sign * weights


def _rank(scores: Floats) -> int:
    lengths = np.linalg.norm(scores, axis=1)
    kept = scores[lengths > 0] / lengths[lengths > 0, None]
    return max(1, int(column_ranks(kept.T[None])[0])) if kept.size else 1


def _split(scores: Floats, r: int) -> tuple[Floats, Floats]:
    """Orthonormal bases ``(k, r)`` and ``(k, k - r)`` of the scores' row space and of its complement."""
    lengths = np.linalg.norm(scores, axis=1, keepdims=True)
    left, _, _ = np.linalg.svd((scores / np.where(lengths > 0, lengths, 1.0)).T, full_matrices=True)
    tested, rest = left[:, :r], left[:, r:]
    if len(scores) == 1:  # the direction itself: no sign is left to a factorisation
        tested = scores.T / np.where(lengths[0] > 0, lengths[0], 1.0)
    return tested, rest


def _row_space(weights: Floats, r: int) -> Floats:
    """``(n_reg, r)``: the pseudo-inverse of one row of weights, for several a basis of the same span."""
    if len(weights) == 1:
        return weights.T / np.sum(weights**2)
    _, _, right = np.linalg.svd(weights, full_matrices=False)
    return right[:r].T


def unit_dummies(codes: NDArray[np.integer]) -> Floats:
    """``(n, n_blocks)`` a column of length 1 for each block that has a row, from codes ``(n,)``."""
    columns = (codes[:, None] == np.unique(codes)[None]).astype(np.float64)
    scaled: Floats = columns / np.sqrt(columns.sum(axis=0))
    return scaled
