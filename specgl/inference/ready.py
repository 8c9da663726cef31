"""Ready-made maps: a finished statistic, or its p-values, as the statistics that inference takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from specgl.errors import ImageError
from specgl.kernels.tails import Alternative, chi2_tails, f_tails, p_to_z, t_tails, z_tails

Floats = NDArray[np.float64]

SMALLEST = 2.0 * float(np.nextafter(0.0, 1.0))
"""What a p-value of 0 in a map is taken for: it has underflowed. Its half, one tail, is still a number, so
that its z (38.5) is finite."""


@dataclass(frozen=True, eq=False)
class _Read:
    """A map as a statistic: its kind, its maps (each (n_loc,)), and the direction in which it counts."""

    kind: str
    stat: Floats
    z: Floats
    p: Floats
    alternative: Alternative
    dof1: float = 1.0
    dof: float = np.nan


def stats_from_map(
    name: str,
    values: ArrayLike,
    statistic: str,
    dof: float | Sequence[float] | None = None,
    alternative: Alternative = "two-sided",
) -> xr.Dataset:
    """Statistics of a ready-made map, in the form in which `specgl.inference.infer` takes them.

    Parameters
    ----------
    name
        Name of the map, which stands where a contrast's would.
    values
        A value for each location, (n_loc,); NaN where there is none.
    statistic
        What the values are: ``z``, ``t``, ``F``, ``chi2`` or ``p``.
    dof
        Degrees of freedom: a number for ``t`` and ``chi2``, two (of the tested part and of the residuals)
        for ``F``.
    alternative
        Direction in which ``z`` and ``t`` are tested, or in which ``p`` has been; F and chi2 have one tail
        only. Two-sided p-values have lost the sign, and all their z are positive.

    Returns
    -------
    stats
        ``stat``, ``z`` and ``p`` (contrast, location) with one contrast and the coordinates ``kind``,
        ``alternative`` and ``dof1``, so that maps can be put together along ``contrast``; ``dof``
        (contrast) is NaN for ``z``, ``p`` and ``chi2``, whose degrees of freedom are ``dof1``. A map of
        p-values has the statistic z, since the smallest p-value would else count as the lowest peak.

    Raises
    ------
    ImageError
        When values cannot be those of the statistic: infinite, a negative F or chi2, a p outside [0, 1], no
        number.
    ValueError
        When `values` is not one-dimensional, or `dof` or `alternative` do not go with the statistic.
    """
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 1:
        raise ValueError(f"a map has one value for each location, (n_loc,), not the shape {given.shape}")
    low, high = BOUNDS[statistic]
    _refuse(name, statistic, given, low, high)
    read = READY[statistic](given, _numbers(statistic, dof), alternative)
    stats = {"stat": read.stat, "z": read.z, "p": read.p}
    return xr.Dataset(
        {
            **{key: (("contrast", "location"), row[None, :]) for key, row in stats.items()},
            "dof": ("contrast", [read.dof]),
        },
        coords={
            "contrast": [name],
            "kind": ("contrast", [read.kind]),
            "alternative": ("contrast", [read.alternative]),
            "dof1": ("contrast", [read.dof1]),
        },
    )


def _read_z(values: Floats, dof: tuple[float, ...], alternative: Alternative) -> _Read:
    return _Read("z", values, values, z_tails(values).p(alternative), alternative)


def _read_t(values: Floats, dof: tuple[float, ...], alternative: Alternative) -> _Read:
    tails = t_tails(values, dof[0])
    return _Read("t", values, tails.z(), tails.p(alternative), alternative, dof=dof[0])


def _read_chi2(values: Floats, dof: tuple[float, ...], alternative: Alternative) -> _Read:
    if alternative != "two-sided":
        raise ValueError(f"a chi2 has no direction, so that the alternative cannot be '{alternative}'")
    tails = chi2_tails(values, dof[0])
    return _Read("chi2", values, tails.z(), tails.p("greater"), alternative, dof1=dof[0])


def _read_f(values: Floats, dof: tuple[float, ...], alternative: Alternative) -> _Read:
    if alternative != "two-sided":
        raise ValueError(f"an F has no direction, so that the alternative cannot be '{alternative}'")
    tails = f_tails(values, *dof)
    return _Read("F", values, tails.z(), tails.p("greater"), alternative, dof1=dof[0], dof=dof[1])


def _read_p(values: Floats, dof: tuple[float, ...], alternative: Alternative) -> _Read:
    z = p_to_z(np.maximum(values, SMALLEST), alternative)
    return _Read("z", z, z, values, alternative)


READY: dict[str, Callable[[Floats, tuple[float, ...], Alternative], _Read]] = {
    "z": _read_z,
    "t": _read_t,
    "F": _read_f,
    "chi2": _read_chi2,
    "p": _read_p,
}
"""How a map is read, by what its values are."""

BOUNDS: dict[str, tuple[float, float]] = {
    "z": (-np.inf, np.inf),
    "t": (-np.inf, np.inf),
    "F": (0.0, np.inf),
    "chi2": (0.0, np.inf),
    "p": (0.0, 1.0),
}
"""Between what values of each statistic lie, both included; infinity never is."""

N_DOF: dict[str, int] = {"z": 0, "t": 1, "F": 2, "chi2": 1, "p": 0}
"""How many degrees of freedom each statistic has."""


def _numbers(statistic: str, dof: float | Sequence[float] | None) -> tuple[float, ...]:
    """Degrees of freedom as a tuple, refused when they do not go with the statistic."""
    numbers = () if dof is None else tuple(float(number) for number in np.atleast_1d(np.asarray(dof)))
    if len(numbers) != N_DOF[statistic] or not all(number > 0 for number in numbers):
        raise ValueError(
            f"a map of {statistic} has {N_DOF[statistic]} degrees of freedom above 0, not {list(numbers)}"
        )
    return numbers


def _refuse(name: str, statistic: str, values: Floats, low: float, high: float) -> None:
    """Refuse a map that cannot be of its statistic."""
    if np.isnan(values).all():
        raise ImageError(f"map '{name}': no location of the mask has a value")
    wrong = np.isinf(values) | (values < low) | (values > high)
    if wrong.any():
        raise ImageError(
            f"map '{name}': {np.count_nonzero(wrong)} of its values cannot be {statistic} statistics, "
            f"for instance {values[wrong][0]:g}; expected finite numbers between {low:g} and {high:g}. "
            f"Check the key 'statistic' and the file"
        )
