"""Least squares for many locations at once, through an orthonormal basis of the design.

A design is factorised once for each pattern of missing values; all locations of the pattern share the factor.
Columns are scaled to unit length first, so that what counts as dependent does not depend on their units. The
means of blocks are taken out of design and data by sums over blocks, which is the same as a column for
each block (Frisch and Waugh 1933, doi:10.2307/1907330; Lovell 1963, doi:10.1080/01621459.1963.10480682).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.rank import RANK_TOLERANCE, column_ranks

Floats = NDArray[np.float64]

PATTERN_CELLS = 2**21
"""Cells of the factorised designs of patterns that are worth holding at a time: 16 MiB."""

ESTIMABLE_TOLERANCE = 1e-6
"""Share of a contrast's weights (for columns of length 1) that may lie outside the design's row space:
weights typed with six digits are meant to add up."""

TILE = 4096
"""Locations fitted together. A constant: bits must depend neither on threads nor on memory."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """What contrasts need of the factors of one design under several patterns of missing values.

    Attributes
    ----------
    n
        ``(n_pat,)`` observations that have a value.
    rank
        ``(n_pat,)`` rank of the columns, plus the blocks that have a value left.
    spread
        ``(n_pat, n_reg, k)``: coefficients from scores on the orthonormal basis. Its product with its own
        transpose is the coefficients' covariance for unit residual variance.
    row_space
        ``(n_pat, k, n_reg)`` orthonormal basis of the scaled design's row space, zero rows past its rank.
    lengths
        ``(n_pat, n_reg)`` what each column was divided by.
    """

    n: NDArray[np.int64]
    rank: NDArray[np.int64]
    spread: Floats
    row_space: Floats
    lengths: Floats


@dataclass(frozen=True, eq=False)
class Factor:
    """A design under one pattern of missing values, ready to be applied to data.

    Attributes
    ----------
    basis
        ``(n, k)`` orthonormal basis of the columns, zero columns past their rank; rows in block order.
    spread
        ``(n_reg, k)`` coefficients from scores on the basis.
    rank
        Rank of the columns, plus the number of blocks.
    order
        ``(n,)`` row of the data that stands at each row of the basis, or ``None`` for their own order.
    starts
        ``(n_blocks,)`` first row of each block, or ``None`` without blocks.
    constant
        ``(n_reg,)`` coefficients whose fitted values are 1 everywhere, or ``None`` where the columns (after
        the blocks) cannot make a constant.
    """

    basis: Floats
    spread: Floats
    rank: int
    order: NDArray[np.int64] | None
    starts: NDArray[np.int64] | None
    constant: Floats | None

    @property
    def n(self) -> int:
        """Number of observations."""
        return len(self.basis)

    @property
    def dof(self) -> int:
        """Residual degrees of freedom, ``n - rank``."""
        return self.n - self.rank

    @property
    def coefficients(self) -> Floats:
        """``(n_reg, n)`` map from data to coefficients (a pseudo-inverse), columns in the data's order."""
        result = np.empty((self.spread.shape[0], self.n))
        result[:, slice(None) if self.order is None else self.order] = self.spread @ self.basis.T
        return result

    @property
    def covariance(self) -> Floats:
        """``(n_reg, n_reg)`` covariance of the coefficients for unit residual variance."""
        return self.spread @ self.spread.T


@dataclass(frozen=True, eq=False)
class Factors:
    """A design factorised under several patterns of missing values.

    Attributes
    ----------
    geometry
        What contrasts need.
    present
        ``(n_pat, n_obs)`` bool, observations in the order of the basis.
    basis
        ``(n_pat, n_obs, k)``, zero where there is no value.
    order
        ``(n_obs,)`` observation at each row of the basis.
    blocks
        ``(n_obs,)`` block of each row of the basis, ascending, or ``None``.
    constant
        ``(n_pat, n_reg)`` coefficients of a constant, NaN where there are none.
    """

    geometry: Geometry
    present: NDArray[np.bool_]
    basis: Floats
    order: NDArray[np.int64]
    blocks: NDArray[np.int64] | None
    constant: Floats

    def rows(self, pattern: int) -> NDArray[np.int64]:
        """Observations that have a value under the pattern, in the order of its factor's basis."""
        rows: NDArray[np.int64] = self.order[self.present[pattern]]
        return rows

    def factor(self, pattern: int) -> Factor:
        """Factor of one pattern, for data whose rows are ``rows(pattern)``."""
        present = self.present[pattern]
        constant = self.constant[pattern]
        return Factor(
            basis=self.basis[pattern, present],
            spread=self.geometry.spread[pattern],
            rank=int(self.geometry.rank[pattern]),
            order=None,
            starts=None if self.blocks is None else _starts(self.blocks[present]),
            constant=None if self.blocks is not None or np.isnan(constant).any() else constant,
        )


