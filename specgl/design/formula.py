"""Formula and columns to a matrix: the only place that calls formulaic.

formulaic evaluates Python, already while it parses. Here three walls stand before that, each enough by
itself: the formula passes our own grammar before any call (`guard`); our parser runs that grammar once more
and refuses whatever it refuses; and the materialiser looks names up among the declared columns and nowhere
else, and computes functions by walking the grammar's tree, so that formulaic's evaluator is never reached.
"""

from __future__ import annotations

import itertools
import keyword
import math
import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula as FormulaicFormula
from formulaic import ModelSpec, SimpleFormula
from formulaic.errors import FactorEvaluationError, FormulaicError, FormulaSyntaxError
from formulaic.materializers import PandasMaterializer
from formulaic.parser import DefaultFormulaParser
from formulaic.parser.types import Factor, Token
from formulaic.utils.layered_mapping import LayeredMapping
from interface_meta import override
from numpy.typing import NDArray

from specgl.design.codings import encoded, levels_of_columns
from specgl.design.evaluate import IMPLEMENTED, Evaluator, Refused
from specgl.design.records import CategoricalColumn, Coding, Regressor, TypedColumn
from specgl.design.standins import multiplied
from specgl.design.voxelwise import VoxelwiseColumn
from specgl.grammar import read_call, read_formula

Array = NDArray[np.float64]
MAX_COLUMNS = 2000
NO_FEATURES = DefaultFormulaParser.FeatureFlags.NONE
INTERCEPT = "Intercept"
_BACKTICKS = re.compile(r"`([^`]+)`")
_ANSI = re.compile(r"\x1b\[[0-9;]*m|[⧛⧚]")


@dataclass(frozen=True)
class Refusal:
    """One reason why a formula cannot be built.

    Attributes
    ----------
    why
        In words.
    factor
        Text of the factor at fault, where it is one's.
    rows
        Rows at fault, where they are known.
    """

    why: str
    factor: str | None = None
    rows: tuple[int, ...] = ()


class FormulaRefused(Exception):
    """The formula cannot be built on these columns.

    Attributes
    ----------
    reasons
        All that is wrong.
    """

    def __init__(self, *reasons: Refusal) -> None:
        super().__init__("; ".join(reason.why for reason in reasons))
        self.reasons = reasons


class TooManyColumns(FormulaRefused):
    """The formula makes more regressors than may be."""


class GuardedParser(DefaultFormulaParser):
    """formulaic's parser, which first lets the grammar refuse the text."""

    def get_tokens_from_formula(self, formula: str, *, context: MutableMapping[str, Any]) -> Sequence[Token]:
        """Tokens of a formula that the grammar accepts.

        Raises
        ------
        FormulaSyntaxError
            Where the grammar finds anything wrong, and before formulaic looks at the text.
        """
        errors = [p.message for p in read_formula(formula).problems if p.code.startswith("E")]
        if errors:
            raise FormulaSyntaxError("; ".join(errors))
        return list(super().get_tokens_from_formula(formula, context=context))


class Materializer(PandasMaterializer):
    """formulaic's materialiser over declared columns only; it evaluates no Python.

    Parameters
    ----------
    data
        A frame with one row an observation and no columns: it says how many rows there are.
    context
        Declared variables by name.
    """

    REGISTER_NAME = None  # type: ignore[assignment]  # formulaic's root allows it; never chosen for anybody else's data
    REGISTER_INPUTS = ()
    REGISTER_OUTPUTS = ("pandas",)

    @override
    def __init__(
        self, data: pd.DataFrame, context: Mapping[str, TypedColumn] | None = None, **params: Any
    ) -> None:
        self.columns: dict[str, TypedColumn] = dict(context or {})
        self.refused: list[Refusal] = []
        self.encoded_names: dict[tuple[str, bool], tuple[str, ...]] = {}
        super().__init__(data, {}, **params)
        self.layered_context = LayeredMapping(
            LayeredMapping(self.columns, name="data"),
            LayeredMapping({name: name for name in IMPLEMENTED}, name="transforms"),
        )

    @override
    def get_model_matrix(self, spec: Any, drop_rows: set[int] | None = None, **spec_overrides: Any) -> Any:
        """Matrix of a parsed formula; a text is refused, and so is a function that has no value."""
        # A text would be parsed by formulaic's own parser, and that alone can run code.
        if not isinstance(spec, SimpleFormula | ModelSpec):
            raise TypeError("a parsed formula or a model spec is needed, never a text")
        matrix = super().get_model_matrix(spec, drop_rows, **spec_overrides)
        if self.refused:
            raise FormulaRefused(*self.refused)
        return matrix

    @override
    def _lookup(self, name: str) -> tuple[Any, set[Any]]:
        column = self.columns.get(name)
        if column is None:
            raise FactorEvaluationError(f"'{name}' is not a declared variable")
        value = encoded(column) if isinstance(column, CategoricalColumn) else pd.Series(column.values)
        return value, set()

    @override
    def _evaluate(self, expr: str, metadata: Any, spec: ModelSpec) -> tuple[Any, set[Any]]:
        reading = read_call(expr)
        if reading.call is None:
            raise FactorEvaluationError(f"`{expr}` is not allowed in a formula")
        try:
            with np.errstate(all="ignore"):
                value = Evaluator(self.columns, spec.transform_state)(reading.call)
        except Refused as error:
            self.refused.append(Refusal(f"`{expr}`: {error}", expr))
            return pd.Series(np.zeros(self.nrows)), set()
        return self._finite(expr, value), set()

    @override
    def _encode_evaled_factor(
        self, factor: Any, spec: ModelSpec, drop_rows: Sequence[int], reduced_rank: bool = False
    ) -> dict[str, Any]:
        columns: dict[str, Any] = super()._encode_evaled_factor(factor, spec, drop_rows, reduced_rank)
        self.encoded_names[(factor.expr, reduced_rank)] = tuple(columns)
        return columns

    def _finite(self, expr: str, value: Any) -> Any:
        parts = list(value.values()) if isinstance(value, dict) else [value]
        if any(isinstance(getattr(part, "dtype", None), pd.CategoricalDtype) for part in parts):
            return value
        table = np.column_stack([np.asarray(part, dtype=np.float64) for part in parts])
        bad = np.flatnonzero(~np.isfinite(table).all(axis=1))
        if bad.size == 0:
            return value
        why = f"`{expr}` has no finite value for {bad.size} of {len(table)} observations"
        self.refused.append(Refusal(why, expr, tuple(bad.tolist())))
        return pd.Series(np.zeros(self.nrows))


