"""Warnings and errors, each said once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from specgl.bundle.results import describe_findings


@dataclass(frozen=True, slots=True)
class Said:
    """A finding in words.

    Attributes
    ----------
    code
        Its code in the catalogue.
    message
        What was seen, with the names of the inferences where it is about some.
    help
        What to do next; may be empty.
    notes
        Facts that explain it.
    place
        File, line and column; may be empty.
    """

    code: str
    message: str
    help: str
    notes: tuple[str, ...]
    place: str

    @property
    def is_error(self) -> bool:
        """Whether it stopped the run."""
        return self.code.startswith("E")


def say_findings(findings: Iterable[Mapping[str, Any]]) -> tuple[Said, ...]:
    """Findings in words; what was found of several inferences alike is said once, with their names.

    Parameters
    ----------
    findings
        As the manifest has them.
    """
    first: dict[tuple[str, str], Mapping[str, Any]] = {}
    held = list(findings)
    for finding in held:
        first.setdefault((finding["code"], finding["message"]), finding)
    told = []
    for finding, line in zip(first.values(), describe_findings(held), strict=True):
        place = [str(finding[key]) for key in ("file", "line", "column") if finding.get(key) is not None]
        message = line.removeprefix(f"{finding['code']}: ")
        notes = tuple(map(str, finding.get("notes", ())))
        told.append(Said(finding["code"], message, str(finding.get("help") or ""), notes, ":".join(place)))
    return tuple(told)
