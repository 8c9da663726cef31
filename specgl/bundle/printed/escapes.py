"""Strangers' words as text: no form takes them for its own marks."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",  # the same glyph, and no shorthand of babel's
    "[": "{[}",  # after a line's end, \\ would take it for its option
    "*": "{*}",  # likewise
    "³": r"\textsuperscript{3}",
    "×": r"$\times$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
}


def one_line(text: str) -> str:
    """A text without line ends; control characters, which nobody sees, are written out."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", " ".join(text.split()))


def markdown(text: str) -> str:
    """A text in which Markdown finds no marks, in one line."""
    return _MARKS.sub(r"\\\1", one_line(text))


def latex(text: str) -> str:
    """A text that LaTeX prints as it stands, in one line."""
    told = "".join(_LATEX.get(character, character) for character in one_line(text))
    return told.replace("--", "-{}-")  # two hyphens are no dash


def latex_number(text: str) -> str:
    """A number, or several within brackets, with the signs of mathematics."""
    exponent = re.sub(r"e([-+])0*(\d+)", lambda m: rf"\times10^{{{m[1].strip('+')}{m[2]}}}", text)
    return f"${exponent}$" if re.search(r"[-<>\\]", exponent) else exponent
