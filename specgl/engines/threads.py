"""Work on the threads of one machine, with results that do not depend on how many there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Self

from specgl.engines.blas import one_blas_thread
from specgl.engines.engine import Item, Progress, Result, Shared

_CGROUPS = Path("/sys/fs/cgroup")
_PATIENCE = 0.1  # seconds between two reports of progress
_TICK = 0.5  # seconds; a wait without an end cannot be interrupted on Windows


@dataclass(frozen=True)
class Threads:
    """An engine of `n` threads.

    Attributes
    ----------
    n
        How many items are worked on at the same time; with 1 all runs in the calling thread.
    """

    n: int = 1

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"an engine needs at least one thread, not {self.n}")

    def map(
        self,
        fn: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        progress: Progress | None = None,
    ) -> list[Result]:
        """Results of ``fn`` for each item, in the items' order.

        While it runs, the linear-algebra libraries of the whole process are held to one thread: a product
        may be summed in another order on two threads, and equal inputs would no longer give equal bits.

        Parameters
        ----------
        fn
            Called once for each item.
        items
            What it is called with.
        progress
            Called in this thread with how many items are done and how many there are.

        Returns
        -------
        list
            One result an item.

        Raises
        ------
        BaseException
            Whatever ``fn`` raised first, in the items' order among those that failed. Items not yet begun
            are then never begun; the same holds for ``KeyboardInterrupt``.
        """
        work = list(items)
        with one_blas_thread():
            if self.n == 1 or len(work) < 2:
                return _inline(fn, work, progress)
            return _threaded(fn, work, min(self.n, len(work)), progress)

    def stream(
        self, fn: Callable[[Shared, Item], Result], shared: Shared, items: Iterable[Item]
    ) -> Iterator[tuple[int, Result]]:
        """Yield results as they are done, taking items only shortly before there is a thread for them.

        The linear-algebra libraries are held to one thread from the first result that is asked for until
        the generator is exhausted or closed.

        Parameters
        ----------
        fn
            Called as ``fn(shared, item)``; it may not change ``shared``, which all threads see.
        shared
            What all items need.
        items
            What it is called with; may be endless.

        Yields
        ------
        (int, Result)
            Position of the item, from 0, and its result, in the order in which they are done; in the items'
            order with one thread.

        Raises
        ------
        BaseException
            Whatever ``fn`` raised. Then, as after ``close`` and ``KeyboardInterrupt``, items not yet begun
            are never begun, and those that run are waited for.
        """
        with one_blas_thread():
            if self.n == 1:
                for index, item in enumerate(items):
                    yield index, fn(shared, item)
            else:
                yield from _windowed(fn, shared, items, self.n)

    def __enter__(self) -> Self:
        """Nothing is held between two calls."""
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing was held."""


def _inline(fn: Callable[[Item], Result], work: Sequence[Item], progress: Progress | None) -> list[Result]:
    results: list[Result] = []
    for item in work:
        results.append(fn(item))
        if progress is not None:
            progress(len(results), len(work))
    return results


def _threaded(
    fn: Callable[[Item], Result], work: Sequence[Item], n: int, progress: Progress | None
) -> list[Result]:
    pool = ThreadPoolExecutor(n, thread_name_prefix="specgl")
    try:
        # Each item sees the caller's context (numpy's error state lives there), as it would inline.
        futures = [pool.submit(copy_context().run, fn, item) for item in work]
        _watch(futures, progress)
        return [future.result() for future in futures]
    finally:
        # After an error or an interrupt what is queued must not run; what runs is waited for, because it
        # writes into arrays that the caller may be about to drop.
        pool.shutdown(wait=True, cancel_futures=True)


def _watch(futures: Sequence[Future[Result]], progress: Progress | None) -> None:
    """Return when all futures are done; raise as soon as one has failed."""
    patience = None if progress is None else _PATIENCE
    pending: set[Future[Result]] = set(futures)
    while pending:
        done, pending = wait(pending, timeout=patience, return_when=FIRST_EXCEPTION)
        if any(future.exception() is not None for future in done):
            raise next(e for f in futures if f.done() and (e := f.exception()) is not None)
        if progress is not None and done:
            progress(len(futures) - len(pending), len(futures))


def _windowed(
    fn: Callable[[Shared, Item], Result], shared: Shared, items: Iterable[Item], n: int
) -> Iterator[tuple[int, Result]]:
    pool = ThreadPoolExecutor(n, thread_name_prefix="specgl")
    queue = enumerate(items)
    pending: dict[Future[Result], int] = {}
    try:
        while True:
            # One item waits behind each that runs: no thread idles while the caller deals with a result, and
            # neither items nor results pile up.
            for index, item in islice(queue, 2 * n - len(pending)):
                pending[pool.submit(copy_context().run, fn, shared, item)] = index
            if not pending:
                return
            done, _ = wait(pending, timeout=_TICK, return_when=FIRST_COMPLETED)
            # What succeeded is handed over before an error ends it all.
            for future in sorted(done, key=lambda f: (f.exception() is not None, pending[f])):
                yield pending.pop(future), future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def default_threads() -> int:
    """Number of processors that this process may use: affinity, and a container's quota.

    Returns
    -------
    int
        At least 1.
    """
    quota = _cgroup_quota(_CGROUPS, Path("/proc/self/cgroup"))
    return max(1, _processors() if quota is None else min(_processors(), quota))


def _processors() -> int:
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cgroup_quota(root: Path, membership: Path) -> int | None:
    """Processors' worth of time that the tightest group of this process is given, rounded up."""
    try:
        own = next(s[3:] for s in membership.read_text().splitlines() if s.startswith("0::"))
    except (OSError, StopIteration):
        own = "/"
    quotas = []
    for group in [Path(own), *Path(own).parents]:
        try:
            quota, period = (root / str(group).lstrip("/") / "cpu.max").read_text().split()
            quotas.append(ceil(int(quota) / int(period)))
        except (OSError, ValueError):  # no such group here, or "max": no limit
            continue
    return min(quotas, default=None)
