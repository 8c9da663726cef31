from __future__ import annotations

from dataclasses import dataclass

from specgl.errors.tree import Exit


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of the catalogue of findings.

    Attributes
    ----------
    title
        The finding in one line.
    explanation
        Why it matters and how to mend it, in plain text; ``specgl explain CODE`` prints it.
    exit
        Exit code of a command that ends on it; of no meaning for warnings.
    """

    title: str
    explanation: str
    exit: Exit = Exit.SPEC