@dataclass(frozen=True, eq=False)
class TileFit:
    """Least squares at the locations of one tile.

    Attributes
    ----------
    beta
        ``(n_reg, n_loc)`` coefficients.
    rss
        ``(n_loc,)`` residual sum of squares.
    tss
        ``(n_loc,)`` total sum of squares: about the blocks' means, else about the mean where the columns can
        make a constant, else about zero.
    size
        ``(n_loc,)`` sum of squares of the data as they are, the scale of rounding.
    """

    beta: Floats
    rss: Floats
    tss: Floats
    size: Floats


def factorise(matrix: Floats, block_codes: NDArray[np.integer] | None = None) -> Factor:
    """Factorise a design for data without missing values.

    Parameters
    ----------
    matrix
        ``(n_obs, n_reg)`` design.
    block_codes
        ``(n_obs,)`` block of each observation, whose means are to be taken out; ``None`` for no blocks.

    Returns
    -------
    Factor
        For data whose rows are in the order of the design's.
    """
    factors = factorise_patterns(matrix, block_codes, np.ones((1, matrix.shape[0]), dtype=bool))
    factor = factors.factor(0)
    if block_codes is None:
        return factor
    return Factor(factor.basis, factor.spread, factor.rank, factors.order, factor.starts, factor.constant)


def factorise_patterns(
    matrix: Floats, block_codes: NDArray[np.integer] | None, present: NDArray[np.bool_]
) -> Factors:
    """Factorise a design under each of several patterns of missing values.

    Parameters
    ----------
    matrix
        ``(n_obs, n_reg)`` design.
    block_codes
        ``(n_obs,)`` block of each observation, or ``None``.
    present
        ``(n_pat, n_obs)`` bool, which observations have a value.

    Returns
    -------
    Factors
        All patterns' factors, computed together.
    """
    order, blocks = _block_order(block_codes, matrix.shape[0])
    here = present[:, order]
    columns = np.where(here[:, :, None], matrix[order], 0.0)
    before = np.sqrt(np.einsum("pij,pij->pj", columns, columns))
    n_blocks = np.zeros(len(here), dtype=np.int64)
    if blocks is not None:
        n_blocks = _demean(columns, here, blocks)
    after = np.sqrt(np.einsum("pij,pij->pj", columns, columns))
    alive = after > RANK_TOLERANCE * before
    lengths = np.where(alive, after, np.where(before > 0, before, 1.0))
    columns = np.where(alive[:, None, :], columns / lengths[:, None, :], 0.0)
    left, values, right = np.linalg.svd(columns, full_matrices=False)
    keep = np.arange(values.shape[1]) < column_ranks(columns)[:, None]
    inverse = np.where(keep, 1 / np.where(keep, values, 1.0), 0.0)
    basis = left * keep[:, None, :]
    row_space = right * keep[:, :, None]
    spread = np.swapaxes(row_space, 1, 2) * inverse[:, None, :] / lengths[:, :, None]
    geometry = Geometry(
        n=here.sum(axis=1),
        rank=keep.sum(axis=1) + n_blocks,
        spread=spread,
        row_space=row_space,
        lengths=lengths,
    )
    return Factors(geometry, here, basis, order, blocks, _constant(basis, spread, here))


def fit_tile(factor: Factor, y: NDArray[np.floating]) -> TileFit:
    """Fit the locations of one tile.

    Parameters
    ----------
    factor
        The factorised design.
    y
        ``(n, n_loc)`` data without missing values; computed in float64 whatever they are held in.

    Returns
    -------
    TileFit
        The residual sum of squares is summed from residuals, never as a difference of large numbers.
    """
    data = _in_order(factor, y)
    size = _squares(data)
    anchor = data[0].copy()
    _hang(factor, data)
    scores = factor.basis.T @ data
    beta = factor.spread @ scores
    tss = _squares(data)
    if factor.constant is not None:
        beta += np.outer(factor.constant, anchor)
        # Safe as a difference: the data hang on one of their own values, so that the second term is at most
        # n times the result.
        tss = np.maximum(tss - data.sum(axis=0) ** 2 / factor.n, 0.0)
    data -= factor.basis @ scores
    return TileFit(beta=beta, rss=_squares(data), tss=tss, size=size)


