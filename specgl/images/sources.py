"""From the rows of a table to one image each: template, column, BIDS entities, volumes of a 4-D file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from pathlib import Path

import pandas as pd

from specgl.errors import Finding
from specgl.grammar import did_you_mean, fill_template, is_safe_value, template_fields
from specgl.images.bids import BidsFile, entity_key, entity_value, walk
from specgl.images.paths import ImageRef, Resolved, Roots, Where, listing, resolve

_ENTITY_KEY = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True)
class Template:
    """A path with the columns of a row in braces, relative to the spec's folder."""

    text: str


@dataclass(frozen=True)
class Column:
    """The column of the table that holds a path, relative to the table's folder."""

    name: str


@dataclass(frozen=True)
class Bids:
    """Files of a BIDS data set, found by what their names say.

    Attributes
    ----------
    dataset
        Folder of the data set, relative to the spec's folder.
    filters
        Entity (or ``suffix``, ``extension``, ``datatype``) to the value that it must have.
    id_columns
        Columns of the table whose values each file must carry: ``participant_id`` ``sub-01`` asks for
        ``sub-01`` in the name.
    """

    dataset: str
    filters: Mapping[str, str]
    id_columns: tuple[str, ...] = ("participant_id",)


@dataclass(frozen=True)
class Volumes:
    """Volumes of one 4-D file.

    Attributes
    ----------
    file
        The file, relative to the spec's folder.
    index
        Column of the table that holds each row's volume, counted from 0.
    """

    file: str
    index: str


Source = Template | Column | Bids | Volumes


@dataclass(frozen=True)
class Located:
    """The images of a table's rows.

    Attributes
    ----------
    refs
        Image by observation id, in the order of the rows.
    missing
        Observations without one, and why.
    findings
        What else is wrong; with any error in it, `refs` is not to be relied on.
    """

    refs: dict[str, ImageRef]
    missing: dict[str, str]
    findings: tuple[Finding, ...] = ()


@dataclass
class _Search:
    """What one search has gathered so far."""

    roots: Roots
    where: Where
    refs: dict[str, ImageRef] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def keep(self, who: str, found: Resolved) -> None:
        self.findings.extend(found.findings)
        if found.missing is not None:
            self.missing[who] = found.missing
        elif found.ref is not None:
            self.refs[who] = found.ref

    def has(self, frame: pd.DataFrame, column: str, span: tuple[int, int] | None = None, *keys: str) -> bool:
        if column in frame.columns:
            return True
        options = [str(c) for c in frame.columns]
        self.findings.append(
            Finding(
                "E301",
                f"the table has no column '{column}'",
                (*self.where, *keys),
                span,
                help=did_you_mean(column, options) or f"its columns are: {listing(options)}",
            )
        )
        return False


def locate_images(source: Source, frame: pd.DataFrame, *, roots: Roots, where: Where) -> Located:
    """Find the image of each row; no file is opened.

    Parameters
    ----------
    source
        How images are selected.
    frame
        The rows, all text, missing cells None, indexed by observation id.
    roots
        Folders that names are relative to, and that resolved paths may not leave.
    where
        Keys of the spec, such as ``("data", "images")``.

    Returns
    -------
    Located
        Never raises for what a spec or a table can hold: its findings, E301 to E309, say all that is wrong.
    """
    search = _Search(roots, where)
    _find(source, frame, search)
    return Located(search.refs, search.missing, tuple(search.findings))


@singledispatch
def _find(source: object, frame: pd.DataFrame, search: _Search) -> None:
    raise TypeError(f"{type(source).__name__} is no way to select images")


@_find.register
def _(source: Template, frame: pd.DataFrame, search: _Search) -> None:
    fields = template_fields(source.text)
    # A list, so that every unknown column is named and not the first alone.
    known = [search.has(frame, f.name, (f.start, f.end)) for f in fields]
    if not all(known):
        return
    names = list(dict.fromkeys(f.name for f in fields))
    cells = {name: _cells(frame, name) for name in names}
    for row, who in enumerate(map(str, frame.index)):
        values = {name: cells[name][row] for name in names}
        empty = [name for name, value in values.items() if value is None]
        if empty:
            search.missing[who] = f"its cell in column '{empty[0]}' is empty"
            continue
        unsafe = [name for name, value in values.items() if not is_safe_value(value or "")]
        if unsafe:
            search.findings.append(_unsafe(who, unsafe[0], str(values[unsafe[0]]), search.where))
            continue
        text = fill_template(source.text, {name: str(value) for name, value in values.items()})
        search.keep(who, resolve(text, search.roots.spec, roots=search.roots, where=search.where, who=who))


