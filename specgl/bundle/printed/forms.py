"""A grid as Markdown, LaTeX and aligned text."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from specgl.bundle.printed import escapes
from specgl.bundle.printed.grid import LONG, NUMBER, Column, Grid

NARROWEST = 72
WIDEST = 110
"""Characters that a line of the note under a text table may take, however narrow or wide the table is."""

Writer = Callable[[Grid, str, str], str]


def markdown(grid: Grid, title: str, note: str) -> str:
    """The table as Markdown, its title above and its note below."""
    heads = [escapes.markdown(column.head) for column in grid.columns]
    rules = ["---:" if column.holds == NUMBER else "---" for column in grid.columns]
    lines = [_piped(heads), _piped(rules)]
    lines += [_piped(row) for row in _rows(grid, lambda cell: cell, escapes.markdown, "&nbsp;&nbsp;")]
    return "\n".join(
        [f"**{escapes.markdown(title)}**", "", *lines, "", f"*Note.* {escapes.markdown(note)}", ""]
    )


def latex(grid: Grid, title: str, note: str) -> str:
    """The table as LaTeX, with the rules of booktabs, its note in the caption."""
    kinds = {NUMBER: "r", LONG: "p{4cm}"}
    spec = "".join(kinds.get(column.holds, "l") for column in grid.columns)
    heads = [_stacked(column) for column in grid.columns]
    rows = _rows(grid, escapes.latex_number, escapes.latex, r"\quad ")
    return "\n".join(
        [
            f"% {escapes.latex(title)}; the preamble needs \\usepackage{{booktabs}}",
            r"\begin{table}",
            r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"\caption{{{escapes.latex(note)}}}",
            rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}",
            r"\toprule",
            _row(heads),
            r"\midrule",
            *(_row(row) for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def text(grid: Grid, title: str, note: str) -> str:
    """The table as aligned text, its title above and its note below."""
    heads = [[escapes.one_line(part) for part in _parts(column)] for column in grid.columns]
    upper, lower = [head[0] if head[1:] else "" for head in heads], [head[-1] for head in heads]
    rows = _rows(grid, escapes.one_line, escapes.one_line, "  ")
    widths = [max(map(len, several)) for several in zip(upper, lower, *rows, strict=True)]
    lines = []
    for cells in (upper, lower, ["-" * width for width in widths], *rows):
        parts = [
            cell.rjust(width) if column.holds == NUMBER else cell.ljust(width)
            for cell, width, column in zip(cells, widths, grid.columns, strict=True)
        ]
        lines.append("  ".join(parts).rstrip())
    told = textwrap.wrap(escapes.one_line(f"Note. {note}"), max(NARROWEST, min(len(lines[2]), WIDEST)))
    return "\n".join([escapes.one_line(title), "", *lines, "", *told, ""])


FORMS: dict[str, Writer] = {"markdown": markdown, "latex": latex, "text": text}
"""How a table is written, by the form's name."""


def _rows(
    grid: Grid, number: Callable[[str], str], words: Callable[[str], str], indent: str
) -> list[list[str]]:
    """Cells of each row, as the form writes them; the first of a sub-peak is indented."""
    written = [
        [(number if column.holds == NUMBER else words)(cell) for cell in column.cells]
        for column in grid.columns
    ]
    rows = [list(cells) for cells in zip(*written, strict=True)]
    for row, is_sub in zip(rows, grid.is_sub, strict=True):
        if is_sub:
            row[0] = indent + row[0]
    return rows


def _parts(column: Column) -> list[str]:
    """Lines of a head: what it is, and what is said of it in brackets."""
    words, bracket, unit = column.head.partition(" (")
    return [words, f"({unit}"] if bracket else [words]


def _stacked(column: Column) -> str:
    """A head of LaTeX, which keeps narrow what its unit would widen."""
    parts = [escapes.latex(part) for part in _parts(column)]
    if len(parts) == 1:
        return parts[0]
    side = "r" if column.holds == NUMBER else "l"
    return rf"\shortstack[{side}]{{{parts[0]}\\{parts[1]}}}"


def _piped(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(cells: list[str]) -> str:
    return f"{' & '.join(cells)} \\\\"
