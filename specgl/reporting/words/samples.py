"""What was analysed: observations and those left out, images, mask, and what is missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from specgl.reporting.words.facts import Facts, voxel_size
from specgl.reporting.words.language import counted, listed, name, names, number, one_space, share, some, unit

_FILTERED = re.compile(
    r"`(?P<column>.*)` is .*, which `(?P<key>include|exclude)` (?:names|does not name)", re.S
)
_LACKING = re.compile(r"(?P<columns>`.*`) (?:is|are) missing", re.S)


def observations_text(facts: Facts) -> str:
    """How many observations there were, how many were left out and why, and who they were."""
    return " ".join(_observations(facts))


def _observations(facts: Facts) -> Iterator[str]:
    n = int(facts.manifest["observations"])
    ids = facts.section("data")["id"]
    one_each = f"one for each {'combination of ' if len(ids) > 1 else ''}{names(ids)}"
    dropped = [] if facts.observations is None else _dropped(facts.observations)
    if dropped:
        yield (
            f"Of the {counted(n + len(dropped), 'observation')} in the table ({one_each}), {n:,} were "
            f"analysed; {len(dropped):,} {'was' if len(dropped) == 1 else 'were'} left out"
            f"{_why(dropped, facts)}."
        )
    else:
        yield f"The analysis included {counted(n, 'observation')}, {one_each}; none was left out."
    variables = (facts.design or {}).get("variables", {})
    factors = {v: held for v, held in variables.items() if held["type"] == "categorical"}
    for variable, held in factors.items():
        levels = [f"{count:,} {name(level)}" for level, count in held["counts"].items()]
        yield f"Levels of {name(variable)}: {listed(levels)}."
    for variable, held in variables.items():
        if variable not in factors and (told := _spread(variable, held, facts.variables)):
            yield told


def _dropped(observations: pd.DataFrame) -> list[str]:
    """The reason of each row that was left out."""
    out = observations[observations["status"] != "kept"]
    return ["" if pd.isna(reason) else str(reason) for reason in out["reason"]]


def _why(reasons: list[str], facts: Facts) -> str:
    """How many were left out for which reason; nobody is named."""
    counts = Counter(_reason(reason, facts) for reason in reasons)
    if len(counts) == 1:
        return f" ({next(iter(counts))})"
    return f": {listed(f'{n:,} {reason}' for reason, n in counts.items())}"


def _reason(reason: str, facts: Facts) -> str:
    data = facts.section("data")
    if (found := _FILTERED.fullmatch(reason)) is not None:
        column = found["column"]
        if found["key"] == "include":
            return f"whose {name(column)} was not {some(data['include'].get(column, ()), 'or')}"
        if column in data["id"]:
            return f"excluded by {name(column)}"
        return f"excluded by {name(column)} ({some(data['exclude'].get(column, ()), 'or')})"
    if (found := _LACKING.fullmatch(reason)) is not None:
        return f"without a value of {names(re.findall('`([^`]*)`', found['columns']))}"
    if reason.startswith("no image"):
        return "without an image"
    return f"for another reason ({one_space(reason)})" if reason else "for a reason that is not told"


def _spread(variable: str, held: Mapping[str, object], table: pd.DataFrame | None) -> str:
    """Mean, standard deviation and range of a covariate; empty where its values are not kept."""
    if table is None or variable not in table.columns:
        return ""
    values = pd.to_numeric(table[variable], errors="coerce").to_numpy(dtype=np.float64)
    values = values[np.isfinite(values)]
    if values.size < 2:
        return ""
    of = f" ({unit(held['unit'])})" if held.get("unit") else ""
    return (
        f"Values of {name(variable)}{of}: mean {number(values.mean())}, standard deviation "
        f"{number(values.std(ddof=1))}, range {number(values.min())} to {number(values.max())}."
    )


def data_text(facts: Facts) -> str:
    """Which images were analysed, on which grid, within which mask, and what was missing."""
    return " ".join(_ready_made(facts) if facts.design is None else _images(facts))


def _ready_made(facts: Facts) -> Iterator[str]:
    n = len(facts.contrasts)
    maps = f"{counted(n, 'ready-made statistical map')} {'was' if n == 1 else 'were'}"
    yield f"{maps} thresholded, {_grid(facts)}."
    yield from _mask(facts)
    yield f"{counted(facts.n_locations, 'voxel')} {'was' if facts.n_locations == 1 else 'were'} analysed."


def _images(facts: Facts) -> Iterator[str]:
    data = facts.section("data")
    yield f"Each observation entered the analysis as one image, {_grid(facts)}."
    if (resample := data.get("resample")) is not None:
        yield _resampled(resample)
    yield _smoothed(data.get("smoothing_fwhm"))
    if data.get("masks") is not None:
        yield "Each observation's values were restricted to its own mask."
    yield _ZERO[data["missing"]["zero"]]
    yield from _mask(facts)
    yield from _analysed(facts)


def _grid(facts: Facts) -> str:
    space = facts.manifest["space"]
    shape = " × ".join(str(length) for length in space["shape"])
    sizes = " × ".join(number(size, 4) for size in voxel_size(space["affine"]))
    where = f"in the space {name(space['label'])}, " if space["label"] else ""
    return f"{where}on a grid of {shape} voxels of {sizes} mm"


_GRIDS = {"mask": "the mask's grid", "first": "the grid of the first image"}
INTERPOLATED = {"linear": "linear interpolation", "nearest": "the value of the nearest voxel"}
"""How values between voxels are made."""


def _resampled(resample: Mapping[str, str]) -> str:
    grid = _GRIDS.get(resample["to"], f"the grid of {name(resample['to'])}")
    return f"Images on another grid were brought onto {grid} by {INTERPOLATED[resample['interpolation']]}."


def _smoothed(fwhm: float | None) -> str:
    if fwhm is None:
        return "They were not smoothed in this analysis."
    return (
        f"They were smoothed with a Gaussian kernel of {number(fwhm, 4)} mm full width at half maximum "
        "(FWHM), each within its own support."
    )


_ZERO = {
    "missing": "Exact zeros and values that are not finite were taken for missing; nothing was filled in.",
    "data": "Values that are not finite were taken for missing, exact zeros for data; nothing was filled in.",
}
"""What an exact 0 was."""


def _mask(facts: Facts) -> Iterator[str]:
    mask = facts.spec.get("mask")
    if mask is None:
        return
    if (height := mask.get("absolute_threshold")) is not None:
        yield f"The analysis was restricted to voxels where every image was above {number(height, 6)}."
        return
    image, height = name(mask["image"].rpartition("/")[2]), mask.get("threshold")
    above = f", where it is above {number(height, 6)}" if height is not None else ""
    yield f"The analysis was restricted to a mask ({image}{above})."


_COMPANIONS = {"without_variance": "a usable variance", "without_covariate": "a value of each covariate"}
"""What an effect must have beside it to be a value, by the count of the voxels that are lost for it."""


def _analysed(facts: Facts) -> Iterator[str]:
    """Where the model was fitted, and how many voxels that left."""
    counts, n = facts.manifest["counts"], int(facts.manifest["observations"])
    available = facts.section("data")["missing"]["voxel"]
    if isinstance(available, Mapping):
        needed = int(counts.get("needed", n))
        where = f"at least {share(available['available'])} of the observations ({needed:,} of {n:,})"
    else:
        where = "every observation"
    within = "voxels of the mask" if facts.spec.get("mask") is not None else "voxels with any value"
    beside = [what for key, what in _COMPANIONS.items() if key in counts]
    beside_it = f" with {' and '.join(beside)}" if beside else ""
    constant = int(counts.get("constant", 0))
    varied = f" and the values varied ({counted(constant, 'voxel')} did not)" if constant else ""
    yield (
        f"A voxel was analysed where {where} had a value{beside_it}{varied}: {facts.n_locations:,} of "
        f"{int(counts.get('mask', facts.n_locations)):,} {within}."
    )
