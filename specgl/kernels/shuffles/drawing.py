"""Trees of exchangeability, and numbers of labellings, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specgl.kernels.shuffles.tree import Node, Shape, Tree

NAMED = 3
"""So many blocks or observations are named; of more, the first ones."""


@dataclass(frozen=True)
class _Words:
    """Names of what is drawn."""

    labels: Sequence[str] | None
    levels: Sequence[str]
    blocks: Sequence[Sequence[str]]

    def level(self, depth: int) -> str:
        return self.levels[depth] if depth < len(self.levels) else "block"

    def block(self, depth: int, code: int) -> str:
        return self.blocks[depth][code] if depth < len(self.blocks) else str(code)


def draw(
    tree: Tree, labels: Sequence[str] | None, level_names: Sequence[str], block_names: Sequence[Sequence[str]]
) -> Iterator[str]:
    """Draw a tree: `Tree.lines` says what the parameters are.

    Yields
    ------
    str
        A line, without its end.
    """
    words = _Words(labels, level_names, block_names)
    if not tree.root.children:
        yield f"{_observations(tree.n_obs)} without blocks"
        return
    yield f"{_observations(tree.n_obs)}"
    yield from _below([tree.root], 0, "", words)


def short_count(number: int) -> str:
    """A number of labellings in words that stay short, however large it is."""
    return f"{number:,}" if number < 10**9 else f"about 10^{len(str(number)) - 1}"


def _below(alike: list[Node], depth: int, indent: str, words: _Words) -> Iterator[str]:
    """Draw what stands under nodes that are built alike."""
    node = alike[0]
    if not node.children:
        yield f"{indent}└─ {_leaves(node)}{_examples(node, words)}"
        return
    kinds: dict[Shape, list[Node]] = {}
    for child in sorted(node.children, key=lambda child: child.code):
        kinds.setdefault(child.shape, []).append(child)
    for number, children in enumerate(kinds.values(), start=1):
        last = number == len(kinds)
        said = _blocks(children, len(alike), depth, node.exchanged, words)
        yield f"{indent}{'└─ ' if last else '├─ '}{said}"
        yield from _below(children, depth + 1, indent + ("   " if last else "│  "), words)


def _blocks(children: list[Node], parents: int, depth: int, exchanged: bool, words: _Words) -> str:
    """Blocks of one build, and how they move."""
    size = _observations(children[0].size)
    name = words.level(depth)
    move = _movement(exchanged, len(children))
    if len(children) == 1 and parents == 1:
        return f"{name} {words.block(depth, children[0].code)}: {size}, {move}"
    blocks = "blocks" if len(children) > 1 else "block"
    inside = " in each" if parents > 1 else ""
    named = ""
    if parents == 1 and len(children) <= NAMED:
        named = " (" + ", ".join(words.block(depth, child.code) for child in children) + ")"
    return f"{name}: {len(children)} {blocks} of {size}{inside}{named}, {move}"


def _movement(exchanged: bool, n: int) -> str:
    if exchanged and n > 1:
        return "change places as wholes"
    return "stay in place" if n > 1 else "stays in place"


def _leaves(node: Node) -> str:
    if node.size == 1:
        return "the observation stays in its place"
    return "observations change places" if node.exchanged else "observations keep their order"


def _examples(node: Node, words: _Words) -> str:
    if words.labels is None:
        return ""
    shown = ", ".join(words.labels[row] for row in node.observations[:NAMED].tolist())
    return f" (for example {shown}{', …' if node.size > NAMED else ''})"


def _observations(n: int) -> str:
    return f"{n} observation{'s' if n != 1 else ''}"
