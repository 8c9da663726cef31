"""`specgl explain`: what a code means and how to mend it."""

from __future__ import annotations

import click

from specgl.cli.explain import explanation
from specgl.cli.help import RichCommand
from specgl.errors import CATALOGUE


@click.command("explain", cls=RichCommand)
@click.argument("code", required=False, metavar="[CODE]")
def command(code: str | None) -> None:
    """Say more about a code such as E240; without one, list them all."""
    if code is None:
        for name, entry in sorted(CATALOGUE.items()):
            click.echo(f"{name}  {entry.title}")
        return
    click.echo(explanation(code), nl=False)
