"""The functions of a formula, and what each takes besides the variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

POLY_DEGREE = 6
SPLINE_DF = 20
SPLINE_DEGREE = 5
LITERAL = 1e6
POWER = 6

Value = float | bool | str


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from 1 to a bound."""

    most: int

    @property
    def words(self) -> str:
        """What is expected."""
        return f"a whole number from 1 to {self.most}"

    def accepts(self, value: Value) -> bool:
        """Whether the value is of this kind and within the bound."""
        return self.is_kind(value) and 1 <= float(value) <= self.most

    def is_kind(self, value: Value) -> bool:
        """Whether only the bound can be broken."""
        return isinstance(value, float) and value.is_integer()


@dataclass(frozen=True, slots=True)
class Flag:
    """``True`` or ``False``."""

    words: str = "True or False"

    def accepts(self, value: Value) -> bool:
        """Whether the value is of this kind."""
        return isinstance(value, bool)

    def is_kind(self, value: Value) -> bool:
        """Whether the value is of this kind."""
        return isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Word:
    """One word in quotes."""

    word: str

    @property
    def words(self) -> str:
        """What is expected."""
        return f"'{self.word}'"

    def accepts(self, value: Value) -> bool:
        """Whether it is that word."""
        return value == self.word

    def is_kind(self, value: Value) -> bool:
        """Whether it is that word."""
        return value == self.word


Kind = Whole | Flag | Word


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes after its first argument.

    Attributes
    ----------
    keywords
        Kind of each keyword argument.
    second
        Keyword that may also be given second without its name.
    many
        Whether it makes several columns, and so cannot stand inside another function.
    bare
        Whether its argument is a variable's name and nothing more.
    required
        Keywords that must be given.
    """

    keywords: Mapping[str, Kind] = field(default_factory=dict)
    second: str | None = None
    many: bool = False
    bare: bool = False
    required: tuple[str, ...] = ()


SIGNATURES: Mapping[str, Signature] = {
    "poly": Signature({"degree": Whole(POLY_DEGREE), "raw": Flag()}, second="degree", many=True),
    "bs": Signature(
        {"df": Whole(SPLINE_DF), "degree": Whole(SPLINE_DEGREE), "include_intercept": Flag()},
        second="df",
        many=True,
    ),
    "cr": Signature(
        {"df": Whole(SPLINE_DF), "constraints": Word("center")}, second="df", many=True, required=("df",)
    ),
    "center": Signature(),
    "scale": Signature({"center": Flag(), "scale": Flag()}),
    "log": Signature(),
    "exp": Signature(),
    "sqrt": Signature(),
    "abs": Signature(),
    "I": Signature(),
    "C": Signature(many=True, bare=True),
}
FUNCTIONS: frozenset[str] = frozenset(SIGNATURES)
