"""What the page may load and run, said to the browser in its head."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping

_UNSAFE = "'unsafe-inline'"
_ENDS_SCRIPT = re.compile(r"</script|<!--", re.IGNORECASE)
_ENDS_STYLE = re.compile(r"</style", re.IGNORECASE)
_SOURCE = re.compile(r"[!-+\--:<-~]+")
"""One source of a policy: printable ASCII without blanks, commas and semicolons."""


def content_policy(
    scripts: Iterable[str], styles: Iterable[str], further: Mapping[str, str] | None = None
) -> str:
    """The content-security policy of a page whose scripts and styles are these, and which loads nothing.

    Parameters
    ----------
    scripts, styles
        Texts of the inline elements, exactly as they stand in the page.
    further
        Further sources by directive, such as ``{"worker-src": "blob:"}``, several with blanks between them.

    Returns
    -------
    policy
        Content of the meta element.

    Raises
    ------
    ValueError
        When a text would end its element early, or a source is no source.
    """
    scripts, styles = tuple(scripts), tuple(styles)
    for text in scripts:
        _refuse(_ENDS_SCRIPT, text)
    for text in styles:
        _refuse(_ENDS_STYLE, text)
    held: dict[str, list[str]] = {
        "default-src": ["'none'"],
        "script-src": [_hash(text) for text in scripts],
        "style-src": [_hash(text) for text in styles],
        "img-src": ["data:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    for directive, sources in (further or {}).items():
        several = sources.split()
        if not re.fullmatch(r"[a-z-]+", directive) or not all(map(_SOURCE.fullmatch, several)):
            raise ValueError(f"'{directive} {sources}' is no part of a content-security policy")
        held.setdefault(directive, []).extend(several)
    if _UNSAFE in held["style-src"]:
        # Beside a hash browsers do not heed it.
        held["style-src"] = [source for source in held["style-src"] if not source.startswith("'sha256-")]
    return "; ".join(
        f"{directive} {' '.join(dict.fromkeys(sources)) or chr(39) + 'none' + chr(39)}"
        for directive, sources in held.items()
    )


def _hash(text: str) -> str:
    # A parser reads CR and CR LF as LF, and hashes what it has read.
    read = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'sha256-{base64.b64encode(hashlib.sha256(read.encode()).digest()).decode()}'"


def _refuse(pattern: re.Pattern[str], text: str) -> None:
    if (match := pattern.search(text)) is not None:
        raise ValueError(f"an inline text with '{match[0]}' would end, or hide, its own element")
