"""`specgl explain`: what a code means and how to mend it."""

from __future__ import annotations

import click

from specgl.cli.help import RichCommand
from specgl.errors import CATALOGUE, Code, UsageError
from specgl.grammar import did_you_mean


@click.command("explain", cls=RichCommand)
@click.argument("code", required=False, metavar="[CODE]")
def command(code: str | None) -> None:
    """Say more about a code such as E240; without one, list them all."""
    if code is None:
        for name, entry in sorted(CATALOGUE.items()):
            click.echo(f"{name}  {entry.title}")
        return
    click.echo(explanation(code.upper()))


def explanation(code: str) -> str:
    """The catalogue's words on a code.

    Raises
    ------
    UsageError
        When there is no such code.
    """
    entry: Code | None = CATALOGUE.get(code)
    if entry is None:
        hint = did_you_mean(code, CATALOGUE)
        raise UsageError(
            f"there is no code '{code}'" + (f": {hint}" if hint else "; `specgl explain` lists all")
        )
    kind = f"error, exit code {int(entry.exit)}" if code.startswith("E") else "warning"
    return f"{code} ({kind}): {entry.title}\n\n{entry.explanation}"
