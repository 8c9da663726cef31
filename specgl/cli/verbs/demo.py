"""`specgl demo`: a first analysis, from made data to verified results."""

from __future__ import annotations

from pathlib import Path

import click

from specgl.cli.help import RichCommand
from specgl.cli.options import no_report_option, overwrite_option, quiet_option, threads_option
from specgl.cli.printing import say
from specgl.errors import UsageError


@click.command("demo", cls=RichCommand)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("specgl-demo"))
@overwrite_option
@threads_option
@no_report_option
@quiet_option
def command(folder: Path, overwrite: bool, threads: int | None, no_report: bool, quiet: bool) -> None:
    """Make a small group study, analyse it, and show where the results are.

    Writes 16 made subjects, their table and a commented spec into FOLDER (specgl-demo), then validates and
    runs the spec. The data are made from a seed, with two known clusters in them.
    """
    from specgl.bundle import verify
    from specgl.cli.verbs.run import execute
    from specgl.demo import write_demo

    if folder.exists() and any(folder.iterdir()) and not overwrite:
        raise UsageError(f"'{folder}' is not empty; choose another folder or pass --overwrite")
    say(f"Making 16 subjects in {folder} ...")
    try:
        spec = write_demo(folder)
    except OSError as error:
        raise UsageError(f"cannot write to '{folder}': {error.strerror or error}") from error
    say(f"$ specgl run {spec}")
    bundle = execute(spec, overwrite=overwrite, threads=threads, report=not no_report, quiet=quiet)
    results = folder / "results"
    verify(results)
    say("")
    say(f"The spec:     {spec}")
    say(f"The results:  {results}  (verified)")
    if bundle.report is not None:
        say(f"The report:   {results / bundle.report.name}  (open it in a browser)")
    say(f"Next:         specgl show {results} clusters")
