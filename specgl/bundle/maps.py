"""Which maps a bundle holds: their values, names, headers and words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from specgl.bundle import names
from specgl.bundle.contents import Contents
from specgl.bundle.manifest import Label
from specgl.bundle.names import Role
from specgl.bundle.statistics import Statistic, statistics_of
from specgl.images import Intent
from specgl.inference import Inferred
from specgl.variables import VARIABLES, Variable

Values = NDArray[Any]
StorageType = Literal["float32", "float64", "uint8"]
STAT = "stat"
"""The variable whose maps are named after the kind of statistic that they hold."""

NEEDS_EFFECT = frozenset(
    {
        "effect",
        "variance",
        "standard_error",
        "ci_lower",
        "ci_upper",
        "cohen_d",
        "cohen_d_lower",
        "cohen_d_upper",
        "hedges_g",
        "hedges_g_lower",
        "hedges_g_upper",
        "tost",
        "bf10",
    }
)
"""What several tested rows do not have, nor, of Cohen's d, groups with variances of their own."""

LIMITS = ("_lower", "_upper")
"""How the names of variables end that are confidence limits."""

TOST = "tost"
"""The variable of p-values of equivalence tests, which contrasts with a margin have."""

_IF_ANY = frozenset({TOST, "bf10"})
"""What a contrast of one row may lack as well: a margin, or a scale."""

_MAY_LACK = NEEDS_EFFECT | {"dof", "partial_r2"}
"""What is not written where it has no value: a conjunction of v has no degrees of freedom either."""

_ONLY_IF_VARYING = frozenset({"dof", "n"})
"""One number does not need a map."""


@dataclass(frozen=True)
class Made:
    """A map that inferences make.

    Attributes
    ----------
    stat
        What its values are, as its name says; None for the contrast's own statistic.
    role
        What it is for.
    values
        Its values in what an inference gave; None where that inference has no such map.
    fill
        Value outside the mask.
    meaning
        What a value says.
    """

    stat: str | None
    role: Role
    values: Callable[[Inferred], Values | None]
    fill: float
    meaning: str


MADE: tuple[Made, ...] = (
    Made(
        None,
        Role.THRESHOLDED,
        lambda inferred: inferred.thresholded,
        0.0,
        "The statistic where it survives the inference, 0 elsewhere.",
    ),
    Made(
        names.LOGP,
        Role.CORRECTED,
        lambda inferred: inferred.logp,
        np.nan,
        "Minus the decimal logarithm of the corrected p-value, at every location.",
    ),
    Made(
        names.UNCORRECTED,
        Role.UNCORRECTED,
        lambda inferred: inferred.uncorrected_logp,
        np.nan,
        "Minus the decimal logarithm of the uncorrected p-value from shuffles, at every location.",
    ),
    Made(
        names.ENHANCED,
        Role.ENHANCED,
        lambda inferred: inferred.enhanced,
        np.nan,
        "The statistic enhanced without a threshold (TFCE); where it is negative, so are the values.",
    ),
    Made(
        names.EXTRAPOLATED,
        Role.EXTRAPOLATED,
        lambda inferred: inferred.extrapolated,
        0.0,
        "1 where the corrected p-value was extrapolated from a fitted tail, 0 where it was counted.",
    ),
    Made(
        names.TDP,
        Role.TDP,
        lambda inferred: inferred.tdp,
        np.nan,
        "Share of true discoveries, at least, in the cluster or region that the location belongs to; of "
        "several clusters, in that of the highest threshold; 0 where it belongs to none.",
    ),
)
"""Every map that an inference can make, in the order in which they are listed."""


@dataclass(frozen=True, eq=False)
class MapFile:
    """One image to be written.

    Attributes
    ----------
    path
        Its name in the bundle.
    role
        What it is for.
    values
        ``(n_loc,)``, or ``(n, n_loc)`` for n volumes.
    fill
        Value outside the mask.
    dtype
        Type in which it is stored.
    intent
        Name and parameters of the header's intent code.
    label
        Which result it holds.
    meaning, unit
        What a value says, and in what unit.
    statistic
        The contrast's statistic; None where the map belongs to no contrast.
    inferred
        The inference's result; None where the map stands before any inference.
    """

    path: str
    role: Role
    values: Values
    fill: float
    dtype: StorageType
    intent: Intent | None
    label: Label
    meaning: str
    unit: str
    statistic: Statistic | None = None
    inferred: Inferred | None = None


def map_files(contents: Contents) -> Iterator[MapFile]:
    """Every image of a bundle, in the order in which they are listed."""
    statistics = statistics_of(contents.stats)
    yield _mask(contents)
    for statistic in statistics.values():
        for name in contents.maps:
            yield from _contrast_map(contents, VARIABLES[name], statistic)
    for name in contents.maps:
        yield from _model_map(contents, VARIABLES[name])
    for inferred in contents.inferred:
        yield from _inferred_maps(contents, inferred, statistics[inferred.contrast])


