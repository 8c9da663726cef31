"""What a bundle does not tell: who ran the analysis, on which machine, and where it lay there."""

from __future__ import annotations

import getpass
import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath, PureWindowsPath

OUTSIDE = "outside"
"""Root of files that lie under no named folder; only their own name is told."""

_LIMITS = r"(?=$|[/\\\s'\"`,;:)\]])"


@dataclass(frozen=True, slots=True)
class Veil:
    """Takes folders, the user and the machine out of texts.

    Attributes
    ----------
    folders
        Folders to be told by a word instead, longest first.
    user, host
        Names that are no part of any path or address that is told.
    """

    folders: tuple[tuple[str, str], ...]
    user: str
    host: str

    def text(self, text: str) -> str:
        """Shorten the paths in a text.

        A folder that the bundle knows becomes its name, or nothing when it is where the spec lies; the user's
        home becomes `~`; a folder called after the user, and an address at this machine, lose that name.
        """
        for folder, word in self.folders:
            start = rf"(?<![\w.~-]){re.escape(folder)}"
            text = re.sub(start + r"[/\\]", f"{word}/" if word else "", text)
            text = re.sub(start + _LIMITS, word or ".", text)
        if self.user:
            text = re.sub(rf"(?<=[/\\]){re.escape(self.user)}{_LIMITS}", "user", text)
            text = re.sub(rf"\b{re.escape(self.user)}@", "user@", text)
        if self.host:
            text = re.sub(rf"(?<=[/\\@]){re.escape(self.host)}(?=$|[/\\\s'\":.])", "host", text)
        return text

    def command(self, words: Iterable[str]) -> list[str]:
        """Shorten the paths in a command line: what lies under no known folder keeps only its name."""
        return [self._word(word) for word in words]

    def _word(self, word: str) -> str:
        option, equals, value = word.rpartition("=")
        value = self.text(value)
        if PurePath(value).is_absolute() or PureWindowsPath(value).is_absolute() or value.startswith("~"):
            value = re.split(r"[/\\]", value.rstrip("/\\"))[-1] or "/"
        return f"{option}{equals}{value}"


def make_veil(roots: Mapping[str, Path], spec: Path | None) -> Veil:
    """Make a veil for a run.

    Parameters
    ----------
    roots
        Folders by the names that they are told by.
    spec
        The spec's folder, from which paths are told as they are.
    """
    known: dict[str, str] = {}
    for form in _forms(_home()):
        known[form] = "~"
    for name, folder in roots.items():
        known.update(dict.fromkeys(_forms(folder), name))
    if spec is not None:
        known.update(dict.fromkeys(_forms(spec), ""))
    known.pop(str(Path(Path.cwd().anchor)), None)  # a root folder would swallow every path
    ordered = sorted(known.items(), key=lambda pair: -len(pair[0]))
    return Veil(tuple(ordered), _user(), platform.node())


def relative_to_root(path: Path, roots: Mapping[str, Path]) -> tuple[str, str]:
    """Tell a path by the nearest named folder it lies under.

    Returns
    -------
    tuple
        Name of the folder, or `OUTSIDE`, and the path from there, with `/` between folders.
    """
    best: tuple[str, str] | None = None
    depth = -1
    for name, folder in roots.items():
        for own, root in zip(_variants(path), _variants(folder), strict=True):
            if own.is_relative_to(root) and len(root.parts) > depth:
                best = (name, own.relative_to(root).as_posix())
                depth = len(root.parts)
    return best if best is not None else (OUTSIDE, path.name)


def _forms(folder: Path | None) -> list[str]:
    return [] if folder is None else [str(form) for form in _variants(folder)]


def _variants(path: Path) -> tuple[Path, Path]:
    """A path as it was named and as it is once links are followed."""
    return path.absolute(), path.resolve()


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # no home is known, as in some containers
        return None


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no name belongs to this user id
        return ""
