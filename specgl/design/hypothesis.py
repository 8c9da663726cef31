"""What is asked of a design, as weights on its regressors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from specgl.design.formula import FormulaRefused, Model, parse
from specgl.design.means import NotALine, ReferenceGrid
from specgl.design.rank import say_sum
from specgl.design.records import CategoricalColumn, Contrast, ContrastRequest
from specgl.design.voxelwise import VoxelwiseColumn
from specgl.errors import Finding
from specgl.grammar import Atom, AtomKind, did_you_mean, read_hypothesis

Array = NDArray[np.float64]
Where = tuple[str | int, ...]

# Weights that cancel leave rounding of about 1e-16 times their size.
_CANCELLED = 1e-12
_MOST = 12  # names listed in a message


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a contrast: its weights, its words, and where in the spec it stands."""

    weights: Array
    words: str
    where: Where
    span: tuple[int, int] | None = None


def syntax_findings(requests: Sequence[ContrastRequest]) -> tuple[Finding, ...]:
    """Everything wrong with hypotheses that can be seen without a design."""
    return tuple(
        Finding(p.code, p.message, where=where, span=(p.start, p.end), help=p.help)
        for request in requests
        for text, where in _texts(request)
        for p in read_hypothesis(text).problems
    )


def _texts(request: ContrastRequest) -> list[tuple[str, Where]]:
    listed = request.is_f or len(request.hypotheses) > 1
    return [
        (text, (*request.where, i) if listed else request.where) for i, text in enumerate(request.hypotheses)
    ]


