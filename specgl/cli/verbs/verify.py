"""`specgl verify`: is a bundle complete and unchanged?"""

from __future__ import annotations

from pathlib import Path

import click

from specgl.cli.help import RichCommand
from specgl.cli.options import bundle_argument
from specgl.cli.printing import say


@click.command("verify", cls=RichCommand)
@bundle_argument
def command(bundle: Path) -> None:
    """Check that a bundle is complete and unchanged: every file there, none extra, all digests equal.

    Exit code 5 otherwise, with each difference named.
    """
    from specgl.bundle import verify

    verify(bundle)
    say(f"{bundle}: complete and unchanged")
