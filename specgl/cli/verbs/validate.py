"""`specgl validate`: stages 1 and 2 of validation."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from specgl.cli.findings import FORMATS
from specgl.cli.help import RichCommand
from specgl.cli.options import allow_outside_option, strict_option
from specgl.cli.printing import print_findings
from specgl.errors import Exit, Finding, exit_code
from specgl.spec import Source, examine


@click.command("validate", cls=RichCommand)
@click.argument(
    "specs",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    nargs=-1,
    required=True,
    metavar="SPEC...",
)
@click.option("--data", is_flag=True, help="Also read the table and build the design (no image is opened).")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How findings are told.")
@strict_option
@allow_outside_option
def command(specs: tuple[Path, ...], data: bool, form: str, strict: bool, allow_outside: bool) -> int:
    """Check specs: their language, and with --data their tables and designs.

    All findings are told at once, each with its code and its line. Exit code 0 when there is no error, 1 for
    findings in a spec, 3 when a table is missing or at odds with its spec.
    """
    findings: list[Finding] = []
    sources: list[Source] = []
    for path in specs:
        examined = examine(path, allow_outside=allow_outside)
        sources.append(examined.source)
        if data and examined.spec is not None:
            # The table and the design want pandas and formulaic, which stage 1 must not wait for.
            from specgl.planning import check_data

            findings.extend(check_data(examined.spec, allow_outside=allow_outside))
        else:
            findings.extend(examined.findings)
    texts = {source.name: source.text for source in sources}
    print_findings(findings, stream=sys.stdout, form=form, sources=texts)
    if not findings and form == "text":
        click.echo(f"{len(specs)} spec{'s' if len(specs) > 1 else ''} checked: nothing found")
    return int(outcome(findings, strict=strict))


def outcome(findings: list[Finding], *, strict: bool) -> Exit:
    """Exit code of a command that only looks: warnings count when they are told to."""
    code = exit_code(findings)
    return Exit.SPEC if strict and findings and code is Exit.FINE else code
