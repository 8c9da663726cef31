"""Linear algebra on one thread, for as long as anybody asks for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Hold:
    """Counts who asks, because the limit belongs to the whole process.

    Two streams, or two tasks of one worker, need not end in the reverse order of their beginning: were each
    to restore what it found, one would work on with the limit of another.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._limits: Any = None

    def enter(self) -> None:
        from threadpoolctl import threadpool_limits  # 10 ms, and only needed when there is work

        with self._lock:
            if self._users == 0:
                self._limits = threadpool_limits(limits=1, user_api="blas")  # type: ignore[no-untyped-call] # has no types
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._limits.restore_original_limits()
                self._limits = None


_HOLD = _Hold()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold the linear-algebra libraries of the whole process to one thread.

    A product may be summed in another order on two threads, and equal inputs would no longer give equal bits.
    """
    _HOLD.enter()
    try:
        yield
    finally:
        _HOLD.leave()
