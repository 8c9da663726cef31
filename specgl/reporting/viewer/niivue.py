"""NiiVue, as the installed package ipyniivue carries it: its text, made so that a page can use its class.

What ipyniivue ships is an ES module for notebooks that exports a widget alone. Three things are done to it:
its class is handed out in place of the widget; a copy of its own source, from which it saves pages, is left
out; so are decoders of formats that a report does not hold. That makes 0.9 MB of 5 MB.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata

PACKAGE = "ipyniivue"

_WIDGET = "ipyniivue/static/widget.js"
_CLASS = re.compile(r'console\.log\("Creating new Niivue instance"\);[^;]*;[^;]*?=new ([\w$]+)\(')
_EXPORT = re.compile(r"export\{[\w$]+ as default\};?\s*\Z")
_OWN_SOURCE = re.compile(r"=\"[\w.!~*'()%-]{500000,}\"")
"""The copy of itself, percent-encoded."""

_DECODER = re.compile(r'"AGFzbQ[\w+/=]{10000,}"')
"""A WebAssembly module in base64, by its first bytes: compressors of Zarr, which is not read here."""

_VERSION = re.compile(r'name:"@niivue/niivue",version:"([\d.]+)"')


class UnknownLayoutError(Exception):
    """The installed ipyniivue is laid out in another way than is known."""


@dataclass(frozen=True, slots=True)
class Niivue:
    """NiiVue, ready to be put into a page.

    Attributes
    ----------
    script
        A classic script that, once run, leaves the class as ``globalThis.specglNiivue``.
    notice
        Its name, version and licence.
    """

    script: str
    notice: str


@lru_cache(maxsize=1)
def read_niivue() -> Niivue | None:
    """Read NiiVue from the installed package.

    Returns
    -------
    niivue
        None where ipyniivue is not installed.

    Raises
    ------
    UnknownLayoutError
        When the text of the installed version is not what is known, so that its class cannot be found.
    """
    try:
        held = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        return None
    files = {str(file): file for file in held.files or ()}
    widget = files.get(_WIDGET)
    if widget is None:
        raise UnknownLayoutError(
            f"{PACKAGE} {held.version} has no file '{_WIDGET}', from which NiiVue is read"
        )
    text = widget.read_binary().decode("utf-8")
    licences = [file for name, file in files.items() if name.endswith("licenses/LICENSE")]
    licence = licences[0].read_binary().decode("utf-8") if licences else ""
    return Niivue(as_script(text, held.version), _notice(text, held.version, licence))


def as_script(module: str, version: str) -> str:
    """The module's text as a script that hands out NiiVue's class.

    Parameters
    ----------
    module
        Text of the widget.
    version
        Version of ipyniivue, for the error.

    Raises
    ------
    UnknownLayoutError
        When the class or the export is not found exactly once.
    """
    found = _CLASS.findall(module)
    if len(found) != 1 or len(_EXPORT.findall(module)) != 1:
        raise UnknownLayoutError(
            f"NiiVue's class cannot be found in {PACKAGE} {version}, which is not laid out as 2.4 is; "
            f"install a version that is known: pip install '{PACKAGE}>=2.4,<2.5'"
        )
    body = _DECODER.sub('""', _OWN_SOURCE.sub('=""', _EXPORT.sub("", module)))
    # Modules are strict, and their names are their own.
    return f'(()=>{{"use strict";{body}\nglobalThis.specglNiivue={found[0]};}})();\n'


def _notice(module: str, version: str, licence: str) -> str:
    """What the licence wants to be said, and what was done."""
    named = _VERSION.search(module)
    which = "" if named is None else f" {named[1]}"
    return (
        f"The viewer is NiiVue{which} (https://github.com/niivue/niivue), from {PACKAGE} {version}. "
        "The copy of its own source and the decoders of Zarr were left out.\n\n"
        f"{licence.strip()}\n"
    )
