"""File names made of entities: ``sub-01_task-faces_stat-effect_statmap.nii.gz``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_PAIR = re.compile(r"([A-Za-z0-9]+)-([A-Za-z0-9+.]+)")
_EXTENSIONS = (".nii.gz", ".nii")

ENTITY_OF = {
    "participant_id": "sub",
    "participant": "sub",
    "subject_id": "sub",
    "subject": "sub",
    "session_id": "ses",
    "session": "ses",
    "run_id": "run",
    "task_id": "task",
    "acquisition": "acq",
    "reconstruction": "rec",
    "direction": "dir",
    "hemisphere": "hemi",
    "resolution": "res",
    "density": "den",
    "description": "desc",
}
"""Longer words, used for columns of tables and for filters, to the keys that stand in file names."""


@dataclass(frozen=True)
class BidsFile:
    """One image of a data set.

    Attributes
    ----------
    path
        The file.
    name
        Its path inside the data set, for messages.
    entities
        Its ``key-value`` pairs, with ``suffix``, ``extension`` and ``datatype`` (the folder it lies in).
    """

    path: Path
    name: str
    entities: Mapping[str, str]


def parse_name(name: str) -> dict[str, str] | None:
    """Take a file's name apart.

    Parameters
    ----------
    name
        The name without folders.

    Returns
    -------
    dict or None
        Entities, ``suffix`` (absent when the last part is a pair) and ``extension`` (with its dot); None
        when the name is not made of ``key-value`` pairs or is no NIfTI image's.
    """
    extension = next((e for e in _EXTENSIONS if name.endswith(e)), None)
    if extension is None:
        return None
    parts = name.removesuffix(extension).split("_")
    entities: dict[str, str] = {}
    for part in parts:
        pair = _PAIR.fullmatch(part)
        if pair is not None and pair[1] not in entities:
            entities[pair[1]] = pair[2]
        elif part is parts[-1] and part.isalnum():
            entities["suffix"] = part
        else:
            return None
    if not entities.keys() - {"suffix"}:
        return None
    return {**entities, "extension": extension}


def space_label(names: list[str]) -> str | None:
    """Return the value of ``space-`` that all names carry, or None where they differ or one has none."""
    labels = {(parse_name(Path(name).name) or {}).get("space") for name in names}
    return labels.pop() if len(labels) == 1 else None


def walk(dataset: Path, admit: Callable[[Path], bool] = lambda folder: True) -> Iterator[BidsFile]:
    """Go through the images of a data set in the order of their names.

    Hidden folders are left out, and those that may not be read. Folders that are links are entered, each
    real folder once.

    Parameters
    ----------
    dataset
        The folder.
    admit
        Whether a folder, its links followed, may be entered.

    Yields
    ------
    BidsFile
        Each file whose name can be taken apart.
    """
    seen: set[Path] = set()
    pending = [(dataset, "")]
    while pending:
        folder, prefix = pending.pop()
        ordered = _entries(folder, seen, admit)
        below = []
        for entry in ordered:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                below.append((Path(entry.path), f"{prefix}{entry.name}/"))
            elif (entities := parse_name(entry.name)) is not None:
                entities["datatype"] = folder.name
                yield BidsFile(Path(entry.path), prefix + entry.name, entities)
        pending.extend(reversed(below))


def _entries(folder: Path, seen: set[Path], admit: Callable[[Path], bool]) -> list[os.DirEntry[str]]:
    """What lies in a folder; nothing where it was seen before, or may not be entered or read."""
    try:
        real = folder.resolve()
        if real in seen or not admit(real):
            return []
        seen.add(real)
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (OSError, RuntimeError):
        return []


def entity_key(word: str) -> str:
    """Return the key that stands in file names for a column's or a filter's name."""
    return ENTITY_OF.get(word, word)


def entity_value(key: str, text: str) -> str:
    """Return a cell's value without its own key: ``sub-01`` is 01 for ``sub``."""
    return text.removeprefix(f"{key}-")
