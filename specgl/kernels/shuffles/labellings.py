"""The labellings that a tree admits: how many there are, the one at each rank, and their observations' rows.

Two shuffles are the same labelling where they move equal design rows to the same places. A node whose
children are exchanged has a sequence of labels, one for each place: children have the same label where what
they hold can be brought into the same rows. The labellings are the products, over such nodes, of the distinct
arrangements of their labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.shuffles.tree import Integers, Node, Tree

Exchange = Literal["permute", "flip", "both"]


@dataclass(frozen=True)
class Count:
    """How many labellings there are, as exact integers.

    Attributes
    ----------
    permutations
        Arrangements of design rows that differ; 1 where only signs are flipped.
    flips
        Patterns of signs; 1 where none are flipped.
    possible
        Their product, the identity included.
    """

    permutations: int
    flips: int
    possible: int


@dataclass(frozen=True, eq=False)
class Wheel:
    """A node whose children have more than one distinct arrangement.

    Attributes
    ----------
    labels
        ``(width,)`` label of the child at each place, from 0, before anything is moved.
    counts
        ``(n_labels,)`` children of each label.
    arrangements
        Number of distinct arrangements, ``width! / prod(counts!)``.
    """

    labels: Integers
    counts: Integers
    arrangements: int

    @property
    def width(self) -> int:
        """Number of children."""
        return self.labels.size

    def rank(self) -> int:
        """Number of arrangements that stand before the present one in lexicographic order."""
        left, rank = self.arrangements, 0
        counts = self.counts.tolist()
        for place, label in enumerate(self.labels.tolist()):
            rest = self.width - place
            rank += left * sum(counts[:label]) // rest
            left = left * counts[label] // rest
            counts[label] -= 1
        return rank

    def _unrank(self, ranks: Integers) -> Integers:
        """Labels of the arrangements at some ranks of the lexicographic order.

        That order is the one in which Knuth's Algorithm L visits them (The Art of Computer Programming 4A,
        7.2.1.2). Of the arrangements that share a beginning, the share of those that go on with a label is
        the share of that label among the children left.

        Parameters
        ----------
        ranks
            ``(B,)``, from 0.

        Returns
        -------
        ndarray
            ``(B, width)`` labels. Exact while ``arrangements * width`` is below 2**63.
        """
        labels = np.empty((ranks.size, self.width), dtype=np.int64)
        every = np.arange(ranks.size)
        counts = np.tile(self.counts, (ranks.size, 1))
        left = np.full(ranks.size, self.arrangements, dtype=np.int64)
        ranks = ranks.copy()
        for place in range(self.width):
            shares = left[:, None] * counts // (self.width - place)
            ends = np.cumsum(shares, axis=1)
            label = (ranks[:, None] >= ends).sum(axis=1)
            left = shares[every, label]
            ranks -= ends[every, label] - left
            counts[every, label] -= 1
            labels[:, place] = label
        return labels

    def settle(self, labels: Integers) -> Integers:
        """Which child moves to each place, given the labels that shall stand there.

        Parameters
        ----------
        labels
            ``(B, width)`` arrangements of the labels.

        Returns
        -------
        ndarray
            ``(B, width)`` places that the children come from. A child stays where its place keeps its label;
            the others of a label keep their order. So a labelling has one permutation, however it was drawn.
        """
        if self.counts.size == self.width:
            origin = np.empty(self.width, dtype=np.int64)
            origin[self.labels] = np.arange(self.width)
            places: Integers = origin[labels]
            return places
        moved = labels != self.labels
        to = np.argsort(2 * labels + moved, axis=1, kind="stable")
        come = np.argsort(2 * self.labels + moved, axis=1, kind="stable")
        settled = np.empty_like(labels)
        np.put_along_axis(settled, to, come, axis=1)
        return settled


@dataclass(frozen=True, eq=False)
class Part:
    """A node as the labellings see it.

    Attributes
    ----------
    observations
        ``(size,)`` observations of the node.
    children
        Its blocks that hold anything that can change; empty where its children are observations.
    wheel
        Index of its wheel, or ``None`` where its children have one arrangement only.
    """

    observations: Integers
    children: tuple[Part, ...]
    wheel: int | None


@dataclass(frozen=True, eq=False)
class Labellings:
    """All labellings of a design under a tree.

    Attributes
    ----------
    wheels
        Nodes that can be turned, outer nodes first.
    units
        ``(n_obs,)`` unit of each observation, whose sign is flipped as a whole, or ``None`` without flips.
    n_units
        Number of units; 0 without flips.
    root
        Where each wheel stands, or ``None`` where no row moves.
    n_obs
        Number of observations.
    """

    wheels: tuple[Wheel, ...]
    units: Integers | None
    n_units: int
    root: Part | None
    n_obs: int

    @property
    def count(self) -> Count:
        """Their number."""
        permutations = math.prod(wheel.arrangements for wheel in self.wheels)
        flips = 2**self.n_units
        return Count(permutations, flips, permutations * flips)

    def rows(self, n: int, arrange: Callable[[int, Wheel], Integers]) -> NDArray[np.int32]:
        """Design row that each observation carries.

        Parameters
        ----------
        n
            Number of shuffles, B.
        arrange
            Gives the labels ``(B, width)`` of a wheel, for its index and the wheel.

        Returns
        -------
        ndarray
            ``(B, n_obs)``.
        """
        if self.root is None:
            return np.tile(np.arange(self.n_obs, dtype=np.int32), (n, 1))
        moved = [wheel.settle(arrange(number, wheel)) for number, wheel in enumerate(self.wheels)]
        rows = np.empty((n, self.n_obs), dtype=np.int32)
        rows[:, self.root.observations] = _carried(self.root, moved)
        return rows

    def signs(self, flipped: NDArray[np.bool_]) -> NDArray[np.int8] | None:
        """Sign of each observation, ``(B, n_obs)``, from whether each unit is flipped, ``(B, n_units)``."""
        if self.units is None:
            return None
        signs: NDArray[np.int8] = (1 - 2 * flipped.astype(np.int8))[:, self.units]
        return signs

    def at(self, ranks: Integers) -> tuple[NDArray[np.int32], NDArray[np.int8] | None]:
        """Labellings at some ranks of the enumeration.

        Rank 0 is the identity. The arrangements advance like an odometer, the first wheel fastest; each turns
        in lexicographic order from where it stands, and begins again after the last. When all have come
        round, the signs advance by one in binary, unit 0 the lowest digit.

        Parameters
        ----------
        ranks
            ``(B,)`` in ``0 … possible - 1``.

        Returns
        -------
        rows, signs
            ``(B, n_obs)`` each; signs ``None`` without flips.
        """
        digits: list[Integers] = []
        left = ranks
        for wheel in self.wheels:
            left, digit = np.divmod(left, wheel.arrangements)
            digits.append((digit + wheel.rank()) % wheel.arrangements)
        rows = self.rows(ranks.size, lambda number, wheel: wheel._unrank(digits[number]))
        flipped = (left[:, None] >> np.arange(self.n_units)) & 1
        return rows, self.signs(flipped.astype(bool))


def count(tree: Tree, classes: NDArray[np.integer], exchange: Exchange) -> Count:
    """Count the labellings that a tree admits.

    Parameters
    ----------
    tree
        The tree of blocks.
    classes
        ``(n_obs,)`` codes of the design's rows: equal rows have equal codes.
    exchange
        "permute", "flip" or "both".

    Returns
    -------
    Count
        Exact: each labelling once, however many permutations of observations lead to it.

    Raises
    ------
    ValueError
        Where there is not a class for each observation.
    """
    return find_labellings(tree, classes, exchange).count


def find_labellings(tree: Tree, classes: NDArray[np.integer], exchange: Exchange) -> Labellings:
    """Find what can be moved and flipped: `count` says what the parameters are.

    Returns
    -------
    Labellings
        All of them, to be counted, enumerated or drawn.
    """
    if np.shape(classes) != (tree.n_obs,):
        raise ValueError(f"there are {np.shape(classes)} classes for {tree.n_obs} observations")
    if exchange not in ("permute", "flip", "both"):
        raise ValueError(f"no such exchange: {exchange!r}")
    wheels: list[Wheel] = []
    root = None
    if exchange != "flip":
        dense = np.unique(classes, return_inverse=True)[1].astype(np.int64)
        root = _part(tree.root, dense, wheels)
    units, n_units = None, 0
    if exchange != "permute":
        units = np.empty(tree.n_obs, dtype=np.int64)
        held = list(_units(tree.root))
        # Units are numbered as their first observations are met, so that their digits follow the table.
        held.sort(key=lambda unit: int(unit.min()))
        for number, unit in enumerate(held):
            units[unit] = number
        n_units = len(held)
    return Labellings(tuple(wheels), units, n_units, root if wheels else None, tree.n_obs)


def _units(node: Node) -> Iterator[Integers]:
    """Observations flipped together: the highest blocks that are exchanged as wholes, else each its own."""
    if node.exchanged and node.children:
        yield from (child.observations for child in node.children)
    elif node.children:
        for child in node.children:
            yield from _units(child)
    else:
        yield from node.observations[:, None]


def _content(node: Node, classes: Integers) -> Hashable:
    """What a node holds, the same for two nodes whose rows can be brought into the same sequence."""
    held = _held(node, classes)
    return tuple(sorted(held)) if node.exchanged else tuple(held)


def _held(node: Node, classes: Integers) -> list[Any]:
    """What each child of a node holds; that of siblings which change places can be sorted."""
    if not node.children:
        own: list[Any] = classes[node.observations].tolist()
        return own
    return [_content(child, classes) for child in node.children]


def _part(node: Node, classes: Integers, wheels: list[Wheel]) -> Part:
    """The node as the labellings see it; its wheel, and those below it, are added to the list."""
    number = None
    if node.exchanged:
        held = _held(node, classes)
        kinds = sorted(set(held))
        if len(kinds) > 1:
            wheels.append(_wheel(held, kinds))
            number = len(wheels) - 1
    before = len(wheels)
    children = tuple(_part(child, classes, wheels) for child in node.children)
    if len(wheels) == before and number is None:
        children = ()  # nothing below changes: the observations are enough
    return Part(node.observations, children, number)


def _wheel(held: list[Any], kinds: list[Any]) -> Wheel:
    label = {kind: number for number, kind in enumerate(kinds)}
    labels = np.array([label[one] for one in held], dtype=np.int64)
    counts = np.bincount(labels)
    repeats = math.prod(math.factorial(repeat) for repeat in counts.tolist())
    return Wheel(labels, counts, math.factorial(labels.size) // repeats)


def _carried(part: Part, moved: list[Integers]) -> Integers:
    """Rows carried by a node's observations, ``(B or 1, size)``: 1 where no shuffle changes them."""
    if not part.children:
        still = part.observations[None]
        if part.wheel is None:
            return still
        carried: Integers = part.observations[moved[part.wheel]]
        return carried
    parts = [_carried(child, moved) for child in part.children]
    length = max(len(one) for one in parts)
    together = [np.broadcast_to(one, (length, one.shape[1])) for one in parts]
    if part.wheel is None:
        return np.concatenate(together, axis=1)
    stack = np.stack(together, axis=1)
    places = moved[part.wheel]
    taken = stack[0][places] if length == 1 else np.take_along_axis(stack, places[:, :, None], axis=1)
    return taken.reshape(len(places), -1)
