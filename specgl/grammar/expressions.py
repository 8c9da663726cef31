"""What stands inside a function's parentheses: read by Python's parser, kept only where it is on a list.

Python's ``ast`` parses and never runs. What comes out is a tree of our own five kinds of node; whatever
else the text holds is a problem. Who computes with the tree walks these nodes and evaluates no text.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from specgl.grammar.functions import FUNCTIONS, LITERAL, POWER, SIGNATURES, Signature, Value
from specgl.grammar.problems import NameUse, Problem
from specgl.grammar.suggest import did_you_mean

DEPTH = 40
_BACKTICKS = re.compile(r"`([^`]+)`")
_OPERATORS: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:g}"


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str

    def __str__(self) -> str:
        return self.name if self.name.isidentifier() else f"`{self.name}`"


@dataclass(frozen=True, slots=True)
class Negative:
    """Unary minus."""

    operand: Expression

    def __str__(self) -> str:
        return f"(-{self.operand})"


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands and one of ``+ - * / **``."""

    operator: str
    left: Expression
    right: Expression

    def __str__(self) -> str:
        return f"({self.left} {self.operator} {self.right})"


@dataclass(frozen=True, slots=True)
class Call:
    """One of the formula's functions on an expression."""

    function: str
    argument: Expression
    keywords: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.keywords)
        return f"{self.function}({self.argument}{options})"


Expression = Number | Name | Negative | Operation | Call


@dataclass(frozen=True, slots=True)
class CallReading:
    """A call as read.

    Attributes
    ----------
    call
        The call, or ``None`` where something in it is not allowed.
    names, functions
        Variables and functions that it names, with their places.
    problems
        What is wrong.
    """

    call: Call | None
    names: tuple[NameUse, ...]
    functions: tuple[NameUse, ...]
    problems: tuple[Problem, ...]


def read_call(text: str, offset: int = 0) -> CallReading:
    """Read a function call such as ``poly(age, 2)``.

    Parameters
    ----------
    text
        The call from the function's name to the closing parenthesis.
    offset
        Where the call starts in the whole formula; places count from there.
    """
    reader = _Reader(text, offset)
    expression = reader.read()
    if not isinstance(expression, Call) and not reader.problems:
        reader.problem("E105", "not a call of a function", None)
    kept = expression if isinstance(expression, Call) and not reader.problems else None
    return CallReading(kept, tuple(reader.names), tuple(reader.functions), tuple(reader.problems))