def storage_type(values: Values) -> StorageType:
    """Type in which values are stored: float32, unless it would round one of them to 0 or to infinity.

    A number below the smallest normal float32 (1.2e-38) loses its digits before it becomes 0, so that it
    calls for float64 as well.
    """
    size = np.abs(values[np.isfinite(values) & (values != 0)])
    limits = np.finfo(np.float32)
    fits = size.size == 0 or bool(size.min() >= limits.tiny and size.max() <= limits.max)
    return "float32" if fits else "float64"


def _mask(contents: Contents) -> MapFile:
    return MapFile(
        path=names.mask_map(contents.space.label),
        role=Role.MASK,
        values=np.ones(contents.space.n_locations, dtype=np.uint8),
        fill=0.0,
        dtype="uint8",
        intent=None,
        label=Label(dtype="uint8"),
        meaning="Voxels that were analysed.",
        unit="1",
    )


def _contrast_map(contents: Contents, variable: Variable, statistic: Statistic) -> Iterator[MapFile]:
    """The map of one variable for one contrast, where there is one."""
    if variable.name not in contents.stats:
        return
    held = contents.stats[variable.name]
    if "contrast" in held.dims:
        held = held.sel(contrast=statistic.contrast)
    elif not variable.by_contrast:
        return
    if held.dims != ("location",):
        return
    values = np.asarray(held.values)
    if _is_one_number(variable, values):
        return
    has_effect = statistic.kind in ("t", "z") and statistic.contrast not in _joined(contents)
    may_lack = variable.name in _IF_ANY or (variable.name in _MAY_LACK and not has_effect)
    if may_lack and not np.isfinite(values).any():
        return
    if variable.name == STAT or variable.name != statistic.kind or STAT not in contents.maps:
        # A map of z or p that is its own statistic is written once.
        yield _map(contents, variable, values, statistic)


def _joined(contents: Contents) -> frozenset[str]:
    """Names of conjunctions."""
    return frozenset(() if contents.design is None else (c.name for c in contents.design.conjunctions))


def _model_map(contents: Contents, variable: Variable) -> Iterator[MapFile]:
    """The map of a variable that is the whole model's."""
    if variable.by_contrast:
        return
    if variable.name in contents.extra:
        yield _map(contents, variable, np.asarray(contents.extra[variable.name]), None)
    elif variable.name in contents.stats:
        held = contents.stats[variable.name]
        if held.dims == ("location",) and not _is_one_number(variable, np.asarray(held.values)):
            yield _map(contents, variable, np.asarray(held.values), None)


def _is_one_number(variable: Variable, values: Values) -> bool:
    return variable.name in _ONLY_IF_VARYING and bool(np.all(values == values[:1]))


def _map(contents: Contents, variable: Variable, values: Values, statistic: Statistic | None) -> MapFile:
    contrast = None if statistic is None else statistic.contrast
    stat = statistic.kind if statistic is not None and variable.name == STAT else variable.name
    dtype = storage_type(values)
    return MapFile(
        path=names.stat_map(as_label(stat), contrast=contrast, space=contents.space.label),
        role=Role.MAP,
        values=values,
        fill=np.nan,
        dtype=dtype,
        intent=_intent(stat, statistic),
        label=Label(as_label(stat), variable.name, contrast, dtype=dtype),
        meaning=variable.meaning,
        unit=variable.unit,
        statistic=statistic,
    )


def _inferred_maps(contents: Contents, inferred: Inferred, statistic: Statistic) -> Iterator[MapFile]:
    for made in MADE:
        held = made.values(inferred)
        if held is None:
            continue
        stat = made.stat or statistic.kind
        stored = np.asarray(held)
        dtype: StorageType = "uint8" if stored.dtype == np.bool_ else storage_type(stored)
        yield MapFile(
            path=names.stat_map(
                stat, contrast=inferred.contrast, inference=inferred.inference, space=contents.space.label
            ),
            role=made.role,
            values=stored.astype(np.uint8) if dtype == "uint8" else stored,
            fill=made.fill,
            dtype=dtype,
            intent=_intent(stat, statistic),
            label=Label(stat, made.stat or STAT, inferred.contrast, inferred.inference, dtype),
            meaning=made.meaning,
            unit="1",
            statistic=statistic,
            inferred=inferred,
        )


def _intent(stat: str, statistic: Statistic | None) -> Intent | None:
    """Intent of the header; degrees of freedom that vary cannot be said there, and are left 0."""
    match stat:
        case "t" | "v" if statistic is not None:
            return "t", (statistic.dof_in_header,)
        case "F" | "G" if statistic is not None:
            return "F", (statistic.dof1 or 0.0, statistic.dof_in_header)
        case "z" | "p" | "effect" | names.LOGP:
            return stat, ()
        case names.UNCORRECTED:
            return names.LOGP, ()
        case _:
            return None


def as_label(name: str) -> str:
    """A variable's name as BIDS takes labels: letters and digits alone."""
    return name.replace("_", "")
