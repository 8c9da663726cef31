"""Covariates that differ from voxel to voxel: their names, and what formulas may do with them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from specgl.errors import Finding
from specgl.grammar import FUNCTIONS
from specgl.spec.base import IDENTIFIER_PATTERN
from specgl.spec.outline import Outline
from specgl.spec.rules.names import HYPOTHESIS_WORDS

_FORMULA = ("model", "formula")


def check_voxelwise(outline: Outline) -> Iterator[Finding]:
    """Names that are taken, covariates that are not used, and those inside a function."""
    for name in outline.voxelwise:
        where = ("data", "voxelwise", name)
        taken = _taken(name, outline)
        if taken is not None:
            yield Finding("E021", taken, where, on_key=True, help="give the covariate another name")
        elif not re.match(IDENTIFIER_PATTERN, name):
            continue  # which is told by itself
        elif outline.formula_is_sound and name not in outline.formula_names:
            yield Finding("W201", f"`{name}` is named but not in the formula", where, on_key=True)
    yield from _inside_functions(outline)
    yield from _beside_a_block(outline)


def _beside_a_block(outline: Outline) -> Iterator[Finding]:
    """Blocks are taken out of one design for all locations."""
    used = [name for name in outline.voxelwise if name in outline.formula_names]
    if outline.block is not None and used:
        yield Finding(
            "E014",
            f"`block` does not go together with the voxelwise covariate `{used[0]}`: means are taken out of "
            "one design for all locations",
            ("model", "block"),
            help=f"leave it out, declare `{outline.block}` as categorical and write it in the formula",
        )


def _taken(name: str, outline: Outline) -> str | None:
    """Why a covariate cannot have a name."""
    if name in FUNCTIONS:
        return f"'{name}' is a function of formulas"
    if name in HYPOTHESIS_WORDS:
        return f"'{name}' is a word of hypotheses"
    if name in outline.variables:
        return f"`{name}` is declared in `variables` too: a name is either a column's or an image's"
    if name == outline.block:
        return f"`{name}` is the column of `model.block` too: a name is either a column's or an image's"
    return None


def _inside_functions(outline: Outline) -> Iterator[Finding]:
    for call in outline.formula.calls if outline.formula is not None else ():
        for use in call.names:
            if use.name in outline.voxelwise and use.name not in outline.variables:
                yield Finding(
                    "E106",
                    f"`{use.name}` differs from voxel to voxel and stands inside a function",
                    _FORMULA,
                    (use.start, use.end),
                    help=f"such covariates stand in products only, as in `{use.name}` or `group:{use.name}`; "
                    "make the images as they are wanted beforehand",
                )
