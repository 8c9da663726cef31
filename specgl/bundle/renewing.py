"""A bundle with its report made anew: the same files but those, in one step."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from specgl.bundle import manifest as manifests
from specgl.bundle import names, received
from specgl.bundle.crate import exchange_files
from specgl.bundle.files import TextFile
from specgl.bundle.manifest import FileEntry
from specgl.bundle.names import Role
from specgl.bundle.place import Place, claim
from specgl.bundle.quality import VolumeFile, underlay_file
from specgl.bundle.text import json_bytes
from specgl.bundle.tree import write_bytes
from specgl.bundle.writing import write_texts, write_volume_file
from specgl.images import Underlay

STAGE = "report"
"""Name of the stage in the manifest's timings."""


def renew_report(target: Path | Place, files: Iterable[TextFile], seconds: float) -> Path:
    """Put a report into a bundle, in place of the one that stands there.

    Parameters
    ----------
    target
        The bundle; or the `Place` that its run has claimed.
    files
        The report's files; their roles are those with `Role.is_report`.
    seconds
        How long it took to make.

    Returns
    -------
    Path
        The bundle's folder.

    Raises
    ------
    UsageError
        E413: another run is writing there.
    VerificationError
        E500 to E507, E509: there is no bundle, or one of its files is missing or no plain file.
    WriteError
        E411: the disk refused; the bundle is then as it was before.
    """
    given = list(files)
    assert all(file.role.is_report for file in given)
    roles = frozenset(role for role in Role if role.is_report)

    def change(manifest: dict[str, Any]) -> dict[str, Any]:
        timings = {**manifest["timings"], STAGE: round(seconds, 6)}
        return {**manifest, "timings": timings, "seconds": round(sum(timings.values()), 6)}

    def replaced(entry: FileEntry) -> bool:
        return entry.role in roles

    return _renew(target, replaced, lambda folder: write_texts(folder, given), change)


def renew_underlay(target: Path | Place, underlay: Underlay) -> Path:
    """Put an underlay into a bundle, in place of the one that stands there; raises as `renew_report`."""
    folder = target.target if isinstance(target, Place) else target
    image: VolumeFile = underlay_file(underlay.shades, underlay.grid, received.read(folder)["spec_digest"])

    def replaced(entry: FileEntry) -> bool:
        return entry.path in (image.path, names.sidecar(image.path))

    return _renew(
        target, replaced, lambda partial_: list(write_volume_file(partial_, image)), lambda manifest: manifest
    )


def _renew(
    target: Path | Place,
    replaced: Callable[[FileEntry], bool],
    write: Callable[[Path], list[FileEntry]],
    change: Callable[[dict[str, Any]], dict[str, Any]],
) -> Path:
    if not isinstance(target, Place):
        received.read(target)  # before anything is made beside it
        with claim(target, overwrite=True) as place:
            return _renew(place, replaced, write, change)
    return target.renew(partial(_fill, target.target, replaced, write, change))


def _fill(
    old: Path,
    replaced: Callable[[FileEntry], bool],
    write: Callable[[Path], list[FileEntry]],
    change: Callable[[dict[str, Any]], dict[str, Any]],
    folder: Path,
) -> None:
    manifest = received.read(old)
    entries = manifests.read_entries(manifest)
    kept = [entry for entry in entries if not replaced(entry) and entry.path != names.CRATE]
    for entry in kept:
        _bring(received.plain_file(old, entry.path), folder / entry.path)
    gone = [entry.path for entry in entries if replaced(entry)]
    new = write(folder)
    files = [*kept, *new, *_crate(old, entries, folder, gone, new)]
    listed = [entry.as_json() for entry in sorted(files, key=lambda entry: entry.path)]
    content = json_bytes({**change(manifest), "files": listed})
    write_bytes(folder / names.MANIFEST, content)


def _bring(source: Path, target: Path) -> None:
    """Have a file in another folder too: as the same file where the system can, else as a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _crate(
    old: Path, entries: Collection[FileEntry], folder: Path, gone: Collection[str], new: Iterable[FileEntry]
) -> list[FileEntry]:
    """The crate, which tells of every file."""
    if all(entry.path != names.CRATE for entry in entries):
        return []
    held = received.read_json(old, names.CRATE)
    if not isinstance(held, Mapping) or not isinstance(held.get("@graph"), list):
        raise received.unreadable(names.CRATE, "it has no graph")
    content = json_bytes(exchange_files(held, gone, new))
    return write_texts(folder, [TextFile(names.CRATE, Role.PROVENANCE, content)])
