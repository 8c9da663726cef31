"""Bounds on true discoveries: about one kind of sets, at heights that ascend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from specgl.errors import Finding
from specgl.spec.discoveries import SETS
from specgl.spec.outline import Outline

CLUSTERS = 26
"""The connectivity that is meant where none is said, which a resolved spec says of regions too."""


def check_discoveries(outline: Outline) -> Iterator[Finding]:
    """What no single key of a bound on true discoveries can tell."""
    for name, how in outline.inference.items():
        if not isinstance(how, dict) or not _tells_discoveries(how):
            continue
        given = [key for key in how if key in SETS and how[key] is not None]
        for key in given[1:]:
            yield Finding(
                "E014",
                f"`{key}` does not go together with `{given[0]}`: each says which sets of locations are told "
                "about",
                ("inference", name, key),
                on_key=True,
                help="keep one of them, or write an inference for each",
            )
        if given == ["regions"] and how.get("connectivity", CLUSTERS) != CLUSTERS:
            yield Finding(
                "E014",
                "`connectivity` does not go together with `regions`: a region is told about as it is, in one "
                "piece or in several",
                ("inference", name, "connectivity"),
                on_key=True,
                help="leave it out",
            )
        heights = how.get("cluster_forming_z")
        yield from _ascending(heights if isinstance(heights, list | tuple) else (), name)


def _tells_discoveries(how: Mapping[str, Any]) -> bool:
    """Whether this inference has the keys at all; where it has not, they are unknown, which is told."""
    return how.get("method") == "all_resolutions" or how.get("correction") == "tdp"


def _ascending(heights: list[object] | tuple[object, ...], name: str) -> Iterator[Finding]:
    for number, (before, height) in enumerate(pairwise(heights), start=1):
        if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (before, height)):
            continue
        if height <= before:  # type: ignore[operator]  # both are numbers
            yield Finding(
                "E036",
                f"the height {height:g} stands after {before:g}: heights ascend, each above the one before",
                ("inference", name, "cluster_forming_z", number),
            )
