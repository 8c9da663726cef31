"""Which tables are meant, by the names of contrast and inference."""

from __future__ import annotations

from collections.abc import Iterable

from specgl.errors import UsageError
from specgl.grammar import did_you_mean

Pair = tuple[str, str]


def choose(held: Iterable[Pair], contrast: str | None, inference: str | None) -> list[Pair]:
    """Those of the tables that are meant, in order.

    Parameters
    ----------
    held
        (contrast, inference) of each table that there is.
    contrast, inference
        Names; None means all.

    Raises
    ------
    UsageError
        When no table has such a name; it tells which there are.
    """
    pairs = list(held)
    _known("contrast", contrast, [one for one, _ in pairs])
    _known("inference", inference, [other for _, other in pairs])
    found = [(one, other) for one, other in pairs if contrast in (None, one) and inference in (None, other)]
    if pairs and not found:
        raise UsageError(f"there is no table of '{contrast}' under '{inference}'")
    return found


def _known(what: str, name: str | None, names: list[str]) -> None:
    if name is None or name in names:
        return
    known = ", ".join(f"'{one}'" for one in dict.fromkeys(names)) or "none, since there are no tables"
    hint = did_you_mean(name, names)
    raise UsageError(f"there is no {what} '{name}'; there is {known}" + (f" ({hint})" if hint else ""))
