"""Citations as they are made: who is cited goes into the list, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from specgl.reporting.words.catalogue import CATALOGUE
from specgl.reporting.words.reference import Reference


@dataclass(eq=False)
class Citations:
    """Gathers what a text cites."""

    _made: dict[str, Reference] = field(default_factory=dict)

    def __call__(self, *keys: str, version: str = "") -> str:
        """A citation in parentheses, such as ``(Holm, 1979)``.

        Parameters
        ----------
        *keys
            Keys of the catalogue.
        version
            Of a program.
        """
        return f"({self.bare(*keys, version=version)})"

    def bare(self, *keys: str, version: str = "") -> str:
        """A citation without its parentheses, for a text that stands within some."""
        for key in keys:
            self._made[key] = replace(CATALOGUE[key], version=version) if version else CATALOGUE[key]
        return "; ".join(self._made[key].cited for key in keys)

    def references(self) -> tuple[Reference, ...]:
        """Everything that was cited, by author and year."""
        return tuple(sorted(self._made.values(), key=lambda r: (r.cited.lower(), r.key)))
