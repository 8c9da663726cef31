"""Names of files in a spec or a table to paths on disk, and the folders they may not leave."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from specgl.errors import Finding

Where = tuple[str | int, ...]

_SHOWN = 10
"""How many names a message lists before it only counts."""


@dataclass(frozen=True)
class Roots:
    """Folders from which files are found, and which their resolved paths may not leave.

    Attributes
    ----------
    spec
        Folder of the spec: templates, masks and BIDS data sets are relative to it.
    table
        Folder of the table: paths in its columns are relative to it.
    allow_outside
        Whether files may lie outside both.
    """

    spec: Path
    table: Path
    allow_outside: bool = False

    def admit(self, path: Path) -> bool:
        """Whether this path, with its links followed, may be read."""
        if self.allow_outside:
            return True
        return any(path.is_relative_to(root.resolve()) for root in (self.spec, self.table))


@dataclass(frozen=True)
class ImageRef:
    """One image: a file, or one volume of a 4-D file.

    Attributes
    ----------
    path
        The file, links followed.
    volume
        0-based volume of a 4-D file; None when the file holds one volume.
    name
        The file as the spec or the table names it, for messages; the path when None.
    """

    path: Path
    volume: int | None = None
    name: str | None = None

    @property
    def shown(self) -> str:
        """Name for messages."""
        return str(self.path) if self.name is None else self.name


@dataclass(frozen=True)
class Resolved:
    """What became of a file's name: the image, or why there is none."""

    ref: ImageRef | None
    findings: tuple[Finding, ...] = ()
    missing: str | None = None


def resolve(text: str, base: Path, *, roots: Roots, where: Where, who: str | None = None) -> Resolved:
    """Find the file that a text names.

    Parameters
    ----------
    text
        The path as written, relative to ``base`` or absolute.
    base
        Folder that relative paths start from.
    roots
        Folders that the path, links followed, may not leave.
    where
        Keys of the spec for findings.
    who
        Observation that the file belongs to, for messages.

    Returns
    -------
    Resolved
        The image; or E303 when it lies outside the folders, E302 when no file can have such a name; or the
        reason why it is missing.
    """
    whose = f" of observation '{who}'" if who else ""
    try:
        path = (base / text).resolve()
        exists = path.is_file()
    except (OSError, ValueError, RuntimeError):
        return Resolved(
            None, (Finding("E302", f"{text[:200]!r}{whose} cannot be the name of a file", where),)
        )
    if not roots.admit(path):
        finding = Finding(
            "E303",
            f"'{text}'{whose} leads outside the folder of the spec and of the table",
            where,
            help="move the files below the spec's folder, or pass --allow-outside if you trust this spec",
            notes=("links are followed before this is decided",),
        )
        return Resolved(None, (finding,))
    if not exists:
        return Resolved(None, missing=f"there is no file '{text}'")
    return Resolved(ImageRef(path, name=text))


def locate_file(text: str, *, roots: Roots, where: Where) -> Resolved:
    """Find one file that the spec itself names, such as a mask or a ready-made map.

    Parameters
    ----------
    text
        The path as written in the spec, relative to its folder.
    roots
        Folders that the path may not leave.
    where
        Keys of the spec for findings.

    Returns
    -------
    Resolved
        The image, or findings: E302, E303, or E309 when there is no such file.
    """
    found = resolve(text, roots.spec, roots=roots, where=where)
    if found.missing is None:
        return found
    finding = Finding("E309", found.missing, where, help="paths in a spec are relative to the spec's folder")
    return Resolved(None, (finding,))


def listing(names: list[str]) -> str:
    """Join the first names for a message and count the rest."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def missing_findings(
    missing: dict[str, str], n_rows: int, where: Where, *, what: str = "image"
) -> tuple[Finding, ...]:
    """Say in one error which observations lack an image: the first ten, and how many.

    Parameters
    ----------
    missing
        Reason by observation id.
    n_rows
        Number of observations that were looked for.
    where
        Keys of the spec.
    what
        What is missing, for the message.

    Returns
    -------
    tuple of Finding
        E300, or nothing when nothing is missing.
    """
    if not missing:
        return ()
    notes = [f"{who}: {why}" for who, why in list(missing.items())[:_SHOWN]]
    if len(missing) > _SHOWN:
        notes.append(f"and {len(missing) - _SHOWN} more")
    return (
        Finding(
            "E300",
            f"{len(missing)} of {n_rows} observations have no {what}: {listing(list(missing))}",
            where,
            help="mend the paths, exclude these rows, or set data.missing.image to 'drop'",
            notes=tuple(notes),
        ),
    )
