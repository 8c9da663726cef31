"""What only the voxels can tell: poor coverage, odd scale, one image under two ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from specgl.errors import Finding
from specgl.images.paths import listing
from specgl.images.transforms import Real

_WHERE = ("data", "images")

LOW_COVERAGE = 0.10
"""An observation is pointed out when it covers less than the median of all by more than this share."""

ROBUST_Z = 10.0
"""Distance from the median in robust standard deviations (1.4826 MAD) from which a scale is odd."""

LEAST_FACTOR = 5.0
"""A scale nearer than this factor to the median is never odd, however alike the others are."""

MOST_FACTOR = 20.0
"""A scale further than this factor from the median is always odd: units differ by 100 or 1000."""

_MIN_OBSERVATIONS = 3


@dataclass(frozen=True, eq=False)
class Summary:
    """Each observation's values in three numbers.

    Attributes
    ----------
    n
        Locations with a value, ``(n_obs,)`` int64.
    total
        Sum of the values, ``(n_obs,)``.
    scale
        Mean absolute value, ``(n_obs,)``; 0 where there is no value.
    """

    n: npt.NDArray[np.int64]
    total: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]


def summarise(values: Real) -> Summary:
    """Summarise ``(n_obs, n_loc)`` row by row, in float64."""
    n_obs = len(values)
    n = np.zeros(n_obs, dtype=np.int64)
    total, scale = np.zeros(n_obs), np.zeros(n_obs)
    for row in range(n_obs):
        present = values[row][np.isfinite(values[row])]
        n[row] = present.size
        if present.size:
            total[row] = present.sum(dtype=np.float64)
            scale[row] = np.abs(present).mean(dtype=np.float64)
    return Summary(n, total, scale)


def check(
    values: Real, summary: Summary, coverage: npt.NDArray[np.float64], names: Sequence[str]
) -> tuple[Finding, ...]:
    """Look at the loaded data as a whole.

    Parameters
    ----------
    values
        ``(n_obs, n_loc)``, missing = NaN.
    summary
        Of the same.
    coverage
        Share of the expected voxels that have a value, ``(n_obs,)``.
    names
        Observation ids.

    Returns
    -------
    tuple of Finding
        Warnings W310 (coverage), W311 (scale) and W312 (identical content).
    """
    return (
        *_poor_coverage(coverage, names),
        *_odd_scale(summary.scale, names),
        *_twins(values, summary, names),
    )


def _poor_coverage(coverage: npt.NDArray[np.float64], names: Sequence[str]) -> list[Finding]:
    if len(names) < _MIN_OBSERVATIONS:
        return []
    middle = float(np.median(coverage))
    low = np.flatnonzero(coverage < middle - LOW_COVERAGE)
    if not low.size:
        return []
    shown = [f"'{names[i]}' ({coverage[i]:.0%})" for i in low.tolist()]
    return [
        Finding(
            "W310",
            f"{low.size} of {len(names)} observations with values in far fewer voxels: {listing(shown)}",
            _WHERE,
            help="look at these images; with data.missing.voxel 'complete' they shrink the mask for all",
            notes=(f"the median observation covers {middle:.0%}",),
        )
    ]


def far_from_others(
    scale: npt.NDArray[np.float64], *, most: float = MOST_FACTOR
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Find scales far from the median.

    On the logarithm: far is more than ``ROBUST_Z`` robust standard deviations and ``LEAST_FACTOR``, or more
    than ``most`` whatever the spread.

    Parameters
    ----------
    scale
        Of each observation, ``(n_obs,)``; 0 where it is unknown.
    most
        Factor from which a scale is always far.

    Returns
    -------
    distance : ndarray
        Logarithm of each scale over the median of those known, ``(n_obs,)``; 0 where it is unknown.
    far : ndarray
        ``(n_obs,)`` bool; none where fewer than three are known.
    """
    distance = np.zeros(scale.size)
    known = scale > 0
    if np.count_nonzero(known) < _MIN_OBSERVATIONS:
        return distance, np.zeros(scale.size, dtype=np.bool_)
    logs = np.log(scale[known])
    distance[known] = logs - np.median(logs)
    spread = 1.4826 * float(np.median(np.abs(distance[known])))
    limit = min(max(ROBUST_Z * spread, np.log(LEAST_FACTOR)), np.log(most))
    return distance, np.abs(distance) > limit


def _odd_scale(scale: npt.NDArray[np.float64], names: Sequence[str]) -> list[Finding]:
    """Find images whose mean absolute value is far from the others'."""
    distance, odd = far_from_others(scale)
    if not odd.any():
        return []
    n_known = np.count_nonzero(scale > 0)
    shown = [f"'{names[row]}' (x {np.exp(distance[row]):.3g})" for row in np.flatnonzero(odd).tolist()]
    return [
        Finding(
            "W311",
            f"{len(shown)} of {n_known} images scaled unlike the others: {listing(shown)}",
            _WHERE,
            help="check their units and their first-level contrast weights",
            notes=("mean absolute value over the analysed voxels, relative to the median image",),
        )
    ]


def _twins(values: Real, summary: Summary, names: Sequence[str]) -> list[Finding]:
    groups: dict[tuple[int, float, float], list[int]] = {}
    for row in range(len(names)):
        if summary.n[row]:
            key = (int(summary.n[row]), float(summary.total[row]), float(summary.scale[row]))
            groups.setdefault(key, []).append(row)
    found = []
    for rows in groups.values():
        first = rows[0]
        same = [row for row in rows if np.array_equal(values[row], values[first], equal_nan=True)]
        if len(same) > 1:
            shown = listing([f"'{names[row]}'" for row in same])
            found.append(
                Finding(
                    "W312",
                    f"the images of {shown} are identical",
                    _WHERE,
                    help="one image under several ids counts a person twice: check the paths",
                )
            )
    return found
