"""What a design cannot tell apart, said in the user's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specgl.design.formula import INTERCEPT, FormulaRefused, Model, materialise
from specgl.design.hypothesis import Row
from specgl.design.rank import (
    Dependencies,
    dependencies,
    plain_name,
    say_combination,
    say_sum,
    within_blocks,
)
from specgl.design.records import Block, CategoricalColumn, TypedColumn
from specgl.errors import Finding

Array = NDArray[np.float64]
FORMULA = ("model", "formula")
BLOCK = ("model", "block")
_MOST_FINDINGS = 20
_ORTHOGONAL = 1e-8  # share of the products' size that may remain where a sum should be 0
_CONSTANT = 1e-9


@dataclass(frozen=True, eq=False)
class Identified:
    """What a design determines.

    Attributes
    ----------
    aliases
        ``(k, n_reg)`` combinations of columns that are zero: sums that no data can tell apart.
    absorbed
        ``(m, n_reg)`` combinations that are constant within every block, and so lost with the blocks' means.
    rank
        Rank of what is left within blocks, plus the number of blocks.
    column_rank
        Rank of the columns alone.
    """

    aliases: Array
    absorbed: Array
    rank: int
    column_rank: int


def identify(matrix: Array, block: Block | None) -> Identified:
    """Rank of a design and what it cannot tell apart.

    Parameters
    ----------
    matrix
        ``(n_obs, n_reg)``.
    block
        Blocks whose means are taken out.
    """
    whole = dependencies(matrix)
    n_reg = matrix.shape[1]
    if block is None:
        return Identified(whole.null, np.zeros((0, n_reg)), whole.rank, whole.rank)
    kept = list(whole.independent)
    inside = matrix[:, kept]
    within: Dependencies = dependencies(within_blocks(inside, block.codes), np.linalg.norm(inside, axis=0))
    absorbed = np.zeros((len(within.null), n_reg))
    absorbed[:, kept] = within.null
    n_blocks = len(np.unique(block.codes))
    return Identified(whole.null, absorbed, within.rank + n_blocks, whole.rank)


def alias_words(text: str, model: Model, identified: Identified) -> tuple[str, ...]:
    """Each of the design's aliases in words."""
    told, vectors = model, identified.aliases
    if len(vectors) == 1:
        # With one alias only it is the same one on indicators of levels; of several, each has its own.
        told, vectors = _in_levels(text, model, identified)
    names = [regressor.name for regressor in told.regressors]
    return tuple(say_combination(vector, names) for vector in vectors)


def alias_findings(text: str, model: Model, identified: Identified) -> Iterator[Finding]:
    """An error for each rank that the columns lose, each naming one combination."""
    n_reg = model.matrix.shape[1]
    if not len(identified.aliases):
        return
    told, vectors = _in_levels(text, model, identified)
    names = [regressor.name for regressor in told.regressors]
    rank = f"rank {identified.column_rank} of {n_reg}"
    for vector in vectors[:_MOST_FINDINGS]:
        message = f"design is rank deficient ({rank}): {say_combination(vector, names)}"
        notes = tuple(_facts(vector, told))
        if len(vectors) > _MOST_FINDINGS:
            notes += (f"{len(vectors)} such combinations in all",)
        yield Finding("E240", message, where=FORMULA, help=_way_out(text, model, vector, told), notes=notes)


def _in_levels(text: str, model: Model, identified: Identified) -> tuple[Model, Array]:
    """The same dependencies on indicators of levels, which is what users think in, where that can be had."""
    columns: dict[str, TypedColumn] = {
        name: replace(column, coding="treatment") if isinstance(column, CategoricalColumn) else column
        for name, column in model.columns.items()
    }
    try:
        told = materialise(text, columns, model.matrix.shape[0])
    except FormulaRefused:
        return model, identified.aliases
    null = dependencies(told.generic).null
    return (told, null) if len(null) == len(identified.aliases) else (model, identified.aliases)


def _facts(vector: Array, model: Model) -> Iterator[str]:
    at = np.flatnonzero(vector)
    names = [plain_name(model.regressors[i].name) for i in at]
    indicators = [set(np.unique(model.matrix[:, i])) <= {0.0, 1.0} for i in at]
    counts = [int(np.count_nonzero(model.matrix[:, i])) for i in at]
    if len(at) == 1:
        yield f"no observation has {names[0]}" if indicators[0] else f"{names[0]} is 0 everywhere"
    elif len(at) == 2 and all(indicators) and counts[0] == counts[1]:
        n_obs = model.matrix.shape[0]
        if counts[0] == n_obs:
            yield f"all {n_obs} observations have both"
        else:
            yield f"the same {counts[0]} observations have both, and no other has either"


