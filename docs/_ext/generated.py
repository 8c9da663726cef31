"""Reference pages made from the code: a placeholder in a page becomes what the code says of itself.

A page asks for a part by a line of its own, ``<!-- generated: language -->``. Nothing is written into the
source tree, so that a page can't be older than the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from code_reference import cli_page, cluster_columns, errors_page, variables_page
from language_reference import language_page

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PLACEHOLDER = re.compile(r"^<!-- generated: (\w+) -->$", flags=re.MULTILINE)

PARTS: dict[str, Callable[[], str]] = {
    "language": language_page,
    "errors": errors_page,
    "variables": variables_page,
    "cli": cli_page,
    "clusters": cluster_columns,
}


def fill(text: str) -> str:
    """Put the generated parts into the text of a page."""
    return PLACEHOLDER.sub(lambda match: PARTS[match[1]](), text)


def _read(app: Sphinx, name: str, source: list[str]) -> None:
    source[0] = fill(source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Let Sphinx fill each page as it reads it."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