@dataclass
class _Reader:
    """Walks Python's tree of one call and keeps what is on the list."""

    text: str
    offset: int
    names: list[NameUse] = field(default_factory=list)
    functions: list[NameUse] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    quoted: dict[int, str] = field(default_factory=dict)
    depth: int = 0

    def read(self) -> Expression | None:
        tree = self._parse()
        return None if tree is None else self._node(tree.body)

    def problem(self, code: str, message: str, node: ast.AST | None, help: str | None = None) -> None:
        start, end = (self.offset, self.offset + len(self.text)) if node is None else self._place(node)
        self.problems.append(Problem(code, message, start, end, help))

    def _parse(self) -> ast.Expression | None:
        for match in _BACKTICKS.finditer(self.text):
            self.quoted[match.start()] = match[1]
        # Same length, so that places stay; which name it was is told by its place.
        plain = _BACKTICKS.sub(lambda m: "q" * len(m[0]), self.text)
        plain = re.sub(r"\s", " ", plain)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                return ast.parse(plain, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self.problem("E100", f"cannot read `{_short(self.text)}`", None)
            return None

    def _place(self, node: ast.AST) -> tuple[int, int]:
        start = self._column(getattr(node, "col_offset", 0))
        end = self._column(getattr(node, "end_col_offset", None) or len(self.text.encode()))
        return self.offset + start, self.offset + max(end, start + 1)

    def _column(self, column: int) -> int:
        # ast counts bytes of UTF-8; quoted names were replaced by ASCII of the same number of characters.
        if self.text.isascii():
            return column
        plain = _BACKTICKS.sub(lambda m: "q" * len(m[0]), self.text)
        return len(plain.encode()[:column].decode(errors="ignore"))

    def _node(self, node: ast.expr) -> Expression | None:
        if self.depth >= DEPTH:
            self.problem("E104", "nested too deeply", node)
            return None
        self.depth += 1
        try:
            return self._match(node)
        finally:
            self.depth -= 1

    def _match(self, node: ast.expr) -> Expression | None:
        match node:
            case ast.Constant():
                return self._number(node)
            case ast.Name():
                return self._name(node)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                operand = self._node(node.operand)
                if operand is None or isinstance(node.op, ast.UAdd):
                    return operand
                return Negative(operand)
            case ast.BinOp() if type(node.op) in _OPERATORS:
                return self._operation(node)
            case ast.Call():
                return self._call(node)
        self._not_on_the_list(node)
        return None

    def _not_on_the_list(self, node: ast.expr) -> None:
        caret = isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor)
        help = "a power is written **" if caret else "use declared variables, numbers and + - * / **"
        self.problem("E105", f"`{_short(self._source(node))}` is not allowed inside a function", node, help)
        self._keep_names(node)

    def _number(self, node: ast.Constant) -> Number | None:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.problem("E105", f"`{_short(self._source(node))}` is not a number or a variable", node)
            return None
        if not abs(value) <= LITERAL:
            self.problem("E104", f"{_short(self._source(node))} is past the bound of {LITERAL:g}", node)
            return None
        return Number(float(value))

    def _name(self, node: ast.Name) -> Name:
        name = self.quoted.get(self._column(node.col_offset), unicodedata.normalize("NFKC", node.id))
        start, end = self._place(node)
        self.names.append(NameUse(name, start, end))
        return Name(name)

    def _operation(self, node: ast.BinOp) -> Operation | None:
        left, right = self._node(node.left), self._node(node.right)
        if left is None or right is None:
            return None
        operator = _OPERATORS[type(node.op)]
        if operator == "**" and not self._power(right, node.right):
            return None
        return Operation(operator, left, right)

    def _power(self, exponent: Expression, node: ast.expr) -> bool:
        base = exponent.operand if isinstance(exponent, Negative) else exponent
        if not isinstance(base, Number):
            self.problem("E105", "an exponent must be a number", node)
        elif base.value > POWER:
            self.problem("E104", f"an exponent goes from -{POWER} to {POWER}", node)
        else:
            return True
        return False

    def _call(self, node: ast.Call) -> Call | None:
        name = self._source(node.func)
        start, end = self._place(node.func)
        if not isinstance(node.func, ast.Name) or name not in FUNCTIONS:
            self._refuse(name, start, end)
            self._keep_names(*node.args)
            return None
        self.functions.append(NameUse(name, start, end))
        signature = SIGNATURES[name]
        if signature.many and self.functions[0].start != start:
            self.problem(
                "E105", f"{name}() makes several columns and cannot stand inside another function", node
            )
            self._keep_names(*node.args)
            return None
        return self._arguments(name, node, signature)

    def _refuse(self, name: str, start: int, end: int) -> None:
        last = name.rsplit(".", 1)[-1]
        help = f"write {last}(...)" if last in FUNCTIONS else did_you_mean(name, FUNCTIONS)
        help = help or f"allowed: {', '.join(sorted(FUNCTIONS))}"
        self.problems.append(
            Problem("E102", f"function '{_short(name)}' is not allowed in a formula", start, end, help)
        )

    def _keep_names(self, *nodes: ast.expr) -> None:
        # Names in what is refused are still used, or they would be reported as unused on top.
        for node in nodes:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name):
                    self._name(inner)

    def _arguments(self, name: str, node: ast.Call, signature: Signature) -> Call | None:
        if not node.args:
            self.problem("E105", f"{name}() needs a variable", node)
            return None
        before = len(self.names)
        argument = self._node(node.args[0])
        if argument is not None and len(self.names) == before:
            self.problem("E105", f"{name}() names no variable", node)
            return None
        if argument is not None and signature.bare and not isinstance(argument, Name):
            self.problem("E105", f"{name}() takes the name of one variable", node.args[0])
        keywords = self._keywords(name, node, signature)
        if argument is None or keywords is None:
            return None
        return Call(name, argument, keywords)

    def _keywords(
        self, name: str, node: ast.Call, signature: Signature
    ) -> tuple[tuple[str, Value], ...] | None:
        given: dict[str, ast.expr] = {}
        good = True
        rest = node.args[1:]
        if rest and signature.second is not None:
            given[signature.second] = rest.pop(0)
        for extra in rest:
            self.problem("E105", f"{name}() takes no such argument", extra, _takes(name, signature))
            good = False
        for keyword in node.keywords:
            key = keyword.arg or "**"
            if key not in signature.keywords or key in given:
                help = did_you_mean(key, signature.keywords) or _takes(name, signature)
                self.problem("E105", f"{name}() takes no argument '{key}' here", keyword, help)
                good = False
            else:
                given[key] = keyword.value
        for key in signature.required:
            if key not in given:
                self.problem("E105", f"{name}() needs '{key}'", node, _takes(name, signature))
                good = False
        values = [(key, self._literal(name, key, value, signature)) for key, value in given.items()]
        kept = tuple((key, value) for key, value in values if value is not None)
        return kept if good and len(kept) == len(values) else None

    def _literal(self, name: str, key: str, node: ast.expr, signature: Signature) -> Value | None:
        kind = signature.keywords[key]
        raw = node.value if isinstance(node, ast.Constant) else None
        value = float(raw) if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 2**53 else raw
        if isinstance(value, float | bool | str) and kind.accepts(value):
            return value
        past = isinstance(value, float) and kind.is_kind(value)
        source = _short(self._source(node))
        self.problem(
            "E104" if past else "E105", f"'{key}' of {name}() must be {kind.words}, not {source}", node
        )
        return None

    def _source(self, node: ast.AST) -> str:
        start, end = self._place(node)
        return self.text[start - self.offset : end - self.offset]


def _takes(name: str, signature: Signature) -> str:
    options = [f"{key}={kind.words}" for key, kind in signature.keywords.items()]
    if name == "C":
        return "levels and coding of a variable are said in `variables`"
    return f"{name}() takes a variable" + (f" and {', '.join(options)}" if options else " and nothing else")


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
