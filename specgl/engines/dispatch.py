"""Work sent to a cluster piece by piece, and again where workers die."""

from __future__ import annotations

import time
from asyncio import CancelledError as AsyncCancelledError
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from specgl.engines.crew import Crew
from specgl.engines.worker import Call, Parcel
from specgl.errors import ComputationError, Finding

if TYPE_CHECKING:
    from distributed import Client, Future

_TRIES = 3  # further ones, after the first
_TICK = 0.5  # seconds
_LOOK = 5.0  # seconds between two looks at the workers
_GATHER = 1.5  # seconds for a result to arrive, doubled at once and at each turn
_LOST = (CancelledError, AsyncCancelledError, OSError, TimeoutError)


@dataclass(eq=False)
class _Task:
    """An item on its way."""

    index: int
    item: Any
    tries: int = 0
    future: Future[Any] | None = None
    workers: frozenset[str] = frozenset()
    patience: float = _GATHER


class Dispatch:
    """Sends calls to the crew and collects their results.

    Parameters
    ----------
    client
        Connection to the scheduler.
    crew
        Who may be given work.
    fn
        Called as ``fn(shared, item)`` on the workers.
    shared
        Sent once, to every worker.
    """

    def __init__(self, client: Client, crew: Crew, fn: Callable[[Any, Any], Any], shared: Any) -> None:
        self._client = client
        self._crew = crew
        self._fn = fn
        self._shared = Parcel(shared)
        self._sent: Future[Any] | None = None
        self._run = uuid4().hex[:12]
        self._pending: dict[str, _Task] = {}
        self._waiting: list[_Task] = []
        self._done: SimpleQueue[str] = SimpleQueue()
        self._looked = time.monotonic()

    def results(self, items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """Yield (position, result) as items are done; a few at a time are on their way.

        Raises
        ------
        ComputationError
            E424 for an item whose workers died each time; else as `Crew.refresh`.
        BaseException
            Whatever ``fn`` raised.
        """
        queue = enumerate(items)
        while True:
            under_way = len(self._pending) + len(self._waiting)
            # Behind each running item another waits at the worker, so that no thread idles.
            for index, item in islice(queue, max(0, 2 * self._crew.n - under_way)):
                self._submit(_Task(index, item))
            if not self._pending and not self._waiting:
                return
            task = self._next()
            if task is not None:
                yield from self._collect(task)
            self._look_after()

    def close(self) -> None:
        """Drop what is on its way, and what was sent."""
        futures = [task.future for task in self._pending.values() if task.future is not None]
        self._pending.clear()
        with suppress(Exception):  # whoever leaves because the scheduler has gone cannot tell it so
            if futures:
                self._client.cancel(futures, force=True)
        self._sent = None

    def _next(self) -> _Task | None:
        try:
            return self._pending.pop(self._done.get(timeout=_TICK), None)
        except Empty:
            return None

    def _collect(self, task: _Task) -> Iterator[tuple[int, Any]]:
        from distributed import KilledWorker

        future = task.future
        assert future is not None
        try:
            result: Parcel = future.result(task.patience)
        except KilledWorker as error:
            self._again(task, error)
        except _LOST as error:
            if future.status == "error":  # the function itself raised it
                raise
            if isinstance(error, TimeoutError):
                self._await(task)
            else:
                self._again(task, error)
        else:
            yield task.index, result.content

    def _await(self, task: _Task) -> None:
        """Have the task come up when its result is there; the first time, or after its holder was lost.

        Who asks for a result on a worker that has just died waits for half a minute; who asks again is told
        at once that it is computed anew. A slow network is given twice the time at each turn.
        """
        assert task.future is not None
        task.patience *= 2
        key = str(task.future.key)
        self._pending[key] = task
        task.future.add_done_callback(lambda _: self._done.put(key))

    def _again(self, task: _Task, error: BaseException | None = None) -> None:
        """Send an item once more: its worker died, or data that it needs went with another."""
        task.tries += 1
        if task.tries > _TRIES:
            raise ComputationError(
                Finding(
                    "E424",
                    f"a piece of work was lost {task.tries} times, because workers ended while they had it",
                    notes=(f"the last time: {type(error).__name__}: {error}",) if error is not None else (),
                    help="see in the workers' logs why they ended; most often their memory did not suffice: "
                    "give them more, or fewer threads each, and run again",
                )
            ) from error
        self._crew.refresh()
        self._submit(task)

    def _submit(self, task: _Task) -> None:
        task.future, task.workers = None, frozenset(self._crew.threads)
        shared = self._share() if task.workers else None
        if shared is None:
            self._waiting.append(task)
            return
        task.future = self._client.submit(
            Call(self._fn, task.item),
            shared,
            key=f"specgl-{self._run}-{task.index}-{task.tries}-{uuid4().hex[:6]}",
            pure=False,
            workers=sorted(task.workers),
            allow_other_workers=False,
        )
        self._await(task)

    def _share(self) -> Future[Any] | None:
        """What was sent to all workers; sent again if no worker has it any more. None if that failed."""
        if self._sent is not None and self._sent.status == "finished":
            return self._sent
        try:
            (self._sent,) = self._client.scatter(
                [self._shared], workers=sorted(self._crew.threads), broadcast=True, hash=False
            )
        except (*_LOST, KeyError, ValueError):
            # A worker left while it was being sent to.
            self._sent = None
        return self._sent

    def _look_after(self) -> None:
        """See who is there, at times, and find work for those who came and new workers for orphaned items."""
        now = time.monotonic()
        if now - self._looked < (_TICK if self._waiting else _LOOK):
            return
        self._looked = now
        self._crew.refresh()
        for key, task in list(self._pending.items()):
            if task.workers.isdisjoint(self._crew.threads):
                orphan = self._pending.pop(key).future
                with suppress(*_LOST):
                    self._client.cancel([orphan], force=True)
                self._again(task)
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            self._submit(task)
