"""A bundle that somebody hands over: its manifest and files, read with nothing taken on trust."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from specgl.bundle import names
from specgl.bundle.form import faults
from specgl.bundle.manifest import FORMAT, VERSION, Status
from specgl.bundle.names import Role
from specgl.bundle.schema import manifest_schema
from specgl.errors import Finding, VerificationError

MAX_BYTES = 64 * 2**20
"""No JSON file of a bundle is larger than this: some 100,000 files' worth of a manifest."""

MAX_VOXELS = 500_000_000
"""More voxels than this has no map that specgl reads or writes."""

_PARTS = 20
_FAULTS = 5


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
    held = _manifest(path)
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
    _refuse_outside(held)
    found = [*islice(faults(held, manifest_schema()), _FAULTS)] or _at_odds(held)
    if found:
        raise _malformed(path, "; ".join(found[:_FAULTS]))
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
    return plain and len(parts) <= _PARTS and not re.search(r"[\\:\x00-\x1f\x7f\ud800-\udfff]", path)


def plain_file(folder: Path, name: str) -> Path:
    """Path of a file of the bundle that may be opened.

    Raises
    ------
    VerificationError
        E507 where it is missing; E505 where it, or a folder above it in the bundle, is a link, or where it is
        a pipe or a device.
    """
    path = folder / name
    steps = [folder.joinpath(*Path(name).parts[:n]) for n in range(1, len(Path(name).parts) + 1)]
    try:
        if any(step.is_symlink() for step in steps) or (path.exists() and not path.is_file()):
            raise VerificationError(Finding("E505", f"'{name}' is a link or no plain file", file=name))
        if not path.exists():
            raise VerificationError(Finding("E507", f"'{name}' is missing", file=name))
    except OSError as error:
        raise unreadable(name, error.strerror or str(error)) from error
    return path


def read_json(folder: Path, name: str) -> Any:
    """Value of a JSON file of the bundle.

    Raises
    ------
    VerificationError
        As `plain_file`; E509 where it is no JSON.
    """
    path = plain_file(folder, name)
    try:
        return _parse(path)
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(name, str(error)) from error


def unreadable(name: str, why: str) -> VerificationError:
    """What to raise when a file of the bundle does not hold what it should."""
    return VerificationError(
        Finding(
            "E509", f"'{name}' cannot be read: {why}", file=name, help="specgl verify tells what was changed"
        )
    )


def _parse(path: Path) -> Any:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES // 2**20} MiB")
    return json.loads(path.read_bytes())


def _manifest(path: Path) -> dict[str, Any]:
    try:
        held = _parse(path)
    except (OSError, ValueError, RecursionError) as error:
        raise _malformed(path, f"it is not JSON ({error})") from error
    if not isinstance(held, dict):
        raise _malformed(path, "it is not a JSON object")
    return held


def _refuse_outside(held: Mapping[str, Any]) -> None:
    """Raise for paths that may lie outside, before anything else is said of them."""
    files = held.get("files")
    entries = files if isinstance(files, list) else []
    paths = [
        entry["path"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("path"), str)
    ]
    unsafe = [path for path in paths if not is_inside(path)]
    if unsafe:
        raise VerificationError(
            *(Finding("E504", f"the manifest names {p!r}, which may lie outside the bundle") for p in unsafe)
        )


def _at_odds(held: Mapping[str, Any]) -> list[str]:
    """What no schema can say of a manifest."""
    times = Counter(entry["path"] for entry in held["files"])
    found = [f"{path!r} is named {n} times" for path, n in times.items() if n > 1]
    if held.get("space") is not None and math.prod(held["space"]["shape"]) > MAX_VOXELS:
        found.append(f"its maps have more than {MAX_VOXELS:,} voxels")
    found += [
        f"{entry['path']!r} has no data_sha256"
        for entry in held["files"]
        if Role(entry["role"]).is_image and "data_sha256" not in entry
    ]
    return found


def _malformed(path: Path, why: str) -> VerificationError:
    return VerificationError(Finding("E502", f"the manifest cannot be understood: {why}", file=str(path)))
