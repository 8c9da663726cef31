"""The verb: is a bundle what its manifest says?"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from specgl.bundle import manifest as manifests
from specgl.bundle import names, received
from specgl.bundle.manifest import FileEntry, Status
from specgl.bundle.tree import sha256_of, walk
from specgl.engines import Threads, default_threads
from specgl.errors import Finding, ImageError, VerificationError
from specgl.images import file_data_digest
from specgl.spec import digest


def verify(path: Path, *, report: bool = True) -> None:
    """Check every file of a bundle against its manifest.

    A complete bundle passes when each file it names is there, with its size and its SHA-256, each image with
    the digest of its data; when nothing else is there; and when there are no links. A bundle of a failed or
    interrupted run never passes, since it holds no results.

    Parameters
    ----------
    path
        Folder of the bundle.
    report
        Whether the files of its report count, which are made from the others and may be made anew.

    Raises
    ------
    VerificationError
        With every difference (E504 to E511); or E500 to E503 when there is no manifest to compare with.
    """
    folder = Path(path)
    held = received.read(folder)
    found = [*_differences(folder, held, report)]
    if found:
        raise VerificationError(*found)


def _differences(folder: Path, held: dict[str, Any], report: bool) -> Iterator[Finding]:
    status = Status(held["status"])
    if status is not Status.COMPLETE:
        yield _not_complete(status, held)
    entries = manifests.read_entries(held)
    passed_over = {entry.path for entry in entries if entry.role.is_report and not report}
    named = {entry.path: entry for entry in entries if entry.path not in passed_over}
    there = {name: place for name, place in walk(folder) if name not in passed_over}
    plain = [name for name in sorted(there) if name in named and _is_plain(there[name])]
    # Digests and decompression let go of Python, so that several cores help.
    engine = Threads(default_threads())
    seen = dict(zip(plain, engine.map(lambda n: [*_of_file(named[n], there[n])], plain), strict=True))
    for name in sorted(there):
        if not _is_plain(there[name]):
            yield Finding("E505", f"'{name}' is a link or no plain file", file=name)
        elif name in named:
            yield from seen[name]
        elif name != names.MANIFEST:
            yield Finding("E506", f"'{name}' is not in the manifest", file=name)
    for name in sorted(named.keys() - there.keys()):
        yield Finding("E507", f"'{name}' is missing", file=name)
    if names.RESOLVED in named and there.get(names.RESOLVED) and _is_plain(there[names.RESOLVED]):
        yield from _of_spec(held, folder)


def _of_file(entry: FileEntry, path: Path) -> Iterator[Finding]:
    try:
        size = path.stat().st_size
        if size != entry.bytes:
            yield Finding(
                "E508", f"'{entry.path}' has {size:,} bytes instead of {entry.bytes:,}", file=entry.path
            )
            return
        if (digest := sha256_of(path)) != entry.sha256:
            yield Finding(
                "E509",
                f"'{entry.path}' has been changed: its SHA-256 is {digest} instead of {entry.sha256}",
                file=entry.path,
            )
            return
        if entry.data_sha256 is not None:
            yield from _of_data(entry, path)
    except OSError as error:
        yield Finding("E509", f"'{entry.path}' cannot be read: {error.strerror or error}", file=entry.path)


def _is_plain(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _of_spec(held: dict[str, Any], folder: Path) -> Iterator[Finding]:
    """The identity of the analysis must follow from the resolved spec."""
    try:
        found = digest(received.read_json(folder, names.RESOLVED))
    except (VerificationError, ValueError, AttributeError, TypeError, RecursionError):
        found = "not to be had"
    if found != held["spec_digest"]:
        yield Finding(
            "E512",
            f"the digest of the resolved spec is {found} instead of {held['spec_digest']}",
            file=names.RESOLVED,
        )


def _of_data(entry: FileEntry, path: Path) -> Iterator[Finding]:
    try:
        digest = file_data_digest(path)
    except ImageError as error:
        yield Finding("E510", f"'{entry.path}' is no readable map: {error}", file=entry.path)
        return
    if digest != entry.data_sha256:
        yield Finding(
            "E510",
            f"'{entry.path}' holds other data: their digest is {digest} instead of {entry.data_sha256}",
            file=entry.path,
        )


def _not_complete(status: Status, held: dict[str, Any]) -> Finding:
    stage, message = held.get("stage"), held.get("message")
    return Finding(
        "E511",
        f"the run is {status.value}, so there are no results"
        + (f": it ended in the stage '{stage}'" if stage else "")
        + (f" with: {message}" if message else ""),
        file=names.MANIFEST,
        help="mend the cause, and run again to the same directory: such a bundle is replaced without asking",
    )
