"""What a run shows while it works: a bar on a terminal's stderr, and a few words anywhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn, Task, TaskID

Draw = Callable[[str, int, int, str | None], None]

_WINDOW = 600.0  # seconds over which speed is estimated; a chunk of shuffles may take a minute


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Watcher:
    """Whom a run tells what it does.

    Attributes
    ----------
    draw
        Called with (stage, done, total, unit) as work proceeds; None where no bar belongs. The unit is a word
        for what is counted, where its speed is of interest.
    say
        Called with a line of text.
    """

    draw: Draw | None = None
    say: Callable[[str], None] = _print


@contextmanager
def progress_bar(*, show: bool) -> Iterator[Watcher | None]:
    """Yield whom to tell: with a bar a stage on a terminal, with words alone elsewhere; None for silence."""
    if not show:
        yield None
        return
    if not sys.stderr.isatty():
        yield Watcher()
        return
    from rich.console import Console

    console = Console(stderr=True)
    with _bars(console) as progress:
        tasks: dict[str, TaskID] = {}

        def draw(stage: str, done: int, total: int, unit: str | None) -> None:
            if stage not in tasks:
                # What an earlier run had done is where the bar begins, and no speed of this one.
                tasks[stage] = progress.add_task(stage, total=total, completed=done, unit=unit)
            progress.update(tasks[stage], completed=done, total=total)

        yield Watcher(draw, lambda text: console.print(text, markup=False, highlight=False))


def _bars(console: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description:>10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        _pace_column(),
        console=console,
        transient=True,
        speed_estimate_period=_WINDOW,
    )


def _pace_column() -> ProgressColumn:
    """Speed and time left, for a stage whose unit is told."""
    from rich.progress import ProgressColumn
    from rich.text import Text

    class Pace(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(pace(task.fields.get("unit"), task.speed, task.time_remaining))

    return Pace()


def pace(unit: str | None, speed: float | None, left: float | None) -> str:
    """Speed and time left in words; empty where neither is known or wanted.

    Parameters
    ----------
    unit
        What is counted, or None where speed is of no interest.
    speed
        How many of them a second.
    left
        Seconds.

    Examples
    --------
    >>> pace("shuffles", 1234.5, 3725)
    '1,234 shuffles/s, 1:02:05 left'
    """
    if unit is None or not speed:
        return ""
    told = f"{speed:,.0f}" if speed >= 10 else f"{speed:.2g}"
    if left is None:
        return f"{told} {unit}/s"
    minutes, seconds = divmod(round(left), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{told} {unit}/s, {hours}:{minutes:02d}:{seconds:02d} left"
