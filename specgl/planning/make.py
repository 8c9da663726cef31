"""Settle everything about an analysis that can be settled before a voxel is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from specgl.engines import default_threads
from specgl.errors import DataError, DesignError, Exit, Finding, SpecError, SpecglError, UsageError, exit_code
from specgl.images import Grid, Roots
from specgl.planning import translate
from specgl.planning.estimate import Estimate, with_shuffles, with_simulations
from specgl.planning.estimation import margins, plan_estimation, written_maps
from specgl.planning.group import build_design, check_image_columns, plan_group, read_rows
from specgl.planning.ready import plan_maps
from specgl.planning.records import GroupSource, MapSource, Plan
from specgl.planning.regions import find_regions
from specgl.spec import AnalysisSpec, check, digest, heed, locate, resolve

_OTHER_OUTPUT = "name a folder with --output (directory= in Python), or pass --allow-outside"


def make_plan(spec: AnalysisSpec, *, allow_outside: bool = False, threads: int | None = None) -> Plan:
    """Resolve a spec: its table, its design, its files and their grid. No voxel is read.

    Parameters
    ----------
    spec
        What is asked.
    allow_outside
        Whether files outside the spec's folder may be named.
    threads
        How many threads read headers, and are counted on by the estimate; all cores by default.

    Raises
    ------
    SpecError
        The spec is wrong in itself.
    DesignError
        Its model cannot be built on its table.
    DataError
        The table or an image is missing or at odds with the rest.
    UsageError
        What was given is no spec, such as the path of one.
    """
    if not isinstance(spec, AnalysisSpec):
        raise UsageError(f"a spec is wanted here, not {spec!r}: specgl.read(path) reads one from a file")
    workers = threads or default_threads()
    roots = translate.roots(spec, allow_outside=allow_outside)
    with errors_located(spec):
        warnings = _first_stage(spec, allow_outside)
        settled = _settle(spec, roots, workers)
        named = find_regions(spec, roots=roots, grid=settled.grid)
        findings = (*warnings, *settled.findings, *named.findings)
        _raise_by_kind(findings)
        source, cost = settled.source(), settled.cost()
    resolved = resolve(spec)
    return Plan(
        spec=spec,
        resolved=resolved,
        digest=digest(resolved),
        source=source,
        grid=settled.grid,
        inferences=translate.inferences(spec),
        maps=written_maps(spec),
        directory=translate.output_directory(spec),
        estimate=cost,
        roots=roots,
        findings=located(findings, spec),
        regions=named.regions,
        atlas=named.atlas,
        underlay=named.underlay,
        margins=margins(spec),
    )


@dataclass(frozen=True, eq=False)
class _Settled:
    """What was settled about a group or about ready-made maps; source and cost are for one without errors."""

    findings: tuple[Finding, ...]
    grid: Grid | None
    source: Callable[[], GroupSource | MapSource]
    cost: Callable[[], Estimate | None]


def _settle(spec: AnalysisSpec, roots: Roots, threads: int) -> _Settled:
    """Plan what the spec is about."""
    if spec.data is None or spec.model is None:
        ready = plan_maps(spec, roots=roots, threads=threads)

        def simulated() -> Estimate | None:
            return _with_simulations(ready.estimate, ready.grid, spec, threads)

        return _Settled(ready.findings, ready.grid, lambda: ready.source, simulated)
    data, group = spec.data, plan_group(spec, spec.data, spec.model, roots=roots, threads=threads)
    files, shuffling = group.files, group.shuffling

    def shuffled() -> Estimate | None:
        cost = _with_simulations(files.estimate, files.grid, spec, threads)
        if cost is None or files.grid is None or shuffling is None:
            return cost
        asked = translate.inferences(spec)
        return with_shuffles(cost, files.grid.shape, shuffling.schemes, asked, threads=threads)

    return _Settled(group.findings, files.grid, lambda: group.source(data), shuffled)


def _with_simulations(
    cost: Estimate | None, grid: Grid | None, spec: AnalysisSpec, threads: int
) -> Estimate | None:
    if cost is None or grid is None:
        return cost
    n_contrasts = len(spec.contrasts) + len(spec.maps)
    return with_simulations(cost, grid.shape, translate.inferences(spec), n_contrasts, threads=threads)


def check_data(spec: AnalysisSpec, *, allow_outside: bool = False) -> tuple[Finding, ...]:
    """Stage 2 of validation: the table, and the design built on it; no image is looked for.

    Parameters
    ----------
    spec
        What is asked.
    allow_outside
        Whether files outside the spec's folder may be named.

    Returns
    -------
    tuple of Finding
        Everything found from stage 1 on, errors and warnings, each at its line.
    """
    findings: tuple[Finding, ...] = ()
    try:
        findings = _first_stage(spec, allow_outside)
        if spec.data is not None and spec.model is not None:
            roots = translate.roots(spec, allow_outside=allow_outside)
            rows = read_rows(spec, spec.data, spec.model, roots)
            findings = (*findings, *rows.table.findings, *rows.findings)
            findings = (*findings, *check_image_columns(spec.data, spec.model, rows))
            findings = (*findings, *plan_estimation(spec.model, rows)[-1])
            findings = (*findings, *build_design(spec, spec.model, rows)[-1])
    except SpecglError as error:
        findings = (*findings, *(finding for finding in error.findings if finding not in findings))
    return located(findings, spec)


def output_target(plan: Plan) -> Path:
    """Folder of the bundle where the caller names none.

    Raises
    ------
    SpecError
        E303: its path leads outside the spec's folder, and that is not allowed.
    """
    if not translate.is_admitted(plan.directory.parent, plan.roots):
        finding = translate.outside(str(plan.directory), ("output", "directory"))
        raise SpecError(*located((replace(finding, help=_OTHER_OUTPUT),), plan.spec))
    return plan.directory


def located(findings: tuple[Finding, ...], spec: AnalysisSpec) -> tuple[Finding, ...]:
    """The findings with their lines in the spec's file, less the warnings that it silences.

    A spec made in Python has no lines, and a finding may be about no single place.
    """
    source = spec.source
    if source is None:
        return findings
    return heed((locate(found, source) if found.where else found for found in findings), source)


@contextmanager
def errors_located(spec: AnalysisSpec) -> Iterator[None]:
    """Give every error raised inside its lines in the spec's file."""
    try:
        yield
    except SpecglError as error:
        if spec.source is None or not error.findings:
            raise
        raise type(error)(*located(error.findings, spec)) from error


def _first_stage(spec: AnalysisSpec, allow_outside: bool) -> tuple[Finding, ...]:
    """Check what a spec made in Python has not been checked for yet; give its warnings."""
    findings = tuple(check(spec, allow_outside=allow_outside))
    if any(finding.is_error for finding in findings):
        raise SpecError(*findings)
    return findings


def _raise_by_kind(findings: tuple[Finding, ...]) -> None:
    """Raise all findings, when any is an error, as the kind of error that they add up to."""
    if any(finding.is_error for finding in findings):
        raise (DesignError if exit_code(findings) == Exit.SPEC else DataError)(*findings)
