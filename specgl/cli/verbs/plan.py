"""`specgl plan`: what a run would do."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from specgl.cli.help import RichCommand
from specgl.cli.options import allow_outside_option, spec_argument, strict_option, threads_option
from specgl.cli.printing import print_findings, say


@click.command("plan", cls=RichCommand)
@spec_argument
@threads_option
@strict_option
@allow_outside_option
def command(spec: Path, threads: int | None, strict: bool, allow_outside: bool) -> None:
    """Show what a run would do: rows, design, contrasts, files, cost. No voxel is read.

    Headers of all images are compared, so that a run which has been planned starts.
    """
    from specgl.cli.plan_text import plan_lines
    from specgl.cli.verbs.run import refuse_warnings
    from specgl.planning import make_plan, output_target
    from specgl.spec import read

    plan = make_plan(read(spec, allow_outside=allow_outside), allow_outside=allow_outside, threads=threads)
    print_findings(plan.findings, stream=sys.stderr)
    for line in plan_lines(plan):
        say(line)
    output_target(plan)  # a run to it would be refused
    if strict:
        refuse_warnings(plan.findings)
