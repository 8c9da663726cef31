"""Stage 1: a file → a spec, or everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from specgl.errors import Finding, SpecError, raise_errors
from specgl.grammar import suggest
from specgl.spec.analysis import AnalysisSpec
from specgl.spec.outline import outline
from specgl.spec.reader import Document, read_file, read_text
from specgl.spec.reserved import take_out_reserved
from specgl.spec.rules import check_outline
from specgl.spec.silence import faulty_notes, heed
from specgl.spec.source import Source, locate

MAX_FINDINGS = 1000
"""So many findings are told; a text with more of them is no spec that somebody has written."""


@dataclass(frozen=True, eq=False)
class Examination:
    """What stage 1 says of a text.

    Attributes
    ----------
    source
        The text, for showing findings in it.
    spec
        The spec; None when there are errors.
    findings
        Errors and warnings with file, line and column, in the order of the text.
    """

    source: Source
    spec: AnalysisSpec | None
    findings: tuple[Finding, ...]


def examine(path: Path | str, *, allow_outside: bool = False) -> Examination:
    """Examine a file; findings are returned, never raised.

    Parameters
    ----------
    path
        The file: YAML, or JSON if its name ends on ``.json``.
    allow_outside
        Whether absolute paths and ``..`` may stand in the spec.
    """
    return _examine(read_file(path, allow_outside=allow_outside), allow_outside)


def examine_text(
    text: str, *, name: str = "<text>", is_json: bool = False, allow_outside: bool = False
) -> Examination:
    """Examine a text that stands in no file; see `examine`."""
    return _examine(read_text(text, name=name, is_json=is_json), allow_outside)


def read(path: Path | str, *, allow_outside: bool = False) -> AnalysisSpec:
    """Read a spec from a file.

    Parameters
    ----------
    path
        The file: YAML, or JSON if its name ends on ``.json``.
    allow_outside
        Whether absolute paths and ``..`` may stand in the spec.

    Raises
    ------
    SpecError
        The file or the spec is wrong; all findings of stage 1 are in the error.
    """
    examination = examine(path, allow_outside=allow_outside)
    raise_errors(examination.findings, SpecError)
    if examination.spec is None:
        raise SpecError(*examination.findings)
    return examination.spec


def check(spec: AnalysisSpec, *, allow_outside: bool = False) -> tuple[Finding, ...]:
    """What the rules between sections say of a spec, also of one that was made in Python."""
    found = check_outline(outline(spec.model_dump(mode="json")), allow_outside=allow_outside)
    if spec.source is None:
        return found
    return heed((locate(finding, spec.source) for finding in found), spec.source)


def _examine(document: Document, allow_outside: bool) -> Examination:
    source, raw = document.source, document.value
    if raw is None:
        return Examination(source, None, document.findings)
    kept, findings = take_out_reserved(raw)
    misspelt = frozenset(
        meant
        for key in kept.keys() - AnalysisSpec.model_fields.keys()
        if (meant := suggest(key, AnalysisSpec.model_fields)) is not None
    )
    spec = None
    try:
        spec = AnalysisSpec.model_validate(kept).read_from(source)
    except ValidationError as error:
        # Imported here: a spec without faults, the common case, does not pay for it.
        from specgl.spec.translate import translate

        faults = error.errors(include_url=False)[: MAX_FINDINGS + 1]
        findings += translate(faults, AnalysisSpec)
    findings += check_outline(outline(raw, misspelt), allow_outside=allow_outside, most=MAX_FINDINGS + 1)
    located = [*document.findings, *faulty_notes(source)]
    located += heed((locate(finding, source) for finding in findings), source)
    located.sort(key=lambda finding: (finding.line or 0, finding.column or 0))
    located = _bounded(located, source)
    if any(finding.is_error for finding in located):
        spec = None
    return Examination(source, spec, tuple(located))


def _bounded(findings: list[Finding], source: Source) -> list[Finding]:
    if len(findings) <= MAX_FINDINGS:
        return findings
    kept = sorted(findings, key=lambda finding: not finding.is_error)[:MAX_FINDINGS]
    last = kept[-1]
    more = f"more than {MAX_FINDINGS:,} findings: the others are not told"
    return [*kept, Finding("E004", more, file=source.name, line=last.line, column=last.column)]
