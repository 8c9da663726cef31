"""The place where a bundle will stand: claimed, swept, and filled in one step.

Everything is written into a sibling folder `.NAME.PID.partial` on the same file system. When it is whole and
on the disk, it takes the target's place: by an exchange of the two names where the system can do that in one
step, or else by moving the old bundle aside to `.NAME.PID.aside` first. Whoever is killed leaves such
siblings behind; the next run to the same target sweeps them up, and puts an old bundle back that no new one
has followed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from specgl.bundle import names
from specgl.bundle.lock import HeldError, alive, hold
from specgl.bundle.manifest import Status
from specgl.bundle.received import standing
from specgl.bundle.tree import remove, sync_folder, sync_folders
from specgl.errors import Finding, UsageError, WriteError

_PARTIAL = "partial"
_ASIDE = "aside"
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}  # not every system knows quotas


@dataclass(frozen=True, eq=False)
class Place:
    """A target that this process alone may write to, while it holds the claim.

    Attributes
    ----------
    target
        Absolute path of the bundle's folder.
    overwrite
        Whether a complete bundle that stands there may be replaced.
    """

    target: Path
    overwrite: bool

    def check(self) -> None:
        """Refuse what may not be replaced.

        Raises
        ------
        UsageError
            E410 for a complete bundle without ``overwrite``; E412 for anything that is no bundle.
        """
        _refuse_foreign(self.target)
        if standing(self.target) is Status.COMPLETE and not self.overwrite:
            raise UsageError(
                Finding(
                    "E410",
                    f"a complete bundle stands at '{self.target}' already",
                    help="choose another directory, or pass --overwrite (overwrite=True) to replace it",
                )
            )

    def stand(self, build: Callable[[Path], None]) -> Path:
        """Have ``build`` fill an empty folder, and put that folder at the target.

        Raises
        ------
        UsageError
            See `check`.
        WriteError
            E411 if the disk refuses; the target is then as it was before.
        """
        self.check()
        return _put(self.target, build)

    def stand_failed(self, build: Callable[[Path], None]) -> Path:
        """Have ``build`` write the record of a failed run; never in place of a complete bundle.

        Returns
        -------
        Path
            Where it stands: the target, or `NAME.failed` beside it.

        Raises
        ------
        UsageError
            E412 if something that is no failed run's bundle stands in the way.
        WriteError
            E411 if the disk refuses.
        """
        target = self.target
        if standing(target) is Status.COMPLETE:
            target = names.failed_beside(target)
        _refuse_foreign(target)
        if standing(target) is Status.COMPLETE:
            raise UsageError(Finding("E412", f"a complete bundle stands at '{target}', and is kept"))
        return _put(target, build)

    def renew(self, build: Callable[[Path], None]) -> Path:
        """Have ``build`` fill an empty folder, and put it in the place of the bundle that stands here.

        Raises
        ------
        WriteError
            E411 if the disk refuses; the bundle is then as it was before.
        """
        _refuse_foreign(self.target)
        return _put(self.target, build)


@contextmanager
def claim(target: Path, *, overwrite: bool) -> Iterator[Place]:
    """Claim a target for this process, sweep up what dead ones left, and check that it may be written.

    Parameters
    ----------
    target
        Folder of the bundle to be; its parents are made.
    overwrite
        Whether a complete bundle there may be replaced. One of a failed or interrupted run always may.

    Raises
    ------
    UsageError
        E410, E412 as in `Place.check`; E413 if another run holds the claim.
    WriteError
        E411 if the folder around the target cannot be written to.
    """
    target = _settled(target)
    place = Place(target, overwrite)
    with ExitStack() as held:
        # What the caller does under the claim is none of our errors, and stays outside this `try`.
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            sure = held.enter_context(hold(_sibling_lock(target)))
            _sweep(target, sure)
            _sweep(names.failed_beside(target), sure)
            place.check()
        except HeldError:
            raise _held(target) from None
        except OSError as error:
            raise cannot_write(target, error) from error
        yield place


def cannot_write(target: Path, error: OSError) -> WriteError:
    """What to raise when the disk refuses."""
    return WriteError(
        Finding(
            "E411",
            f"cannot write the bundle '{target}': {error.strerror or error}",
            help="free some space on that disk, or choose another output directory"
            if error.errno in _FULL
            else "check that the folder exists, is a folder, and may be written to",
            notes=("nothing was left half-written; a bundle that stood there stands unchanged",),
        )
    )


def _put(target: Path, build: Callable[[Path], None]) -> Path:
    partial = _sibling(target, _PARTIAL)
    try:
        remove(partial)
        partial.mkdir()
        build(partial)
        sync_folders(partial)
        _swap_in(partial, target)
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        # Holds nothing, a half-written bundle, or the old one that the new one has replaced.
        remove(partial)
    return target


def _swap_in(partial: Path, target: Path) -> None:
    if not target.exists():
        partial.rename(target)
    elif not _exchange(partial, target):
        aside = _sibling(target, _ASIDE)
        try:
            target.rename(aside)
            partial.rename(target)
        finally:
            if not target.exists() and aside.exists():
                aside.rename(target)
            remove(aside)
    sync_folder(target.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change names in a single step; False where the system cannot."""
    if sys.platform != "linux":
        return False
    at_cwd, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of linux/fs.h
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return int(rename(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), exchange)) == 0


def _sweep(target: Path, sure: bool) -> None:
    """Clean up after dead writers; under the lock every writer but this one is dead."""
    pattern = re.compile(rf"\.{re.escape(target.name)}\.(\d+)\.({_PARTIAL}|{_ASIDE})")
    for sibling in sorted(target.parent.iterdir()):
        match = pattern.fullmatch(sibling.name)
        if match is None:
            continue
        pid = int(match[1])
        if not sure and pid != os.getpid() and alive(pid):
            raise HeldError
        if match[2] == _ASIDE and not target.exists():
            sibling.rename(target)
        else:
            remove(sibling)


def _refuse_foreign(target: Path) -> None:
    """Refuse to replace what no run of specgl has made; an empty folder may be filled."""
    seen = None
    if target.is_symlink():
        seen = "is a link"
    elif target.exists() and not target.is_dir():
        seen = "is a file"
    elif target.is_dir() and standing(target) is None and any(target.iterdir()):
        seen = "is a folder that holds other things than a bundle"
    if seen is not None:
        raise UsageError(
            Finding(
                "E412",
                f"'{target}' {seen}, and is not replaced",
                help="choose another output directory, or remove it yourself",
            )
        )


def _held(target: Path) -> UsageError:
    return UsageError(
        Finding(
            "E413",
            f"another run is writing to '{target}' right now",
            help="wait until it has ended, or choose another output directory",
        )
    )


def _settled(target: Path) -> Path:
    """Absolute path whose last part is a name; a link that bears this name is kept, so that it is seen."""
    if target.name in ("", ".."):
        target = target.resolve()
    settled = target.parent.resolve() / target.name
    if not settled.name:
        raise UsageError(Finding("E412", f"'{settled}' is the root of the file system, and is not replaced"))
    return settled


def _sibling(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.{kind}")


def _sibling_lock(target: Path) -> Path:
    return target.with_name(f".{target.name}.lock")
