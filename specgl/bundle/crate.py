"""Provenance in the form of others: an RO-Crate of one run.

RO-Crate 1.3 (https://w3id.org/ro/crate/1.3) with the profile Process Run Crate 0.6
(https://w3id.org/ro/wfrun/process/0.6): one `CreateAction` whose instrument is specgl, whose objects are the
inputs and the spec, and whose results are the maps and the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from specgl.bundle import names
from specgl.bundle.manifest import FileEntry, Status
from specgl.bundle.names import Role
from specgl.version import __version__

_CRATE = "https://w3id.org/ro/crate/1.3"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.6"
_CONTEXT = [f"{_CRATE}/context", "https://w3id.org/ro/terms/workflow-run/context"]
_ROOT = "./"
_SOFTWARE = "https://github.com/specgl/specgl"
_NO_LICENSE = "No licence was stated for these results; ask those who made them."

_RESULTS = frozenset({*(role for role in Role if role.is_image), Role.TABLE, Role.NULL})
_MEDIA = {
    ".nii.gz": "application/gzip",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".tsv": "text/tab-separated-values",
    ".tsv.gz": "application/gzip",
    ".md": "text/markdown",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".bib": "text/x-bibtex",
    ".yaml": "application/yaml",
}
_STATUS = {
    Status.COMPLETE: "http://schema.org/CompletedActionStatus",
    Status.FAILED: "http://schema.org/FailedActionStatus",
    Status.INTERRUPTED: "http://schema.org/FailedActionStatus",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One run, as a crate tells it.

    Attributes
    ----------
    name, description
        Of the analysis.
    command
        Words of the command line, already shortened.
    started, ended
        When, with a time zone.
    status, error
        How it ended, and why when not well.
    license
        Licence of the results, where the spec's metadata state one.
    """

    name: str
    description: str
    command: Sequence[str]
    started: datetime
    ended: datetime
    status: Status
    error: str | None = None
    license: str | None = None


def make_crate(act: Act, files: Iterable[FileEntry], inputs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The content of `ro-crate-metadata.json`.

    Parameters
    ----------
    act
        The run.
    files
        All files of the bundle but the manifest and the crate itself.
    inputs
        Files that were read, as `inputs.json` lists them.
    """
    held = tuple(files)
    consumed = [_input_id(number) for number in range(len(inputs))]
    consumed += [quote(file.path) for file in held if file.role is Role.SPEC]
    action: dict[str, Any] = {
        "@id": f"urn:uuid:{uuid4()}",
        "@type": "CreateAction",
        "name": f"specgl run of {act.name}",
        "startTime": act.started.isoformat(timespec="seconds"),
        "endTime": act.ended.isoformat(timespec="seconds"),
        "actionStatus": {"@id": _STATUS[act.status]},
        "instrument": {"@id": _SOFTWARE},
        "object": [{"@id": name} for name in consumed],
        "result": [{"@id": quote(file.path)} for file in held if file.role in _RESULTS],
    }
    if act.command:
        action["description"] = " ".join(act.command)
    if act.error is not None:
        action["error"] = act.error
    graph = [
        *_frame(act, action["@id"], held),
        action,
        *(_file(file) for file in held),
        *(_input(number, entry) for number, entry in enumerate(inputs)),
    ]
    return {"@context": _CONTEXT, "@graph": graph}


def exchange_files(crate: Mapping[str, Any], gone: Iterable[str], new: Iterable[FileEntry]) -> dict[str, Any]:
    """A crate that no longer tells of some files, and tells of others.

    Parameters
    ----------
    crate
        As `make_crate` made it.
    gone
        Paths in the bundle.
    new
        Files that take their place.
    """
    added = [_file(file) for file in new]
    left_out = {quote(path) for path in gone} | {entity["@id"] for entity in added}
    kept = [entity for entity in crate["@graph"] if entity.get("@id") not in left_out]
    graph = []
    for entity in kept:
        if entity.get("@id") == _ROOT:
            parts = [part for part in entity.get("hasPart", ()) if part.get("@id") not in left_out]
            entity = {**entity, "hasPart": [*parts, *({"@id": one["@id"]} for one in added)]}
        graph.append(entity)
    return {**crate, "@graph": [*graph, *added]}


def _frame(act: Act, action: str, files: Sequence[FileEntry]) -> list[dict[str, Any]]:
    """The crate's own description, its root, its profile and its tool."""
    return [
        {
            "@id": names.CRATE,
            "@type": "CreativeWork",
            "conformsTo": {"@id": _CRATE},
            "about": {"@id": _ROOT},
        },
        {
            "@id": _ROOT,
            "@type": "Dataset",
            "conformsTo": {"@id": _PROFILE},
            "name": act.name,
            "description": act.description,
            "datePublished": act.ended.isoformat(timespec="seconds"),
            "license": act.license or _NO_LICENSE,
            "hasPart": [{"@id": quote(file.path)} for file in files],
            "mentions": {"@id": action},
        },
        {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.6"},
        {
            "@id": _SOFTWARE,
            "@type": "SoftwareApplication",
            "name": "specgl",
            "url": _SOFTWARE,
            "softwareVersion": __version__,
        },
    ]


def _file(file: FileEntry) -> dict[str, Any]:
    told = {
        "@id": quote(file.path),
        "@type": "File",
        "name": file.path.rpartition("/")[2],
        "description": file.role.value,
        "contentSize": str(file.bytes),
        "sha256": file.sha256,
    }
    media = next((kind for suffix, kind in _MEDIA.items() if file.path.endswith(suffix)), None)
    return told | ({"encodingFormat": media} if media is not None else {})


def _input(number: int, entry: dict[str, Any]) -> dict[str, Any]:
    # No `File`: inputs are told by their digests, and are no part of the crate.
    return {
        "@id": _input_id(number),
        "@type": "CreativeWork",
        "name": entry["path"].rpartition("/")[2],
        "description": entry["role"],
        "alternateName": entry["path"],
        "contentSize": str(entry["bytes"]),
        "sha256": entry["sha256"],
    }


def _input_id(number: int) -> str:
    return f"#input-{number + 1}"
