"""The language of hypotheses: linear expressions of a model's means, slopes and regressors.

::

    hypothesis = sum ["=" 0]
    sum        = [+ -] product {(+ | -) product}
    product    = factor {(* | /) factor}
    factor     = [+ -] factor | number | atom | ( sum )
    atom       = part {: part}
    part       = name ["[" level "]"] | `quoted name` ["[" level "]"]
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from specgl.grammar.problems import Problem

LENGTH = 2000
DEPTH = 40


class AtomKind(Enum):
    """What an atom speaks of."""

    MEAN = "mean"
    INTERCEPT = "intercept"
    CELL = "cell"
    SLOPE = "slope"
    REGRESSOR = "regressor"


@dataclass(frozen=True, slots=True)
class Atom:
    """A quantity that a hypothesis names.

    Attributes
    ----------
    kind
        ``MEAN`` the model's grand mean, ``CELL`` the mean at given levels, ``SLOPE`` of a continuous variable
        (at given levels, if any), ``INTERCEPT`` and ``REGRESSOR`` a regressor's own coefficient.
    name
        As written; of a regressor its name without the backticks.
    slope
        The continuous variable of a slope.
    cell
        Variables and levels in the order written.
    start, end
        Place in the text.
    """

    kind: AtomKind
    name: str
    slope: str | None
    cell: tuple[tuple[str, str], ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A hypothesis as read: a sum of atoms times numbers, and what is wrong."""

    text: str
    terms: tuple[tuple[float, Atom], ...]
    problems: tuple[Problem, ...]


_RESERVED: Mapping[str, AtomKind] = {"mean": AtomKind.MEAN, "Intercept": AtomKind.INTERCEPT}


def read_hypothesis(text: str) -> Hypothesis:
    """Read a hypothesis such as ``group[patient] - group[control]``; nothing is raised.

    Parameters
    ----------
    text
        Numbers, ``+ - * /``, parentheses, an optional ``= 0``, and the atoms of 2-language: ``mean``,
        ``Intercept``, ``factor[level]``, ``a[x]:b[y]``, a continuous variable, ``age:group[patient]``, and
        any regressor in backticks.
    """
    if len(text) > LENGTH:
        problem = Problem("E111", f"a hypothesis has at most {LENGTH} characters", LENGTH, len(text))
        return Hypothesis(text, (), (problem,))
    parser = _Parser(text)
    terms = parser.hypothesis()
    return Hypothesis(text, terms, tuple(sorted(parser.problems, key=lambda p: p.start)))


@dataclass(frozen=True, slots=True)
class _Linear:
    """A number plus atoms times numbers."""

    constant: float = 0.0
    terms: tuple[tuple[float, Atom], ...] = ()

    def plus(self, other: _Linear, sign: float) -> _Linear:
        return _Linear(self.constant + sign * other.constant, self.terms + other.times(sign).terms)

    def times(self, factor: float) -> _Linear:
        return _Linear(self.constant * factor, tuple((factor * weight, atom) for weight, atom in self.terms))


_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_NAME = re.compile(r"[^\W\d]\w*")
_QUOTED = re.compile(r"`([^`]+)`")
_LEVEL = re.compile(r"""\[\s*(?:"([^"]*)"|'([^']*)'|([^\]]*?))\s*\]""")
_JUNK = re.compile(r"[^\s\w+\-*/()=`]+|.", re.DOTALL)


