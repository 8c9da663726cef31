"""The manifest: what a bundle holds, and what came of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from specgl.bundle.names import Role

FORMAT = "specgl-bundle"
VERSION = 1


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
    """The files that a manifest names; `received.read` has checked their form."""
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
