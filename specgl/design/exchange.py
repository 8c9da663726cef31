"""Columns of blocks to a tree of what may change places, or everything that is wrong with them at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from specgl.design.columns import (
    by_value,
    cells_of,
    parse_number,
    raise_for,
    spelling_variants,
)
from specgl.design.records import Rows
from specgl.design.table import FILL_IN, MAX_FINDINGS, at_cell, cells_missing, column_missing, in_rows, listed
from specgl.errors import Finding
from specgl.kernels.shuffles import BlocksError, Level, Movement, Tree, build_tree, orbits

Integers = NDArray[np.int64]

_MOVES: dict[Movement, str] = {
    "within": "rows change places inside each block of `{}`",
    "whole": "blocks of `{}` change places as wholes",
    "both": "blocks of `{}` change places as wholes, and rows inside each",
}
_NESTING: dict[Movement, str] = {
    "within": "blocks of `{}` stay where they are",
    "whole": "blocks of `{}` change places as wholes",
    "both": "blocks of `{}` change places as wholes",
}


@dataclass(frozen=True)
class BlockLevel:
    """A level of exchangeability blocks as asked for.

    Attributes
    ----------
    by
        Column that says to which block a row belongs.
    shuffle
        Whether rows change places inside their block, blocks as wholes, or both.
    order
        Column by which the members of blocks that change places as wholes are matched; ``None``: the ids.
    where
        Keys that lead to the level in the spec.
    """

    by: str
    shuffle: Movement = "within"
    order: str | None = None
    where: tuple[str | int, ...] = ("permutation", "blocks")


@dataclass(frozen=True, eq=False)
class Exchange:
    """What may change places with what.

    Attributes
    ----------
    tree
        The tree of blocks over the analysed rows, in their order.
    observations
        Ids of the rows.
    levels
        Columns of the levels of blocks, the outer first.
    blocks
        Labels of the blocks of each level.
    words
        How each level is shuffled, a sentence a level.
    findings
        Warnings.
    """

    tree: Tree
    observations: tuple[str, ...]
    levels: tuple[str, ...] = ()
    blocks: tuple[tuple[str, ...], ...] = ()
    words: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def lines(self) -> Iterator[str]:
        """Draw the tree as text, by the names of its columns and blocks."""
        return self.tree.lines(self.observations, self.levels, self.blocks)


def exchange_tree(
    rows: Rows,
    levels: Sequence[BlockLevel],
    *,
    exchange: Literal["permute", "flip", "both"] | None = None,
) -> Exchange:
    """Build the tree of exchangeability blocks (Winkler et al. 2015, doi:10.1016/j.neuroimage.2015.05.092).

    Parameters
    ----------
    rows
        The analysed rows.
    levels
        Levels of blocks, the outer first; none: all rows change places freely.
    exchange
        What a shuffle does, where that is said: rows that change their sign need not change places.

    Returns
    -------
    Exchange
        Members of blocks that change places as wholes are matched by the column `order`, by its numbers where
        all its cells are numbers, else as text; without it by their sorted ids.

    Raises
    ------
    TableError or DesignError
        With all findings; a `DesignError` when one of them is the spec's fault.
    """
    read = [_Reader(rows, level) for level in levels]
    findings = [finding for reader in read for finding in reader.findings]
    if not any(finding.is_error for finding in findings):
        findings += _nesting(rows, read)
    raise_for(findings)
    tree = _grow(rows, read, findings)
    moving = exchange in ("flip", "both") or _moves(tree)
    if levels and not moving:
        raise_for([*findings, _nothing_moves(levels, read)])
    return Exchange(
        tree=tree,
        observations=rows.kept,
        levels=tuple(level.by for level in levels),
        blocks=tuple(reader.labels for reader in read),
        words=tuple(
            (_MOVES if k == len(levels) - 1 else _NESTING)[level.shuffle].format(level.by)
            for k, level in enumerate(levels)
        ),
        findings=tuple(finding for finding in findings if finding not in rows.findings),
    )


class _Reader:
    """Blocks and ranks of the analysed rows at one level, with what is wrong with their cells."""

    def __init__(self, rows: Rows, level: BlockLevel) -> None:
        self.rows, self.level = rows, level
        self.findings: list[Finding] = []
        self.codes: Integers = np.zeros(len(rows.kept), dtype=np.int64)
        self.labels: tuple[str, ...] = ()
        self.ranks: Integers | None = None
        self._read_blocks()
        if level.order is not None:
            self._read_order(level.order)

    def _cells(self, column: str, key: str) -> list[tuple[int, str | None]]:
        """Analysed cells of a column with their rows; none, and a finding, where the table lacks it."""
        if column not in self.rows.table.columns:
            where = (*self.level.where, key)
            self.findings.append(column_missing(self.rows.table, column, where, on_key=False))
            return []
        return cells_of(self.rows, column)

    def _lacking(self, cells: Sequence[tuple[int, str | None]], column: str, code: str, what: str) -> bool:
        """Whether cells are missing, which is told."""
        lacking = [k for k, cell in cells if cell is None]
        if lacking:
            self.findings.append(
                cells_missing(self.rows.table, column, lacking, code, f"{what} `{column}`", FILL_IN)
            )
        return bool(lacking)

    def _read_blocks(self) -> None:
        by = self.level.by
        cells = self._cells(by, "by")
        found = by_value((k, cell) for k, cell in cells if cell is not None)
        self.findings += spelling_variants(self.rows, by, found, "W224")
        if not cells or self._lacking(cells, by, "E227", "block"):
            return
        labels, codes = np.unique([str(cell) for _, cell in cells], return_inverse=True)
        self.labels, self.codes = tuple(str(label) for label in labels), codes.astype(np.int64)
        if len(labels) == 1 and self.level.shuffle != "whole":
            self.findings.append(
                Finding(
                    "W260",
                    f"`{by}` has one block only, {self.labels[0]!r}: it restricts nothing",
                    (*self.level.where, "by"),
                    help="leave this level out, or name the column that tells the blocks apart",
                )
            )

    def _read_order(self, order: str) -> None:
        cells = self._cells(order, "order")
        if not cells or self._lacking(cells, order, "E261", "order"):
            return
        texts = [str(cell) for _, cell in cells]
        numbers = [parse_number(text) for text in texts]
        known = [number for number in numbers if number is not None]
        values: NDArray[np.float64] | list[str] = np.array(known) if len(known) == len(texts) else texts
        self.ranks = np.unique(values, return_inverse=True)[1].astype(np.int64)
        if self.labels and self.level.shuffle != "within":
            self._refuse_ties(order, cells)

    def _refuse_ties(self, order: str, cells: Sequence[tuple[int, str | None]]) -> None:
        assert self.ranks is not None  # just read
        members: dict[tuple[int, int], list[int]] = {}
        for (k, _), code, rank in zip(cells, self.codes.tolist(), self.ranks.tolist(), strict=True):
            members.setdefault((code, rank), []).append(k)
        table = self.rows.table
        tied = [(code, same) for (code, _), same in members.items() if len(same) > 1]
        for code, same in tied[:MAX_FINDINGS]:
            message = (
                f"rows of block {self.labels[code]!r} of `{self.level.by}` have one value of `{order}`, "
                f"{table.frame[order].iloc[same[0]]!r} {in_rows(table, same)}"
            )
            help = (
                f"`{order}` matches the members of blocks, so that each has a value of its own in its block"
            )
            self.findings.append(at_cell(table, same[1], order, "E262", message, help))
        if len(tied) > MAX_FINDINGS:
            more = f"{len(tied) - MAX_FINDINGS} more values of `{order}` stand twice in a block"
            self.findings.append(Finding("E262", more, file=table.name))

    def members(self, code: int) -> list[int]:
        """Rows of a block, as positions in the table's frame."""
        cells = cells_of(self.rows, self.level.by)
        return [k for (k, _), own in zip(cells, self.codes.tolist(), strict=True) if own == code]