@dataclass
class Resolver:
    """Turns requests into rows of weights; all that is wrong with them gathers in `findings`.

    Attributes
    ----------
    model
        The formula on the analysed rows.
    declared
        Names of all declared variables and voxelwise covariates, for messages.
    findings
        What was found so far.
    """

    model: Model
    declared: Sequence[str]
    findings: list[Finding] = field(default_factory=list)
    _cache: dict[tuple[str | None, tuple[tuple[str, str], ...]], Array] = field(default_factory=dict)

    def resolve(self, request: ContrastRequest) -> tuple[Contrast, tuple[Row, ...]] | None:
        """Weights of a request.

        Parameters
        ----------
        request
            The contrast as asked for.

        Returns
        -------
        Contrast and its rows, or ``None`` where something is wrong with it.
        """
        before = len(self.findings)
        rows = [*self._hypotheses(request), *self._weights(request), *self._term(request)]
        is_f = request.is_f or request.term is not None or len(rows) > 1
        for row in rows:
            self._check_null(request, row)
        if is_f and request.alternative != "two-sided":
            message = f"contrast '{request.name}' is an F test and has no direction"
            self._find("E251", message, request.where, None, "leave out `alternative`")
        if any(finding.is_error for finding in self.findings[before:]) or not rows:
            return None
        weights = np.vstack([row.weights for row in rows])
        weights.flags.writeable = False
        words = tuple(row.words for row in rows)
        contrast = Contrast(request.name, weights, "F" if is_f else "t", request.alternative, words)
        return contrast, tuple(rows)

    def _find(
        self,
        code: str,
        message: str,
        where: Where,
        span: tuple[int, int] | None,
        help: str | None = None,
        *,
        on_key: bool = False,
    ) -> None:
        self.findings.append(Finding(code, message, where=where, span=span, help=help, on_key=on_key))

    def _check_null(self, request: ContrastRequest, row: Row) -> None:
        if row.weights.any():
            return
        message = f"`{row.words}` of contrast '{request.name}' is zero whatever the data: nothing is tested"
        help = "its parts cancel in this model: compare levels that the formula tells apart"
        self._find("E246", message, row.where, row.span, help)

    # Hypotheses

    def _hypotheses(self, request: ContrastRequest) -> list[Row]:
        rows = []
        for text, where in _texts(request):
            reading = read_hypothesis(text)
            for p in reading.problems:
                self._find(p.code, p.message, where, (p.start, p.end), p.help)
            parts = [(weight, self._atom(atom, where)) for weight, atom in reading.terms]
            if reading.problems or any(part is None for _, part in parts):
                continue
            stack = np.array([weight * part for weight, part in parts if part is not None])
            total = stack.sum(axis=0)
            total[np.abs(total) <= _CANCELLED * np.abs(stack).sum(axis=0)] = 0.0
            rows.append(Row(total, " ".join(text.split()), where, (0, len(text))))
        return rows

    def _atom(self, atom: Atom, where: Where) -> Array | None:
        if atom.kind in (AtomKind.INTERCEPT, AtomKind.REGRESSOR):
            return self._coefficient(atom, where)
        if not self._names_are_known(atom, where):
            return None
        key = (atom.slope, tuple(sorted(atom.cell)))
        if key not in self._cache:
            grid = ReferenceGrid(self.model)
            try:
                cell = dict(atom.cell)
                row = grid.mean(cell) if atom.slope is None else grid.slope(atom.slope, cell)
            except NotALine:
                self._bent(atom, where)
                return None
            self._cache[key] = row
        return self._cache[key]

    def _coefficient(self, atom: Atom, where: Where) -> Array | None:
        names = [regressor.name for regressor in self.model.regressors]
        span = (atom.start, atom.end)
        row = np.zeros(len(names))
        if atom.name in names:
            row[names.index(atom.name)] = 1.0
            if atom.kind is AtomKind.INTERCEPT:
                self._intercept_means(row, where, span)
            return row
        if atom.kind is AtomKind.INTERCEPT:
            help = "write `mean` for the grand mean"
            self._find("E244", "the formula has no intercept", where, span, help)
        else:
            help = did_you_mean(atom.name, names) or f"regressors: {_quoted(names)}"
            self._find("E244", f"'{atom.name}' is not a regressor of this design", where, span, help)
        return None

    def _intercept_means(self, row: Array, where: Where, span: tuple[int, int]) -> None:
        if np.allclose(ReferenceGrid(self.model).mean({}), row, rtol=0.0, atol=1e-9):
            return
        places = []
        for column in self.model.columns.values():
            if isinstance(column, CategoricalColumn):
                if column.coding == "treatment":
                    places.append(f"{column.name}[{column.levels[0]}]")
            elif isinstance(column, VoxelwiseColumn):
                continue  # `mean` is its value at 0 too
            elif abs(float(column.values.mean())) > 1e-9 * max(float(np.abs(column.values).max()), 1e-300):
                places.append(f"{column.name} = 0")
        at = f" at {', '.join(places)}" if places else ""
        message = f"`Intercept` is not the grand mean of this model, but its value{at}"
        self._find("W235", message, where, span, "write `mean` for the grand mean")

    def _names_are_known(self, atom: Atom, where: Where) -> bool:
        before = len(self.findings)
        span = (atom.start, atom.end)
        columns = self.model.columns
        for name, level in atom.cell:
            column = columns.get(name)
            if column is None:
                self._unknown(name, where, span)
            elif not isinstance(column, CategoricalColumn):
                help = f"write `{name}` for its slope"
                self._find("E244", f"`{name}` is continuous and has no levels", where, span, help)
            elif level not in column.levels:
                help = did_you_mean(level, column.levels) or f"levels: {_quoted(column.levels)}"
                self._find("E244", f"'{level}' is not a level of `{name}`", where, span, help)
        if atom.slope is not None:
            column = columns.get(atom.slope)
            if column is None:
                self._unknown(atom.slope, where, span)
            elif isinstance(column, CategoricalColumn):
                help = f"name a level: {atom.slope}[{column.levels[-1]}] - {atom.slope}[{column.levels[0]}]"
                self._find("E244", f"`{atom.slope}` is categorical and has no slope", where, span, help)
        return len(self.findings) == before

    def _unknown(self, name: str, where: Where, span: tuple[int, int]) -> None:
        if name in self.declared:
            message, help = f"`{name}` is not in the formula", f"add `{name}` to the formula"
        else:
            message = f"'{name}' is not in the formula"
            help = did_you_mean(name, self.model.columns) or f"in the formula: {_quoted(self.model.columns)}"
        self._find("E244", message, where, span, help)

    def _bent(self, atom: Atom, where: Where) -> None:
        curves = [t for t in self.model.terms if atom.slope in t.variables and atom.slope not in t.factors]
        regressors = [self.model.regressors[i].name for t in curves for i in t.columns]
        message = (
            f"`{atom.slope}` has no single slope: the formula bends it in {_quoted(t.name for t in curves)}"
        )
        first = curves[0].name if curves else str(atom.slope)
        help = f'test the whole term: {{term: "{first}"}}, or one of its regressors: {_quoted(regressors)}'
        self._find("E249", message, where, (atom.start, atom.end), help)

    # Weights and terms

    def _weights(self, request: ContrastRequest) -> list[Row]:
        names = [regressor.name for regressor in self.model.regressors]
        listed = request.is_f or len(request.weights) > 1
        rows = []
        for i, given in enumerate(request.weights):
            where = (*request.where, i) if listed else request.where
            row = np.zeros(len(names))
            for name, weight in given.items():
                if name in names and math.isfinite(weight):
                    row[names.index(name)] = float(weight)
                elif name in names:
                    message = f"the weight of '{name}' is {weight}, which is no finite number"
                    self._find("E247", message, (*where, name), None)
                else:
                    help = did_you_mean(name, names) or f"regressors: {_quoted(names)}"
                    message = f"'{name}' is not a regressor of this design"
                    self._find("E247", message, (*where, name), None, help, on_key=True)
            if all(name in names for name in given):
                rows.append(Row(row, say_sum(row, names), where))
        return rows

    def _term(self, request: ContrastRequest) -> list[Row]:
        if request.term is None:
            return []
        wanted = _factors_of(request.term)
        for term in self.model.terms:
            if term.columns and (term.name == request.term or (wanted and frozenset(term.factors) == wanted)):
                break
        else:
            names = [t.name for t in self.model.terms]
            help = did_you_mean(request.term, names) or f"terms: {_quoted(names)}"
            message = f"'{request.term}' is not a term of the formula"
            self._find("E248", message, request.where, None, help)
            return []
        rows = np.eye(len(self.model.regressors))[list(term.columns)]
        names = [self.model.regressors[i].name for i in term.columns]
        return [Row(row, f"`{name}`", request.where) for row, name in zip(rows, names, strict=True)]


def _factors_of(term: str) -> frozenset[str]:
    """Factors of a term as formulaic writes them; empty where the text is no single term."""
    try:
        terms = list(parse(f"0 + ({term})"))
    except FormulaRefused:
        return frozenset()
    return frozenset(factor.expr for factor in terms[0].factors) if len(terms) == 1 else frozenset()


def _quoted(names: Iterable[str]) -> str:
    listed = [f"`{name}`" for name in names]
    return ", ".join(listed[:_MOST]) + (f" and {len(listed) - _MOST} more" if len(listed) > _MOST else "")
