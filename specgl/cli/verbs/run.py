"""`specgl run`: all four stages, and the bundle."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from specgl.cli.help import RichCommand
from specgl.cli.options import (
    allow_outside_option,
    engine_option,
    memory_option,
    no_report_option,
    overwrite_option,
    quiet_option,
    scheduler_option,
    spec_argument,
    strict_option,
    threads_option,
)
from specgl.cli.printing import say
from specgl.errors import Finding, SpecError

if TYPE_CHECKING:
    from specgl.bundle import Bundle
    from specgl.engines import Engine


@click.command("run", cls=RichCommand)
@spec_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the results; goes before the spec's `output.directory` and may lie anywhere.",
)
@overwrite_option
@threads_option
@engine_option
@scheduler_option
@memory_option
@strict_option
@allow_outside_option
@no_report_option
@quiet_option
def command(
    spec: Path,
    output: Path | None,
    overwrite: bool,
    threads: int | None,
    engine: str,
    scheduler: str | None,
    memory: int | None,
    strict: bool,
    allow_outside: bool,
    no_report: bool,
    quiet: bool,
) -> None:
    """Run a spec and write its results bundle, with its report.

    Prints what survived, the warnings, and the bundle's folder; progress goes to stderr. Whatever stops the
    run leaves a bundle with the status `failed` or `interrupted` that says where and why; finished
    shuffles are kept, and the same command goes on from them.
    """
    if engine == "dask" and not scheduler:
        raise click.UsageError("--engine dask needs --scheduler ADDRESS: the one that dask printed")
    if engine != "dask" and scheduler is not None:
        raise click.UsageError("--scheduler is for --engine dask")
    bundle = execute(
        spec,
        output,
        overwrite=overwrite,
        threads=threads,
        scheduler=scheduler,
        memory=memory,
        strict=strict,
        allow_outside=allow_outside,
        report=not no_report,
        quiet=quiet,
    )
    say(f"Results: {bundle.path}")
    if (page := bundle.report) is not None:
        say(f"Report:  {page}")


def execute(
    path: Path,
    output: Path | None = None,
    *,
    overwrite: bool = False,
    threads: int | None = None,
    scheduler: str | None = None,
    memory: int | None = None,
    strict: bool = False,
    allow_outside: bool = False,
    report: bool = True,
    quiet: bool = False,
) -> Bundle:
    """Read, plan and run a spec, and tell what came of it."""
    # Imported here so that `specgl --help` and a wrong option wait for nothing.
    from specgl.planning import make_plan
    from specgl.running import run
    from specgl.spec import read

    engine: Engine | None = None
    if scheduler is not None:
        from specgl.engines import Dask

        engine = Dask(scheduler, threads=threads)
    asked = read(path, allow_outside=allow_outside)
    if strict:
        refuse_warnings(make_plan(asked, allow_outside=allow_outside, threads=threads).findings)
    bundle = run(
        asked,
        output,
        overwrite=overwrite,
        threads=threads,
        engine=engine,
        memory=memory,
        allow_outside=allow_outside,
        report=report,
        progress=not quiet,
        command=("specgl", *sys.argv[1:]),
    )
    say(bundle.summary())
    return bundle


def refuse_warnings(findings: tuple[Finding, ...]) -> None:
    """Stop at the first warning, as `--strict` asks."""
    if findings:
        raise SpecError(*findings)
