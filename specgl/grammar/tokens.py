"""A formula cut into tokens; every character that has no place in one is a problem."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from specgl.grammar.functions import FUNCTIONS
from specgl.grammar.problems import Problem


class TokenKind(Enum):
    """What a token is."""

    NAME = "name"
    CALL = "call"
    NUMBER = "number"
    OPERATOR = "operator"
    OPEN = "("
    CLOSE = ")"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a formula: its text (a quoted name without its quotes) and place."""

    kind: TokenKind
    text: str
    start: int
    end: int


_SPACE = re.compile(r"\s+")
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_QUOTED = re.compile(r"`([^`]+)`")
_OPERATOR = re.compile(r"\*\*|[-+*:/]")
_SOFT_CLOSERS = {"(": ")", "[": "]", "{": "}"}

_MIXED = "random effects are not supported in specgl 1; for a repeated-measures design use `model.block`"
_NOT_ALLOWED: dict[str, tuple[str, str | None]] = {
    "|": ("operator '|' is not allowed in a formula", _MIXED),
    "^": ("operator '^' is not allowed in a formula", "for a power write I(x**2) or poly(x, 2)"),
    "%": ("operator '%' is not allowed in a formula", "write nested terms with `/`"),
    ".": ("'.' is not allowed in a formula", "name the variables; quote a name that has a dot in backticks"),
    "=": ("'=' is not allowed in a formula", "write the right side only"),
    ",": ("',' is not allowed between terms", "join terms with `+`"),
    "{": ("Python in braces is not allowed in a formula", "for arithmetic on a variable write I(...)"),
    "[": ("brackets are not allowed in a formula", "levels are named in contrasts, not in the formula"),
    "'": ("text in quotes is not allowed in a formula", "quote a variable's name in backticks"),
    '"': ("text in quotes is not allowed in a formula", "quote a variable's name in backticks"),
}


@dataclass
class Tokens:
    """The tokens of a text, and what could not be one."""

    text: str
    tokens: list[Token] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def read(self) -> Tokens:
        """Cut the whole text."""
        place = 0
        while place < len(self.text):
            place = self._step(place)
        return self

    def _step(self, place: int) -> int:
        if match := _SPACE.match(self.text, place):
            return match.end()
        if match := _QUOTED.match(self.text, place):
            return self._add(TokenKind.NAME, match[1], place, match.end())
        if match := _NUMBER.match(self.text, place):
            return self._add(TokenKind.NUMBER, match[0], place, match.end())
        if match := _DOTTED.match(self.text, place):
            return self._word(match[0], place, match.end())
        if match := _OPERATOR.match(self.text, place):
            return self._add(TokenKind.OPERATOR, match[0], place, match.end())
        char = self.text[place]
        if char in "()":
            return self._add(TokenKind(char), char, place, place + 1)
        return self._refuse(char, place)

    def _add(self, kind: TokenKind, text: str, start: int, end: int) -> int:
        self.tokens.append(Token(kind, text, start, end))
        return end

    def _word(self, word: str, start: int, end: int) -> int:
        following = self.text[end : end + 1]
        if following == "(":
            close = _closing(self.text, end)
            if close is None:
                self._problem("E100", f"the parenthesis of {word}( is not closed", end, end + 1)
                return len(self.text)
            self._add(TokenKind.CALL, self.text[start:close], start, close)
            return self._tail(close)
        spaced = _SPACE.match(self.text, end)
        if word in FUNCTIONS and spaced and self.text[spaced.end() : spaced.end() + 1] == "(":
            help = f"a function is written without a space: {word}(...)"
            self._problem(
                "E100", f"a space stands between `{word}` and its parenthesis", start, spaced.end(), help
            )
            return _closing(self.text, spaced.end()) or len(self.text)
        if following in ("'", '"'):
            return self._refuse(following, end)
        return self._name(word, start, end)

    def _name(self, word: str, start: int, end: int) -> int:
        if keyword.iskeyword(word):
            help = "a variable of this name is quoted in backticks"
            self._problem(
                "E103", f"'{word}' is a word of Python and not allowed in a formula", start, end, help
            )
            return end
        if "." in word:
            message, _ = _NOT_ALLOWED["."]
            dot = start + word.index(".")
            self._problem(
                "E103", message, dot, dot + 1, f"if `{word}` is one variable, write it in backticks"
            )
            return end
        return self._add(TokenKind.NAME, word, start, end)

    def _tail(self, place: int) -> int:
        # What follows a call without an operator (`.system('id')`, a second call, an index) is one problem.
        start = place
        while place < len(self.text) and self.text[place] in ".([":
            if self.text[place] == ".":
                match = _DOTTED.match(self.text, place + 1)
                place = match.end() if match else place + 1
            else:
                place = _closing(self.text, place) or len(self.text)
        if place > start:
            self._problem("E103", f"'{self.text[start]}' after a function is not allowed", start, place)
        return place

    def _refuse(self, char: str, place: int) -> int:
        end = place + 1
        if char == "~":
            help = "write the right side only: the response is always the image"
            self._problem("E101", "a formula has no response and no '~'", place, end, help)
            self.tokens.clear()
            return end
        if char == "`":
            self._problem("E100", "a backtick is not closed", place, end)
            return end
        message, hint = _NOT_ALLOWED.get(char, (f"character {char!r} is not allowed in a formula", None))
        if char == "^" and self.tokens and self.tokens[-1].kind is TokenKind.NAME:
            base = self.text[self.tokens[-1].start : place].strip()
            hint = f"write I({base}**2) or poly({base}, 2)"
        if char in _SOFT_CLOSERS:
            end = _closing(self.text, place) or len(self.text)
        elif char in ("'", '"'):
            end = _string_end(self.text, place)
        self._problem("E103", message, place, end, hint)
        return end

    def _problem(self, code: str, message: str, start: int, end: int, help: str | None = None) -> None:
        self.problems.append(Problem(code, message, start, end, help))


def _closing(text: str, place: int) -> int | None:
    """One past the bracket that closes the one at ``place``, or ``None``."""
    stack: list[str] = []
    for at, char in _outside_quotes(text, place):
        if char in _SOFT_CLOSERS:
            stack.append(_SOFT_CLOSERS[char])
        elif stack and char == stack[-1]:
            stack.pop()
            if not stack:
                return at + 1
    return None


def _outside_quotes(text: str, place: int) -> Iterator[tuple[int, str]]:
    quote = ""
    for at in range(place, len(text)):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"`":
            quote = char
        else:
            yield at, char


def _string_end(text: str, place: int) -> int:
    end = text.find(text[place], place + 1)
    return len(text) if end < 0 else end + 1
