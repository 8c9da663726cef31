"""`specgl show`: what a bundle holds."""

from __future__ import annotations

import json
from pathlib import Path

import click

from specgl.cli.help import RichCommand
from specgl.cli.options import bundle_argument
from specgl.cli.printing import say

FORMS = ("markdown", "latex", "text", "tsv")
"""Forms of printed tables; `specgl.bundle.printed` knows how, and is imported only when it is needed."""


@click.command("show", cls=RichCommand)
@bundle_argument
@click.argument(
    "what", type=click.Choice(["summary", "clusters", "design", "spec", "manifest"]), required=False
)
@click.option(
    "--table",
    "form",
    type=click.Choice(FORMS),
    help="Print the cluster tables for a paper (markdown, latex, text), or with all digits (tsv).",
)
@click.option("--contrast", metavar="NAME", help="Cluster tables of this contrast alone.")
@click.option("--inference", metavar="NAME", help="Cluster tables of this inference alone.")
def command(
    bundle: Path, what: str | None, form: str | None, contrast: str | None, inference: str | None
) -> None:
    """Print what a bundle holds.

    WHAT is summary (the default), clusters (the cluster tables), design (the design matrix), spec (as it was
    resolved) or manifest. With --table the cluster tables are printed as Markdown, as LaTeX (with booktabs)
    or as aligned text, each with a note that says what it tells of; as TSV they are one table.
    """
    asks_tables = form is not None or contrast is not None or inference is not None
    if asks_tables and what not in (None, "clusters"):
        raise click.UsageError(f"--table, --contrast and --inference are for clusters, not for {what}")
    from specgl.bundle import open_bundle

    held = open_bundle(bundle)
    if form is not None:
        say(held.table_text(contrast, inference, form).rstrip("\n") or "(none)")
        return
    match "clusters" if asks_tables else what:
        case "clusters":
            from specgl.bundle.printed import choose

            lines = []
            for pair in choose(held.tables, contrast, inference):
                lines += [f"{', '.join(pair)}:", _table(held.tables[pair]), ""]
        case "design":
            lines = [_table(held.design)]
        case "spec":
            lines = [json.dumps(held.spec, indent=2, ensure_ascii=False)]
        case "manifest":
            lines = [json.dumps(held.manifest, indent=2, ensure_ascii=False)]
        case _:
            lines = [held.summary()]
    say("\n".join(lines))


def _table(table: object) -> str:
    import pandas as pd

    if not isinstance(table, pd.DataFrame) or table.empty:
        return "(none)"
    shown = table.astype(object).where(table.notna(), "")
    return shown.to_string(index=table.index.name is not None, float_format=lambda value: f"{value:.4g}")
