"""Cluster tables as people print them: Markdown, LaTeX, aligned text; and TSV for whoever computes on.

`about` says what a table tells of, `notes` puts that into a sentence under it, `grid` chooses columns and
digits, `forms` and `escapes` know how each form is written.
"""

from __future__ import annotations

from specgl.bundle.printed.about import About
from specgl.bundle.printed.choosing import choose
from specgl.bundle.printed.printing import FORMS, print_tables, worth_a_line

__all__ = ["FORMS", "About", "choose", "print_tables", "worth_a_line"]
