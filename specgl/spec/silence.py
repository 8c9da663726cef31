"""Warnings that the author of a spec has answered in a comment: `# specgl: ignore W231 reason`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from specgl.errors import CATALOGUE, Finding
from specgl.spec.source import Source

_NOTE = re.compile(
    r"^[ \t]*#[ \t]*specgl:[ \t]*ignore\b[ \t]*(?P<code>\S*)[ \t]*(?P<reason>.*)$", re.MULTILINE
)


def heed(findings: Iterable[Finding], source: Source) -> tuple[Finding, ...]:
    """Leave out the warnings that the spec silences with a reason; an error is never left out.

    Parameters
    ----------
    findings
        What was found, in any stage.
    source
        The spec's text. A note stands on a line of its own and holds for the whole spec; JSON has no
        comments, so that nothing is silenced there.
    """
    silenced = {note["code"] for note in _notes(source) if _fault(note) is None}
    return tuple(finding for finding in findings if finding.is_error or finding.code not in silenced)


def faulty_notes(source: Source) -> Iterator[Finding]:
    """A warning for each note that silences nothing, since its code or its reason is missing."""
    for note in _notes(source):
        fault = _fault(note)
        if fault is not None:
            start = note.start() + note[0].index("#")
            line, column, end_column = source.lines.span(start, note.end())
            yield Finding(
                "W203",
                fault,
                file=source.name,
                line=line,
                column=column,
                end_column=end_column,
                help="write `# specgl: ignore W231 groups were matched on purpose`",
            )


def _notes(source: Source) -> Iterator[re.Match[str]]:
    if "specgl:" in source.text:
        yield from _NOTE.finditer(source.text)


def _fault(note: re.Match[str]) -> str | None:
    code = note["code"]
    if not code:
        return "this note names no warning, so it silences nothing"
    if code not in CATALOGUE:
        return f"there is no warning '{code[:40]}', so this note silences nothing"
    if not code.startswith("W"):
        return f"{code} is an error, which no note silences"
    if not note["reason"].strip():
        return f"this note gives no reason for silencing {code}, so it silences nothing"
    return None
