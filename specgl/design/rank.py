"""Rank of a design, which columns say the same, and what the means of blocks take away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.rank import RANK_TOLERANCE

Array = NDArray[np.float64]

# Weights of a combination are rounded to a simple fraction that is this near.
_NEAR = 1e-7
_DENOMINATOR = 60
_MOST_WORDS = 8
_TREATMENT = "[T."


@dataclass(frozen=True, eq=False)
class Dependencies:
    """Columns of a matrix, each one looked at after those on its left.

    Attributes
    ----------
    independent
        Columns that are no combination of columns on their left.
    null
        ``(n_reg - rank, n_reg)``: for each other column, the combination that is zero.
    """

    independent: tuple[int, ...]
    null: Array

    @property
    def rank(self) -> int:
        """Number of independent columns."""
        return len(self.independent)


def dependencies(matrix: Array, lengths: Array | None = None) -> Dependencies:
    """Find which columns are combinations of columns on their left, and of which.

    Gram-Schmidt, twice for each column (Giraud, Langou and Rozložník 2005, doi:10.1007/s00211-005-0615-4),
    on columns of length 1, with `RANK_TOLERANCE`.

    Parameters
    ----------
    matrix
        ``(n_obs, n_reg)``.
    lengths
        ``(n_reg,)`` lengths against which a column counts as zero; default its own.
    """
    n_obs, n_reg = matrix.shape
    norms = np.linalg.norm(matrix, axis=0)
    floor = RANK_TOLERANCE * (norms if lengths is None else lengths)
    basis = np.zeros((n_obs, min(n_obs, n_reg)))
    independent: list[int] = []
    null: list[Array] = []
    for j in range(n_reg):
        rest = None
        if norms[j] > floor[j]:
            unit = matrix[:, j] / norms[j]
            known = basis[:, : len(independent)]
            rest = unit - known @ (known.T @ unit)
            rest -= known @ (known.T @ rest)
        if rest is not None and (left := float(np.linalg.norm(rest))) > RANK_TOLERANCE:
            basis[:, len(independent)] = rest / left
            independent.append(j)
        else:
            null.append(_combination(matrix, norms, independent, j, zero=rest is None))
    return Dependencies(tuple(independent), np.array(null).reshape(len(null), n_reg))


def _combination(matrix: Array, norms: Array, independent: list[int], j: int, *, zero: bool) -> Array:
    vector = np.zeros(matrix.shape[1])
    vector[j] = 1.0
    if zero or not independent:
        return vector
    scaled = matrix[:, independent] / norms[independent]
    shares = np.linalg.lstsq(scaled, matrix[:, j] / norms[j], rcond=None)[0]
    shares[np.abs(shares) < _NEAR] = 0.0
    vector[independent] = [-_simple(s) for s in shares * norms[j] / norms[independent]]
    return vector


def _simple(value: float) -> float:
    near = Fraction(value).limit_denominator(_DENOMINATOR)
    # Near in itself too: among large numbers some fraction is always near in proportion.
    return float(near) if near and abs(float(near) - value) <= _NEAR * min(1.0, abs(value)) else value


def within_blocks(matrix: Array, codes: NDArray[np.int64]) -> Array:
    """Columns with each block's mean taken out.

    Parameters
    ----------
    matrix
        ``(n_obs, n_reg)``.
    codes
        ``(n_obs,)`` block of each row, from 0.

    Returns
    -------
    array
        ``(n_obs, n_reg)``.
    """
    if matrix.size == 0:
        return matrix.copy()
    sums = np.zeros((int(codes.max()) + 1, matrix.shape[1]))
    np.add.at(sums, codes, matrix)
    counts = np.bincount(codes, minlength=len(sums))
    means = sums / np.maximum(counts, 1)[:, np.newaxis]
    return np.asarray(matrix - means[codes], dtype=np.float64)


def plain_name(regressor: str) -> str:
    """A regressor's name without the mark of treatment coding: ``group[T.b]`` indicates ``group[b]``."""
    return regressor.replace(_TREATMENT, "[")


def say_combination(vector: Array, names: Sequence[str]) -> str:
    """A combination that is zero, in words: ``site[C] = group[patient]``.

    Parameters
    ----------
    vector
        ``(n_reg,)`` weights; the last that is not 0 stands left with weight 1.
    names
        Names of the regressors.
    """
    last = int(np.flatnonzero(vector)[-1])
    vector = vector / vector[last]
    order = [last, *(i for i in np.flatnonzero(vector).tolist() if i != last)]
    left = [(float(vector[i]), plain_name(names[i])) for i in order if vector[i] > 0]
    right = [(-float(vector[i]), plain_name(names[i])) for i in order if vector[i] < 0]
    return f"{_sum(left)} = {_sum(right) if right else '0'}"


def say_sum(vector: Array, names: Sequence[str]) -> str:
    """A weighted sum in words: ``age - session``; ``0`` for nothing."""
    terms = [(float(vector[i]), names[i]) for i in np.flatnonzero(vector).tolist()]
    terms.sort(key=lambda term: term[0] < 0)
    return _sum(terms)


def _sum(terms: Sequence[tuple[float, str]]) -> str:
    words = "" if terms else "0"
    for i, (weight, name) in enumerate(terms[:_MOST_WORDS]):
        sign = ("-" if weight < 0 else "") if i == 0 else (" - " if weight < 0 else " + ")
        words += f"{sign}{_factor(abs(weight))}{name}"
    more = len(terms) - _MOST_WORDS
    return f"{words} + ... ({more} more)" if more > 0 else words


def _factor(weight: float) -> str:
    if weight == 1.0:
        return ""
    near = Fraction(weight).limit_denominator(_DENOMINATOR)
    short = f"{weight:.6g}"
    return f"{near}*" if float(near) == weight != float(short) else f"{short}*"
