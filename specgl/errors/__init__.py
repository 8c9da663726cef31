"""What can go wrong: findings, the error tree, the catalogue of codes."""

from __future__ import annotations

from collections.abc import Iterable

from specgl.errors.catalogue import CATALOGUE, Code
from specgl.errors.tree import (
    ComputationError,
    DataError,
    DesignError,
    Exit,
    Finding,
    ImageError,
    SpecError,
    SpecglError,
    TableError,
    UsageError,
    VerificationError,
    WriteError,
)

__all__ = [
    "CATALOGUE",
    "Code",
    "ComputationError",
    "DataError",
    "DesignError",
    "Exit",
    "Finding",
    "ImageError",
    "SpecError",
    "SpecglError",
    "TableError",
    "UsageError",
    "VerificationError",
    "WriteError",
    "exit_code",
    "raise_errors",
]


def exit_code(findings: Iterable[Finding]) -> Exit:
    """Exit code of a command that ends on these findings: the lowest among its errors'."""
    return min((CATALOGUE[f.code].exit for f in findings if f.is_error), default=Exit.FINE)


def raise_errors(findings: Iterable[Finding], error: type[SpecglError]) -> None:
    """Raise ``error`` with all findings when any of them is an error; return when all are warnings."""
    found = tuple(findings)
    if any(f.is_error for f in found):
        raise error(*found)
