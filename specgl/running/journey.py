"""The clock and the log of a run: which stage it is in, how long each took, what was found on the way."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from specgl.bundle import Run, Stage
from specgl.engines import ChunkStore
from specgl.errors import Finding
from specgl.images import InputFile
from specgl.running.progress import Watcher

Step = Callable[[int, int], None]


class Journey:
    """What a run goes through, from its plan to its bundle.

    Parameters
    ----------
    watcher
        Whom to tell as work proceeds, or None.
    threads
        How many threads the run may use.
    command
        Words of the command line, or none from Python.
    """

    def __init__(self, watcher: Watcher | None, *, threads: int, command: tuple[str, ...] = ()) -> None:
        self.started = datetime.now(UTC)
        self.stage = "plan"
        self._watcher = watcher
        self._kept: tuple[int, int, str] | None = None
        self._store: ChunkStore | None = None
        self._threads = threads
        self._command = command
        self._stages: list[Stage] = []
        self._findings: list[Finding] = []
        self.inputs: tuple[InputFile, ...] = ()

    @contextmanager
    def enter(self, stage: str) -> Iterator[Step | None]:
        """Time a stage; yields a function of (done, total), or None where nobody watches."""
        self.stage = stage
        began, start = datetime.now(UTC), time.perf_counter()
        yield self._step(stage, None)
        self._stages.append(Stage(stage, began, time.perf_counter() - start))

    def add(self, findings: Iterable[Finding]) -> None:
        """Keep what was found, for the bundle."""
        self._findings.extend(findings)

    def note_inputs(self, inputs: Iterable[InputFile]) -> None:
        """Keep which files were read, so that a record of a failure can tell."""
        self.inputs = (*self.inputs, *inputs)

    def as_run(self) -> Run:
        """The journey so far."""
        return Run(
            started=self.started,
            stages=tuple(self._stages),
            findings=(*self._findings, *(() if self._store is None else self._store.findings)),
            command=self._command,
            threads=self._threads,
            peak_memory=peak_memory(),
        )

    def counted(self, unit: str, store: ChunkStore) -> Step:
        """Watch the part of a stage that is kept as it is done, and that a later run goes on with.

        Parameters
        ----------
        unit
            What is counted, such as ``shuffles``.
        store
            Where it is kept.

        Returns
        -------
        function
            To be called with (done, total): first with what an earlier run had done, even if that is nothing.
        """
        self._store, step = store, self._step(unit, unit)

        def count(done: int, total: int) -> None:
            if self._kept is None and done > 0:
                self.say(f"resumes: {done:,} of {total:,} {unit} were finished by an earlier run")
            # A disk that refused has kept some of it at most.
            self._kept = (0 if store.findings else done, total, unit)
            if step is not None:
                step(done, total)

        return count

    def interrupted(self) -> str:
        """What an interrupt means for the next run, in words; said to whoever watches."""
        if self._kept is None or self._kept[0] == 0:
            return "interrupted by the user"
        done, total, unit = self._kept
        kept = f"{done:,} of {total:,} {unit} are kept, and the next run goes on from them"
        self.say(kept)
        return f"interrupted by the user; {kept}"

    def say(self, text: str) -> None:
        """Tell whoever watches."""
        if self._watcher is not None:
            self._watcher.say(text)

    def warn(self, text: str) -> None:
        """Tell whoever watches, or Python's warnings where nobody does."""
        if self._watcher is not None:
            self._watcher.say(text)
        else:
            warnings.warn(text, RuntimeWarning, stacklevel=2)

    def _step(self, stage: str, unit: str | None) -> Step | None:
        draw = None if self._watcher is None else self._watcher.draw
        if draw is None:
            return None
        return lambda done, total: draw(stage, done, total, unit)


def peak_memory() -> int | None:
    """Largest resident size of this process so far, in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows has no such count
        return None
    scale = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * scale
