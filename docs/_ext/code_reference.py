"""Markdown made from the catalogue of findings, the vocabulary, the command line and the bundle's tables."""

from __future__ import annotations

import inspect

import click

from specgl.bundle.columns import MEANINGS
from specgl.cli.main import group
from specgl.errors import CATALOGUE, Code
from specgl.variables import VARIABLES

_CHAPTERS = (
    ("Language", "what stands in the text of a spec", 0, 199, 200, 219),
    ("Table", "what the table holds", 200, 229, 220, 229),
    ("Design and statistics", "what formula, table and contrasts make together", 230, 299, 230, 299),
    ("Images", "what the files hold", 300, 399, 300, 399),
    ("Results", "computing, writing and verifying", 400, 599, 400, 599),
)
"""Title, meaning, first and last number of errors, first and last number of warnings."""


def errors_page() -> str:
    """A section for each stage, in it a heading for each code."""
    left = dict(sorted(CATALOGUE.items(), key=lambda item: (int(item[0][1:]), item[0])))
    parts: list[str] = []
    for title, meaning, first_error, last_error, first_warning, last_warning in _CHAPTERS:
        bounds = {"E": (first_error, last_error), "W": (first_warning, last_warning)}
        codes = [code for code in left if bounds[code[0]][0] <= int(code[1:]) <= bounds[code[0]][1]]
        parts += [f"## {title}", f"Codes about {meaning}."]
        parts += [_code(code, left.pop(code)) for code in codes]
    if left:
        raise ValueError(f"codes without a chapter: {', '.join(left)}")
    return "\n\n".join(parts)


def _code(code: str, entry: Code) -> str:
    kind = f"Error; exit code {int(entry.exit)}." if code.startswith("E") else "Warning."
    return f"### {code}: {_safe(entry.title)}\n\n*{kind}*\n\n{_safe(entry.explanation)}"


def variables_page() -> str:
    """A row for each array that ``output.maps`` can ask for."""
    rows = [
        "| name | dimensions | unit | written unless said otherwise | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    for variable in VARIABLES.values():
        dims = ", ".join(variable.dims)
        written = "yes" if variable.default else "no"
        rows.append(
            f"| `{variable.name}` | {dims} | {variable.unit} | {written} | {_safe(variable.meaning)} |"
        )
    return "\n".join(rows)


def cluster_columns() -> str:
    """A row for each column of the cluster tables."""
    rows = ["| column | unit | meaning |", "| --- | --- | --- |"]
    for name, (meaning, unit) in MEANINGS.items():
        rows.append(f"| `{name}` | {unit or ''} | {_safe(meaning)} |")
    return "\n".join(rows)


def cli_page() -> str:
    """A section for each verb: what it does, how it is called, its options."""
    context = click.Context(group, info_name="specgl")
    sections = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            raise ValueError(f"the verb {name} has no command")
        sections.append(_verb(command, click.Context(command, info_name=name, parent=context)))
    return "\n\n".join(sections)


def _verb(command: click.Command, context: click.Context) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"## specgl {context.info_name}", f"```text\n{usage}\n```", _help(command.help or "")]
    records = [record for p in command.get_params(context) if (record := p.get_help_record(context))]
    rows = [f"| `{names.replace('|', chr(92) + '|')}` | {_safe(text)} |" for names, text in records]
    return "\n\n".join([*parts, "\n".join(["| option | meaning |", "| --- | --- |", *rows])])


def _help(text: str) -> str:
    """A verb's help, its indented blocks as code."""
    blocks = []
    for block in inspect.cleandoc(text).split("\f")[0].replace("\b\n", "").split("\n\n"):
        lines = block.splitlines()
        if lines and all(line.startswith("  ") for line in lines):
            blocks.append("```text\n" + "\n".join(line[2:] for line in lines) + "\n```")
        else:
            blocks.append(_safe(block))
    return "\n\n".join(blocks)


def _safe(text: str) -> str:
    """Plain text as Markdown: what Markdown would take for markup is escaped outside backticks."""
    pieces = text.split("`")
    for place in range(0, len(pieces), 2):
        for sign in "\\*_<>[]|$":
            pieces[place] = pieces[place].replace(sign, "\\" + sign)
    return "`".join(pieces)
