"""The clock and the log of a run: which stage it is in, how long each took, what was found on the way."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from specgl.bundle import Run, Stage
from specgl.errors import Finding
from specgl.images import InputFile
from specgl.running.progress import Report

Step = Callable[[int, int], None]


class Journey:
    """What a run goes through, from its plan to its bundle.

    Parameters
    ----------
    report
        Called with (stage, done, total) as work proceeds, or None.
    threads
        How many threads the run may use.
    command
        Words of the command line, or none from Python.
    """

    def __init__(self, report: Report | None, *, threads: int, command: tuple[str, ...] = ()) -> None:
        self.started = datetime.now(UTC)
        self.stage = "plan"
        self._report = report
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
        yield self._step(stage)
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
            findings=tuple(self._findings),
            command=self._command,
            threads=self._threads,
            peak_memory=peak_memory(),
        )

    def _step(self, stage: str) -> Step | None:
        report = self._report
        if report is None:
            return None
        return lambda done, total: report(stage, done, total)


def peak_memory() -> int | None:
    """Largest resident size of this process so far, in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows has no such count
        return None
    scale = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * scale
