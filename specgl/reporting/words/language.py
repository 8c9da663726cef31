"""Small words: lists, counts, shares and p-values as papers print them, and strangers' names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from specgl.bundle.printed import escapes

_SIMPLE = re.compile(r"[^\W_](?:[\w.+-]*\w)?")
_UNIT = re.compile(r"[\w%°µ](?:[\w %°µ/^²³.·-]*[\w%°µ²³])?")
_SOME = 6
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_COUNTED = 10**7
"""Numbers of arrangements up to here are told to the last one."""

_ONES = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def listed(words: Iterable[str], last: str = "and") -> str:
    """Words as a list: ``a``, ``a and b``, ``a, b and c``."""
    several = list(words)
    if len(several) < 2:
        return "".join(several)
    return f"{', '.join(several[:-1])} {last} {several[-1]}"


def counted(n: int, one: str, more: str | None = None) -> str:
    """How many there are: ``1 voxel``, ``49,245 voxels``."""
    return f"{n:,} {one if n == 1 else more or f'{one}s'}"


def spelt(n: int) -> str:
    """A small number as a word, others in digits."""
    return _ONES[n] if 0 <= n < len(_ONES) else f"{n:,}"


def one_space(text: str) -> str:
    """A stranger's text in one line, with what nobody sees written out."""
    return escapes.one_line(text)


def name(text: object) -> str:
    """A stranger's name as it stands in a sentence: within quotes unless it is a plain word or number."""
    told = one_space(str(text))
    return told if _SIMPLE.fullmatch(told) else f"“{told}”"


def unit(text: object) -> str:
    """A stranger's unit as it stands in a sentence: of several words too, as ``words per minute``."""
    told = one_space(str(text))
    return told if _UNIT.fullmatch(told) else f"“{told}”"


def some(texts: Iterable[object], last: str = "and") -> str:
    """Strangers' names as a list, of which only the first few are told."""
    several = list(texts)
    if len(several) <= _SOME:
        return names(several, last)
    return f"{', '.join(map(name, several[:_SOME]))} {last} {len(several) - _SOME:,} more"


def names(texts: Iterable[object], last: str = "and") -> str:
    """Strangers' names as a list."""
    return listed(map(name, texts), last)


def sentence(text: str, end: str = ".") -> str:
    """A text with a capital at its start and an end."""
    return f"{text[:1].upper()}{text[1:]}{end}"


def share(value: float) -> str:
    """A share in percent: ``5%``, ``0.1%``."""
    return f"{100 * value:.10g}%"


def p_text(p: float) -> str:
    """A level as papers print it, without the 0 before its point: ``.05``."""
    digits = max(2, 1 - math.floor(math.log10(p))) + 2
    told = f"{p:.{digits}f}".rstrip("0")
    return (told if float(told) == p else f"{p:.3g}").removeprefix("0")


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, and thousands apart."""
    if not math.isfinite(value):
        return "unknown"
    told = f"{value:,.0f}" if 10 ** (digits - 1) <= abs(value) < 10**12 else f"{value:.{digits}g}"
    mantissa, _, exponent = told.replace("-", "−", 1 if value < 0 else 0).partition("e")
    return f"{mantissa} × 10{_raised(int(exponent))}" if exponent else mantissa


def _raised(power: int) -> str:
    return ("⁻" if power < 0 else "") + str(abs(power)).translate(_SUPERSCRIPTS)


def arrangements(n: float) -> str:
    """How many arrangements there are, in short where there are very many: ``about 10³²``."""
    if n <= _COUNTED:
        return f"{int(n):,}"
    return f"about 10{_raised(math.floor(math.log10(n)))}"
