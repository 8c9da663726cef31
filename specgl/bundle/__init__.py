"""Results on disk: written whole or not at all, opened, and checked.

`claim` reserves the target before the analysis begins; `write` and `write_failure` fill it; `open_bundle` and
`verify` read it back; `renew_report` and `renew_underlay` change what is for the eye.
"""

from __future__ import annotations

from specgl.bundle.checking import verify
from specgl.bundle.contents import Contents, Failure, QualityContents, Run, SpecText, Stage
from specgl.bundle.files import TextFile
from specgl.bundle.forecast import planned_maps
from specgl.bundle.looking import Quality
from specgl.bundle.manifest import FileEntry, Label, Status
from specgl.bundle.names import Role
from specgl.bundle.place import Place, claim
from specgl.bundle.reading import Bundle, open_bundle
from specgl.bundle.renewing import renew_report, renew_underlay
from specgl.bundle.schema import manifest_schema
from specgl.bundle.writing import write, write_failure

__all__ = [
    "Bundle",
    "Contents",
    "Failure",
    "FileEntry",
    "Label",
    "Place",
    "Quality",
    "QualityContents",
    "Role",
    "Run",
    "SpecText",
    "Stage",
    "Status",
    "TextFile",
    "claim",
    "manifest_schema",
    "open_bundle",
    "planned_maps",
    "renew_report",
    "renew_underlay",
    "verify",
    "write",
    "write_failure",
]