def _way_out(text: str, model: Model, vector: Array, told: Model) -> str:
    involved = {name for i in np.flatnonzero(vector) for name, _ in told.regressors[i].factors}
    every = [
        name
        for name in model.columns
        if name in involved and _coding(model.columns, name) == "cell_means" and told is model
    ]
    if every and any(model.regressors[i].name == INTERCEPT for i in np.flatnonzero(vector)):
        return f"coding cell_means gives `{every[0]}` a regressor for every level: write 0 + {text.strip()}"
    if every:
        return f"coding cell_means gives `{every[0]}` a regressor for every level: choose another coding"
    return "their effects cannot be told apart: leave one of them out, or merge levels"


def _coding(columns: Mapping[str, TypedColumn], name: str) -> str | None:
    column = columns[name]
    return column.coding if isinstance(column, CategoricalColumn) else None


def absorbed_findings(model: Model, identified: Identified, block: Block) -> Iterator[Finding]:
    """What the blocks' means take away: warnings, or one error where nothing is left."""
    n_blocks = len(np.unique(block.codes))
    if identified.rank == n_blocks:
        message = f"nothing in the formula varies within the blocks of `{block.name}`"
        help = "the blocks' means explain it all: leave out `block`, or add what varies within blocks"
        yield Finding("E242", message, where=BLOCK, help=help)
        return
    said: set[str] = set()
    for vector in identified.absorbed:
        if _is_level(model.generic, vector):
            continue
        what = _said(vector, model)
        if what not in said:
            said.add(what)
            message = f"{_unvarying(what, block)}: it is lost with the blocks' means"
            yield Finding("W236", message, where=FORMULA, help="contrasts may not ask for it")


def _unvarying(what: str, block: Block) -> str:
    return f"`{what}` does not vary within the blocks of `{block.name}`"


def _is_level(matrix: Array, vector: Array) -> bool:
    """Whether a combination is the same for all observations: the level that every block's mean holds."""
    values = matrix @ vector
    return bool(np.ptp(values) <= _CONSTANT * max(float(np.abs(matrix * vector).max()), 1e-300))


def estimability_findings(
    contrast: str,
    rows: tuple[Row, ...],
    model: Model,
    identified: Identified,
    block: Block | None,
    aliases: tuple[str, ...],
) -> Iterator[Finding]:
    """An error for each row of a contrast that this design does not determine, saying why.

    A row is estimable when it is orthogonal to every combination of coefficients that leaves the prediction
    (up to the blocks' means) as it is (Searle 1971, Linear Models, section 5.4).

    Parameters
    ----------
    contrast
        Its name.
    rows
        Its rows.
    model, identified, block
        The design and what it cannot tell apart.
    aliases
        Each of ``identified.aliases`` in words.
    """
    for row in rows:
        reasons = [
            f"the design cannot tell these apart: {words}"
            for vector, words in zip(identified.aliases, aliases, strict=True)
            if _depends(row.weights, vector)
        ]
        if block is not None:
            reasons += [
                _lost(vector, model, block) for vector in identified.absorbed if _depends(row.weights, vector)
            ]
        if reasons:
            message = f"`{row.words}` of contrast '{contrast}' is not estimable in this design"
            notes = tuple(dict.fromkeys(reasons))
            yield Finding("E245", message, where=row.where, span=row.span, notes=notes)


def _depends(weights: Array, vector: Array) -> bool:
    products = weights * vector
    return bool(abs(products.sum()) > _ORTHOGONAL * np.abs(products).sum())


def _lost(vector: Array, model: Model, block: Block) -> str:
    if _is_level(model.generic, vector):
        return (
            f"a level's mean is not estimable when the means of `{block.name}` are taken out; "
            "differences between levels are"
        )
    return _unvarying(_said(vector, model), block)


def _said(vector: Array, model: Model) -> str:
    at = np.flatnonzero(vector)
    names = [plain_name(regressor.name) for regressor in model.regressors]
    return model.regressors[at[0]].term if len(at) == 1 else say_sum(vector, names)
