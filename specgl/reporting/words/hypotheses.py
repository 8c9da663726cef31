"""A hypothesis in plain words, where it has one of the forms that people ask; else as it is written."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from specgl.grammar import Atom, AtomKind, read_hypothesis
from specgl.reporting.words.language import listed, name, names, one_space

Cell = frozenset[tuple[str, str]]
Terms = list[tuple[float, Atom]]

_RIGHT = re.compile(r" ?= ?0(?:\.0*)?$")
_SMALL = 1e-9
"""Weights as near to each other are equal: they have been through sums of decimal fractions."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One row of a contrast in words.

    Attributes
    ----------
    either, above, below
        The question for an alternative of either side, greater, and less; without its end.
    noun
        What is estimated.
    variables
        Variables that it speaks of.
    kind
        ``mean``, ``difference``, ``slope``, or ``other`` for what is none of these.
    unit
        What a slope is told with, such as ``unit: year``; empty for nothing.
    """

    either: str
    above: str
    below: str
    noun: str
    variables: frozenset[str]
    kind: str
    unit: str = ""

    def asked(self, alternative: str) -> str:
        """The question for an alternative."""
        return {"greater": self.above, "less": self.below}.get(alternative, self.either)


def phrase(text: str, per: Mapping[str, str]) -> Phrase:
    """Say a hypothesis in words.

    Parameters
    ----------
    text
        The hypothesis as written.
    per
        For each continuous variable what its slope is told with, such as ``unit: year``; empty for nothing.
    """
    reading = read_hypothesis(text)
    terms = _merged(reading.terms)
    if not reading.problems and terms:
        for form in _FORMS:
            told = form(terms, per)
            if told is not None:
                return told
    return as_written(text)


def as_written(text: str) -> Phrase:
    """A hypothesis that is beyond the forms, or a sum of regressors: its own text."""
    return _against_zero(f"“{plain_hypothesis(text)}”", frozenset(), "other")


def plain_hypothesis(text: str) -> str:
    """A hypothesis as written, in one line, without its right side."""
    return _RIGHT.sub("", one_space(text))


def _merged(terms: tuple[tuple[float, Atom], ...]) -> Terms:
    """Terms of the same atom as one, without those that cancel."""
    held: dict[tuple[AtomKind, str | None, Cell], tuple[float, Atom]] = {}
    for weight, atom in terms:
        is_own = atom.kind in (AtomKind.REGRESSOR, AtomKind.INTERCEPT)
        key = (atom.kind, atom.name if is_own else atom.slope, frozenset(atom.cell))
        before = held[key][0] if key in held else 0.0
        held[key] = (before + weight, held.get(key, (0.0, atom))[1])
    return [(weight, atom) for weight, atom in held.values() if abs(weight) > _SMALL]


def _against_zero(noun: str, variables: frozenset[str], kind: str) -> Phrase:
    return Phrase(
        f"is {noun} different from 0",
        f"is {noun} above 0",
        f"is {noun} below 0",
        noun,
        variables,
        kind,
    )


# The forms, each a function that knows one of them and gives None for all else.


def _regressor(terms: Terms, per: Mapping[str, str]) -> Phrase | None:
    (weight, atom), *more = terms
    if more or not _equal(weight, 1) or atom.kind not in (AtomKind.REGRESSOR, AtomKind.INTERCEPT):
        return None
    return _against_zero(f"the coefficient of the regressor {name(atom.name)}", frozenset(), "other")


def _mean(terms: Terms, per: Mapping[str, str]) -> Phrase | None:
    if not _are(terms, AtomKind.MEAN, AtomKind.CELL) or not _is_average(terms, 1):
        return None
    atoms = [atom for _, atom in terms]
    if len(atoms) == 1:
        place = "" if atoms[0].kind is AtomKind.MEAN else f" for {_cell(frozenset(atoms[0].cell))}"
        noun = f"the mean{place}"
    else:
        noun = f"the average of the means for {listed(_operand(atom) for atom in atoms)}"
    return _against_zero(noun, _variables(terms), "mean")


def _difference(terms: Terms, per: Mapping[str, str]) -> Phrase | None:
    """One mean, or an average of several, against another."""
    if not _are(terms, AtomKind.MEAN, AtomKind.CELL):
        return None
    upper, lower = _split(terms)
    if not (upper and lower and _is_average(upper, 1) and _is_average(lower, -1)):
        return None
    shared: Cell = frozenset()
    if len(upper) == len(lower) == 1:
        cells = frozenset(upper[0][1].cell), frozenset(lower[0][1].cell)
        common = cells[0] & cells[1]
        shared = common if cells[0] > common and cells[1] > common else frozenset()
    high, low = (_side(side, shared) for side in (upper, lower))
    where = f", within {_cell(shared)}" if shared else ""
    return Phrase(
        f"are values higher or lower for {high} than for {low}{where}",
        f"are values higher for {high} than for {low}{where}",
        f"are values lower for {high} than for {low}{where}",
        f"{high} minus {low}{where}",
        _variables(terms),
        "difference",
    )


def _interaction(terms: Terms, per: Mapping[str, str]) -> Phrase | None:
    """A difference of differences over the four cells of two factors."""
    if len(terms) != 4 or not _are(terms, AtomKind.CELL):
        return None
    if not all(_equal(abs(weight), 1) for weight, _ in terms):
        return None
    cells = {frozenset(atom.cell): weight for weight, atom in terms}
    upper, lower = _split(terms)
    if len(upper) != 2 or len(upper[0][1].cell) != 2:
        return None
    # What is taken from the first cell tells over which factor the inner difference runs.
    (row, one), (column, left) = sorted(upper[0][1].cell, key=lambda pair: pair in lower[0][1].cell)
    held = [dict(cell) for cell in cells]
    if any(set(cell) != {row, column} for cell in held):
        return None
    two = next((cell[row] for cell in held if cell[column] == left and cell[row] != one), None)
    right = next((cell[column] for cell in held if cell[row] == one and cell[column] != left), None)
    if two is None or right is None:
        return None
    wanted = {(one, left): 1, (two, left): -1, (one, right): -1, (two, right): 1}
    found = {(cell[row], cell[column]): cells[frozenset(cell.items())] for cell in held}
    if set(found) != set(wanted) or not all(_equal(found[key], wanted[key]) for key in wanted):
        return None
    between = f"{_level(row, one)} minus {_level(row, two)}"
    high, low = _level(column, left), _level(column, right)
    return Phrase(
        f"is the difference {between} larger or smaller for {high} than for {low}",
        f"is the difference {between} larger for {high} than for {low}",
        f"is the difference {between} smaller for {high} than for {low}",
        f"the difference {between} for {high}, minus the same difference for {low}",
        _variables(terms),
        "difference",
    )


def _slope(terms: Terms, per: Mapping[str, str]) -> Phrase | None:
    (weight, atom), *more = terms
    if more or atom.slope is None or not _equal(weight, 1):
        return None
    of, where = name(atom.slope), f" for {_cell(frozenset(atom.cell))}" if atom.cell else ""
    return Phrase(
        f"do values rise or fall with {of}{where}",
        f"do values rise with {of}{where}",
        f"do values fall with {of}{where}",
        f"the slope of {of}{where}",
        _variables(terms),
        "slope",
        per.get(atom.slope, ""),
    )


def _slopes(terms: Terms, per: Mapping[str, str]) -> Phrase | None:
    """The slope of one covariate at one cell against that at another."""
    upper, lower = _split(terms)
    if len(upper) != 1 or len(lower) != 1 or not (_equal(upper[0][0], 1) and _equal(lower[0][0], -1)):
        return None
    of = {atom.slope for _, atom in terms}
    if len(of) != 1 or None in of or not all(atom.cell for _, atom in terms):
        return None
    covariate = str(upper[0][1].slope)
    high, low = (_cell(frozenset(side[0][1].cell)) for side in (upper, lower))
    return Phrase(
        f"is the slope of {name(covariate)} larger or smaller for {high} than for {low}",
        f"is the slope of {name(covariate)} larger for {high} than for {low}",
        f"is the slope of {name(covariate)} smaller for {high} than for {low}",
        f"the slope of {name(covariate)} for {high} minus that for {low}",
        _variables(terms),
        "slope",
        per.get(covariate, ""),
    )


_FORMS: tuple[Callable[[Terms, Mapping[str, str]], Phrase | None], ...] = (
    _regressor,
    _mean,
    _difference,
    _interaction,
    _slope,
    _slopes,
)


def _are(terms: Terms, *kinds: AtomKind) -> bool:
    return all(atom.kind in kinds for _, atom in terms)


def _equal(value: float, wanted: float) -> bool:
    return math.isclose(value, wanted, rel_tol=0.0, abs_tol=_SMALL)


def _split(terms: Terms) -> tuple[Terms, Terms]:
    """Terms with positive weights, and those with negative ones."""
    return [term for term in terms if term[0] > 0], [term for term in terms if term[0] < 0]


def _is_average(terms: Terms, total: int) -> bool:
    """Whether weights are equal and sum to 1 or -1."""
    return all(_equal(weight, total / len(terms)) for weight, _ in terms)


def _side(terms: Terms, shared: Cell) -> str:
    if len(terms) == 1:
        return _operand(terms[0][1], shared)
    return f"the average of {listed(_operand(atom) for _, atom in terms)}"


def _operand(atom: Atom, shared: Cell = frozenset()) -> str:
    if atom.kind is AtomKind.MEAN:
        return "the grand mean"
    return _cell(frozenset(atom.cell) - shared, atom)


def _cell(cell: Cell, atom: Atom | None = None) -> str:
    """Levels in the order of the atom, or else by their variables."""
    ordered = sorted(cell) if atom is None else [pair for pair in atom.cell if pair in cell]
    return listed(_level(variable, level) for variable, level in ordered)


def _level(variable: str, level: str) -> str:
    return f"{name(variable)} {name(level)}"


def _variables(terms: Terms) -> frozenset[str]:
    held = {variable for _, atom in terms for variable, _ in atom.cell}
    return frozenset(held | {atom.slope for _, atom in terms if atom.slope is not None})


def others_words(told: Phrase, design: Mapping[str, Any]) -> list[str]:
    """What is said of the variables that a row does not speak of: how they are held.

    Parameters
    ----------
    told
        The row.
    design
        Meaning of the design.
    """
    if told.kind == "other":
        return []
    variables = design["variables"]
    rest = [variable for variable in variables if variable not in told.variables]
    held = [v for v in rest if told.kind == "mean" or _interact(v, told.variables, design)]
    averaged = [v for v in held if variables[v]["type"] == "categorical"]
    centred = [v for v in held if v not in averaged]
    moving = [v for v in design.get("voxelwise") or () if v not in told.variables]
    at_zero = [v for v in moving if told.kind == "mean" or _interact(v, told.variables, design)]
    adjusted = [v for v in [*rest, *moving] if v not in held and v not in at_zero]
    words = [f"averaged over the levels of {names(averaged)}"] if averaged else []
    words += [f"at average {names(centred)}"] if centred else []
    words += [f"at {listed(f'{name(v)} = 0' for v in at_zero)}"] if at_zero else []
    block = design.get("block")
    words += [f"within the blocks of {name(block['column'])}"] if block else []
    return [*words, f"adjusted for {names(adjusted)}"] if adjusted else words


def _interact(variable: str, others: frozenset[str], design: Mapping[str, Any]) -> bool:
    """Whether a regressor is of a variable and of one of the others."""
    for regressor in design["regressors"].values():
        held = {factor["variable"] for factor in regressor["factors"]}
        if variable in held and held & others:
            return True
    return False
