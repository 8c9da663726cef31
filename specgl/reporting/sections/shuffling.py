"""How observations change places or signs, where an inference shuffles them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specgl.reporting import telling

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Shuffling:
    """One scheme.

    Attributes
    ----------
    contrasts
        Names of the contrasts it serves.
    sentences
        What moves and why, how many labellings there are and how many were used.
    tree
        Who may change places with whom, a line each.
    """

    contrasts: str
    sentences: tuple[str, ...]
    tree: str


def make_shuffling(schemes: Sequence[Mapping[str, Any]]) -> tuple[Shuffling, ...]:
    """Say each scheme of the manifest."""
    return tuple(
        Shuffling(
            contrasts=telling.listed(scheme["contrasts"]),
            sentences=(
                f"{_capital(scheme['why'])}.",
                _used(scheme),
                f"Nuisance variables: {_method(scheme['nuisance'])}.",
            ),
            tree="\n".join(scheme["tree"]),
        )
        for scheme in schemes
    )


def labellings(number: float) -> str:
    """How many labellings there are, in a few signs: ``252``, ``about 10³²``."""
    if number < 10**9:
        return f"{int(number):,}"
    return f"about 10{str(int(f'{number:e}'.partition('e')[2])).translate(_RAISED)}"


def _used(scheme: Mapping[str, Any]) -> str:
    if scheme["exhaustive"]:
        return f"All {scheme['n']:,} labellings that exist were used."
    return (
        f"{scheme['n']:,} of {labellings(scheme['possible'])} labellings were used, the observed one "
        f"among them, the others drawn with the seed {scheme['seed']} ({scheme['generator']})."
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _method(name: str) -> str:
    """A method's name as its authors' names are written: ``Freedman-Lane``."""
    return "-".join(part.capitalize() for part in str(name).split("_"))
