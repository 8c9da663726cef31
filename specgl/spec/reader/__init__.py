"""Text → values and their places, for YAML and JSON, with one set of rules and diagnostics."""

from __future__ import annotations

from specgl.spec.reader.document import Document, read_text
from specgl.spec.reader.files import read_file

__all__ = ["Document", "read_file", "read_text"]
