"""The workers of a cluster that may be given work."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from specgl.engines.worker import describe
from specgl.errors import ComputationError, Finding

if TYPE_CHECKING:
    from distributed import Client

_TICK = 0.2  # seconds between two looks for a first worker


class Crew:
    """Workers that are there and fit, kept up to date.

    Work is sent to these workers only: a task that a worker cannot even unpickle would end that worker's
    connection, and with it the run.

    Parameters
    ----------
    client
        Connection to the scheduler.
    patience
        Seconds without any fit worker after which the work is given up.
    """

    def __init__(self, client: Client, patience: float) -> None:
        self.threads: dict[str, int] = {}
        self._client = client
        self._patience = patience
        self._unfit: dict[str, str | None] = {}
        self._seen = time.monotonic()

    @property
    def n(self) -> int:
        """Threads of all fit workers together; at least 1."""
        return max(1, sum(self.threads.values()))

    def muster(self, timeout: float) -> None:
        """Wait for a first worker, and require that all workers are fit.

        Raises
        ------
        ComputationError
            E420, E422, E423.
        """
        self._seen = time.monotonic()
        self.refresh()
        while not self.threads and not any(self._unfit.values()):
            if time.monotonic() - self._seen > timeout:
                raise ComputationError(_no_worker(f"no worker came within {timeout:g} seconds"))
            time.sleep(_TICK)
            self.refresh()
        self._refuse_unfit()

    def refresh(self) -> None:
        """Look who is there; examine those who are new, who get no work if they are unfit.

        Raises
        ------
        ComputationError
            E420 if the scheduler has gone; E422, E423 if there has been no fit worker for too long.
        """
        present = self._present()
        self._unfit = {worker: why for worker, why in self._unfit.items() if worker in present}
        new = [worker for worker in present if worker not in self._unfit]
        self._unfit |= self._examine(new)
        self.threads = {w: n for w, n in present.items() if w in self._unfit and self._unfit[w] is None}
        if self.threads:
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > self._patience:
            self._refuse_unfit()
            gone = f"all workers are gone, and none came back for {self._patience:g} seconds"
            raise ComputationError(_no_worker(gone))

    def _present(self) -> dict[str, int]:
        try:
            return dict(self._client.nthreads())
        except Exception as error:
            # The connection is lost; which of many errors tells so depends on the instant.
            raise ComputationError(
                Finding(
                    "E420",
                    f"the scheduler does not answer any more ({type(error).__name__})",
                    help="see in its log why it ended, start it and its workers, and run again",
                )
            ) from error

    def _examine(self, workers: Iterable[str]) -> dict[str, str | None]:
        """What is wrong with each worker, None where nothing is; those that left meanwhile are missing."""
        asked = list(workers)
        if not asked:
            return {}
        here = describe()
        answers = self._client.run(describe, workers=asked, on_error="return")
        return {
            worker: _fault(answer, here)
            for worker, answer in answers.items()
            if not isinstance(answer, OSError)
        }

    def _refuse_unfit(self) -> None:
        faults = {worker: why for worker, why in sorted(self._unfit.items()) if why is not None}
        if faults:
            worker, why = next(iter(faults.items()))
            others = f" (and {len(faults) - 1} more of {len(self._unfit)} workers)" if len(faults) > 1 else ""
            here = ", ".join(f"{name} {version}" for name, version in describe().items())
            raise ComputationError(
                Finding(
                    "E423",
                    f"the worker at {worker} {why}{others}",
                    notes=(f"this process has {here}",),
                    help="start the workers in the environment that specgl runs in here",
                )
            )


def _fault(answer: Any, here: dict[str, str]) -> str | None:
    if isinstance(answer, dict):
        differing = [name for name, version in here.items() if answer.get(name) != version]
        if not differing:
            return None
        return "has " + ", ".join(f"{name} {answer.get(name)} instead of {here[name]}" for name in differing)
    told = str(answer)
    if "No module named" in told or "is not a package" in told:
        name = "specgl" if "specgl" in told else told.rpartition("named")[2].strip(" '\")")
        return f"has no package {name}"
    return f"could not tell its versions: {told}"


def _no_worker(seen: str) -> Finding:
    return Finding(
        "E422",
        seen,
        help="start workers (with dask-jobqueue: cluster.scale(jobs=4)), see in their logs why they ended, "
        "and run again",
    )
