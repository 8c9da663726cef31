"""From the rows of a table to one image each: template, column, BIDS entities, volumes of a 4-D file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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

    def lacks_columns(self, source: Source, frame: pd.DataFrame) -> bool:
        """Whether the table lacks a column that the source wants; each one is told."""
        faults = missing_columns(source, frame, where=self.where)
        self.findings.extend(faults)
        return bool(faults)


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


def missing_columns(source: Source, frame: pd.DataFrame, *, where: Where) -> tuple[Finding, ...]:
    """E301 for each column that a way to select images wants, and that the table lacks.

    Parameters
    ----------
    source
        How images are selected.
    frame
        The table.
    where
        Keys of the spec, such as ``("data", "images")``.
    """
    options = [str(c) for c in frame.columns]
    return tuple(
        Finding(
            "E301",
            f"the table has no column '{want.name}'",
            (*where, *want.keys),
            want.span,
            help=did_you_mean(want.name, options) or f"its columns are: {listing(options)}",
        )
        for want in _wanted(source)
        if want.name not in frame.columns
    )


@dataclass(frozen=True)
class _Want:
    """A column that is wanted, and where in the spec it is named."""

    name: str
    keys: tuple[str, ...] = ()
    span: tuple[int, int] | None = None


def _wanted(source: Source) -> tuple[_Want, ...]:
    match source:
        case Template():
            return tuple(_Want(f.name, span=(f.start, f.end)) for f in template_fields(source.text))
        case Column():
            return (_Want(source.name, ("column",)),)
        case Volumes():
            return (_Want(source.index, ("index",)),)
        case Bids():
            return tuple(_Want(column) for column in source.id_columns)


@singledispatch
def _find(source: object, frame: pd.DataFrame, search: _Search) -> None:
    raise TypeError(f"{type(source).__name__} is no way to select images")


@_find.register
def _(source: Template, frame: pd.DataFrame, search: _Search) -> None:
    if search.lacks_columns(source, frame):
        return
    names = list(dict.fromkeys(f.name for f in template_fields(source.text)))
    unsafe: dict[str, dict[str, str]] = {}
    cells = {name: _cells(frame, name) for name in names}
    for row, who in enumerate(map(str, frame.index)):
        values = {name: cells[name][row] for name in names}
        empty = [name for name, value in values.items() if value is None]
        if empty:
            search.missing[who] = f"its cell in column '{empty[0]}' is empty"
            continue
        odd = {name: str(value) for name, value in values.items() if not is_safe_value(value or "")}
        for name, value in odd.items():
            unsafe.setdefault(name, {})[who] = value
        if odd:
            continue
        text = fill_template(source.text, {name: str(value) for name, value in values.items()})
        search.keep(who, resolve(text, search.roots.spec, roots=search.roots, where=search.where, who=who))
    search.findings.extend(_unsafe(column, by_id, search.where) for column, by_id in unsafe.items())


@_find.register
def _(source: Column, frame: pd.DataFrame, search: _Search) -> None:
    if search.lacks_columns(source, frame):
        return
    beside = search.roots.table.resolve() != search.roots.spec.resolve()
    for who, text in zip(map(str, frame.index), _cells(frame, source.name), strict=True):
        if text is None:
            search.missing[who] = f"its cell in column '{source.name}' is empty"
            continue
        found = resolve(text, search.roots.table, roots=search.roots, where=search.where, who=who)
        if found.missing is not None and beside:
            found = replace(found, missing=f"{found.missing} in the table's folder")
        search.keep(who, found)


@_find.register
def _(source: Volumes, frame: pd.DataFrame, search: _Search) -> None:
    if search.lacks_columns(source, frame):
        return
    found = resolve(source.file, search.roots.spec, roots=search.roots, where=(*search.where, "file"))
    search.findings.extend(found.findings)
    if found.missing is not None:
        search.findings.append(Finding("E309", found.missing, (*search.where, "file")))
    if found.ref is None:
        return
    odd: dict[str, str] = {}
    for who, text in zip(map(str, frame.index), _cells(frame, source.index), strict=True):
        if text is None:
            search.missing[who] = f"its cell in column '{source.index}' is empty"
        elif not re.fullmatch(r"[0-9]{1,9}", text):
            odd[who] = text
        else:
            search.refs[who] = ImageRef(found.ref.path, int(text), found.ref.name)
    if odd:
        message = f"{_quoted(source.index, odd)} is no volume: 0, 1, 2, …"
        search.findings.append(Finding("E306", message, (*search.where, "index"), notes=_others(odd)))


@_find.register
def _(source: Bids, frame: pd.DataFrame, search: _Search) -> None:
    folder = _dataset(source, search)
    columns = source.id_columns
    if search.lacks_columns(source, frame) or folder is None:
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
    seen: dict[str, dict[str, None]] = {key: {} for key in wanted}
    for file in walk(folder, search.roots.admit):
        for key in wanted:
            seen[key][file.entities.get(key, "")] = None
        if all(file.entities.get(key) == value for key, value in wanted.items()):
            by_id.setdefault(tuple(file.entities.get(key, "") for key in keys), []).append(file)
    cells = [_cells(frame, c) for c in columns]
    for row, who in enumerate(map(str, frame.index)):
        own = tuple(entity_value(key, cell[row] or "") for key, cell in zip(keys, cells, strict=True))
        asked = {**dict(zip(keys, own, strict=True)), **wanted}
        if not by_id:
            search.missing[who] = _no_such(wanted, seen, source)
            continue
        _keep_one(who, by_id.get(own, []), asked, source, search)


def _no_such(wanted: Mapping[str, str], seen: Mapping[str, Mapping[str, None]], source: Bids) -> str:
    """Why no file of a data set passes the filters."""
    for key, value in wanted.items():
        held = [text for text in seen[key] if text]
        if not held:
            return f"no image of '{source.dataset}' has the entity '{key}'"
        if value not in held:
            return (
                f"no image of '{source.dataset}' has {key}-{value}; there is {key}: {listing(sorted(held))}"
            )
    words = ", ".join(f"{key}-{value}" for key, value in wanted.items())
    return f"no image of '{source.dataset}' has {words} together"


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


def _quoted(column: str, by_id: Mapping[str, str]) -> str:
    """The first of some cells of a column."""
    who, value = next(iter(by_id.items()))
    return f"'{value[:100]}' in column '{column}' of observation '{who}'"


def _others(by_id: Mapping[str, str]) -> tuple[str, ...]:
    """Note of the other observations whose cells are at fault in the same way."""
    others = list(by_id)[1:]
    return (f"likewise {listing(others)}",) if others else ()


def _unsafe(column: str, by_id: Mapping[str, str], where: Where) -> Finding:
    return Finding(
        "E302",
        f"{_quoted(column, by_id)} cannot stand in a path",
        where,
        notes=_others(by_id),
        help="values in a template are made of letters, digits and . _ + -; "
        "or give whole paths in a column: {column: name}",
    )