def _nesting(rows: Rows, read: Sequence[_Reader]) -> Iterator[Finding]:
    """Blocks of an inner level that lie in several blocks of the outer one."""
    for outer, inner in pairwise(read):
        homes: dict[int, dict[int, int]] = {}
        for k, own, home in zip(
            range(len(rows.kept)), inner.codes.tolist(), outer.codes.tolist(), strict=True
        ):
            homes.setdefault(own, {}).setdefault(home, k)
        torn = {own: list(found) for own, found in homes.items() if len(found) > 1}
        if not torn:
            continue
        own, where = next(iter(torn.items()))
        others = f", and {len(torn) - 1} more blocks do" if len(torn) > 1 else ""
        message = (
            f"block {inner.labels[own]!r} of `{inner.level.by}` lies in several blocks of `{outer.level.by}` "
            f"({listed(outer.labels[home] for home in where)}){others}"
        )
        both = f"{outer.level.by}_{inner.level.by}"
        help = f"blocks lie in one another: write a column such as {both!r} that names each of them apart"
        row = inner.members(own)[0]
        yield at_cell(rows.table, row, inner.level.by, "E263", message, help)


def _grow(rows: Rows, read: Sequence[_Reader], findings: Sequence[Finding]) -> Tree:
    """The tree; where blocks cannot be exchanged, an error that names them."""
    ids = np.unique(np.array(rows.kept, dtype=str), return_inverse=True)[1].astype(np.int64)
    levels = [
        # Inner levels go by the order of the outer, which in the end is that of the ids.
        Level(reader.codes, reader.level.shuffle, ids if reader.ranks is None and not depth else reader.ranks)
        for depth, reader in enumerate(read)
    ]
    try:
        return build_tree(len(rows.kept), levels)
    except BlocksError as error:
        raise_for([*findings, _unlike(rows, read, error)])
        raise AssertionError("an error was raised") from error  # pragma: no cover


