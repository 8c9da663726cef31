"""The command line: arguments in, printing out, and nothing that a Python user would miss."""

from __future__ import annotations

from specgl.cli.main import main

__all__ = ["main"]
