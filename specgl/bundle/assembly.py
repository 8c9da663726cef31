"""The text files of a bundle, and its manifest, as values: nothing is written here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from specgl.bundle import names
from specgl.bundle.contents import Contents, Failure, Run, SpecText
from specgl.bundle.environment import describe_environment
from specgl.bundle.files import TextFile
from specgl.bundle.manifest import FORMAT, VERSION, FileEntry, Label, Status
from specgl.bundle.names import Role
from specgl.bundle.nulls import null_files
from specgl.bundle.privacy import Veil, make_veil, relative_to_root
from specgl.bundle.quality import quality_tables
from specgl.bundle.readme import failure_readme, readme
from specgl.bundle.results import result_rows
from specgl.bundle.shuffled import describe_schemes, shuffle_files
from specgl.bundle.sidecars import cluster_sidecar
from specgl.bundle.statistics import statistics_of
from specgl.bundle.tables import design_rows, observations_table, variable_rows
from specgl.bundle.text import json_bytes, json_line, tsv_bytes
from specgl.design import describe_design
from specgl.errors import Finding
from specgl.version import __version__

BIDS_VERSION = "1.11.1"

_DIGITS = 7
"""Digits of numbers in cluster tables: as many as the maps hold in float32."""

_IGNORED = ("maps/", "tables/", "null/", "model/", "spec/", "logs/", "qc/", "figures/")
_IGNORED_FILES = (names.MANIFEST, names.CRATE, names.REPORT, names.METHODS, names.REFERENCES)


def veil_of(held: Contents | Failure) -> Veil:
    """The veil over everything that a bundle says of a run."""
    return make_veil(held.roots, None if held.spec is None else held.spec.folder)


def list_inputs(held: Contents | Failure, veil: Veil) -> list[dict[str, Any]]:
    """Each file that was read: where it lay under which root, how it was named, its size and its digest."""
    listed = []
    for file in held.inputs:
        root, path = relative_to_root(file.path, held.roots)
        (name,) = veil.command([os.fspath(file.name)])
        entry = {"root": root, "path": path, "name": name, "role": file.role}
        listed.append({**entry, "bytes": file.bytes, "sha256": file.sha256})
    return listed


def text_files(contents: Contents, inputs: Sequence[Mapping[str, Any]]) -> Iterator[TextFile]:
    """Every text file of a complete bundle but the sidecars of maps, the crate and the manifest."""
    veil = veil_of(contents)
    yield from _common(contents, inputs, veil)
    warnings = [finding_record(f, veil) for f in contents.run.findings if not f.is_error]
    yield TextFile(names.README, Role.README, readme(contents, warnings).encode())
    if contents.design is not None:
        yield TextFile(names.DESIGN_TABLE, Role.DESIGN, tsv_bytes(design_rows(contents.design)))
        yield TextFile(names.DESIGN_WORDS, Role.DESIGN, json_bytes(describe_design(contents.design)))
        variables = variable_rows(contents.design, contents.clusters)
        yield TextFile(names.VARIABLES, Role.VARIABLES, tsv_bytes(variables))
    if contents.rows is not None:
        table = observations_table(contents.rows, contents.images, contents.variances, contents.roots)
        yield TextFile(names.OBSERVATIONS, Role.OBSERVATIONS, tsv_bytes(table))
    yield from _cluster_tables(contents)
    yield from shuffle_files(contents)
    yield from null_files(contents)
    yield from quality_tables(contents)


def failure_files(failure: Failure, inputs: Sequence[Mapping[str, Any]]) -> Iterator[TextFile]:
    """Every text file that is kept of a run that stopped, but the crate and the manifest."""
    veil = veil_of(failure)
    yield from _common(failure, inputs, veil)
    text = failure_readme(failure, veil.text(failure.message))
    yield TextFile(names.README, Role.README, text.encode())


def describe_run(
    held: Contents | Failure, files: Iterable[FileEntry], seconds_writing: float
) -> dict[str, Any]:
    """The part of the manifest that complete and failed runs have in common."""
    run, veil = held.run, veil_of(held)
    warnings = [finding_record(f, veil) for f in run.findings if not f.is_error]
    errors = [finding_record(f, veil) for f in run.findings if f.is_error]
    timings = {stage.name: round(stage.seconds, 6) for stage in run.stages}
    return {
        "format": FORMAT,
        "version": VERSION,
        "status": Status.COMPLETE if isinstance(held, Contents) else held.status,
        "name": held.name,
        "specgl": __version__,
        "spec_digest": None if held.spec is None else held.spec.digest,
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": round(sum(timings.values()) + seconds_writing, 6),
        "timings": {**timings, "write": round(seconds_writing, 6)},
        "peak_memory": run.peak_memory,
        "threads": run.threads,
        "command": veil.command(run.command),
        "files": [file.as_json() for file in sorted(files, key=lambda file: file.path)],
        "warnings": warnings,
        "errors": errors,
    }


def manifest_of(contents: Contents, files: Iterable[FileEntry], seconds_writing: float) -> dict[str, Any]:
    """The manifest of a complete bundle."""
    grid = contents.space.grid
    joint = () if contents.design is None else contents.design.conjunctions
    members = {one.name: {"members": list(one.members)} for one in joint}
    return describe_run(contents, files, seconds_writing) | {
        "space": {
            "label": contents.space.label,
            "shape": list(grid.shape),
            "affine": grid.affine.tolist(),
            "locations": contents.space.n_locations,
        },
        "observations": None if contents.design is None else len(contents.design.observations),
        "contrasts": [
            {"name": s.contrast, "statistic": s.kind, "alternative": s.alternative}
            | members.get(s.contrast, {})
            for s in statistics_of(contents.stats).values()
        ],
        "counts": dict(contents.counts),
        "shuffling": describe_schemes(contents),
        "results": result_rows(contents),
    }


def failure_manifest(failure: Failure, files: Iterable[FileEntry], seconds_writing: float) -> dict[str, Any]:
    """The manifest of a run that stopped: in which stage, and why."""
    ended = {"stage": failure.stage, "message": veil_of(failure).text(failure.message), "results": []}
    return describe_run(failure, files, seconds_writing) | ended


def finding_record(finding: Finding, veil: Veil) -> dict[str, Any]:
    """A finding as the manifest and the log say it: what it does not know is left out."""
    told = {key: value for key, value in asdict(finding).items() if value not in (None, (), False)}
    told["message"] = veil.text(finding.message)
    for key in ("file", "help"):
        if key in told:
            told[key] = veil.text(told[key])
    if "notes" in told:
        told["notes"] = [veil.text(note) for note in finding.notes]
    return told


def _common(held: Contents | Failure, inputs: Sequence[Mapping[str, Any]], veil: Veil) -> Iterator[TextFile]:
    """What every bundle has, however the run ended."""
    if held.spec is not None:
        yield from _spec(held.spec)
    environment = describe_environment(None if held.spec is None else held.spec.folder)
    inputs_json = json_bytes({"files": list(inputs), "environment": environment})
    yield TextFile(names.INPUTS, Role.INPUTS, inputs_json)
    yield TextFile(names.LOG, Role.LOG, _log(held.run, veil).encode())
    yield TextFile(names.DATASET_DESCRIPTION, Role.DATASET, json_bytes(_dataset_description(held.name)))
    yield TextFile(names.BIDSIGNORE, Role.DATASET, _lines(_IGNORED + _IGNORED_FILES))


def _lines(several: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in several).encode()


def _spec(spec: SpecText) -> Iterator[TextFile]:
    if spec.original is not None:
        yield TextFile(names.original_spec(spec.suffix), Role.SPEC, spec.original)
    yield TextFile(names.RESOLVED, Role.SPEC, json_bytes(spec.resolved))


def _cluster_tables(contents: Contents) -> Iterator[TextFile]:
    statistics = statistics_of(contents.stats)
    for inferred in contents.inferred:
        path = names.cluster_table(inferred.contrast, inferred.inference)
        label = Label(contrast=inferred.contrast, inference=inferred.inference)
        words = cluster_sidecar(inferred, contents, statistics[inferred.contrast])
        yield TextFile(path, Role.TABLE, tsv_bytes(inferred.clusters, digits=_DIGITS), label)
        yield TextFile(names.sidecar(path), Role.SIDECAR, json_bytes(words), label)


def _dataset_description(name: str) -> dict[str, Any]:
    return {
        "Name": name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [
            {"Name": "specgl", "Version": __version__, "CodeURL": "https://github.com/specgl/specgl"}
        ],
    }


def _log(run: Run, veil: Veil) -> str:
    """One JSON object a line: stages as they begin and end, then the findings."""
    lines = [{"time": _time(run.started), "event": "start", "command": veil.command(run.command)}]
    for stage in run.stages:
        ended = stage.started + timedelta(seconds=stage.seconds)
        lines.append({"time": _time(stage.started), "event": "stage start", "stage": stage.name})
        lines.append({"time": _time(ended), "event": "stage end", "stage": stage.name})
    findings = [{"event": "finding", "severity": f.severity, **finding_record(f, veil)} for f in run.findings]
    return "".join(json_line(line) for line in [*lines, *findings])


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
