"""What every engine can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Shared = TypeVar("Shared")
Progress = Callable[[int, int], None]


class Engine(Protocol):
    """Where work runs. Entered before it is used, left when all is done; no result depends on which it is."""

    @property
    def n(self) -> int:
        """How many items are worked on at the same time."""

    def map(
        self,
        fn: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        progress: Progress | None = None,
    ) -> list[Result]:
        """Results of ``fn`` for each item, in the items' order, always computed on this machine."""

    def stream(
        self, fn: Callable[[Shared, Item], Result], shared: Shared, items: Iterable[Item]
    ) -> Iterator[tuple[int, Result]]:
        """Yield (position of the item, ``fn(shared, item)``) as the items are done, in any order.

        A generator: closing it drops what has not begun. Where the caller may be stopped between two results
        (Ctrl-C), it closes the generator itself, by ``contextlib.closing``.
        """

    def __enter__(self) -> Self:
        """Make ready for work."""

    def __exit__(self, *error: object) -> None:
        """Let go of what was held."""
