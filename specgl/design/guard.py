"""What a formula must pass before any of it reaches formulaic."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from specgl.design.records import Categorical, Variable
from specgl.design.voxelwise import misused
from specgl.errors import Finding
from specgl.grammar import CallUse, Formula, did_you_mean, read_formula

WHERE = ("model", "formula")
RESERVED: Mapping[str, str] = {"mean": "the grand mean", "Intercept": "the intercept"}
_MARKS_A_LEVEL = "C"


def guard(
    text: str, variables: Mapping[str, Variable], voxelwise: Collection[str] = ()
) -> tuple[Formula, tuple[Finding, ...]]:
    """Read a formula and find everything that keeps it from being built.

    Parameters
    ----------
    text
        The formula.
    variables
        Declared variables by name.
    voxelwise
        Names of covariates whose values come from images.

    Returns
    -------
    Formula, tuple of Finding
        What was read, and all errors and warnings.
    """
    formula = read_formula(text)
    findings = [
        Finding(p.code, p.message, where=WHERE, span=(p.start, p.end), help=p.help) for p in formula.problems
    ]
    findings.extend(_undeclared(formula, [*variables, *voxelwise]))
    findings.extend(_reserved(formula))
    for call in formula.calls:
        findings.extend(_kinds(call, variables))
    findings.extend(misused(formula, voxelwise, variables))
    return formula, tuple(findings)


def _undeclared(formula: Formula, known: Collection[str]) -> Iterator[Finding]:
    for use in formula.names:
        if use.name not in known:
            help = did_you_mean(use.name, known) or f"declare '{use.name}' in `variables`"
            message = f"'{use.name}' is not a declared variable"
            yield Finding("E243", message, where=WHERE, span=(use.start, use.end), help=help)


def _reserved(formula: Formula) -> Iterator[Finding]:
    for use in formula.names:
        if use.name in RESERVED:
            message = f"`{use.name}` has a meaning of its own in hypotheses: {RESERVED[use.name]}"
            help = "give the column another name"
            yield Finding("E254", message, where=WHERE, span=(use.start, use.end), help=help)


def _kinds(call: CallUse, variables: Mapping[str, Variable]) -> Iterator[Finding]:
    function = call.call.function
    for use in call.names:
        variable = variables.get(use.name)
        if variable is None:
            continue
        if isinstance(variable, Categorical) == (function == _MARKS_A_LEVEL):
            continue
        if isinstance(variable, Categorical):
            message = f"{function}() needs numbers, and `{use.name}` is categorical"
            help = f"name `{use.name}` alone, or declare it `type: continuous`"
        else:
            message = f"{function}() needs levels, and `{use.name}` is continuous"
            help = f"declare `{use.name}` with `type: categorical`"
        yield Finding("E250", message, where=WHERE, span=(use.start, use.end), help=help)
