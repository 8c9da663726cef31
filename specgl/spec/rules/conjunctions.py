"""What a conjunction may be made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from specgl.errors import Finding
from specgl.grammar import did_you_mean
from specgl.spec.outline import Outline

MOST_OPTIONS = 500
"""Names among which a proposal is looked for; among more, a search is slow and says little."""


def check_conjunctions(outline: Outline) -> Iterator[Finding]:
    """Members that are no t contrasts of this spec, that stand twice, or that are too few."""
    for name, contrast in outline.contrasts.items():
        if not isinstance(contrast, Mapping) or "conjunction" not in contrast:
            continue
        members = contrast["conjunction"]
        if isinstance(members, list | tuple):
            yield from _members(name, members, outline)


def _members(name: str, members: list[Any] | tuple[Any, ...], outline: Outline) -> Iterator[Finding]:
    where = ("contrasts", name, "conjunction")
    if len(members) == 1:
        yield Finding(
            "E035",
            "a conjunction of one contrast is that contrast",
            where,
            help="name two or more t contrasts",
        )
    before: set[str] = set()
    for place, member in enumerate(members):
        if not isinstance(member, str) or not member:
            continue  # of the wrong kind, which is told by itself
        if member in before:
            yield Finding("E035", f"'{member}' stands twice in this conjunction", (*where, place))
        elif (fault := _fault(name, member, outline)) is not None:
            message, advice = fault
            yield Finding("E035", message, (*where, place), help=advice)
        before.add(member)


def _fault(name: str, member: str, outline: Outline) -> tuple[str, str | None] | None:
    """Why a contrast cannot be a member, and what to do."""
    if member == name:
        return f"'{name}' cannot be a part of itself", "name the contrasts that it joins"
    if member not in outline.contrasts:
        if outline.is_partial:
            return None  # it may stand elsewhere
        others = [other for other in outline.contrasts if other != name]
        advice = did_you_mean(member, others) if len(others) <= MOST_OPTIONS else None
        return f"there is no contrast '{member}'", advice
    contrast = outline.contrasts[member]
    if not isinstance(contrast, Mapping):
        return None
    if "conjunction" in contrast:
        return f"'{member}' is a conjunction itself", "name its members instead"
    rows = (contrast.get(key) for key in ("hypothesis", "weights"))
    if "term" in contrast or any(isinstance(one, list | tuple) for one in rows):
        return f"'{member}' is an F test, which has no direction", "name t contrasts, of one row each"
    return None
