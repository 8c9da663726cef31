"""One writer at a time: a lock that the system lets go when its holder dies."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}
_HELD = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}


class HeldError(Exception):
    """Another writer holds the lock."""


@contextmanager
def hold(path: Path) -> Iterator[bool]:
    """Hold the lock file at ``path``; it is gone again afterwards.

    Yields
    ------
    bool
        Whether the file system keeps locks. Where it does not (some cluster file systems), the caller must
        find out otherwise who else is writing.

    Raises
    ------
    HeldError
        If another writer, in this process or another, holds it.
    OSError
        If the lock file cannot be made.
    """
    handle, sure = _acquire(path)
    try:
        yield sure
    finally:
        # Removed while it is held, so that nobody can lock a file that is about to vanish.
        with suppress(OSError):
            path.unlink(missing_ok=True)
        os.close(handle)


def alive(pid: int) -> bool:
    """Whether a process of this number runs on this machine."""
    if os.name == "nt":  # there, signal 0 would end the process instead of asking for it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _acquire(path: Path) -> tuple[int, bool]:
    """Open and lock the file that now bears this name; the handle, and whether locks are kept at all."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            sure = _try_lock(handle)
        except BaseException:
            os.close(handle)
            raise
        if not sure or _is_current(handle, path):
            return handle, sure
        # Its last holder removed it between our opening and our locking: what we hold, nobody else sees.
        os.close(handle)


def _is_current(handle: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(handle), there)


def _try_lock(handle: int) -> bool:
    try:
        _lock(handle)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        if error.errno in _HELD:
            raise HeldError from error
        raise
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
