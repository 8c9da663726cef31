"""The verb: contents in, a verified folder out, or nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from specgl.bundle import names
from specgl.bundle.assembly import (
    failure_files,
    failure_manifest,
    list_inputs,
    manifest_of,
    text_files,
    veil_of,
)
from specgl.bundle.contents import Contents, Failure
from specgl.bundle.crate import Act, make_crate
from specgl.bundle.files import TextFile
from specgl.bundle.manifest import NO_LABEL, FileEntry, Label, Status
from specgl.bundle.maps import MapFile, map_files
from specgl.bundle.names import Role
from specgl.bundle.place import Place, claim
from specgl.bundle.quality import VolumeFile, volume_files
from specgl.bundle.sidecars import map_sidecar
from specgl.bundle.text import json_bytes
from specgl.bundle.tree import sha256_of, write_bytes
from specgl.engines import Threads
from specgl.images import write_map, write_volume

Progress = Callable[[int, int], None]


def write(
    target: Path | Place,
    contents: Contents,
    *,
    overwrite: bool = False,
    engine: Threads | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a bundle: all of it, or nothing.

    Parameters
    ----------
    target
        Folder of the bundle; or a `Place` that was claimed before the analysis began, whose own ``overwrite``
        then counts.
    contents
        What it holds. Equal contents give equal bytes, but for times in the manifest, the crate and the log.
    overwrite
        Whether a complete bundle there may be replaced; it stands until the new one is whole.
    engine
        Threads that write maps at the same time.
    progress
        Called with how many maps are written and how many there are.

    Returns
    -------
    Path
        The bundle's folder.

    Raises
    ------
    UsageError
        E410, E412, E413: the target may not be written to.
    WriteError
        E411: the disk refused.
    """
    if not isinstance(target, Place):
        with claim(target, overwrite=overwrite) as place:
            return write(place, contents, engine=engine, progress=progress)
    fill = partial(_fill, contents=contents, engine=engine or Threads(1), progress=progress)
    return target.stand(fill)


def write_failure(target: Path | Place, failure: Failure) -> Path:
    """Write what is known of a run that stopped; a complete bundle is never replaced by it.

    Parameters
    ----------
    target
        Folder where the results would have stood; or the `Place` claimed for them.
    failure
        What is known.

    Returns
    -------
    Path
        Where it stands: the target, or `NAME.failed` beside it when a complete bundle stands there.

    Raises
    ------
    UsageError
        E412, E413: the target may not be written to.
    WriteError
        E411: the disk refused.
    """
    if not isinstance(target, Place):
        # Not to replace, but so that a complete bundle is no reason to refuse: it is stepped aside for.
        with claim(target, overwrite=True) as place:
            return write_failure(place, failure)
    return target.stand_failed(partial(_fill_failure, failure=failure))


def _fill(folder: Path, contents: Contents, engine: Threads, progress: Progress | None) -> None:
    began = time.perf_counter()
    inputs = list_inputs(contents, veil_of(contents))
    images = list(map_files(contents))
    written = engine.map(partial(_write_image, folder, contents), images, progress=progress)
    written += engine.map(partial(write_volume_file, folder), list(volume_files(contents)))
    files = [file for pair in written for file in pair]
    files += write_texts(folder, text_files(contents, inputs))
    resolved = contents.spec.resolved
    act = _act(contents, Status.COMPLETE, description=str(resolved.get("description") or "A group analysis."))
    files.append(_write_crate(folder, act, files, inputs))
    manifest = manifest_of(contents, files, time.perf_counter() - began)
    write_bytes(folder / names.MANIFEST, json_bytes(manifest))


def _fill_failure(folder: Path, failure: Failure) -> None:
    began = time.perf_counter()
    veil = veil_of(failure)
    inputs = list_inputs(failure, veil)
    files = write_texts(folder, failure_files(failure, inputs))
    description = f"A group analysis that ended in the stage {failure.stage}."
    act = _act(failure, failure.status, description=description, error=veil.text(failure.message))
    files.append(_write_crate(folder, act, files, inputs))
    manifest = failure_manifest(failure, files, time.perf_counter() - began)
    write_bytes(folder / names.MANIFEST, json_bytes(manifest))


def _write_image(folder: Path, contents: Contents, image: MapFile) -> tuple[FileEntry, FileEntry]:
    def put(file: BinaryIO) -> str:
        return write_map(
            file,
            image.values,
            contents.space,
            fill=image.fill,
            dtype=image.dtype,
            intent=image.intent,
            description=image.label.stat or image.role.value,
        )

    words = json_bytes(map_sidecar(image, contents))
    return _write_image_file(folder, image.path, image.role, put, words, image.label)


def write_volume_file(folder: Path, image: VolumeFile) -> tuple[FileEntry, FileEntry]:
    """Write an image that holds no result, and its sidecar."""

    def put(file: BinaryIO) -> str:
        return write_volume(file, image.volume, image.grid, dtype=image.dtype, description=image.role.value)

    return _write_image_file(folder, image.path, image.role, put, json_bytes(image.words))


def _write_image_file(
    folder: Path, name: str, role: Role, put: Callable[[BinaryIO], str], words: bytes, label: Label = NO_LABEL
) -> tuple[FileEntry, FileEntry]:
    """Have ``put`` write an image and tell the digest of its data; write its sidecar."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        data_sha256 = put(file)
        file.flush()
        os.fsync(file.fileno())
    entry = FileEntry(
        path=name,
        role=role,
        bytes=path.stat().st_size,
        sha256=sha256_of(path),
        data_sha256=data_sha256,
        label=label,
    )
    return entry, _write_text(folder, TextFile(names.sidecar(name), Role.SIDECAR, words, label))


def write_texts(folder: Path, files: Iterable[TextFile]) -> list[FileEntry]:
    """Write small files, and tell what the manifest says of them."""
    return [_write_text(folder, file) for file in files]


def _write_text(folder: Path, file: TextFile) -> FileEntry:
    path = folder / file.path
    write_bytes(path, file.content)
    return FileEntry(
        path=file.path, role=file.role, bytes=len(file.content), sha256=sha256_of(path), label=file.label
    )


def _write_crate(
    folder: Path, act: Act, files: Iterable[FileEntry], inputs: list[dict[str, Any]]
) -> FileEntry:
    content = json_bytes(make_crate(act, files, inputs))
    return _write_text(folder, TextFile(names.CRATE, Role.PROVENANCE, content))


def _act(held: Contents | Failure, status: Status, *, description: str, error: str | None = None) -> Act:
    metadata = (held.spec.resolved.get("metadata") if held.spec is not None else None) or {}
    stated = metadata.get("license") if isinstance(metadata, dict) else None
    return Act(
        name=held.name,
        description=description,
        command=veil_of(held).command(held.run.command),
        started=held.run.started,
        ended=datetime.now(UTC),
        status=status,
        error=error,
        license=stated if isinstance(stated, str) else None,
    )
