"""What one more shuffle costs, and how the costs of two ways of doing it compare, round by round."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

_WARMING = 16  # shuffles


@dataclass(frozen=True)
class Worker:
    """A way of doing the work.

    Attributes
    ----------
    call
        Does the work for a number of shuffles.
    few, many
        The two numbers of shuffles whose times are told apart; with ``few`` 0 nothing is subtracted.
    """

    call: Callable[[int], object]
    few: int
    many: int

    def warm_up(self) -> None:
        """Compile, start processes, touch memory."""
        self.call(min(self.few, _WARMING) or _WARMING)

    def slope(self) -> float:
        """Milliseconds that one more shuffle takes."""
        less = self._time(self.few) if self.few else 0.0
        return 1e3 * (self._time(self.many) - less) / (self.many - self.few)

    def _time(self, n: int) -> float:
        start = time.perf_counter()
        self.call(n)
        return time.perf_counter() - start


@dataclass(frozen=True)
class Aim:
    """What specgl is to be, beside a peer.

    Attributes
    ----------
    peer
        Name of the peer's worker.
    factor
        How many times.
    kind
        ``faster``: at least so many times as fast; ``within``: at most so many times as long.
    """

    peer: str
    factor: float
    kind: Literal["faster", "within"]

    def judge(self, own: Sequence[float], peer: Sequence[float]) -> str:
        """In words: the median of the rounds' ratios, the aim, and whether it is met."""
        if self.kind == "faster":
            ratio = median(b / a for a, b in zip(own, peer, strict=True))
            said, met = f"{ratio:.1f} x as fast (aim: at least {self.factor:g} x)", ratio >= self.factor
        else:
            ratio = median(a / b for a, b in zip(own, peer, strict=True))
            said, met = f"{ratio:.2f} x as long (aim: at most {self.factor:g} x)", ratio <= self.factor
        return f"{said}: {verdict(met)}"


def verdict(met: bool) -> str:
    """How an aim came out."""
    return "met" if met else "MISSED"


def in_turn(workers: Mapping[str, Worker], rounds: int) -> dict[str, list[float]]:
    """Slopes of all workers, warmed up, round by round, the order swapped from round to round."""
    for worker in workers.values():
        worker.warm_up()
    slopes: dict[str, list[float]] = {name: [] for name in workers}
    for number in range(rounds):
        names = list(workers) if number % 2 == 0 else list(reversed(workers))
        for name in names:
            slopes[name].append(workers[name].slope())
    return slopes


def show(title: str, slopes: Mapping[str, Sequence[float]], own: str, aims: Sequence[Aim]) -> None:
    """Print the medians of a row, and what becomes of its aims."""
    print(title)
    for name, values in slopes.items():
        said = "; ".join(aim.judge(slopes[own], values) for aim in aims if aim.peer == name)
        print(f"  {name:<46}{median(values):>10.3f} ms{said and f'   specgl: {said}'}")
    print(flush=True)
