"""Findings, and the tree of errors: one branch a verb, one exit code a branch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """What the shell is told when a command ends."""

    FINE = 0
    SPEC = 1
    USAGE = 2
    DATA = 3
    COMPUTATION = 4
    VERIFICATION = 5
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or doubtful, and where.

    A finding points either into the spec, by ``where`` (the keys that lead to a value, such as
    ``("variables", "age", "center")``) and optionally by ``span`` (the characters of that value, first and
    one past the last), or into another file, by ``file``, ``line`` and ``column`` (both counted from 1).
    Who found it need not know the lines of the spec: they are looked up when the finding is shown.

    Attributes
    ----------
    code
        Stable code from the catalogue, ``E...`` for errors and ``W...`` for warnings.
    message
        What was seen and what was expected, in the user's words.
    where
        Keys into the spec; empty when the finding is about no single place in it.
    span
        Characters of the text at ``where`` that are at fault.
    on_key
        Whether the key of ``where``, and not its value, is at fault.
    file, line, column, end_column
        Place in a file other than the spec, or in the spec once looked up.
    help
        What to do next.
    notes
        Facts that explain the finding.
    """

    code: str
    message: str
    where: tuple[str | int, ...] = ()
    span: tuple[int, int] | None = None
    on_key: bool = False
    file: str | None = None
    line: int | None = None
    column: int | None = None
    end_column: int | None = None
    help: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether the finding stops the analysis."""
        return self.code.startswith("E")

    @property
    def severity(self) -> str:
        """``error`` or ``warning``."""
        return "error" if self.is_error else "warning"

    @property
    def in_words(self) -> str:
        """Place, code, message, notes and help as an exception tells them; without the line at fault."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        lines = [f"{place}: {self.code}: {self.message}" if place else f"{self.code}: {self.message}"]
        lines += [f"    note: {note}" for note in self.notes]
        lines += [f"    help: {self.help}"] if self.help else []
        return "\n".join(lines)


class SpecglError(Exception):
    """Root of all errors that specgl raises on purpose.

    Parameters
    ----------
    *findings
        What was found, all at once. A plain text may be given for errors that have no place in a file.
    """

    exit_code: Exit = Exit.COMPUTATION

    def __init__(self, *findings: Finding | str) -> None:
        self.findings: tuple[Finding, ...] = tuple(f for f in findings if isinstance(f, Finding))
        super().__init__("\n".join(f if isinstance(f, str) else f.in_words for f in findings))


class SpecError(SpecglError):
    """The spec itself is wrong (reading and validating)."""

    exit_code = Exit.SPEC


class DesignError(SpecError):
    """The spec's model cannot be built on this table: formula, rank, estimability."""


class UsageError(SpecglError):
    """A command or a function was called in a way that cannot be."""

    exit_code = Exit.USAGE


class DataError(SpecglError):
    """Data are missing or inconsistent."""

    exit_code = Exit.DATA


class TableError(DataError):
    """The table is missing, unreadable or at odds with the spec."""


class ImageError(DataError):
    """An image or a mask is missing, unreadable or at odds with the others."""


class ComputationError(SpecglError):
    """Fitting or inference could not be carried out."""

    exit_code = Exit.COMPUTATION


class WriteError(ComputationError):
    """The bundle could not be written."""


class VerificationError(SpecglError):
    """A bundle is not what its manifest says."""

    exit_code = Exit.VERIFICATION
