"""Events → values and places, within bounds that are checked before anything grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from specgl.spec.reader.events import Event, Kind, ReadFault
from specgl.spec.source import Place, Where

MAX_NODES = 50_000
MAX_DEPTH = 40


class Node:
    """A value with its place: ``items`` holds (key, node) of a mapping, (index, node) of a list."""

    __slots__ = ("event", "height", "items", "key", "keys", "size")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.items: list[tuple[str | int, Node, tuple[int, int] | None]] = []
        self.key: Event | None = None  # of an open mapping: the key that waits for its value
        self.keys: dict[str, int] = {}  # of a mapping: where each key began
        self.size = 1
        self.height = 1


class Builder:
    """Makes the tree of nodes from events; iterative, since the text's depth is not to be trusted."""

    def __init__(self, report: Callable[[ReadFault], None], line_of: Callable[[int], int]) -> None:
        self._report = report
        self._line_of = line_of
        self._open: list[Node] = []
        self._skipping: list[bool] = []
        self._anchors: dict[str, Node] = {}
        self._count = 0
        self._root: Node | None = None

    def build(self, events: Iterable[Event]) -> Node | None:
        """Root of the tree; None for a text without a value.

        Raises
        ------
        ReadFault
            E004: a bound is passed; E001: an alias without its anchor.
        """
        for event in events:
            if event.kind is Kind.END:
                if self._open:
                    self._close(event)
            elif event.kind is Kind.ALIAS:
                self._alias(event)
            else:
                self._begin(event)
        return self._root

    def _begin(self, event: Event) -> None:
        self._grow(1, 1, event)
        node = Node(event)
        if event.kind is not Kind.SCALAR:
            self._open.append(node)
        elif not self._take_key(event):
            self._attach(node)
        if event.anchor is not None:
            self._anchors[event.anchor] = node

    def _close(self, end: Event) -> None:
        node = self._open.pop()
        node.event = node.event._replace(end=end.end)
        if self._open and self._waits_for_key(self._open[-1]):
            key = Event(Kind.SCALAR, node.event.start, end.end)
            self._report(
                ReadFault(
                    "E003",
                    "a key is a text, and no list or mapping",
                    key.start,
                    key.end,
                    "quote a text that begins with '{' or '['",
                )
            )
            self._open[-1].key = key._replace(merge=True)
        else:
            self._attach(node)

    def _alias(self, event: Event) -> None:
        target = self._anchors.get(event.raw)
        if target is None:
            raise ReadFault(
                "E001",
                f"'*{event.raw}' has no anchor '&{event.raw}' before it",
                event.start,
                event.end,
                "quote a text that begins with '*'",
            )
        if target in self._open:
            raise ReadFault("E004", f"the alias '*{event.raw}' contains itself", event.start, event.end)
        self._grow(target.size, target.height, event)
        if target.event.kind is Kind.SCALAR and self._take_key(
            target.event._replace(start=event.start, end=event.end, text=None)
        ):
            return
        if self._open and self._waits_for_key(self._open[-1]):
            raise ReadFault("E003", "a key is a text, and no list or mapping", event.start, event.end)
        here = Node(target.event._replace(start=event.start, end=event.end, text=None))
        here.items, here.size, here.height = target.items, target.size, target.height
        self._attach(here)

    def _grow(self, nodes: int, height: int, event: Event) -> None:
        self._count += nodes
        if self._count > MAX_NODES:
            raise ReadFault(
                "E004", f"more than {MAX_NODES:,} values (aliases opened)", event.start, event.end
            )
        if len(self._open) + height > MAX_DEPTH:
            raise ReadFault("E004", f"nested deeper than {MAX_DEPTH} levels", event.start, event.end)

    @staticmethod
    def _waits_for_key(node: Node) -> bool:
        return node.event.kind is Kind.MAPPING and node.key is None

    def _take_key(self, event: Event) -> bool:
        """Take a scalar for a key, if one is due."""
        if not (self._open and self._waits_for_key(self._open[-1])):
            return False
        mapping = self._open[-1]
        mapping.key = event
        if event.merge:
            self._report(
                ReadFault(
                    "E003",
                    "merge keys ('<<') are no part of the language",
                    event.start,
                    event.end,
                    "write the keys out",
                )
            )
        else:
            first = mapping.keys.setdefault(event.raw, event.start)
            if first != event.start:
                line = self._line_of(first)
                self._report(
                    ReadFault(
                        "E002",
                        f"duplicate key '{event.raw}' (first defined on line {line})",
                        event.start,
                        event.end,
                        "keep one of the two",
                    )
                )
                mapping.key = event._replace(merge=True)
        return True

    def _attach(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if parent.event.kind is Kind.LIST:
            parent.items.append((len(parent.items), node, None))
        elif parent.key is not None:
            key, parent.key = parent.key, None
            if key.merge:  # refused already: its value is read past
                return
            parent.items.append((key.raw, node, (key.start, key.end)))
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)


def unfold(root: Node) -> tuple[Any, dict[Where, Place]]:
    """Values of a tree as mappings, lists and scalars, and the place of each. Depth is bounded by now."""
    places: dict[Where, Place] = {}

    def value_of(node: Node, where: Where, key: tuple[int, int] | None) -> Any:
        event = node.event
        places[where] = Place(event.start, event.end, event.text, key)
        if event.kind is Kind.MAPPING:
            return {name: value_of(child, (*where, name), place) for name, child, place in node.items}
        if event.kind is Kind.LIST:
            return [value_of(child, (*where, name), None) for name, child, _ in node.items]
        return event.value

    return value_of(root, (), None), places
