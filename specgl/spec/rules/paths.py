"""Paths that leave the spec's folder, and templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath

from specgl.errors import Finding
from specgl.grammar import template_fields
from specgl.spec.outline import Outline, Written

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_CONVERSION = re.compile(r"[!:\[\]]")

LONGEST_TEMPLATE = 4096
"""Longest path that common systems take."""

_OUTPUT = ("output", "directory")


def check_paths(outline: Outline, *, allow_outside: bool) -> Iterator[Finding]:
    """Paths under the spec's folder only, unless others are allowed; placeholders that are columns' names."""
    for path in outline.paths:
        reason = _outside(path.text)
        if _ADDRESS.match(path.text):
            yield Finding(
                "E018", "an address on the network is no file", path.where, help="fetch the file first"
            )
        elif reason and not allow_outside:
            yield Finding(
                "E018",
                f"{reason}: files of a spec lie under its folder",
                path.where,
                help="leave it out and run with --output, which may name any folder"
                if path.where == _OUTPUT
                else "move the spec, or allow it with --allow-outside",
            )
    for template in outline.templates:
        yield from _template(template)


def _outside(path: str) -> str | None:
    windows = PureWindowsPath(path)
    if PurePosixPath(path).is_absolute() or windows.drive or windows.root or path.startswith("~"):
        return "the path is absolute"
    if ".." in re.split(r"[\\/]", path):
        return "the path has '..'"
    return None


def _template(template: Written) -> Iterator[Finding]:
    if len(template.text) > LONGEST_TEMPLATE:
        message = f"the template has more than {LONGEST_TEMPLATE} characters: no file has such a name"
        yield Finding("E017", message, template.where)
        return
    text, fields = template.text, template_fields(template.text)
    rest = list(text)
    for field in fields:
        rest[field.start : field.end] = " " * (field.end - field.start)
        sign = _CONVERSION.search(field.name)
        if not field.name.strip() or sign:
            message = "a placeholder is a column's name and nothing else"
            bare = (sign and field.name[: sign.start()].strip()) or "participant_id"
            advice = f"write {{{bare}}}: cells are taken as they stand in the table"
            yield Finding("E017", message, template.where, (field.start, field.end), help=advice)
    stray = next((i for i, letter in enumerate(rest) if letter in "{}"), None)
    if stray is not None:
        yield Finding("E017", f"'{text[stray]}' has no partner", template.where, (stray, stray + 1))
    elif not fields:
        yield Finding(
            "E017",
            "the template has no placeholder: every observation would have the same image",
            template.where,
            help="name the column that differs, as in 'sub/{participant_id}.nii.gz'",
        )
