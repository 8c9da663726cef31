"""Help pages drawn with rich, which is imported only when a page is asked for."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console


EXIT_CODES = {
    0: "fine (warnings allowed; --strict makes them 1)",
    1: "findings in the spec",
    2: "usage",
    3: "data missing or inconsistent",
    4: "computation failed",
    5: "verification failed",
    130: "interrupted",
}


class RichCommand(click.Command):
    """A command whose help is a table of its options."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the whole page."""
        formatter.write(_page(self, ctx))


class RichGroup(click.Group):
    """A group whose help is a table of its commands."""

    def line_of(self, name: str) -> str:
        """Line of help of one command."""
        return self.commands[name].get_short_help_str()

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the whole page."""
        formatter.write(_page(self, ctx))


def _page(command: click.Command, ctx: click.Context) -> str:
    import sys

    from rich.console import Console

    console = Console(file=sys.stdout, width=min(100, Console().width), highlight=False)
    with console.capture() as capture:
        _draw(console, command, ctx)
    return capture.get()


def _draw(console: Console, command: click.Command, ctx: click.Context) -> None:
    from rich.text import Text

    usage = " ".join(command.collect_usage_pieces(ctx))
    console.print(Text.assemble(("Usage: ", "bold"), f"{ctx.command_path} {usage}"))
    console.print()
    for paragraph in inspect.cleandoc(command.help or "").split("\f")[0].split("\n\n"):
        console.print(Text(paragraph if paragraph.startswith("  ") else paragraph.replace("\n", " ")))
        console.print()
    if isinstance(command, RichGroup):
        _table(console, "Verbs", [(name, command.line_of(name)) for name in command.list_commands(ctx)])
    options = [p for p in command.get_params(ctx) if isinstance(p, click.Option)]
    rows = [record for p in options if (record := p.get_help_record(ctx)) is not None]
    _table(console, "Options", rows)
    if isinstance(command, RichGroup):
        _table(console, "Exit codes", [(str(code), text) for code, text in EXIT_CODES.items()])


def _table(console: Console, title: str, rows: list[tuple[str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print(Text(title, style="bold"))
    table = Table(box=None, padding=(0, 2, 0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    table.show_header = False
    for name, text in rows:
        table.add_row(Text(name), Text(text))
    console.print(table)
    console.print()
