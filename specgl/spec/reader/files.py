"""A file → its text."""

from __future__ import annotations

from pathlib import Path

from specgl.errors import Finding
from specgl.spec.reader.document import MAX_BYTES, Document, read_text
from specgl.spec.source import Source


def read_file(path: Path | str) -> Document:
    """Read a spec's file; ``.json`` as JSON, all others as YAML."""
    name, path = str(path), Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        return _refused(path, Finding("E000", f"the file cannot be read: {error.strerror}", file=name))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(raw) > MAX_BYTES:  # cut in the middle of a letter; too large in any case
            text = raw.decode("utf-8", errors="ignore") + " "
        else:
            line = raw.count(b"\n", 0, error.start) + 1
            column = error.start - raw.rfind(b"\n", 0, error.start)
            finding = Finding(
                "E007",
                f"the byte 0x{raw[error.start]:02X} is no UTF-8",
                file=name,
                line=line,
                column=column,
                help="save the file as UTF-8",
            )
            return _refused(path, finding)
    return read_text(text, name=name, path=path, is_json=path.suffix.lower() == ".json")


def _refused(path: Path, finding: Finding) -> Document:
    return Document(Source(path, str(path), ""), None, (finding,))
