"""`specgl schema`: the JSON Schemas, for editors and for tests."""

from __future__ import annotations

import json
from pathlib import Path

import click

from specgl.cli.help import RichCommand
from specgl.errors import UsageError


@click.command("schema", cls=RichCommand)
@click.argument("what", type=click.Choice(["spec", "bundle"]), default="spec")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
def command(what: str, output: Path | None) -> None:
    """Print the JSON Schema (draft 7) of the spec language, or of a bundle's manifest.

    An editor with a YAML language server completes and checks a spec whose first line is

      # yaml-language-server: $schema=PATH-TO-THE-SCHEMA
    """
    text = schema_text(what)
    if output is None:
        click.echo(text, nl=False)
    else:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write '{output}': {error.strerror}") from error


def schema_text(what: str) -> str:
    """The schema `spec` or `bundle` as it is stored in the folder `schemas`."""
    if what == "spec":
        from specgl.spec import json_schema

        schema = json_schema()
    else:
        from specgl.bundle import manifest_schema

        schema = manifest_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
