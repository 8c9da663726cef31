"""Which sections go together."""

from __future__ import annotations

from collections.abc import Iterator

from specgl.errors import Finding
from specgl.spec.outline import Outline

MODELLED = ("data", "variables", "model", "contrasts", "permutation")
MANY_CONTRASTS = 3


def check_sections(outline: Outline) -> Iterator[Finding]:
    """Either data, model and contrasts, or ready-made maps; and false discoveries over many contrasts."""
    if "maps" in outline.sections:
        for key in MODELLED:
            if key in outline.sections:
                yield Finding(
                    "E014",
                    f"`{key}` does not go together with `maps`",
                    (key,),
                    on_key=True,
                    help="ready-made maps cannot be shuffled: leave it out"
                    if key == "permutation"
                    else "`maps` stands instead of `data`, `variables`, `model` and `contrasts`",
                )
    elif not outline.is_partial:
        needed = ("data", "model", "contrasts") if outline.has_images else ("data", "model")
        for key in needed:
            if key not in outline.sections and key not in outline.misspelt:
                yield Finding(
                    "E011", f"missing key '{key}'", (key,), on_key=True, help="or `maps`, for ready-made maps"
                )
    yield from _many_contrasts(outline)


def _many_contrasts(outline: Outline) -> Iterator[Finding]:
    n = len(outline.contrasts) + len(outline.maps)
    for name, how in outline.inference.items():
        if n < MANY_CONTRASTS or not isinstance(how, dict):
            continue
        correction = how.get("correction")
        if (
            isinstance(correction, str)
            and correction.startswith("fdr")
            and how.get("across", "none") == "none"
        ):
            yield Finding(
                "W202",
                f"false discoveries are controlled in each of {n} contrasts by itself, not over all of them",
                ("inference", name, "correction"),
                help="`across: contrasts` makes them one family",
            )
