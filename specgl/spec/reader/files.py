"""A file → its text."""

from __future__ import annotations

from pathlib import Path

from specgl.errors import Finding
from specgl.spec.reader.document import MAX_BYTES, Document, read_text
from specgl.spec.source import Source

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_file(path: Path | str, *, allow_outside: bool = False) -> Document:
    """Read a spec's file; ``.json`` as JSON, all others as YAML.

    A link that leads out of its folder is read only with ``allow_outside``: findings quote lines of the file,
    and a stranger's link may lead to one that is not for everybody's eyes.
    """
    name, path = str(path), Path(path)
    try:
        faults = _place_faults(path, name, allow_outside)
        if faults is not None:
            return _refused(path, faults)
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, RuntimeError, ValueError) as error:  # the latter two for links in a circle and odd names
        why = getattr(error, "strerror", None) or error
        return _refused(path, Finding("E000", f"the file cannot be read: {why}", file=name))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(raw) <= MAX_BYTES:
            return _refused(path, _undecodable(raw, error, name))
        text = raw.decode("utf-8", errors="ignore") + " "  # cut inside a letter; too large in any case
    return read_text(text, name=name, path=path, is_json=path.suffix.lower() == ".json")


def _place_faults(path: Path, name: str, allow_outside: bool) -> Finding | None:
    """What is wrong with where a file lies, before it is opened: a pipe would be waited for without end."""
    real = path.resolve(strict=True)
    if not real.is_file():
        return Finding("E000", "the file cannot be read: it is no plain file", file=name)
    if not allow_outside and path.is_symlink() and not real.is_relative_to(path.parent.resolve()):
        return Finding(
            "E018",
            "the spec is a link that leads out of its folder",
            file=name,
            help="give the file itself, or allow it with --allow-outside",
        )
    return None


def _undecodable(raw: bytes, error: UnicodeDecodeError, name: str) -> Finding:
    line = raw.count(b"\n", 0, error.start) + 1
    column = error.start - raw.rfind(b"\n", 0, error.start)
    what = f"the byte 0x{raw[error.start]:02X} is no UTF-8"
    if raw.startswith(_UTF16):
        what = "the file is UTF-16"
    return Finding("E007", what, file=name, line=line, column=column, help="save the file as UTF-8")


def _refused(path: Path, finding: Finding) -> Document:
    return Document(Source(path, str(path), ""), None, (finding,))