@dataclass
class _Parser:
    text: str
    problems: list[Problem] = field(default_factory=list)
    place: int = 0
    depth: int = 0
    lost: bool = False  # what was just read was no part of the language, and has been reported

    def hypothesis(self) -> tuple[tuple[float, Atom], ...]:
        if not self.text.strip():
            self._problem("E111", "the hypothesis is empty", 0, len(self.text))
            return ()
        left = self._sum()
        while self._next() == ")":
            self._problem("E111", "this parenthesis closes nothing", self.place, self.place + 1)
            self.place += 1
            if self._next() not in ("", "=", ")"):
                left = left.plus(self._sum(), 1.0)
        self._right()
        if self.problems:
            return left.terms
        if left.constant != 0.0:
            self._problem(
                "E113",
                "a hypothesis sets a sum of means, slopes or regressors to 0, and holds no constant",
                0,
                len(self.text),
                "only `= 0` can be tested",
            )
        elif not left.terms:
            self._problem("E113", "a hypothesis needs a name, not only numbers", 0, len(self.text))
        return left.terms

    def _right(self) -> None:
        if self._next() != "=":
            return
        start = self.place
        self.place += 1
        if self._next() == "=":
            self._problem("E111", "write `= 0` with one equals sign", start, self.place + 1)
            self.place += 1
        before = len(self.problems)
        right = self._sum()
        if len(self.problems) == before and (right.terms or right.constant != 0.0):
            help = "write the difference: `a - b`" if right.terms else "only `= 0` can be tested"
            self._problem("E113", "only 0 may stand right of `=`", start, self.place, help)
        if self._next():
            self._problem("E111", "nothing may follow after `= 0`", self.place, len(self.text))

    def _sum(self) -> _Linear:
        total = self._product()
        while True:
            sign = self._next()
            if sign in ("", ")", "="):
                return total
            if sign in "+-":
                self.place += 1
                total = total.plus(self._product(), 1.0 if sign == "+" else -1.0)
                continue
            start, before = self.place, len(self.problems)
            part = self._product()
            if len(self.problems) == before and not self.lost:
                piece = self.text[start : self.place].strip()
                message = f"an operator is missing before `{piece}`"
                self._problem("E111", message, start, self.place, f"for a product write `* {piece}`")
            self.lost = len(self.problems) > before
            total = total.plus(part, 1.0)

    def _product(self) -> _Linear:
        start = self._start()
        total = self._factor()
        while (operator := self._next()) and operator in "*/":
            self.place += 1
            other_start = self._start()
            other = self._factor()
            total = self._combine(operator, total, other, (start, other_start, self.place))
        return total

    def _combine(self, operator: str, left: _Linear, right: _Linear, places: tuple[int, int, int]) -> _Linear:
        start, other_start, end = places
        if operator == "*":
            if left.terms and right.terms:
                help = "an interaction is a difference of differences; a cell is written a[x]:b[y]"
                self._problem("E112", "names cannot be multiplied: a hypothesis is linear", start, end, help)
                return left
            return left.times(right.constant) if left.terms else right.times(left.constant)
        if right.terms:
            self._problem("E112", "a name cannot stand below `/`: a hypothesis is linear", other_start, end)
            return left
        if right.constant == 0.0:
            self._problem("E111", "division by 0", other_start, end)
            return left
        return left.times(1.0 / right.constant)

    def _factor(self) -> _Linear:
        sign = self._next()
        if self.depth >= DEPTH:
            self._problem("E111", "nested too deeply", self.place, len(self.text))
            self.place = len(self.text)
            return _Linear()
        if sign and sign in "+-":
            self.place += 1
            self.depth += 1
            inner = self._factor()
            self.depth -= 1
            return inner if sign == "+" else inner.times(-1.0)
        if sign == "(":
            return self._group()
        if match := _NUMBER.match(self.text, self.place):
            return self._number(match)
        return self._operand(sign)

    def _operand(self, char: str) -> _Linear:
        start = self.place
        atom = self._atom()
        if atom is not None:
            return _Linear(0.0, ((1.0, atom),))
        if self.place > start:  # an atom that was not one has been reported
            return _Linear()
        if char in ("", ")", "=", "*", "/"):
            shown = f" before `{char}`" if char else " at the end"
            at = start if char else max(len(self.text.rstrip()) - 1, 0)
            self._problem("E111", f"a name or a number is missing{shown}", at, at + 1)
            return _Linear()
        match = _JUNK.match(self.text, start)
        self.place = match.end() if match else start + 1
        junk = self.text[start : self.place]
        help = None
        if junk[0] in "<>":
            help = "write the difference, `a - b`; its direction is said by `alternative: greater` or `less`"
        self._problem("E111", f"`{junk}` is not allowed here", start, self.place, help)
        return _Linear()

    def _group(self) -> _Linear:
        opening = self.place
        self.place += 1
        self.depth += 1
        inner = self._sum()
        self.depth -= 1
        if self._next() == ")":
            self.place += 1
        elif not self.problems:
            self._problem("E111", "this parenthesis is not closed", opening, opening + 1)
        return inner

    def _number(self, match: re.Match[str]) -> _Linear:
        self.place = match.end()
        value = float(match[0])
        if not math.isfinite(value):
            self._problem("E111", "this number is too large", match.start(), match.end())
            return _Linear()
        return _Linear(value)

    def _atom(self) -> Atom | None:
        start = self.place
        parts: list[tuple[str, str | None, bool]] = []
        while True:
            part = self._part()
            if part is None:
                if parts:
                    self._problem("E111", "a name is missing after `:`", start, self.place)
                return None
            parts.append(part)
            if self._next() != ":":
                break
            self.place += 1
            self._next()
        return self._classify(parts, start, start + len(self.text[start : self.place].rstrip()))

    def _part(self) -> tuple[str, str | None, bool] | None:
        start = self.place
        quoted = _QUOTED.match(self.text, start)
        match = quoted or _NAME.match(self.text, start)
        if match is None:
            if self.text[start : start + 1] == "`":
                self.place = len(self.text)
                self._problem("E111", "a backtick is not closed", start, start + 1)
            return None
        self.place = match.end()
        name = match[1] if quoted else match[0]
        if self.text[self.place : self.place + 1] != "[":
            return name, None, bool(quoted)
        level = _LEVEL.match(self.text, self.place)
        if level is None or "[" in (level[3] or ""):
            help = "a level that holds brackets goes in quotes: `name['level']`"
            self._problem("E111", f"the bracket of `{name}[` is not closed", self.place, len(self.text), help)
            self.place = len(self.text)
            return None
        self.place = level.end()
        text = next(group for group in level.groups() if group is not None)
        if not text:
            self._problem("E111", f"`{name}[]` names no level", start, self.place)
        return name, text, bool(quoted)

    def _classify(self, parts: list[tuple[str, str | None, bool]], start: int, end: int) -> Atom | None:
        written = self.text[start:end]
        cell = tuple((name, level) for name, level, _ in parts if level is not None)
        slopes = [(name, quoted) for name, level, quoted in parts if level is None]
        if len(parts) == 1 and slopes:
            name, quoted = slopes[0]
            if quoted:
                return Atom(AtomKind.REGRESSOR, name, None, (), start, end)
            kind = _RESERVED.get(name, AtomKind.SLOPE)
            return Atom(kind, name, name if kind is AtomKind.SLOPE else None, (), start, end)
        doubled = {name for name, _ in cell if sum(name == other for other, _ in cell) > 1}
        if doubled:
            self._problem("E111", f"`{min(doubled)}` is given two levels at once", start, end)
            return None
        if len(slopes) > 1:
            help = f"a regressor's own coefficient is written in backticks: `{written}`"
            message = f"`{written}` has no level: a slope is one variable's, at levels of factors"
            self._problem("E111", message, start, end, help)
            return None
        if slopes and slopes[0][0] in _RESERVED:
            help = "leave it out" if slopes[0][0] == "mean" else "write the regressor in backticks"
            self._problem("E111", f"`{slopes[0][0]}` stands alone", start, end, help)
            return None
        if slopes:
            return Atom(AtomKind.SLOPE, written, slopes[0][0], cell, start, end)
        return Atom(AtomKind.CELL, written, None, cell, start, end)

    def _start(self) -> int:
        self._next()
        return self.place

    def _next(self) -> str:
        """Next character that is no space, or '' at the end; the place moves to it."""
        match = _SPACE.match(self.text, self.place)
        self.place = match.end() if match else self.place
        return self.text[self.place : self.place + 1]

    def _problem(self, code: str, message: str, start: int, end: int, help: str | None = None) -> None:
        self.problems.append(Problem(code, message, start, end, help))
