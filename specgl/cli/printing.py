"""Findings to a stream: with colours on a terminal, and with the line at fault where its file can be read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

import click

from specgl.cli.findings import printable_lines, render
from specgl.errors import Finding

_MAX_BYTES = 1_000_000


def print_findings(
    findings: Sequence[Finding],
    *,
    stream: TextIO,
    form: str = "text",
    sources: Mapping[str, str] | None = None,
) -> None:
    """Print findings.

    Parameters
    ----------
    findings
        What was found, with its place.
    stream
        Where to.
    form
        One of `specgl.cli.findings.FORMATS`.
    sources
        Texts already read, by the name that findings give them; other files are read.
    """
    texts = dict(sources) if sources is not None else _read(finding.file for finding in findings)
    stream.write(render(findings, texts, form, color=_has_colour(stream)))
    stream.flush()


def say(text: str) -> None:
    """Print a result to stdout; names in it come from strangers, and no terminal obeys them."""
    click.echo(printable_lines(text))


def _has_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _read(names: Iterable[str | None]) -> dict[str, str]:
    texts = {}
    for name in {name for name in names if name is not None}:
        path = Path(name)
        try:
            if path.stat().st_size <= _MAX_BYTES:
                texts[name] = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError, ValueError):
            # The finding is told without its line.
            continue
    return texts
