"""Options that several verbs share, so that each reads and means the same everywhere."""

from __future__ import annotations

from pathlib import Path

import click

spec_argument = click.argument(
    "spec", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="SPEC"
)
bundle_argument = click.argument(
    "bundle", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="BUNDLE"
)
allow_outside_option = click.option(
    "--allow-outside",
    is_flag=True,
    help="Let the spec name files outside its own folder (absolute paths and '..').",
)
strict_option = click.option("--strict", is_flag=True, help="Count warnings as findings: exit 1.")
threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Threads to use; all cores by default. Results do not depend on it.",
)


def _bytes(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Bytes that a size means."""
    if value is None:
        return None
    from specgl.engines import read_memory  # numpy comes with it
    from specgl.errors import UsageError

    try:
        return read_memory(value)
    except UsageError as error:
        (finding,) = error.findings
        raise click.BadParameter(f"{finding.message}; {finding.help}") from None


engine_option = click.option(
    "--engine",
    type=click.Choice(["threads", "dask"]),
    default="threads",
    show_default=True,
    help="Where shuffles are computed: threads of this machine, or the workers of a dask cluster.",
)
scheduler_option = click.option(
    "--scheduler", metavar="ADDRESS", help="Of the dask scheduler, such as tcp://10.0.0.1:8786."
)
memory_option = click.option(
    "--memory",
    callback=_bytes,
    metavar="SIZE",
    help="Bound on the memory that shuffles work in, such as 4GB. Results do not depend on it.",
)
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace what stands at the target, once the new results are whole."
)
no_report_option = click.option(
    "--no-report", is_flag=True, help="Make no report; `specgl report` makes it later."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