@_find.register
def _(source: Column, frame: pd.DataFrame, search: _Search) -> None:
    if not search.has(frame, source.name, None, "column"):
        return
    for who, text in zip(map(str, frame.index), _cells(frame, source.name), strict=True):
        if text is None:
            search.missing[who] = f"its cell in column '{source.name}' is empty"
            continue
        search.keep(who, resolve(text, search.roots.table, roots=search.roots, where=search.where, who=who))


@_find.register
def _(source: Volumes, frame: pd.DataFrame, search: _Search) -> None:
    if not search.has(frame, source.index, None, "index"):
        return
    found = resolve(source.file, search.roots.spec, roots=search.roots, where=(*search.where, "file"))
    search.findings.extend(found.findings)
    if found.missing is not None:
        search.findings.append(Finding("E309", found.missing, (*search.where, "file")))
    if found.ref is None:
        return
    for who, text in zip(map(str, frame.index), _cells(frame, source.index), strict=True):
        if text is None:
            search.missing[who] = f"its cell in column '{source.index}' is empty"
        elif not re.fullmatch(r"[0-9]{1,9}", text):
            message = f"'{text}' in column '{source.index}' of observation '{who}' is no volume: 0, 1, 2, …"
            search.findings.append(Finding("E306", message, (*search.where, "index")))
        else:
            search.refs[who] = ImageRef(found.ref.path, int(text), found.ref.name)


@_find.register
def _(source: Bids, frame: pd.DataFrame, search: _Search) -> None:
    folder = _dataset(source, search)
    columns = [c for c in source.id_columns if search.has(frame, c)]
    if folder is None or len(columns) < len(source.id_columns):
        return
    wanted = {entity_key(k): entity_value(entity_key(k), str(v)) for k, v in source.filters.items()}
    keys = tuple(entity_key(c) for c in columns)
    if not all(_ENTITY_KEY.fullmatch(key) for key in keys):
        message = (
            f"the id columns {', '.join(columns)} name no BIDS entities, such as participant_id or session"
        )
        search.findings.append(Finding("E307", message, search.where))
        return
    by_id: dict[tuple[str, ...], list[BidsFile]] = {}
    for file in walk(folder):
        if all(file.entities.get(key) == value for key, value in wanted.items()):
            by_id.setdefault(tuple(file.entities.get(key, "") for key in keys), []).append(file)
    cells = [_cells(frame, c) for c in columns]
    for row, who in enumerate(map(str, frame.index)):
        own = tuple(entity_value(key, cell[row] or "") for key, cell in zip(keys, cells, strict=True))
        asked = {**dict(zip(keys, own, strict=True)), **wanted}
        _keep_one(who, by_id.get(own, []), asked, source, search)


def _keep_one(
    who: str, files: list[BidsFile], asked: Mapping[str, str], source: Bids, search: _Search
) -> None:
    """Take the only file of a row; none is missing, several are an error."""
    words = ", ".join(f"{key}-{value}" for key, value in asked.items())
    if not files:
        search.missing[who] = f"no image with {words} in '{source.dataset}'"
    elif len(files) > 1:
        search.findings.append(
            Finding(
                "E304",
                f"{len(files)} images of '{source.dataset}' match observation '{who}' ({words})",
                (*search.where, "bids", "filters"),
                help="add a filter that tells them apart",
                notes=(listing([file.name for file in files]),),
            )
        )
    else:
        text = str(Path(source.dataset, files[0].name))
        search.keep(who, resolve(text, search.roots.spec, roots=search.roots, where=search.where, who=who))


def _dataset(source: Bids, search: _Search) -> Path | None:
    """Return the data set's folder, or note why there is none."""
    where = (*search.where, "bids", "dataset")
    try:
        folder = (search.roots.spec / source.dataset).resolve()
        there = folder.is_dir()
    except (OSError, ValueError, RuntimeError):
        there = False
    if not there:
        search.findings.append(Finding("E305", f"there is no folder '{source.dataset}'", where))
        return None
    if not search.roots.admit(folder):
        message = f"'{source.dataset}' leads outside the folder of the spec and of the table"
        search.findings.append(Finding("E303", message, where, help="move it, or pass --allow-outside"))
        return None
    return folder


def _cells(frame: pd.DataFrame, column: str) -> list[str | None]:
    """Return a column as text, None where a cell is empty."""
    return [None if cell is None or pd.isna(cell) else str(cell) for cell in frame[column].tolist()]


def _unsafe(who: str, column: str, value: str, where: Where) -> Finding:
    return Finding(
        "E302",
        f"'{value[:100]}' in column '{column}' of observation '{who}' cannot stand in a path",
        where,
        help="values in a template are made of letters, digits and . _ + -; "
        "or give whole paths in a column: {column: name}",
    )
