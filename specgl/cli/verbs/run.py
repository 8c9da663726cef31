"""`specgl run`: all four stages, and the bundle."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from specgl.cli.help import RichCommand
from specgl.cli.options import (
    allow_outside_option,
    overwrite_option,
    quiet_option,
    spec_argument,
    strict_option,
    threads_option,
)
from specgl.cli.printing import say
from specgl.errors import Finding, SpecError

if TYPE_CHECKING:
    from specgl.bundle import Bundle


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
@strict_option
@allow_outside_option
@quiet_option
def command(
    spec: Path,
    output: Path | None,
    overwrite: bool,
    threads: int | None,
    strict: bool,
    allow_outside: bool,
    quiet: bool,
) -> None:
    """Run a spec and write its results bundle.

    Prints what survived, the warnings, and the bundle's folder; progress goes to stderr. Whatever stops the
    run leaves a bundle with the status `failed` or `interrupted` that says where and why.
    """
    bundle = execute(
        spec,
        output,
        overwrite=overwrite,
        threads=threads,
        strict=strict,
        allow_outside=allow_outside,
        quiet=quiet,
    )
    say(f"Results: {bundle.path}")


def execute(
    path: Path,
    output: Path | None = None,
    *,
    overwrite: bool = False,
    threads: int | None = None,
    strict: bool = False,
    allow_outside: bool = False,
    quiet: bool = False,
) -> Bundle:
    """Read, plan and run a spec, and tell what came of it."""
    # Imported here so that `specgl --help` and a wrong option wait for nothing.
    from specgl.planning import make_plan
    from specgl.running import run
    from specgl.spec import read

    asked = read(path, allow_outside=allow_outside)
    if strict:
        refuse_warnings(make_plan(asked, allow_outside=allow_outside, threads=threads).findings)
    bundle = run(
        asked,
        output,
        overwrite=overwrite,
        threads=threads,
        allow_outside=allow_outside,
        progress=not quiet,
        command=("specgl", *sys.argv[1:]),
    )
    say(bundle.summary())
    return bundle


def refuse_warnings(findings: tuple[Finding, ...]) -> None:
    """Stop at the first warning, as `--strict` asks."""
    if findings:
        raise SpecError(*findings)
