"""The Wilkinson grammar of a formula's right side: what it names, and everything wrong with it.

::

    formula    = sum
    sum        = [+ -] product {(+ | -) product}      0 and 1 stand alone, as terms of the outermost sum
    product    = interaction {(* | /) interaction}
    interaction = power {: power}
    power      = atom [** (1 | 2 | 3)]
    atom       = name | call | ( sum )
"""

from __future__ import annotations

from dataclasses import dataclass, field

from specgl.grammar.expressions import Call, read_call
from specgl.grammar.problems import NameUse, Problem
from specgl.grammar.tokens import Token, TokenKind, Tokens

LENGTH = 2000
DEPTH = 40
CROSSING = 3
TERMS = 1000
_MANY = 10 * TERMS  # counting stops here, so that towers of ** cost nothing
_NO_HELP = "join terms with + : * or /"


@dataclass(frozen=True, slots=True)
class CallUse:
    """A function's call in a formula: what it says, where, and the variables in it."""

    call: Call
    start: int
    end: int
    names: tuple[NameUse, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as read.

    Attributes
    ----------
    text
        As written.
    names
        Each use of a variable, also inside functions, by place.
    functions
        Each use of a function, by place.
    problems
        Errors (``E...``) and warnings (``W...``), by place.
    has_intercept
        Whether the model has an intercept: it does unless ``0`` or ``- 1`` takes it away.
    calls
        Each outermost call that is allowed.
    """

    text: str
    names: tuple[NameUse, ...]
    functions: tuple[NameUse, ...]
    problems: tuple[Problem, ...]
    has_intercept: bool
    calls: tuple[CallUse, ...] = ()


def read_formula(text: str) -> Formula:
    """Read a formula; nothing in it is evaluated and nothing is raised.

    Parameters
    ----------
    text
        Right side of a Wilkinson formula: ``+ - * : / ** ( ) 0 1``, variables (odd names in backticks) and
        calls of `FUNCTIONS`.
    """
    if len(text) > LENGTH:
        problem = Problem("E104", f"a formula has at most {LENGTH} characters", LENGTH, len(text))
        return Formula(text, (), (), (problem,), True)
    cut = Tokens(text).read()
    parser = _Parser(text, cut.tokens, list(cut.problems))
    parser.read_calls()
    # A token that is missing would be reported a second time as a gap in the grammar.
    if not cut.problems:
        parser.formula()
    names = [NameUse(t.text, t.start, t.end) for t in cut.tokens if t.kind is TokenKind.NAME]
    return Formula(
        text=text,
        names=tuple(sorted([*names, *parser.names], key=_start)),
        functions=tuple(sorted(parser.functions, key=_start)),
        problems=tuple(sorted(parser.problems, key=_start)),
        has_intercept=parser.intercept,
        calls=tuple(parser.calls),
    )


def _start(item: NameUse | Problem) -> int:
    return item.start


@dataclass
class _Parser:
    """Recursive descent over the tokens; goes on after a mistake as if it had been mended."""

    text: str
    tokens: list[Token]
    problems: list[Problem]
    names: list[NameUse] = field(default_factory=list)
    functions: list[NameUse] = field(default_factory=list)
    calls: list[CallUse] = field(default_factory=list)
    place: int = 0
    depth: int = 0
    intercept: bool = True
    terms: int = 0
    unclosed: bool = False

    def read_calls(self) -> None:
        """Read what stands inside the parentheses of functions."""
        for token in self.tokens:
            if token.kind is not TokenKind.CALL:
                continue
            reading = read_call(token.text, token.start)
            self.names.extend(reading.names)
            self.functions.extend(reading.functions)
            self.problems.extend(reading.problems)
            if reading.call is not None:
                self.calls.append(CallUse(reading.call, token.start, token.end, reading.names))

    def formula(self) -> None:
        """Check the grammar of the whole formula."""
        if not self.tokens:
            self._problem("E100", "the formula is empty", 0, len(self.text), "for a mean alone write 1")
            return
        count = self._sum(outermost=True)
        while (token := self._peek()) is not None:
            # Only a parenthesis too many ends a sum early.
            self._problem("E100", "this parenthesis closes nothing", token.start, token.end)
            self.place += 1
            if self._peek() is not None:
                count += self._sum(outermost=True)
        if count > TERMS:
            message = f"the formula opens into more than {TERMS} terms"
            self._problem("E104", message, 0, len(self.text))
        if not self.terms and not self.intercept:
            help = "leave the intercept in, or name a variable"
            self._problem("E100", "the formula explains nothing", 0, len(self.text), help)

    # Each of these returns how many terms its part opens into, at most.

    def _sum(self, *, outermost: bool) -> int:
        sign = self._sign() if outermost else "+"
        count = 0
        while True:
            count += self._addend(sign, outermost=outermost)
            token = self._peek()
            if token is None or token.kind is TokenKind.CLOSE:
                return count
            if token.kind is TokenKind.OPERATOR:
                sign = token.text
                self.place += 1
            else:
                message = f"an operator is missing before `{token.text}`"
                self._problem("E100", message, token.start, token.end, _NO_HELP)
                sign = "+"

    def _sign(self) -> str:
        token = self._peek()
        if token is not None and token.kind is TokenKind.OPERATOR and token.text in "+-":
            self.place += 1
            return token.text
        return "+"

    def _addend(self, sign: str, *, outermost: bool) -> int:
        token = self._peek()
        if token is not None and token.kind is TokenKind.NUMBER and self._stands_alone():
            self.place += 1
            self._constant(token, sign, outermost=outermost)
            return 0
        count = self._product()
        self.terms += sign == "+"
        return count

    def _stands_alone(self) -> bool:
        following = self.tokens[self.place + 1] if self.place + 1 < len(self.tokens) else None
        if following is None or following.kind is not TokenKind.OPERATOR:
            return True
        return following.text in "+-"

    def _constant(self, token: Token, sign: str, *, outermost: bool) -> None:
        if token.text not in ("0", "1"):
            self._number(token)
        elif not outermost:
            message = f"{token.text} has no place inside parentheses"
            help = "the intercept is said once: 0 + ... or ... - 1"
            self._problem("E103", message, token.start, token.end, help)
        elif token.text == "0" and sign == "-":
            self._problem("E103", "`- 0` says nothing", token.start, token.end, "write + 1 for the intercept")
        else:
            self.intercept = token.text == "1" and sign == "+"

    def _number(self, token: Token) -> None:
        help = "only 0 (no intercept) and 1 (intercept) stand alone; for arithmetic write I(...)"
        self._problem("E103", f"number {token.text} is not allowed here", token.start, token.end, help)

    def _product(self) -> int:
        count = self._interaction()
        while operator := self._operator("*", "/"):
            right = self._interaction()
            crossed = count * right if operator.text == "*" else 0
            count = min(count + right + crossed, _MANY)
        return count

    def _interaction(self) -> int:
        count = self._power()
        while self._operator(":"):
            count = min(count * self._power(), _MANY)
        return count

    def _power(self) -> int:
        base = self._peek()
        count = self._atom()
        while power := self._operator("**"):
            count = min(count ** self._crossing(base, power), _MANY)
        return count

    def _operator(self, *texts: str) -> Token | None:
        token = self._peek()
        if token is None or token.kind is not TokenKind.OPERATOR or token.text not in texts:
            return None
        self.place += 1
        return token

    def _crossing(self, base: Token | None, power: Token) -> int:
        exponent = self._peek()
        if exponent is None or exponent.kind is not TokenKind.NUMBER:
            help = "for a power of a variable write I(x**2) or poly(x, 2)"
            self._problem("E100", "`**` needs a whole number after it", power.start, power.end, help)
            if exponent is not None and exponent.kind in (TokenKind.NAME, TokenKind.CALL):
                self.place += 1
            return 1
        self.place += 1
        if exponent.text not in {str(n) for n in range(1, CROSSING + 1)}:
            message = f"`**` crosses up to {CROSSING} times, not {exponent.text}"
            self._problem("E104", message, power.start, exponent.end)
            return 1
        if base is not None and base.kind in (TokenKind.NAME, TokenKind.CALL):
            source = self.text[base.start : base.end]
            written = self.text[base.start : exponent.end]
            message = f"`{written}` is formula crossing, not a power: it equals `{source}`"
            help = f"write I({source}**{exponent.text}) or poly({source}, {exponent.text})"
            self._problem("W210", message, base.start, exponent.end, help)
        return int(exponent.text)

    def _atom(self) -> int:
        token = self._peek()
        if token is None or token.kind in (TokenKind.OPERATOR, TokenKind.CLOSE):
            self._missing(token)
            return 1
        self.place += 1
        if token.kind is TokenKind.NUMBER:
            self._number(token)
        elif token.kind is TokenKind.OPEN:
            return self._group(token)
        else:
            self._spaced_call(token)
        return 1

    def _missing(self, token: Token | None) -> None:
        before = self.tokens[self.place - 1] if self.place else None
        if token is not None and before is not None and before.kind is TokenKind.OPEN:
            start, end = before.start, token.end
        elif token is not None:
            start, end = token.start, token.end
        else:
            start, end = (before.start, before.end) if before else (0, len(self.text))
        after = f" after `{before.text}`" if before is not None else ""
        self._problem("E100", f"a variable is missing{after}", start, end)

    def _spaced_call(self, name: Token) -> None:
        token = self._peek()
        if token is not None and token.kind is TokenKind.OPEN and name.kind is TokenKind.NAME:
            help = f"a function is written without a space: {name.text}(...)"
            self._problem("E100", f"an operator is missing after `{name.text}`", name.start, token.end, help)
            self.place += 1
            self._group(token)

    def _group(self, opening: Token) -> int:
        if self.depth >= DEPTH:
            self._problem("E104", "parentheses are nested too deeply", opening.start, opening.end)
            self.place, self.unclosed = len(self.tokens), True
            return 1
        self.depth += 1
        count = self._sum(outermost=False)
        self.depth -= 1
        if self._peek() is not None:
            self.place += 1
        elif not self.unclosed:  # the innermost one is enough
            self._problem("E100", "this parenthesis is not closed", opening.start, opening.end)
            self.unclosed = True
        return count

    def _peek(self) -> Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _problem(self, code: str, message: str, start: int, end: int, help: str | None = None) -> None:
        self.problems.append(Problem(code, message, start, end, help))
