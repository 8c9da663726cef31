"""Provenance: with what, from what and how it was made, and how to make it again."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from specgl.bundle import Bundle, names
from specgl.reporting import telling
from specgl.reporting.sections.tables import WORDS, Head, Line, PlainTable, cut

MOST_INPUTS = 2000

BAR = 240
"""Width of the longest bar."""


@dataclass(frozen=True, slots=True)
class Stage:
    """How long a stage took, in words and as a bar."""

    name: str
    seconds: str
    width: float


@dataclass(frozen=True, slots=True)
class Provenance:
    """The section.

    Attributes
    ----------
    facts
        Names and values: version, digest, seed, time, memory.
    stages
        Timings.
    command
        The command that made it; empty where it was made from Python.
    spec_file
        The spec to run again; None where the bundle has none.
    versions
        Distributions with their versions, in one text.
    inputs
        Files that were read.
    spec
        The resolved spec as JSON; None where there is none.
    """

    facts: tuple[tuple[str, str], ...]
    stages: tuple[Stage, ...]
    command: str
    spec_file: str | None
    versions: str
    inputs: PlainTable | None
    spec: str | None


def make_provenance(bundle: Bundle) -> Provenance:
    """Say where the results come from.

    Parameters
    ----------
    bundle
        The bundle, of whatever status.
    """
    manifest, spec, inputs = bundle.manifest, bundle.spec, bundle.inputs or {}
    environment = inputs.get("environment", {})
    timings = manifest["timings"]
    longest = max(timings.values(), default=0.0)
    original = next((f.path for f in bundle.files if f.path.startswith("spec/original")), None)
    has_resolved = any(file.path == names.RESOLVED for file in bundle.files)
    return Provenance(
        facts=tuple(_facts(manifest, spec or {}, environment)),
        stages=tuple(
            Stage(name, telling.seconds(value), round(BAR * value / longest, 1) if longest else 0.0)
            for name, value in timings.items()
        ),
        command=shlex.join(manifest["command"]),
        spec_file=original or (names.RESOLVED if has_resolved else None),
        versions=", ".join(f"{name} {v}" for name, v in environment.get("distributions", {}).items()),
        inputs=_inputs(inputs.get("files", ())),
        spec=None if spec is None else json.dumps(spec, indent=2, ensure_ascii=False),
    )


def _facts(
    manifest: dict[str, Any], spec: dict[str, Any], environment: dict[str, Any]
) -> list[tuple[str, str]]:
    told = [("specgl", str(manifest["specgl"])), ("Started", str(manifest["started"]))]
    told.append(
        (
            "Took",
            f"{telling.seconds(manifest['seconds'])} on {telling.counted(manifest['threads'], 'thread')}",
        )
    )
    if manifest["peak_memory"] is not None:
        told.append(("Peak memory", telling.bytes_in_words(manifest["peak_memory"])))
    told += [(f"Seed of {of}", str(seed)) for of, seed in _seeds(manifest, spec)]
    if environment:
        told.append(("Python", f"{environment['python']}, {environment['system']}, {environment['machine']}"))
    libraries = [
        f"{one['internal_api']} {one['version']}"
        for one in environment.get("linear_algebra", ())
        if one.get("version")
    ]
    if libraries:
        told.append(("Linear algebra", ", ".join(dict.fromkeys(libraries))))
    if manifest["spec_digest"] is not None:
        told.append(("Digest of the spec", f"SHA-256 {manifest['spec_digest']}"))
    if environment.get("spec_commit"):
        told.append(("Commit of the spec", str(environment["spec_commit"])))
    return told


def _seeds(manifest: dict[str, Any], spec: dict[str, Any]) -> list[tuple[str, int]]:
    """What was drawn at random, with its seed, each once."""
    found = [("the shuffles", scheme["seed"]) for scheme in manifest.get("shuffling", ())]
    found += [
        (f"the simulations of {row['inference']}", row["simulations"]["seed"])
        for row in manifest["results"]
        if row.get("simulations") is not None
    ]
    return list(dict.fromkeys(found))


def _inputs(files: Any) -> PlainTable | None:
    every = [
        Line(
            (str(file["name"]), str(file["role"]), telling.bytes_in_words(file["bytes"]), str(file["sha256"]))
        )
        for file in files
    ]
    if not every:
        return None
    lines, note = cut(every, MOST_INPUTS, names.INPUTS)
    heads = (Head("File", holds=WORDS), Head("Role", holds=WORDS), Head("Size"), Head("SHA-256", holds=WORDS))
    return PlainTable("Files that were read", heads, lines, note)
