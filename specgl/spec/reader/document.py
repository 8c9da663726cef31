"""A whole text → its value, its places, and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specgl.errors import Finding
from specgl.spec.reader.build import Builder, unfold
from specgl.spec.reader.events import ReadFault
from specgl.spec.source import Lines, Place, Source, Where

MAX_BYTES = 1_000_000

_EMPTY = ReadFault("E006", "the file holds no spec: it is empty", 0, help="`specgl new` writes a first one")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, eq=False)
class Document:
    """What a text holds.

    Attributes
    ----------
    source
        The text and its places.
    value
        Mappings, lists and scalars; None when nothing could be read.
    findings
        What is wrong with the text itself, with lines and columns.
    """

    source: Source
    value: dict[str, Any] | None
    findings: tuple[Finding, ...]


def read_text(
    text: str, *, name: str = "<text>", path: Path | None = None, is_json: bool = False
) -> Document:
    """Read a spec's text; faults become findings."""
    given = text
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = Lines(text)
    findings: list[Finding] = []

    def report(fault: ReadFault) -> None:
        line, column, end_column = lines.span(fault.start, fault.end)
        findings.append(
            Finding(
                fault.code,
                fault.message,
                file=name,
                line=line,
                column=column,
                end_column=end_column,
                help=fault.help,
            )
        )

    value: Any = None
    places: dict[Where, Place] = {}
    try:
        _check_letters(text)
        if not text.strip():
            raise _EMPTY
        builder = Builder(report, lambda index: lines.at(index)[0])
        if is_json:
            from specgl.spec.reader.json_events import check_syntax, json_events

            root = builder.build(json_events(text, report))
            check_syntax(text)
        else:
            from specgl.spec.reader.yaml_events import yaml_events

            root = builder.build(yaml_events(text, report))
        if root is None:
            raise _EMPTY
        value, places = unfold(root)
        if not isinstance(value, dict):
            raise ReadFault("E006", "a spec is a mapping of keys to values", root.event.start, root.event.end)
    except ReadFault as fault:
        report(fault)
        value = None
    return Document(Source(path, name, text, places, given), value, tuple(findings))


def _check_letters(text: str) -> None:
    """Refuse what is too much, and characters that no spec needs and some terminals obey."""
    if len(text) > MAX_BYTES or len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise ReadFault("E004", f"the file is larger than {MAX_BYTES:,} bytes", 0)
    match = _FORBIDDEN.search(text)
    if match:
        raise ReadFault("E007", f"the character U+{ord(match[0]):04X} has no place in a spec", match.start())
