"""The manifest: what a bundle holds, and what came of the run."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from specgl.bundle import names
from specgl.bundle.names import Role
from specgl.errors import Finding, VerificationError

FORMAT = "specgl-bundle"
VERSION = 1
MAX_BYTES = 64 * 2**20
"""No manifest is larger than this: some 100,000 files' worth."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PARTS = 20


class Status(StrEnum):
    """How the run ended."""

    COMPLETE = "complete"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Label:
    """Which result a file holds.

    Attributes
    ----------
    stat
        What a map's values are, as in its name: `t`, `p`, `logp` ...
    variable
        The variable of the vocabulary whose values they are: `stat`, `p`, `dof` ...
    contrast
        The contrast; None for the whole model.
    inference
        The inference that made it; None where none did.
    dtype
        Type in which a map's values are stored.
    """

    stat: str | None = None
    variable: str | None = None
    contrast: str | None = None
    inference: str | None = None
    dtype: str | None = None


NO_LABEL = Label()
"""Of a file that holds no single result."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a bundle.

    Attributes
    ----------
    path
        Place in the bundle, with `/` between folders.
    role
        What it is for.
    bytes, sha256
        Size, and SHA-256 in lower-case hex.
    data_sha256
        For images: SHA-256 over voxel bytes and affine, blind to how they were compressed.
    label
        Which result it holds.
    """

    path: str
    role: Role
    bytes: int
    sha256: str
    data_sha256: str | None = None
    label: Label = NO_LABEL

    def as_json(self) -> dict[str, Any]:
        """The entry as it stands in the manifest."""
        held = {
            "path": self.path,
            "role": self.role.value,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "data_sha256": self.data_sha256,
            "stat": self.label.stat,
            "variable": self.label.variable,
            "contrast": self.label.contrast,
            "inference": self.label.inference,
            "dtype": self.label.dtype,
        }
        return {key: value for key, value in held.items() if value is not None}


def read_entries(manifest: Mapping[str, Any]) -> tuple[FileEntry, ...]:
    """The files that a manifest names; `read` has checked their form."""
    return tuple(
        FileEntry(
            path=entry["path"],
            role=Role(entry["role"]),
            bytes=entry["bytes"],
            sha256=entry["sha256"],
            data_sha256=entry.get("data_sha256"),
            label=Label(
                **{key: entry.get(key) for key in ("stat", "variable", "contrast", "inference", "dtype")}
            ),
        )
        for entry in manifest["files"]
    )


def read(folder: Path) -> dict[str, Any]:
    """Read the manifest of the bundle in ``folder``, and check its form.

    Raises
    ------
    VerificationError
        E500 without a folder, E501 without a manifest, E502 if it cannot be understood, E503 if it is of
        another version, E504 if it names paths that no bundle may hold.
    """
    if not folder.is_dir():
        raise VerificationError(Finding("E500", f"'{folder}' is not a folder"))
    path = folder / names.MANIFEST
    if path.is_symlink() or not path.is_file():
        raise VerificationError(
            Finding(
                "E501",
                f"'{folder}' has no {names.MANIFEST}, so it is no whole bundle",
                help="give the folder that specgl run has written, or run the analysis again",
            )
        )
    held = _parse(path)
    if held.get("format") != FORMAT:
        raise _malformed(path, f"its 'format' is {held.get('format')!r} and not {FORMAT!r}")
    if held.get("version") != VERSION:
        raise VerificationError(
            Finding(
                "E503",
                f"the bundle is of version {held.get('version')!r}; this specgl reads version {VERSION}",
                file=str(path),
                help="read it with the version of specgl that wrote it",
            )
        )
    faults = [*_faults(held)]
    if faults:
        raise _malformed(path, "; ".join(faults[:5]))
    unsafe = [entry["path"] for entry in held["files"] if not is_inside(entry["path"])]
    if unsafe:
        raise VerificationError(
            *(Finding("E504", f"the manifest names {p!r}, which may lie outside the bundle") for p in unsafe)
        )
    return held


def standing(folder: Path) -> Status | None:
    """How the run ended whose bundle stands at ``folder``; None where no bundle stands."""
    try:
        return Status(read(folder)["status"])
    except VerificationError:
        return None


def is_inside(path: str) -> bool:
    """Whether a manifest's path is plain and stays in the bundle."""
    parts = path.split("/")
    plain = all(part not in ("", ".", "..") for part in parts)
    return plain and len(parts) <= _PARTS and not re.search(r"[\\:\x00-\x1f]", path)


def _parse(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_BYTES:
        raise _malformed(path, f"it is larger than {MAX_BYTES // 2**20} MiB")
    try:
        held = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _malformed(path, f"it is not JSON ({error})") from error
    if not isinstance(held, dict):
        raise _malformed(path, "it is not a JSON object")
    return held


def _faults(held: Mapping[str, Any]) -> list[str]:
    """What of the form this reader relies upon is not there; the published schema says more."""
    faults = []
    if held.get("status") not in tuple(Status):
        faults.append(f"its 'status' is {held.get('status')!r}")
    files = held.get("files")
    if not isinstance(files, list):
        return [*faults, "it has no list of 'files'"]
    faults += [fault for entry in files if (fault := _entry_fault(entry)) is not None]
    if not faults:
        times = Counter(entry["path"] for entry in files)
        faults += [f"{path!r} is named {n} times" for path, n in times.items() if n > 1]
    return faults


def _entry_fault(entry: object) -> str | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        return "an entry of 'files' has no 'path'"
    if entry.get("role") not in tuple(Role):
        return f"{entry['path']!r} has the unknown role {entry.get('role')!r}"
    if type(entry.get("bytes")) is not int or entry["bytes"] < 0:
        return f"{entry['path']!r} has no size in bytes"
    for key, wanted in (("sha256", True), ("data_sha256", Role(entry["role"]).is_image)):
        digest = entry.get(key)
        if (wanted or digest is not None) and not (isinstance(digest, str) and _SHA256.fullmatch(digest)):
            return f"{entry['path']!r} has no {key} of 64 lower-case hex digits"
    for key in ("stat", "variable", "contrast", "inference", "dtype"):
        if not isinstance(entry.get(key, ""), str):
            return f"{entry['path']!r}: {key!r} is not text"
    return None


def _malformed(path: Path, why: str) -> VerificationError:
    return VerificationError(Finding("E502", f"the manifest cannot be understood: {why}", file=str(path)))
