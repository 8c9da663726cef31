"""Shuffles: what the inferences, the section `permutation`, the model and the data ask of each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from specgl.errors import Finding
from specgl.spec.outline import Outline

METHOD = "permutation"
DEFAULT_N = 10000
DEFAULT_ALPHA = 0.05
ENOUGH = 20
"""So many shuffles at least are wanted beyond a threshold, or in a tail to which a distribution is fitted."""
TAIL = 0.1
"""Below this p a distribution stands in for counts where `tail` says so."""

_OTHER_METHODS = frozenset({"parametric", "random_field", "all_resolutions", "simulated"})
_AT_MISSING = frozenset({"freedman_lane", "draper_stoneman"})
_N = ("permutation", "n")
_NUISANCE = ("permutation", "nuisance")


def check_permutation(outline: Outline) -> Iterator[Finding]:
    """Everything that permutation needs and what it cannot be combined with."""
    asked = {
        name: how
        for name, how in outline.inference.items()
        if isinstance(how, dict) and how.get("method") == METHOD
    }
    yield from _section(outline, asked)
    yield from forming_twice(asked)
    yield from _blocks(outline)
    if METHOD in outline.sections:
        yield from _enough(outline, asked)
        yield from _nuisance(outline)
        yield from _flips(outline)
    yield from _variance_groups(outline)


def _section(outline: Outline, asked: dict[str, Any]) -> Iterator[Finding]:
    """An inference without shuffles, shuffles without an inference, and maps that cannot be shuffled."""
    if outline.is_partial:
        return
    if "maps" in outline.sections:
        for name in asked:
            yield Finding(
                "E014",
                "`method: permutation` does not go together with `maps`: ready-made maps cannot be shuffled",
                ("inference", name, "method"),
                help="name the images of the observations in `data`, or take `method: parametric`",
            )
    elif asked and METHOD not in outline.sections and METHOD not in outline.misspelt:
        yield Finding(
            "E011",
            "missing key 'permutation': inference by permutation needs its section",
            ("inference", next(iter(asked)), "method"),
            help="write `permutation: {n: 10000, seed: 1}`, with a seed of your own, beside `inference`",
        )
    elif METHOD in outline.sections and not asked and _is_understood(outline):
        yield Finding(
            "W204",
            "no inference has `method: permutation`: nothing is shuffled",
            (METHOD,),
            on_key=True,
            help="add one, such as `maxT: {method: permutation, statistic: voxel}`, or leave this out",
        )


def _is_understood(outline: Outline) -> bool:
    """Whether it is known of each inference that it is none by permutation."""
    return "inference" not in outline.misspelt and all(
        isinstance(how, dict) and how.get("method") in _OTHER_METHODS for how in outline.inference.values()
    )


def forming_twice(asked: Mapping[str, Any]) -> Iterator[Finding]:
    """Two cluster-forming thresholds of one inference."""
    for name, how in asked.items():
        if None not in (how.get("cluster_forming_p"), how.get("cluster_forming_stat")):
            yield Finding(
                "E014",
                "`cluster_forming_p` does not go together with `cluster_forming_stat`: each is a threshold",
                ("inference", name, "cluster_forming_stat"),
                on_key=True,
                help="keep one of them",
            )


def _blocks(outline: Outline) -> Iterator[Finding]:
    seen: set[str] = set()
    for level in outline.shuffles.levels:
        if level.by is not None and level.by in seen:
            what = f"`{level.by}` names two levels of blocks: each level has a column of its own"
            yield Finding("E019", what, (*level.where, "by"))
        seen |= {level.by} if level.by is not None else set()
        if level.order is not None and level.shuffle in (None, "within"):
            yield Finding(
                "E014",
                "`order` does not go together with `shuffle: within`: no members have to be matched",
                (*level.where, "order"),
                on_key=True,
                help="leave it out, or let blocks change places: `shuffle: whole`",
            )


def _flips(outline: Outline) -> Iterator[Finding]:
    """Rows of a block whose mean is taken out depend on each other: their signs turn together, or not."""
    shuffles, block = outline.shuffles, outline.block
    if block is None or shuffles.exchange not in ("flip", "both"):
        return
    if any(level.by == block and level.shuffle == "whole" for level in shuffles.levels):
        return
    yield Finding(
        "E014",
        f"`exchange: {shuffles.exchange}` does not go together with `model.block` unless blocks turn as "
        f"wholes: rows of a block of `{block}` whose mean is taken out have no signs of their own",
        ("permutation", "exchange"),
        help=f"leave it out, or write `blocks: {{by: {block}, shuffle: whole}}` to flip whole blocks",
    )


def _enough(outline: Outline, asked: dict[str, Any]) -> Iterator[Finding]:
    """Whether so many shuffles can reach the smallest alpha, and whether they do it well."""
    n = DEFAULT_N if outline.shuffles.n is None else outline.shuffles.n
    alphas = {name: alpha_of(how) for name, how in asked.items()}
    if not isinstance(n, int) or isinstance(n, bool) or n < 1 or not alphas:
        return
    name = min(alphas, key=lambda key: alphas[key])
    alpha, shuffles = alphas[name], f"{n} shuffles" if n > 1 else "one shuffle"
    if outline.shuffles.tail in ("gpd", "gamma"):
        yield from _fitted(outline.shuffles.tail, n, shuffles)
        return
    # A p-value is a count over n; what 1/n loses in the last digit is no difference.
    if 1 / n > alpha * (1 + 1e-9):
        yield Finding(
            "E030",
            f"no p-value of {shuffles} is below 1/{n} = {1 / n:.4g}: alpha {alpha:g} of `{name}` cannot be "
            "reached",
            _N,
            help=f"at least {math.ceil(1 / alpha - 1e-6)} are needed; {enough_for(alpha)} give it some "
            "precision",
        )
    elif n < enough_for(alpha):
        # What is counted for true discoveries has no tail that could be fitted.
        fitted = "" if asked[name].get("correction") == "tdp" else ", or `tail: gpd`"
        yield Finding(
            "W205",
            f"{shuffles} are few for alpha {alpha:g} of `{name}`: about {n * alpha:.0f} of them decide",
            _N,
            help=f"take {enough_for(alpha)} or more{fitted}; `n: all` takes what exists, be it few",
        )


def _fitted(tail: str, n: int, shuffles: str) -> Iterator[Finding]:
    if n < enough_for(TAIL):
        yield Finding(
            "W205",
            f"{shuffles} are few for `tail: {tail}`, which is fitted to the highest {TAIL:.0%} of them",
            _N,
            help=f"take {enough_for(TAIL)} or more; several hundred are better",
        )


def alpha_of(how: Mapping[str, Any]) -> float:
    """The level of an inference as written, or the default."""
    alpha = how.get("alpha", DEFAULT_ALPHA)
    said = isinstance(alpha, float | int) and not isinstance(alpha, bool) and 0 < alpha < 1
    return float(alpha) if said else DEFAULT_ALPHA


def enough_for(alpha: float) -> int:
    """How many shuffles, or simulations, give a p-value near alpha some precision."""
    return math.ceil(ENOUGH / alpha - 1e-6)


def _nuisance(outline: Outline) -> Iterator[Finding]:
    shuffles = outline.shuffles
    asked = shuffles.nuisance
    if asked == "huh_jhun":
        reasons = {
            "blocks": bool(shuffles.levels) or outline.block is not None,
            "`model.variance_groups`": shuffles.variance_groups is not None,
        }
        for what in (what for what, there in reasons.items() if there):
            yield Finding(
                "E032",
                f"`nuisance: huh_jhun` does not go together with {what}: what it shuffles are mixtures of "
                "observations",
                _NUISANCE,
                help="`freedman_lane` keeps observations apart",
            )
    if shuffles.available and isinstance(asked, str) and asked not in _AT_MISSING:
        yield Finding(
            "E032",
            f"`nuisance: {asked}` does not go together with `missing: {{voxel: {{available: ...}}}}`: where "
            "observations are lacking, `draper_stoneman` is used, whose data stay in place",
            _NUISANCE,
            help="leave `nuisance` out, or take `draper_stoneman`",
        )


def _variance_groups(outline: Outline) -> Iterator[Finding]:
    groups, levels = outline.shuffles.variance_groups, outline.shuffles.levels
    where = ("model", "variance_groups")
    if groups == {"from": "blocks"} and not levels and outline.block is None and not outline.is_partial:
        yield Finding(
            "E033",
            "there are no blocks from which variance groups could follow",
            where,
            help="name them in `permutation.blocks`, or write a column: `variance_groups: group`",
        )
    for level in levels:
        if isinstance(groups, str) and level.by == groups and level.shuffle in ("whole", "both"):
            yield Finding(
                "W206",
                f"the blocks of `{groups}` change places as wholes, which takes them for alike, and yet each "
                "has a variance of its own",
                where,
                help="`variance_groups: {from: blocks}` gives one to each member of a block",
            )
