"""Functions of a formula, computed by walking the tree that the grammar made: no text is ever evaluated."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulaic.transforms import basis_spline, center, natural_cubic_spline, poly, scale

from specgl.design.codings import encoded
from specgl.design.records import CategoricalColumn, TypedColumn
from specgl.grammar import Call, Expression, Name, Negative, Number, Operation

_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
# These remember what they learned from the analysed rows (means, knots, orthogonal bases), so that the same
# function can be asked at other points.
_STATEFUL: Mapping[str, Callable[..., Any]] = {
    "poly": poly,
    "bs": basis_spline,
    "cr": natural_cubic_spline,
    "center": center,
    "scale": scale,
}
_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "log": np.log,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
}
_MARKS_A_LEVEL = "C"
_AS_IT_IS = "I"
IMPLEMENTED: frozenset[str] = frozenset([*_STATEFUL, *_PLAIN, _MARKS_A_LEVEL, _AS_IT_IS])
_WHOLE_NUMBERS: frozenset[str] = frozenset({"degree", "df"})


class Refused(Exception):
    """A function that has no value on these columns; the message says why."""


@dataclass(frozen=True)
class Evaluator:
    """Values of expressions over columns.

    Attributes
    ----------
    columns
        Declared variables by name; nothing else can be named.
    state
        What stateful functions learned, by their text; filled on first use.
    """

    columns: Mapping[str, TypedColumn]
    state: MutableMapping[str, Any]

    def __call__(self, expression: Expression) -> Any:
        """Value of an expression: ``(n_obs,)``, or several columns for ``poly``, ``bs``, ``cr`` and ``C``.

        Raises
        ------
        Refused
            Where a name is unknown, levels stand where numbers should, or a function has no value.
        """
        match expression:
            case Number(value):
                return value
            case Name(name):
                return self._numbers(name)
            case Negative(operand):
                return -self(operand)
            case Operation(sign, left, right):
                return _ARITHMETIC[sign](self(left), self(right))
            case Call():
                return self._call(expression)

    def _column(self, name: str) -> TypedColumn:
        try:
            return self.columns[name]
        except KeyError:
            raise Refused(f"'{name}' is not a declared variable") from None

    def _numbers(self, name: str) -> pd.Series[float]:
        column = self._column(name)
        if isinstance(column, CategoricalColumn):
            raise Refused(f"`{name}` is categorical, and stands where numbers are needed")
        return pd.Series(column.values)

    def _call(self, call: Call) -> Any:
        if call.function == _MARKS_A_LEVEL:
            return self._levels(call.argument)
        argument = self(call.argument)
        if call.function == _AS_IT_IS:
            return argument
        if call.function in _PLAIN:
            return _PLAIN[call.function](argument)
        keywords = {
            key: int(value) if key in _WHOLE_NUMBERS and isinstance(value, float) else value
            for key, value in call.keywords
        }
        memory = self.state.setdefault(str(call), {})
        try:
            return _STATEFUL[call.function](argument, _state=memory, **keywords)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            raise Refused(str(error)) from error

    def _levels(self, argument: Expression) -> Any:
        column = self._column(argument.name) if isinstance(argument, Name) else None
        if not isinstance(column, CategoricalColumn):
            raise Refused(f"{_MARKS_A_LEVEL}() needs a categorical variable")
        return encoded(column)
