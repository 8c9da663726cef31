"""`specgl report`: a bundle as one self-contained page."""

from __future__ import annotations

from pathlib import Path

import click

from specgl.cli.help import RichCommand
from specgl.cli.options import bundle_argument
from specgl.cli.printing import say


@click.command("report", cls=RichCommand)
@bundle_argument
@click.option(
    "--underlay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="IMAGE",
    help="Draw figures on this image from now on; it goes into the bundle. No number depends on it.",
)
def command(bundle: Path, underlay: Path | None) -> None:
    """Make the report of a bundle, and put it into the bundle.

    The bundle is verified first: exit code 5 where it is not what its manifest says. The page, report.html,
    is one file that needs no network and can be sent as it is; its figures lie in figures/, and methods.md
    and references.bib beside it. `specgl run` makes it already; this makes it anew, as after an update or
    with another underlay.
    """
    from specgl.running import report

    say(f"{report(bundle, underlay=underlay)}")
