"""From cells of text to levels and numbers, and what can be wrong on the way."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from specgl.design.records import (
    Categorical,
    CategoricalColumn,
    Continuous,
    ContinuousColumn,
    Rows,
    TypedColumn,
    Variable,
)
from specgl.design.table import FILL_IN, MAX_FINDINGS, at_cell, cells_missing, column_missing, in_rows, listed
from specgl.errors import DesignError, Exit, Finding, TableError, exit_code
from specgl.grammar import suggest

MAX_LEVELS = 1000
"""More levels than these are no factor but an identifier."""

# ASCII digits and a decimal point, nothing else: no "1_000", "0x10", "inf" or "nan", which float() takes.
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_LIKE_MISSING = frozenset({"na", "nan", "none", "null", "n.a.", ".", "-", "?", "missing", "n/a"})
_LIKE_INFINITE = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})
_ORDERED = frozenset({"polynomial", "helmert"})


def spelling_key(text: str) -> str | float:
    """What two spellings of one value have in common.

    Case, surrounding and repeated spaces, invisible characters, and whether words are joined by a space,
    ``_`` or ``-`` do not count; neither does how a number is written (``1``, ``01``, ``1.0``).
    """
    number = parse_number(text)
    if number is not None:
        return number
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf").strip().casefold()
    return re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", re.sub(r"_+", " ", plain))


def parse_number(text: str) -> float | None:
    """Finite number that a cell holds, spaces around it aside; ``None`` when it holds none."""
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        return None
    number = float(stripped)
    return number if math.isfinite(number) else None


def kept_positions(rows: Rows) -> list[int]:
    """Positions in the table's frame of the analysed rows, in the table's order."""
    place = {observation: k for k, observation in enumerate(rows.table.frame.index)}
    return [place[observation] for observation in rows.kept]


def cells_of(rows: Rows, column: str) -> list[tuple[int, str | None]]:
    """Analysed cells of a column, each with its row's position in the table's frame."""
    cells = rows.table.frame[column].tolist()
    return [(k, cells[k]) for k in kept_positions(rows)]


def check_columns(rows: Rows, variables: Mapping[str, Variable]) -> tuple[Finding, ...]:
    """Compare each declared variable with its analysed cells.

    Dropping rows can empty a level or make a covariate constant, so this holds for one set of rows only;
    `typed_columns` does it again.

    Returns
    -------
    tuple of Finding
        Errors (``E210``, ``E215``, ``E220`` to ``E223``, ``E225``, ``E228``) and warnings.
    """
    findings: list[Finding] = []
    for name, variable in variables.items():
        if name not in rows.table.columns:
            findings.append(column_missing(rows.table, name, ("variables", name), on_key=True))
            continue
        cells = cells_of(rows, name)
        present = [(k, cell) for k, cell in cells if cell is not None]
        lacking = [k for k, cell in cells if cell is None]
        if lacking:
            findings.append(_missing(rows, name, lacking))
        if not present:
            continue
        match variable:
            case Categorical():
                findings += _check_categorical(rows, name, variable, present)
            case Continuous():
                findings += _check_continuous(rows, name, present)
    return tuple(findings)


def typed_columns(rows: Rows, variables: Mapping[str, Variable]) -> dict[str, TypedColumn]:
    """Levels and numbers of the declared variables over the analysed rows.

    A mean or a standard deviation (n - 1) that centres or scales is that of the analysed rows.

    Parameters
    ----------
    rows
        The analysed rows.
    variables
        Declared variables, by column; all of them are taken.

    Returns
    -------
    dict
        A column each, ``(n_obs,)`` in the order of ``rows.kept``.

    Raises
    ------
    TableError or DesignError
        With all findings of `check_columns`, when one of them is an error.
    """
    raise_for(check_columns(rows, variables))
    typed: dict[str, TypedColumn] = {}
    for name, variable in variables.items():
        cells = [cell for _, cell in cells_of(rows, name) if cell is not None]
        match variable:
            case Categorical():
                typed[name] = _factor(name, variable, cells)
            case Continuous():
                typed[name] = _covariate(name, variable, cells)
    return typed


def raise_for(findings: Sequence[Finding]) -> None:
    """Raise when a finding is an error: as the spec's fault if one of them is, else as the table's."""
    errors = [finding for finding in findings if finding.is_error]
    if errors:
        raise (DesignError if exit_code(errors) is Exit.SPEC else TableError)(*findings)


def check_labels(
    rows: Rows, column: str, where: tuple[str | int, ...], code: str, what: str
) -> list[Finding]:
    """What is wrong with a column whose texts say what a row belongs to: its block, its variance group.

    Parameters
    ----------
    rows
        The analysed rows.
    column
        Name of the column.
    where
        Keys that lead to it in the spec.
    code
        Code for missing cells.
    what
        What its cells name, in words.

    Returns
    -------
    list of Finding
        E210 where the table lacks the column, else `code` and W224 (doubtful spellings).
    """
    if column not in rows.table.columns:
        return [column_missing(rows.table, column, where, on_key=False)]
    cells = cells_of(rows, column)
    found = by_value((k, cell) for k, cell in cells if cell is not None)
    findings = spelling_variants(rows, column, found, "W224")
    lacking = [k for k, cell in cells if cell is None]
    if lacking:
        kind = what.split()[-1]
        help = f"every analysed row needs its {kind}: {FILL_IN}"
        findings.append(cells_missing(rows.table, column, lacking, code, f"{what} `{column}`", help))
    return findings


def _missing(rows: Rows, name: str, lacking: Sequence[int]) -> Finding:
    return cells_missing(
        rows.table,
        name,
        lacking,
        "E215",
        f"`{name}`",
        "fill in the table, leave these rows out (`data.exclude`), or write `missing: {covariate: drop}` "
        "under `data`",
    )


def by_value(cells: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    """Rows of each distinct cell, in order of appearance."""
    rows: dict[str, list[int]] = {}
    for k, cell in cells:
        rows.setdefault(cell, []).append(k)
    return rows


def _counted_rest(code: str, values: Sequence[str], message: str, rows: Rows) -> list[Finding]:
    """One finding that counts those past the first `MAX_FINDINGS`."""
    if len(values) <= MAX_FINDINGS:
        return []
    return [Finding(code, f"{len(values) - MAX_FINDINGS} more {message}", file=rows.table.name)]


def _check_categorical(
    rows: Rows, name: str, variable: Categorical, cells: list[tuple[int, str]]
) -> list[Finding]:
    found = by_value(cells)
    if variable.levels is None:
        findings = spelling_variants(rows, name, found, "E221")
        if not findings and len(found) == 1:
            (only,) = found
            findings.append(_one_level(name, only, ("variables", name), on_key=True))
        findings += _number_order(name, variable, sorted(found))
    else:
        findings = _undeclared(rows, name, variable.levels, found)
        findings += _unobserved(name, variable.levels, found, misspelt=bool(findings))
        if len(variable.levels) == 1:
            findings.append(_one_level(name, variable.levels[0], ("variables", name, "levels")))
    n_levels = len(found if variable.levels is None else variable.levels)
    if n_levels > MAX_LEVELS:
        message = f"`{name}` has {n_levels:,} levels, more than {MAX_LEVELS:,}"
        help = "is it an identifier, or a number (`type: continuous`)?"
        findings.append(Finding("E228", message, where=("variables", name), on_key=True, help=help))
    return findings


def spelling_variants(rows: Rows, name: str, found: Mapping[str, list[int]], code: str) -> list[Finding]:
    """Values that look like one value written in several ways; the most frequent spelling is proposed."""
    alike: dict[str | float, list[str]] = {}
    for value in found:
        alike.setdefault(spelling_key(value), []).append(value)
    findings = []
    for values in alike.values():
        # Of two equally frequent spellings the tidy one is meant: no spaces around it.
        best = max(values, key=lambda v: (len(found[v]), v == v.strip(), v.islower()))
        for value in values:
            if value == best:
                continue
            message = (
                f"{value!r} and {best!r} look like one level of `{name}` in two spellings; did you mean "
                f"{best!r}? {in_rows(rows.table, found[value])}"
            )
            help = f"mend the table; if both are meant, declare both in `levels` of {name!r}"
            findings.append(at_cell(rows.table, found[value][0], name, code, message, help))
    return findings[:MAX_FINDINGS]


def _number_order(name: str, variable: Categorical, levels: Sequence[str]) -> list[Finding]:
    """Whether levels that are numbers would be taken in another order than theirs, where order matters."""
    numbers = [parse_number(level) for level in levels]
    known = [number for number in numbers if number is not None]
    if variable.coding not in _ORDERED or len(known) < len(levels) or known == sorted(known):
        return []
    proposal = ", ".join(sorted(levels, key=lambda level: parse_number(level) or 0.0))
    return [
        Finding(
            "W225",
            f"levels of `{name}` are sorted as text ({listed(levels)}), which is not their order as numbers",
            where=("variables", name),
            on_key=True,
            help=f"declare `levels: [{proposal}]`",
        )
    ]


def _one_level(name: str, level: str, where: tuple[str | int, ...], *, on_key: bool = False) -> Finding:
    return Finding(
        "E225",
        f"`{name}` has one level only, {level!r}: there is nothing to compare",
        where=where,
        on_key=on_key,
        help=f"take {name!r} out of the formula, or look at what `include` and `exclude` leave",
    )


def _undeclared(
    rows: Rows, name: str, levels: Sequence[str], found: Mapping[str, list[int]]
) -> list[Finding]:
    by_key = {spelling_key(level): level for level in reversed(levels)}
    wrong = [value for value in found if value not in set(levels)]
    findings = []
    for value in wrong[:MAX_FINDINGS]:
        near = by_key.get(spelling_key(value)) or suggest(value, levels)
        question = "" if near is None else f"; did you mean {near!r}?"
        message = (
            f"{value!r} is not a declared level of `{name}`{question} {in_rows(rows.table, found[value])}"
        )
        help = (
            f"declared: {listed(levels)}; mend the table, add the level, or leave its rows out "
            "(`data.exclude`)"
        )
        findings.append(at_cell(rows.table, found[value][0], name, "E221", message, help))
    return findings + _counted_rest("E221", wrong, f"undeclared levels of `{name}`", rows)


def _unobserved(
    name: str, levels: Sequence[str], found: Mapping[str, list[int]], *, misspelt: bool
) -> list[Finding]:
    findings = []
    for k, level in enumerate(levels):
        if level in found:
            continue
        # With undeclared values about, the level is most likely there under another spelling.
        help = (
            "see the undeclared levels in the table"
            if misspelt
            else "take it out of `levels`, or look at what `include`, `exclude` and missing data leave"
        )
        message = f"level {level!r} of `{name}` has no observation among the analysed rows"
        findings.append(Finding("E222", message, where=("variables", name, "levels", k), help=help))
    return findings


def _check_continuous(rows: Rows, name: str, cells: list[tuple[int, str]]) -> list[Finding]:
    wrong = by_value((k, cell) for k, cell in cells if parse_number(cell) is None)
    findings = []
    for value in list(wrong)[:MAX_FINDINGS]:
        what = "is not finite" if value.strip().casefold() in _LIKE_INFINITE else "is not a number"
        message = f"{value!r} in `{name}` {what} {in_rows(rows.table, wrong[value])}"
        findings.append(
            at_cell(rows.table, wrong[value][0], name, "E220", message, _number_help(name, value))
        )
    if wrong:
        return findings + _counted_rest("E220", list(wrong), f"values of `{name}` are no numbers", rows)
    numbers = _numbers([cell for _, cell in cells])
    # What the cells' last bits could make of equal numbers is no variation.
    if np.ptp(numbers) <= 4 * np.finfo(np.float64).eps * np.abs(numbers).max():
        return [
            Finding(
                "E223",
                f"`{name}` is {numbers[0]:g} in all {len(numbers)} analysed rows: it explains nothing",
                where=("variables", name),
                on_key=True,
                help=f"take {name!r} out of the formula, or look at what `include` and `exclude` leave",
            )
        ]
    return []


def _number_help(name: str, value: str) -> str:
    plain = value.strip()
    if plain.casefold() in _LIKE_MISSING:
        return "a missing value is written n/a, or left empty"
    if _COMMA.fullmatch(plain):
        return f"numbers have a decimal point: {plain.replace(',', '.')}"
    if plain.casefold() in _LIKE_INFINITE or _NUMBER.fullmatch(plain):
        return "give a finite number, or n/a where there is none"
    return f"mend the cell; if {name!r} has levels and no numbers, declare it `type: categorical`"


def _numbers(cells: Sequence[str]) -> NDArray[np.float64]:
    return np.array([float(cell) for cell in cells], dtype=np.float64)


def _factor(name: str, variable: Categorical, cells: Sequence[str]) -> CategoricalColumn:
    levels = tuple(sorted(set(cells))) if variable.levels is None else tuple(variable.levels)
    index = {level: k for k, level in enumerate(levels)}
    codes = np.array([index[cell] for cell in cells], dtype=np.int64)
    codes.flags.writeable = False
    return CategoricalColumn(name, codes, levels, variable.coding)


def _covariate(name: str, variable: Continuous, cells: Sequence[str]) -> ContinuousColumn:
    raw = _numbers(cells)
    center = {"mean": float(raw.mean()), "none": 0.0}.get(str(variable.center))
    scale = {"sd": float(raw.std(ddof=1)), "none": 1.0}.get(str(variable.scale))
    center = float(variable.center) if center is None else center
    scale = float(variable.scale) if scale is None else scale
    if not (math.isfinite(center) and math.isfinite(scale) and scale > 0):
        raise ValueError(f"{name!r}: center must be finite and scale a positive number")
    values = (raw - center) / scale
    values.flags.writeable = False
    return ContinuousColumn(name, values, center, scale, variable.unit)
