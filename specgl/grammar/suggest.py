"""The option that somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

CUTOFF = 0.6  # difflib's own: below it proposals confuse more than they help
SHORTEST_START = 3  # letters from which a word may be the beginning of the option that was meant


def suggest(word: str, options: Iterable[str]) -> str | None:
    """Option closest to a word that is none of them, or ``None`` where none comes near."""
    known = list(dict.fromkeys(options))
    by_plain: dict[str, str] = {}
    for option in known:
        by_plain.setdefault(_plain(option), option)
    plain = _plain(word)
    if plain in by_plain:
        return by_plain[plain]
    begun = [option for option in by_plain if len(plain) >= SHORTEST_START and option.startswith(plain)]
    if begun:
        return by_plain[begun[0]]
    close = difflib.get_close_matches(plain, by_plain, n=1, cutoff=CUTOFF)
    return by_plain[close[0]] if close else None


def did_you_mean(word: str, options: Iterable[str]) -> str | None:
    """The suggestion as a question, ready to be a finding's help."""
    option = suggest(word, options)
    return None if option is None else f"did you mean '{option}'?"


def _plain(text: str) -> str:
    return "_".join(text.casefold().replace("-", " ").replace("_", " ").split())
