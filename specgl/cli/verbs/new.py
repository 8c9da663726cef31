"""`specgl new`: a spec to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from specgl.cli.help import RichCommand
from specgl.errors import UsageError

TEMPLATES = ("one-sample", "two-sample", "paired", "association", "ancova", "vbm")
"""Designs that a user comes with; each is a file in the folder `templates`."""


@click.command("new", cls=RichCommand)
@click.argument("template", type=click.Choice(TEMPLATES))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path), default=Path("analysis.yaml"))
@click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")
def command(template: str, target: Path, overwrite: bool) -> None:
    """Write a commented spec for a common design, to be filled in.

    TARGET is analysis.yaml unless said otherwise.
    """
    text = template_text(template)
    try:
        with target.open("w" if overwrite else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"'{target}' is there already; choose another name or pass --overwrite") from None
    except OSError as error:
        raise UsageError(f"cannot write '{target}': {error.strerror}") from error
    click.echo(f"wrote {target}; fill it in, then: specgl validate {target}")


def template_text(template: str) -> str:
    """The text of a template."""
    return (files("specgl.cli") / "templates" / f"{template}.yaml").read_text(encoding="utf-8")
