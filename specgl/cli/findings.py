"""Findings as text, JSON, GitHub annotations and SARIF."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from specgl.errors import CATALOGUE, Finding

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m"}
_HELP_COLOUR = "\x1b[36m"
_PLAIN = "\x1b[0m"
_LONGEST_MESSAGE = 2000
_WIDEST = 200  # characters of a line at fault that are shown
_LEAD = 60  # of them before the fault, in a line that is wider
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def render(
    findings: Sequence[Finding], sources: Mapping[str, str], format: str = "text", *, color: bool = False
) -> str:
    """Findings in one of `FORMATS`.

    Parameters
    ----------
    findings
        Findings that are located already.
    sources
        Text of the files that findings point into, by the name that they use; lines of other files are not
        shown.
    format
        ``text``, ``json``, ``github`` or ``sarif``.
    color
        Whether the text may have colours.
    """
    return _RENDERERS[format](findings, sources, color)


def printable(text: str) -> str:
    """Text whose control characters are written out, so that no terminal obeys them."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def printable_lines(text: str) -> str:
    """As `printable`, with the ends of lines and the tabs kept."""
    return "\n".join(printable(line) for line in text.split("\n"))


def _cut(text: str) -> str:
    """A message, which may quote something endless, at a length that somebody reads."""
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]} …"


def _told(text: str) -> str:
    return printable(_cut(text))


def _text(findings: Sequence[Finding], sources: Mapping[str, str], color: bool) -> str:
    lines = {name: text.split("\n") for name, text in sources.items()}
    return "".join(_one_text(finding, lines, color) for finding in findings)


def _one_text(finding: Finding, lines: Mapping[str, list[str]], color: bool) -> str:
    def tinted(text: str, colour: str) -> str:
        return f"{colour}{text}{_PLAIN}" if color else text

    place = ":".join(str(part) for part in (finding.file, finding.line, finding.column) if part is not None)
    title = tinted(f"{finding.severity}[{finding.code}]", _COLOURS[finding.severity])
    out = [f"{printable(place)}: {title}: " if place else f"{title}: "]
    out[0] += _told(finding.message)
    out += _snippet(finding, lines.get(finding.file or "", []))
    out += [f"       = {tinted('note', _HELP_COLOUR)}: {_told(note)}" for note in finding.notes]
    if finding.help:
        out.append(f"       = {tinted('help', _HELP_COLOUR)}: {_told(finding.help)}")
    return "\n".join(out) + "\n"


def _snippet(finding: Finding, lines: Sequence[str]) -> list[str]:
    """The line at fault, and carets under the fault."""
    if finding.line is None or not 0 < finding.line <= len(lines):
        return []
    line = lines[finding.line - 1].rstrip("\r")
    if not line or line.isspace():
        return []
    column = finding.column or 1
    first = column - 1 - _LEAD if len(line) > _WIDEST and column > _LEAD else 0
    last = first + _WIDEST
    head, tail = "…" if first else "", "…" if last < len(line) else ""
    shown = [f"{finding.line:6d} | {head}{_spaced(line[first:last])}{tail}"]
    if finding.column is not None:
        before = head + _spaced(line[first : column - 1])
        end = min((finding.end_column or column + 1) - 1, last)
        shown.append(" " * 7 + "| " + " " * len(before) + "^" * max(len(_spaced(line[column - 1 : end])), 1))
    return shown


def _spaced(line: str) -> str:
    return printable(line.replace("\t", "    "))


def _record(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "message": _cut(finding.message),
        "help": finding.help and _cut(finding.help),
    }


def _json(findings: Sequence[Finding], sources: Mapping[str, str], color: bool) -> str:
    return json.dumps([_record(finding) for finding in findings], indent=2) + "\n"


def _github(findings: Sequence[Finding], sources: Mapping[str, str], color: bool) -> str:
    return "".join(_annotation(finding) for finding in findings)


def _annotation(finding: Finding) -> str:
    said = {
        "file": finding.file,
        "line": finding.line,
        "col": finding.column,
        "endColumn": finding.end_column and finding.end_column - 1,
        "title": finding.code,
    }
    properties = ",".join(
        f"{key}={_property(str(value))}" for key, value in said.items() if value is not None
    )
    parts = [finding.message, *finding.notes, *([finding.help] if finding.help else [])]
    text = _message("\n".join(_cut(part) for part in parts))
    return f"::{finding.severity} {properties}::{text}\n"


def _message(text: str) -> str:
    """Text of a workflow command: line ends are escaped, so that no text can begin a command of its own."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return printable(escaped)


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def _sarif(findings: Sequence[Finding], sources: Mapping[str, str], color: bool) -> str:
    codes = sorted({finding.code for finding in findings})
    log = {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "specgl", "rules": [_rule(code) for code in codes]}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, codes.index(finding.code)) for finding in findings],
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    known = CATALOGUE[code]
    return {
        "id": code,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.explanation},
        "defaultConfiguration": {"level": "error" if code.startswith("E") else "warning"},
    }


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    parts = [finding.message, *finding.notes, *([finding.help] if finding.help else [])]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": "\n".join(_cut(part) for part in parts)},
    }
    if finding.file is not None:
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.file)}}
        if finding.line is not None:
            region = {
                "startLine": finding.line,
                "startColumn": finding.column,
                "endColumn": finding.end_column,
            }
            place["region"] = {key: value for key, value in region.items() if value is not None}
        result["locations"] = [{"physicalLocation": place}]
    return result


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path.replace("\\", "/"))


_RENDERERS: dict[str, Callable[[Sequence[Finding], Mapping[str, str], bool], str]] = {
    "text": _text,
    "json": _json,
    "github": _github,
    "sarif": _sarif,
}

FORMATS: tuple[str, ...] = tuple(_RENDERERS)
"""Names of the formats."""
