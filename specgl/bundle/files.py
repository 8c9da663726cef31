"""The small files of a bundle, before they are written."""

from __future__ import annotations

from dataclasses import dataclass

from specgl.bundle.manifest import NO_LABEL, Label
from specgl.bundle.names import Role


@dataclass(frozen=True, slots=True)
class TextFile:
    """A small file: its name in the bundle, what it is for, its bytes, and which result it holds."""

    path: str
    role: Role
    content: bytes
    label: Label = NO_LABEL