@dataclass(frozen=True, eq=False)
class TermColumns:
    """A term of the formula and its columns.

    Attributes
    ----------
    name
        As formulaic writes it; ``Intercept`` for the intercept.
    factors
        Texts of its factors.
    variables
        Variables in it, in order.
    columns
        Where its columns stand in the matrix.
    """

    name: str
    factors: tuple[str, ...]
    variables: tuple[str, ...]
    columns: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Model:
    """A formula on its columns, which can be asked again at other points.

    Attributes
    ----------
    matrix
        ``(n_obs, n_reg)`` float64, voxelwise covariates being 1.
    generic
        ``(n_obs, n_reg)`` float64, voxelwise covariates being irregular numbers; `matrix` itself where there
        are none.
    regressors
        One a column.
    terms
        The formula's terms in order.
    columns
        Variables in the formula.
    """

    matrix: Array
    generic: Array
    regressors: tuple[Regressor, ...]
    terms: tuple[TermColumns, ...]
    columns: Mapping[str, TypedColumn]
    _spec: ModelSpec = field(repr=False)

    def at(self, columns: Mapping[str, TypedColumn], n_rows: int) -> Array:
        """Rows of the design at other values of the variables.

        Parameters
        ----------
        columns
            As `columns`; means, knots and bases stay those of the analysed rows.
        n_rows
            How many values each of them has.

        Returns
        -------
        array
            ``(n_rows, n_reg)`` float64.

        Raises
        ------
        FormulaRefused
            Where a function has no value there.
        """
        return _materialise(self._spec, columns, n_rows)[0]


def parse(text: str) -> SimpleFormula:
    """Parse a formula through the guard.

    Raises
    ------
    FormulaRefused
        Where the grammar or formulaic refuses it.
    """
    # formulaic replaces quoted names in a function's text by plain search, which a name that needs no
    # quotes can spoil.
    bare = _BACKTICKS.sub(
        lambda m: m[1] if m[1].isidentifier() and not keyword.iskeyword(m[1]) else m[0], text
    )
    make: Any = FormulaicFormula  # its metaclass makes one of the subclasses
    try:
        formula = make(bare, _parser=GuardedParser(feature_flags=NO_FEATURES), _context={})
    except (FormulaicError, SyntaxError, RecursionError) as error:
        raise FormulaRefused(Refusal(plain(error))) from error
    if not isinstance(formula, SimpleFormula):
        raise FormulaRefused(Refusal("the formula has more than one side"))
    return formula


def materialise(text: str, columns: Mapping[str, TypedColumn], n_obs: int) -> Model:
    """Build the matrix of a formula.

    Parameters
    ----------
    text
        The formula.
    columns
        Variables that it may name, over the analysed rows.
    n_obs
        Number of analysed rows.

    Raises
    ------
    FormulaRefused
        With every reason why it cannot be built.
    """
    formula = parse(text)
    if (needed := _columns_at_least(formula, columns)) > MAX_COLUMNS:
        reason = f"the formula makes {needed} regressors or more; at most {MAX_COLUMNS} are allowed"
        raise TooManyColumns(Refusal(reason))
    matrix, materializer, spec = _materialise(formula, columns, n_obs)
    terms, regressors = _describe(spec, materializer.encoded_names, columns)
    if len(regressors) != matrix.shape[1]:
        raise FormulaRefused(Refusal("two regressors have one name: rename a variable or a level"))
    # Which columns a formula has does not depend on a covariate's numbers: one build serves both.
    given = {name: one.stand_in for name, one in columns.items() if isinstance(one, VoxelwiseColumn)}
    generic = multiplied(matrix, [regressor.covariates for regressor in regressors], given)
    return Model(matrix, generic, regressors, terms, columns, spec)


