"""Random fields and simulated noise: where smoothness comes from, and where the theory holds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from specgl.errors import Finding
from specgl.spec.fields import MAPS
from specgl.spec.forming import FORMING_P
from specgl.spec.outline import Outline
from specgl.spec.rules.permutation import alpha_of, enough_for, forming_twice

RANDOM_FIELD, SIMULATED = "random_field", "simulated"
LENIENT_Z = 3.09
"""A z below it is too lenient: of this one `FORMING_P` is the tail."""


def check_fields(outline: Outline) -> Iterator[Finding]:
    """Everything about smooth noise that no single key can tell."""
    asked = {
        name: how
        for name, how in outline.inference.items()
        if isinstance(how, dict) and how.get("method") in (RANDOM_FIELD, SIMULATED)
    }
    simulated = {name: how for name, how in asked.items() if how["method"] == SIMULATED}
    yield from forming_twice(simulated)
    has_residuals = "maps" not in outline.sections or outline.is_partial
    for name, how in asked.items():
        yield from _smoothness(name, how, has_residuals)
        yield from _lenient(name, how)
    for name, how in simulated.items():
        members = max(1, len(outline.contrasts) + len(outline.maps))
        yield from _enough(name, how, members if how.get("across") == "contrasts" else 1)


def _smoothness(name: str, how: Mapping[str, Any], has_residuals: bool) -> Iterator[Finding]:
    where = ("inference", name)
    given = how.get("smoothness", "residuals") not in ("residuals", None)
    if not has_residuals and not given:
        said = "smoothness" in how
        yield Finding(
            "E034",
            f"`method: {how['method']}` wants to know how smooth `maps` are, which have no residuals",
            (*where, "smoothness") if said else (*where, "method"),
            help="give the smoothness of the residuals behind them, in mm: `smoothness: {fwhm: [9, 9, 8]}`",
        )
    if how.get("extent") == "resels" and (given or not has_residuals):
        what = "a given `smoothness`" if given else "`maps`"
        yield Finding(
            "E014",
            f"`extent: resels` does not go together with {what}: resels are counted by the residuals' own "
            "smoothness at each voxel",
            (*where, "extent"),
            help="leave it out, which counts voxels"
            + (", or take `smoothness: residuals`" if has_residuals else ""),
        )


def _lenient(name: str, how: Mapping[str, Any]) -> Iterator[Finding]:
    p, z = _number(how.get("cluster_forming_p")), _number(how.get("cluster_forming_stat"))
    if p is not None and FORMING_P * (1 + 1e-9) < p < 0.5:
        what, key = f"a cluster-forming p of {p:g}", "cluster_forming_p"
    elif how["method"] == SIMULATED and z is not None and 0 < z < LENIENT_Z:
        what, key = f"a cluster-forming z of {z:g}", "cluster_forming_stat"
    else:
        return
    yield Finding(
        "W207",
        f"{what} is too lenient for `method: {how['method']}`: too many clusters are found",
        ("inference", name, key),
        help="form clusters at p 0.001 or below, or take `method: permutation`, which holds at any threshold",
    )


def _enough(name: str, how: Mapping[str, Any], members: int) -> Iterator[Finding]:
    """Whether so many simulations can reach alpha; `members` contrasts share it."""
    n, alpha = how.get("n", MAPS), alpha_of(how) / members
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        return
    shared = f" of `{name}`" + (f", which {members} contrasts share," if members > 1 else "")
    where = ("inference", name, "n")
    if 1 / (n + 1) > alpha * (1 + 1e-9):
        least = math.ceil(1 / alpha - 1e-6) - 1
        yield Finding(
            "E030",
            f"no p-value of {n} simulations is below 1/{n + 1} = {1 / (n + 1):.4g}: alpha "
            f"{alpha_of(how):g}{shared} cannot be reached",
            where,
            help=f"at least {least} are needed; {enough_for(alpha)} give it some precision",
        )
    elif n < enough_for(alpha):
        yield Finding(
            "W205",
            f"{n} simulations are few for alpha {alpha_of(how):g}{shared}: about {n * alpha:.0f} of them "
            "decide",
            where,
            help=f"take {enough_for(alpha)} or more",
        )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
