"""Rows, formula and contrasts to a design, or everything that is wrong with them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from specgl.design.aliasing import (
    FORMULA,
    Identified,
    absorbed_findings,
    alias_findings,
    alias_words,
    estimability_findings,
    identify,
)
from specgl.design.columns import typed_columns
from specgl.design.conjunctions import join
from specgl.design.formula import FormulaRefused, Model, TooManyColumns, materialise
from specgl.design.groups import codes_of, group_findings, read_groups
from specgl.design.guard import guard
from specgl.design.hypothesis import Resolver, Row, syntax_findings
from specgl.design.records import (
    Block,
    ContinuousColumn,
    Contrast,
    ContrastRequest,
    Design,
    Rows,
    TypedColumn,
    Variable,
)
from specgl.design.voxelwise import VoxelwiseColumn, voxelwise_columns
from specgl.errors import DesignError, Finding, raise_errors
from specgl.grammar import CallUse, Formula, read_call

_SHOWN = 5  # observations named in a note


def build(
    rows: Rows,
    *,
    variables: Mapping[str, Variable],
    formula: str,
    block: str | None,
    contrasts: Sequence[ContrastRequest],
    variance_groups: str | Block | None = None,
    voxelwise: Sequence[str] = (),
) -> Design:
    """Build a design.

    Parameters
    ----------
    rows
        The analysed rows.
    variables
        Declared variables by column.
    formula
        Right side of a Wilkinson formula over them.
    block
        Column whose blocks' means are taken out, or ``None``.
    contrasts
        What is asked.
    variance_groups
        Column of the groups that have variances of their own, or the groups themselves, in the order of the
        analysed rows; ``None`` where all observations have one variance.
    voxelwise
        Names of covariates whose values come from images, one for each observation and location. The formula
        may use them by themselves and in products. They are not centred: means are told where they are 0.

    Returns
    -------
    Design
        Its `findings` are the warnings; `lint` has more.

    Raises
    ------
    DesignError
        With all findings, warnings included, when any of them is an error.
    TableError
        Where a variable's column does not hold what was declared, or that of the variance groups lacks a
        cell.
    """
    reading, findings = guard(formula, variables, voxelwise)
    if any(finding.is_error for finding in findings):
        raise DesignError(*findings, *syntax_findings(contrasts))
    used = dict.fromkeys(use.name for use in reading.names)
    columns = _columns(rows, used, variables)
    try:
        model = materialise(formula, columns, len(rows.kept))
    except FormulaRefused as error:
        refused = _refused(error, reading, rows, columns)
        raise DesignError(*findings, *refused, *syntax_findings(contrasts)) from error
    resolver = Resolver(model, (*variables, *voxelwise))
    plain = [request for request in contrasts if not request.members]
    resolved = [pair for request in plain if (pair := resolver.resolve(request)) is not None]
    conjunctions, of_conjunctions = join(contrasts)
    blocks = None if block is None else codes_of(rows, block)
    groups, of_groups = _groups(rows, variance_groups)
    findings = (*findings, *resolver.findings, *of_conjunctions, *of_groups)
    if (crowd := _crowd(model)) is not None:
        raise DesignError(*findings, crowd)
    identified = identify(model.generic, blocks)
    statistical = list(_statistical(formula, model, identified, blocks, resolved))
    if groups is not None and not any(finding.is_error for finding in statistical):
        statistical += group_findings(model.generic, blocks, groups)
    findings = (*findings, *statistical)
    raise_errors(findings, DesignError)
    design = _design(rows, formula, model, identified, blocks, [c for c, _ in resolved], findings)
    return replace(design, variance_groups=groups, conjunctions=conjunctions)


def _columns(rows: Rows, used: Iterable[str], variables: Mapping[str, Variable]) -> dict[str, TypedColumn]:
    """What the formula names: columns of the table, and covariates of which it knows nothing."""
    table = typed_columns(rows, {name: variables[name] for name in used if name in variables})
    others = voxelwise_columns([name for name in used if name not in variables], rows.kept)
    return {name: table[name] if name in table else others[name] for name in used}


def _groups(rows: Rows, given: str | Block | None) -> tuple[Block | None, tuple[Finding, ...]]:
    """The variance groups, read from the table where a column is named."""
    return read_groups(rows, given) if isinstance(given, str) else (given, ())


def _refused(
    error: FormulaRefused, reading: Formula, rows: Rows, columns: Mapping[str, TypedColumn]
) -> list[Finding]:
    places = {str(use.call): use for use in reading.calls}
    findings = []
    for reason in error.reasons:
        call = read_call(reason.factor).call if reason.factor else None
        use = places.get(str(call))
        shown = [rows.kept[i] for i in reason.rows[:_SHOWN]]
        findings.append(
            Finding(
                "E252" if isinstance(error, TooManyColumns) else "E253",
                reason.why,
                where=FORMULA,
                span=None if use is None else (use.start, use.end),
                help=_mend(use, columns) if use is not None and reason.rows else None,
                notes=(f"such as {', '.join(shown)}",) if shown else (),
            )
        )
    return sorted(findings, key=lambda finding: finding.span or (0, 0))


def _mend(use: CallUse, columns: Mapping[str, TypedColumn]) -> str:
    for name in use.names:
        column = columns.get(name.name)
        if isinstance(column, ContinuousColumn) and column.center != 0.0:
            return f"`{name.name}` is centred before the formula sees it: declare `center: none`"
    return "look at the values, or transform the column in the table"


def _crowd(model: Model) -> Finding | None:
    n_obs, n_reg = model.matrix.shape
    if n_reg == 0:
        return Finding("E253", "the formula makes no regressor", where=FORMULA, help="leave the intercept in")
    if n_reg <= n_obs:
        return None
    message = f"the formula makes {n_reg} regressors for {n_obs} observations"
    return Finding("E252", message, where=FORMULA, help="leave out terms, or analyse more observations")


def _statistical(
    formula: str,
    model: Model,
    identified: Identified,
    block: Block | None,
    resolved: Sequence[tuple[Contrast, tuple[Row, ...]]],
) -> Iterator[Finding]:
    told = alias_words(formula, model, identified)
    yield from alias_findings(formula, model, identified)
    absorbed = [] if block is None else list(absorbed_findings(model, identified, block))
    yield from absorbed
    if any(finding.is_error for finding in absorbed):
        return  # nothing can be estimated, which has been said once
    for contrast, rows in resolved:
        yield from estimability_findings(contrast.name, rows, model, identified, block, told)
    n_obs = model.matrix.shape[0]
    if n_obs <= identified.rank:
        blocks = "" if block is None else f", {len(block.labels)} of it the blocks of `{block.name}`"
        message = f"no degree of freedom is left: {n_obs} observations, rank {identified.rank}{blocks}"
        help = "leave out terms, or analyse more observations"
        yield Finding("E241", message, where=FORMULA, help=help)


def _design(
    rows: Rows,
    formula: str,
    model: Model,
    identified: Identified,
    block: Block | None,
    contrasts: Sequence[Contrast],
    findings: tuple[Finding, ...],
) -> Design:
    model.matrix.flags.writeable = False
    multiplying = {name for regressor in model.regressors for name in regressor.covariates}
    return Design(
        matrix=model.matrix,
        regressors=model.regressors,
        observations=rows.kept,
        contrasts=tuple(contrasts),
        block=block,
        rank=identified.rank,
        dof=model.matrix.shape[0] - identified.rank,
        formula=formula,
        columns={n: one for n, one in model.columns.items() if not isinstance(one, VoxelwiseColumn)},
        findings=findings,
        voxelwise=tuple(name for name in model.columns if name in multiplying),
    )
