"""Results on disk: written whole or not at all, opened, and checked.

`claim` reserves the target before the analysis begins; `write` and `write_failure` fill it; `open_bundle` and
`verify` read it back.
"""

from __future__ import annotations

from specgl.bundle.checking import verify
from specgl.bundle.contents import Contents, Failure, Run, SpecText, Stage
from specgl.bundle.forecast import planned_maps
from specgl.bundle.manifest import FileEntry, Label, Status
from specgl.bundle.names import Role
from specgl.bundle.place import Place, claim
from specgl.bundle.reading import Bundle, open_bundle
from specgl.bundle.schema import manifest_schema
from specgl.bundle.writing import write, write_failure

__all__ = [
    "Bundle",
    "Contents",
    "Failure",
    "FileEntry",
    "Label",
    "Place",
    "Role",
    "Run",
    "SpecText",
    "Stage",
    "Status",
    "claim",
    "manifest_schema",
    "open_bundle",
    "planned_maps",
    "verify",
    "write",
    "write_failure",
]