def _unlike(rows: Rows, read: Sequence[_Reader], error: BlocksError) -> Finding:
    """Finding for blocks that change places as wholes and are not built alike."""
    reader = read[error.level]
    by, labels = reader.level.by, reader.labels
    builds = _builds(read, error.level)
    most = next(builds[code] for code in range(len(labels)) if code not in error.blocks)
    unlike = listed(f"{labels[code]!r} ({builds[code]})" for code in error.blocks)
    message = (
        f"blocks of `{by}` change places as wholes, and are not built alike: {unlike}; others have {most}"
    )
    return at_cell(
        rows.table,
        reader.members(error.blocks[0])[0],
        by,
        "E260",
        message,
        f"leave these rows out (`data.exclude`), shuffle inside blocks (`shuffle: within`), or put a level "
        f"before this one, by a column that says how large a block of `{by}` is: `shuffle: within`",
    )


def _builds(read: Sequence[_Reader], depth: int) -> Mapping[int, str]:
    """How each block of a level is built, in words: its rows, or the rows of the blocks inside it."""
    codes = read[depth].codes
    if depth + 1 == len(read):
        sizes = np.bincount(codes).tolist()
        return {code: f"{size} row{'s' if size > 1 else ''}" for code, size in enumerate(sizes)}
    inner = read[depth + 1]
    words = {}
    for code in np.unique(codes).tolist():
        sizes = sorted(np.unique(inner.codes[codes == code], return_counts=True)[1].tolist())
        words[code] = f"{'+'.join(map(str, sizes))} rows by `{inner.level.by}`"
    return words


def _moves(tree: Tree) -> bool:
    """Whether any row can change places with another."""
    return len(np.unique(orbits(tree, "permute"))) < tree.n_obs


def _nothing_moves(levels: Sequence[BlockLevel], read: Sequence[_Reader]) -> Finding:
    last = levels[-1]
    reasons = {
        "within": f"each block of `{last.by}` has one row only",
        "whole": f"no block of `{last.by}` has another beside it",
        "both": f"each block of `{last.by}` has one row only, and no other block beside it",
    }
    single = len(read[-1].labels) == 1
    why = f"`{last.by}` has one block only" if single else reasons[last.shuffle]
    help = (
        f"to exchange the blocks of `{last.by}` themselves: `shuffle: whole`"
        if last.shuffle == "within"
        else f"to exchange the rows inside the blocks of `{last.by}`: `shuffle: within`"
    )
    return Finding("E264", f"nothing can change places: {why}", last.where, help=help)
