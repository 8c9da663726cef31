"""Names that become parts of BIDS file names."""

from __future__ import annotations

import re

LABEL = re.compile(r"[A-Za-z0-9]+")
_BREAKS = re.compile(r"[^A-Za-z0-9]+")
_COMPARISONS = {">": " gt ", "<": " lt ", "+": " plus ", "&": " and "}


def propose_label(text: str) -> str:
    """Label close to a text: ``patient-gt-control`` gives ``patientGtControl``.

    Parameters
    ----------
    text
        Any name.

    Returns
    -------
    str
        Letters and digits only; ``unnamed`` where nothing of the text can be kept.
    """
    for sign, word in _COMPARISONS.items():
        text = text.replace(sign, word)
    words = [word for word in _BREAKS.split(text) if word]
    if not words:
        return "unnamed"
    return words[0] + "".join(word[0].upper() + word[1:] for word in words[1:])
