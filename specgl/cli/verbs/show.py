"""`specgl show`: what a bundle holds."""

from __future__ import annotations

import json
from pathlib import Path

import click

from specgl.cli.help import RichCommand
from specgl.cli.options import bundle_argument
from specgl.cli.printing import say


@click.command("show", cls=RichCommand)
@bundle_argument
@click.argument(
    "what", type=click.Choice(["summary", "clusters", "design", "spec", "manifest"]), default="summary"
)
def command(bundle: Path, what: str) -> None:
    """Print what a bundle holds.

    WHAT is summary (the default), clusters (the cluster tables), design (the design matrix), spec (as it was
    resolved) or manifest.
    """
    from specgl.bundle import open_bundle

    held = open_bundle(bundle)
    match what:
        case "summary":
            lines = [held.summary()]
        case "clusters":
            lines = []
            for (contrast, inference), table in held.tables.items():
                lines += [f"{contrast}, {inference}:", _table(table), ""]
        case "design":
            lines = [_table(held.design)]
        case "spec":
            lines = [json.dumps(held.spec, indent=2, ensure_ascii=False)]
        case _:
            lines = [json.dumps(held.manifest, indent=2, ensure_ascii=False)]
    say("\n".join(lines))


def _table(table: object) -> str:
    import pandas as pd

    if not isinstance(table, pd.DataFrame) or table.empty:
        return "(none)"
    shown = table.astype(object).where(table.notna(), "")
    return shown.to_string(index=table.index.name is not None, float_format=lambda value: f"{value:.4g}")
