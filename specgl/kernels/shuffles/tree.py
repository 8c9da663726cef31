"""Which observations may change places: trees of exchangeability blocks.

A tree's leaves are the observations, its nodes the blocks of each level, its root all observations together.
The children of a node either change places with each other as wholes or stay where they are, and what is said
of them is said of everything below them (Winkler et al. 2015, doi:10.1016/j.neuroimage.2015.05.092).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Movement = Literal["within", "whole", "both"]
Shape = int | tuple["Shape", ...]
"""How a block is built: its number of observations, or the shapes of the blocks that it holds."""

ROOT = -1
"""Code of the root, which is no block of any level."""

UNEQUAL_SIZES = "unequal sizes"
UNEQUAL_STRUCTURE = "unequal inner structure"
TIED_ORDER = "tied order"


class BlocksError(ValueError):
    """Blocks that can't be exchanged as wholes.

    Attributes
    ----------
    level
        Index of the level whose blocks they are, the outermost is 0.
    reason
        "unequal sizes", "unequal inner structure" (sizes agree, those of the blocks inside do not), or "tied
        order" (members of one block have the same rank, so that they can't be matched with another's).
    blocks
        Codes of the blocks at fault: those unlike most of the blocks that they would change places with.
    """

    def __init__(self, level: int, reason: str, blocks: Iterable[int]) -> None:
        self.level, self.reason, self.blocks = level, reason, tuple(blocks)
        super().__init__(f"level {level}: {reason} in blocks {', '.join(map(str, self.blocks))}")

    def __reduce__(self) -> tuple[type[BlocksError], tuple[int, str, tuple[int, ...]]]:
        return type(self), (self.level, self.reason, self.blocks)


@dataclass(frozen=True, eq=False)
class Level:
    """A division of the observations into blocks, and how they move.

    Attributes
    ----------
    codes
        ``(n_obs,)`` block of each observation. Blocks of an inner level are told apart inside each outer
        block: the same code in two outer blocks means two blocks.
    exchange
        "within": the blocks stay where they are, their observations change places inside them. "whole":
        blocks change places as wholes, their observations keep their order. "both": blocks as wholes, and
        observations inside. Where another level follows, it says what happens inside, so that "whole" and
        "both" mean the same.
    order
        ``(n_obs,)`` rank of each observation inside its block: members of blocks that are exchanged as wholes
        are matched by it. ``None``: by the outer level's order, else by position.
    """

    codes: NDArray[np.integer]
    exchange: Movement
    order: NDArray[np.integer] | None = None


@dataclass(frozen=True, eq=False)
class Node:
    """A block, or the root.

    Attributes
    ----------
    code
        Code of the block in its level, or `ROOT`.
    exchanged
        Whether its children change places with each other as wholes.
    children
        Blocks inside it; empty where its children are its observations.
    observations
        ``(size,)`` its observations, child after child, in the order by which they match those of its
        siblings.
    shape
        How it is built; siblings that change places have the same.
    """

    code: int
    exchanged: bool
    children: tuple[Node, ...]
    observations: Integers
    shape: Shape

    @property
    def size(self) -> int:
        """Number of observations."""
        return self.observations.size

    @property
    def width(self) -> int:
        """Number of children: blocks, or observations where it holds no blocks."""
        return len(self.children) or self.size


@dataclass(frozen=True, eq=False)
class Tree:
    """A tree of exchangeability blocks.

    Attributes
    ----------
    root
        All observations.
    movements
        How the blocks of each level move, the outermost level first; empty where everything is free.
    """

    root: Node
    movements: tuple[Movement, ...]

    @property
    def n_obs(self) -> int:
        """Number of observations."""
        return self.root.size

    def lines(
        self,
        labels: Sequence[str] | None = None,
        level_names: Sequence[str] = (),
        block_names: Sequence[Sequence[str]] = (),
    ) -> Iterator[str]:
        """Draw the tree as text, blocks that are built alike on one line.

        Parameters
        ----------
        labels
            ``(n_obs,)`` names of the observations: a few of them are shown as examples.
        level_names
            Name of each level; without them "block".
        block_names
            For each level the names of its codes; without them codes are shown.

        Yields
        ------
        str
            A line, without its end.
        """
        from specgl.kernels.shuffles.drawing import draw

        yield from draw(self, labels, level_names, block_names)


def build_tree(n_obs: int, levels: Sequence[Level] = ()) -> Tree:
    """Build the tree of nested levels of blocks.

    Parameters
    ----------
    n_obs
        Number of observations.
    levels
        The outermost first; none: all observations change places freely.

    Returns
    -------
    Tree
        Members of blocks that are exchanged as wholes are matched: blocks inside them by their shape first,
        then by order.

    Raises
    ------
    BlocksError
        Where blocks that are to change places as wholes are not built alike, or their members can't be
        matched.
    ValueError
        Where a level does not have a code for each observation, or there is no observation.
    """
    for level in levels:
        for what in (level.codes, level.order):
            if what is not None and np.shape(what) != (n_obs,):
                raise ValueError(f"a level has shape {np.shape(what)}, there are {n_obs} observations")
    if n_obs < 1:
        raise ValueError("there are no observations to exchange")
    rows = np.arange(n_obs, dtype=np.int64)
    root = _grow(tuple(levels), 0, ROOT, rows, rows)
    return Tree(root=root, movements=tuple(level.exchange for level in levels))


def _grow(levels: tuple[Level, ...], depth: int, code: int, rows: Integers, ranks: Integers) -> Node:
    """Grow the node that holds some observations; `depth` is the level of its children."""
    if depth == len(levels):
        free = not levels or levels[-1].exchange in ("within", "both")
        observations = rows[np.argsort(ranks[rows], kind="stable")]
        observations.setflags(write=False)
        return Node(code, free, (), observations, observations.size)
    level = levels[depth]
    exchanged = level.exchange in ("whole", "both")
    codes = np.asarray(level.codes)[rows]
    inner = ranks if level.order is None else np.asarray(level.order, dtype=np.int64)
    found = np.unique(codes)
    parts = [rows[codes == one] for one in found]
    if exchanged and level.order is not None and len(parts) > 1:
        _refuse_ties(depth, found, [inner[part] for part in parts])
    children = [
        _grow(levels, depth + 1, int(one), part, inner) for one, part in zip(found, parts, strict=True)
    ]
    if exchanged:
        _refuse_unlike(depth, children)
    children.sort(key=lambda child: (_sortable(child.shape), int(ranks[child.observations].min())))
    observations = np.concatenate([child.observations for child in children])
    observations.setflags(write=False)
    return Node(code, exchanged, tuple(children), observations, tuple(child.shape for child in children))


def _sortable(shape: Shape) -> tuple[int, ...]:
    """A shape as a flat sequence: siblings of one depth are compared by it."""
    if isinstance(shape, int):
        return (shape,)
    return (len(shape), *(number for part in shape for number in _sortable(part)))


def _refuse_ties(level: int, codes: NDArray[np.integer], ranks: list[Integers]) -> None:
    tied = [int(code) for code, rank in zip(codes, ranks, strict=True) if np.unique(rank).size < rank.size]
    if tied:
        raise BlocksError(level, TIED_ORDER, tied)


def _refuse_unlike(level: int, blocks: list[Node]) -> None:
    usual, _ = Counter(block.shape for block in blocks).most_common(1)[0]
    unlike = [block for block in blocks if block.shape != usual]
    if not unlike:
        return
    like = next(block for block in blocks if block.shape == usual)
    sizes = any(block.size != like.size for block in unlike)
    raise BlocksError(level, UNEQUAL_SIZES if sizes else UNEQUAL_STRUCTURE, [block.code for block in unlike])
