"""What a code of the catalogue means."""

from __future__ import annotations

import textwrap

from specgl.errors import CATALOGUE, UsageError
from specgl.grammar import did_you_mean


def explanation(code: str) -> str:
    """Title and explanation of a code, wrapped for a terminal.

    Raises
    ------
    UsageError
        The catalogue has no such code.
    """
    known = CATALOGUE.get(code.upper())
    if known is None:
        advice = did_you_mean(code.upper(), CATALOGUE) or f"codes: {', '.join(sorted(CATALOGUE))}"
        raise UsageError(f"there is no code '{code}': {advice}")
    return f"{code.upper()}: {known.title}\n\n{textwrap.fill(known.explanation, 80)}\n"
