"""Whether first-level variances can be what they are said to be, as far as the effects can tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from specgl.errors import Finding
from specgl.images.checks import far_from_others
from specgl.images.paths import listing
from specgl.images.transforms import Real

_WHERE = ("data", "variances")
_MIN_OBSERVATIONS = 3

MOST_FACTOR = 10.0
"""A variance image whose scale, relative to its effects, is further than this factor from the median image's
is always odd. Of 21 studies of pain from several laboratories (NeuroVault collection 1425) the furthest lies
at 3; were the variances of one of them standard errors, it would lie at 6 to 300, and 19 of 21 beyond 10."""

LEAST_RATIO = 0.3
"""Variance of the effects over their mean first-level variance below which the variances cannot be right:
whatever is true, effects vary at least by the variance of each, so that the ratio is 1 or more, but for
chance, for first-level models that err, and for observations that share a part of their noise."""

MOST_RATIO = 100.0
"""The same ratio above which first-level variances hardly matter: they are a hundredth of what varies."""


def check_variances(values: Real, variances: Real, names: Sequence[str]) -> tuple[Finding, ...]:
    """Compare first-level variances with each other and with the effects.

    Parameters
    ----------
    values
        Effects, ``(n_obs, n_loc)``, missing = NaN.
    variances
        Of the same, in squared units, above 0 wherever there is an effect.
    names
        Observation ids.

    Returns
    -------
    tuple of Finding
        Warnings W314 (images that are scaled unlike the others) and W315 (the scale of all the others).
    """
    if len(names) < _MIN_OBSERVATIONS:
        return ()
    odd, findings = _odd_rows(values, variances, names)
    rows = np.flatnonzero(~odd)
    return (*findings, *_odd_scale(values, variances, rows))


def _odd_rows(
    values: Real, variances: Real, names: Sequence[str]
) -> tuple[npt.NDArray[np.bool_], list[Finding]]:
    """Find images whose variances, relative to their squared effects, are far from the others'.

    Relative to the effects, since sites may have units of their own in effects and variances alike; medians,
    since variances at the edge of a brain may be huge.
    """
    scale = np.zeros(len(names))
    for row in range(len(names)):
        there = np.isfinite(values[row])
        squares = np.square(values[row][there], dtype=np.float64)
        squares = squares[squares > 0]
        if squares.size:
            scale[row] = np.median(variances[row][there].astype(np.float64)) / np.median(squares)
    distance, far = far_from_others(scale, most=MOST_FACTOR)
    if not far.any():
        return far, []
    shown = [f"'{names[row]}' (x {np.exp(distance[row]):.3g})" for row in np.flatnonzero(far).tolist()]
    finding = Finding(
        "W314",
        f"{len(shown)} of {len(names)} variance images scaled unlike the others: {listing(shown)}",
        _WHERE,
        help="check whether they are variances of these effects, in squared units, as the others are",
        notes=("median variance over median squared effect, relative to the median image",),
    )
    return far, [finding]


def _odd_scale(values: Real, variances: Real, rows: npt.NDArray[np.intp]) -> list[Finding]:
    """Say so where the variances of all are too large or far too small for the effects."""
    ratio = _ratio(values, variances, rows, lambda of: of)
    if np.isnan(ratio) or _plausible(ratio):
        return []
    small = ratio > MOST_RATIO
    message = (
        f"the first-level variances look far too {'small' if small else 'large'}: "
        f"the effects vary between observations by {ratio:.3g} times their mean first-level variance"
    )
    squared = _ratio(values, variances, rows, np.square)
    rooted = _ratio(values, variances, rows, np.sqrt)
    notes = [
        "median over the analysed locations; "
        + (f"above {MOST_RATIO:g} they hardly matter" if small else "1 or more is expected"),
    ]
    help_ = "check that these are variances of the effects, in squared units of the same scale"
    if _plausible(squared):
        message += "; they may be standard errors"
        notes.append(f"with the squares of these images it would be {squared:.3g}")
        help_ = "square these images: a variance is a standard error squared"
    elif _plausible(rooted):
        notes.append(f"with the square roots of these images it would be {rooted:.3g}")
    return [Finding("W315", message, _WHERE, help=help_, notes=tuple(notes))]


def _plausible(ratio: float) -> bool:
    return LEAST_RATIO <= ratio <= MOST_RATIO


def _ratio(
    values: Real,
    variances: Real,
    rows: npt.NDArray[np.intp],
    change: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
) -> float:
    """Median over locations of the effects' variance over the mean of the changed first-level variances.

    Only of locations with enough effects; NaN where there is none.
    """
    n_loc = values.shape[1]
    n, total, squares, within = (np.zeros(n_loc) for _ in range(4))
    for row in rows.tolist():
        there = np.isfinite(values[row])
        n += there
        total += np.where(there, values[row], 0)
        within += np.where(there, change(np.where(there, variances[row], 1).astype(np.float64)), 0)
    known = n >= _MIN_OBSERVATIONS
    if not known.any():
        return float("nan")
    mean = total / np.maximum(n, 1)
    for row in rows.tolist():
        squares += np.square(np.nan_to_num(values[row] - mean))
    n, squares, within = n[known], squares[known], within[known]
    return float(np.median((squares / (n - 1)) / (within / n)))