def plain(error: Exception) -> str:
    """An error's message without terminal colours and markers."""
    return _ANSI.sub("", str(error)).split("\n", 1)[0].strip()


def _materialise(
    spec: SimpleFormula | ModelSpec, columns: Mapping[str, TypedColumn], n_rows: int
) -> tuple[Array, Materializer, ModelSpec]:
    materializer = Materializer(pd.DataFrame(index=pd.RangeIndex(n_rows)), columns)
    try:
        frame = materializer.get_model_matrix(spec, na_action="raise", output="pandas")
    except (FormulaicError, ValueError, ArithmeticError) as error:
        raise FormulaRefused(*materializer.refused, Refusal(plain(error))) from error
    matrix = np.ascontiguousarray(frame.to_numpy(dtype=np.float64))
    if not np.isfinite(matrix).all():
        raise FormulaRefused(Refusal("the formula gives values that are not finite"))
    assert matrix.shape[0] == n_rows
    return matrix, materializer, frame.model_spec


def _variables_of(factor: Factor) -> tuple[str, ...]:
    match factor.eval_method:
        case Factor.EvalMethod.LOOKUP:
            return (factor.expr,)
        case Factor.EvalMethod.PYTHON:
            return tuple(dict.fromkeys(use.name for use in read_call(factor.expr).names))
        case _:
            return ()


def _coded(factor: Factor, columns: Mapping[str, TypedColumn]) -> CategoricalColumn | None:
    """The variable whose levels a factor codes: ``group`` and ``C(group)``."""
    names = _variables_of(factor)
    column = columns.get(names[0]) if len(names) == 1 else None
    return column if isinstance(column, CategoricalColumn) else None


def _columns_at_least(formula: SimpleFormula, columns: Mapping[str, TypedColumn]) -> int:
    """Lower bound on the number of regressors, before any of them takes memory."""
    total = 0
    for term in formula:
        coded = [column for factor in term.factors if (column := _coded(factor, columns)) is not None]
        total += math.prod(max(len(column.levels) - 1, 1) for column in coded)
    return total


def _describe(
    spec: ModelSpec, names: Mapping[tuple[str, bool], tuple[str, ...]], columns: Mapping[str, TypedColumn]
) -> tuple[tuple[TermColumns, ...], tuple[Regressor, ...]]:
    terms: list[TermColumns] = []
    regressors: list[Regressor] = []
    for term, scoped_terms, _ in spec.structure or ():
        name = str(term) if term.factors and str(term) != "1" else INTERCEPT
        before = len(regressors)
        for scoped in scoped_terms:
            scoped_names = [(f.factor.factor, names[(f.factor.expr, f.reduced)]) for f in scoped.factors]
            regressors.extend(_regressors(name, scoped_names, columns))
        factors = tuple(factor.expr for factor in term.factors)
        used = tuple(dict.fromkeys(v for factor in term.factors for v in _variables_of(factor)))
        terms.append(TermColumns(name, factors, used, tuple(range(before, len(regressors)))))
    return tuple(terms), tuple(regressors)


def _regressors(
    term: str, factors: Sequence[tuple[Factor, tuple[str, ...]]], columns: Mapping[str, TypedColumn]
) -> Iterator[Regressor]:
    """Regressors of a product of factors, in formulaic's order: the first factor runs fastest."""
    codings: tuple[tuple[str, Coding], ...] = ()
    choices: list[list[tuple[str, tuple[tuple[str, str | None], ...]]]] = []
    for factor, encoded_names in factors:
        coded = _coded(factor, columns)
        if coded is not None:
            codings += ((coded.name, coded.coding),)
            levels = levels_of_columns(coded, n_columns=len(encoded_names))
            choices.append([(n, ((coded.name, lv),)) for n, lv in zip(encoded_names, levels, strict=True)])
        else:
            plain_variables = tuple((name, None) for name in _variables_of(factor))
            choices.append([(n, plain_variables) for n in encoded_names])
    for product in itertools.product(*reversed(choices)):
        chosen = product[::-1]
        name = ":".join(n for n, _ in chosen) if chosen else INTERCEPT
        about = tuple(f for _, part in chosen for f in part)
        covariates = tuple(v for v, _ in about if isinstance(columns.get(v), VoxelwiseColumn))
        yield Regressor(name, term, about, codings, covariates)