def residuals_tile(factor: Factor, y: NDArray[np.floating]) -> Floats:
    """Residuals of one tile.

    Parameters
    ----------
    factor
        The factorised design.
    y
        ``(n, n_loc)`` data without missing values.

    Returns
    -------
    ndarray
        ``(n, n_loc)``, rows in the order of the data.
    """
    data = _in_order(factor, y)
    _hang(factor, data)
    data -= factor.basis @ (factor.basis.T @ data)
    if factor.order is None:
        return data
    result = np.empty_like(data)
    result[factor.order] = data
    return result


def estimable(geometry: Geometry, weights: Floats) -> NDArray[np.bool_]:
    """Whether all rows of a contrast can be estimated, under each pattern.

    Parameters
    ----------
    geometry
        The design's factors.
    weights
        ``(q, n_reg)`` contrast.

    Returns
    -------
    ndarray
        ``(n_pat,)`` bool: whether each row lies in the row space of the design (Searle 1971, section 5.4).
    """
    scaled = weights[None] / geometry.lengths[:, None, :]
    inside = (scaled @ np.swapaxes(geometry.row_space, 1, 2)) @ geometry.row_space
    outside = np.linalg.norm(scaled - inside, axis=2)
    inside_rows = outside <= ESTIMABLE_TOLERANCE * np.linalg.norm(scaled, axis=2)
    answer: NDArray[np.bool_] = np.all(inside_rows, axis=1)
    return answer


def _in_order(factor: Factor, y: NDArray[np.floating]) -> Floats:
    rows = y if factor.order is None else y[factor.order]
    return np.array(rows, dtype=np.float64, order="C")


def _hang(factor: Factor, data: Floats) -> None:
    """Take the blocks' means out of the data in place, or, without blocks, hang them on their first row.

    Either leaves residuals as they are. Values far from zero with small differences keep the digits of their
    differences: numbers within a factor of two of each other are subtracted without rounding (Sterbenz 1974).
    """
    if factor.starts is not None:
        sizes = np.diff(factor.starts, append=factor.n)
        data -= np.repeat(data[factor.starts], sizes, axis=0)
        means = np.add.reduceat(data, factor.starts, axis=0) / sizes[:, None]
        data -= np.repeat(means, sizes, axis=0)
    elif factor.constant is not None:
        data -= data[0].copy()


def _squares(values: Floats) -> Floats:
    result: Floats = np.einsum("ij,ij->j", values, values)
    return result


def _block_order(
    codes: NDArray[np.integer] | None, n_obs: int
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Rows sorted by block, and the block of each sorted row."""
    if codes is None:
        return np.arange(n_obs), None
    order = np.argsort(codes, kind="stable")
    return order, np.asarray(codes, dtype=np.int64)[order]


def _starts(blocks: NDArray[np.int64]) -> NDArray[np.int64]:
    """First row of each block; none where there is no row."""
    starts: NDArray[np.int64] = np.flatnonzero(np.diff(blocks, prepend=blocks[:1] - 1))
    return starts


def _demean(columns: Floats, here: NDArray[np.bool_], blocks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Take the blocks' means out of the columns in place; return how many blocks have a row, ``(n_pat,)``."""
    starts = _starts(blocks)
    sizes = np.diff(starts, append=blocks.size)
    counts = np.add.reduceat(here.astype(np.int64), starts, axis=1)
    for _ in range(2):  # the second pass takes out what rounding left of a large mean
        means = np.add.reduceat(columns, starts, axis=1) / np.maximum(counts, 1)[:, :, None]
        columns -= np.repeat(means, sizes, axis=1)
        columns *= here[:, :, None]
    occupied: NDArray[np.int64] = np.count_nonzero(counts, axis=1).astype(np.int64)
    return occupied


def _constant(basis: Floats, spread: Floats, here: NDArray[np.bool_]) -> Floats:
    """Coefficients whose fitted values are 1, ``(n_pat, n_reg)``; NaN where there are none."""
    ones = here.astype(np.float64)[:, :, None]
    scores = np.swapaxes(basis, 1, 2) @ ones
    missed = np.abs(ones - basis @ scores).max(axis=(1, 2), initial=0.0)
    coefficients = (spread @ scores)[:, :, 0]
    return np.where((missed <= RANK_TOLERANCE)[:, None], coefficients, np.nan)
