"""The `specgl` command: finds the verb, runs it, turns what went wrong into words and an exit code."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from specgl.cli.help import RichGroup
from specgl.errors import Exit, SpecglError, UsageError

# A plugin of pydantic would look into every stranger's spec, and the search for one takes a tenth of the time
# of a whole `specgl validate`.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

VERBS: dict[str, str] = {
    "demo": "Make a small group study, analyse it, and show where the results are.",
    "new": "Start a spec from a template.",
    "validate": "Check a spec; with --data, also its table and design.",
    "plan": "Show what a run would do, without reading a voxel.",
    "run": "Run a spec and write its results bundle.",
    "report": "Make the report of a bundle: one self-contained page.",
    "verify": "Check that a bundle is complete and unchanged.",
    "show": "Print what a bundle holds.",
    "schema": "Print the JSON Schema of the language or of a bundle's manifest.",
    "explain": "Say more about a code such as E240.",
}
"""Every verb with its line of help; each lives in the module of its name, imported when it is called."""

_TRACEBACK = "SPECGL_TRACEBACK"


class _ClosedPipe(Exception):
    """Nobody reads what is printed any more."""


@contextmanager
def _closed_pipes_named() -> Iterator[None]:
    """Take closed pipes past click, which would leave with 1, the code of a faulty spec."""
    try:
        yield
    except BrokenPipeError as error:
        raise _ClosedPipe from error


class VerbGroup(RichGroup):
    """A group whose verbs are imported only when they are called, so that `validate` starts quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the verbs, in the order a newcomer meets them."""
        return list(VERBS)

    def line_of(self, name: str) -> str:
        """Line of help of one verb."""
        return VERBS[name]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one verb."""
        if cmd_name not in VERBS:
            return None
        # Importing makes many objects and no garbage: to look for some takes a tenth of a `specgl validate`.
        gc.disable()
        try:
            command: click.Command = importlib.import_module(f"specgl.cli.verbs.{cmd_name}").command
        finally:
            gc.enable()
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words before the verb, some of which print and leave."""
        with _closed_pipes_named():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Call a verb."""
        with _closed_pipes_named():
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one was perhaps meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from specgl.grammar import did_you_mean

            hint = did_you_mean(args[0], VERBS)
            if hint is not None:
                raise click.UsageError(f"{error.message.rstrip('.')}: {hint}", ctx) from None
            raise


@click.group(cls=VerbGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="specgl", prog_name="specgl")
def group() -> None:
    """Group-level neuroimaging statistics from one validated YAML spec."""


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with an exit code by kind.

    Parameters
    ----------
    args
        Words after `specgl`; those of the process when absent.
    """
    # Before it leaves, Python looks for garbage among all that was imported, which takes a tenth of a
    # `specgl validate`. What is frozen is passed over.
    atexit.register(gc.freeze)
    sys.exit(_run(args))


def _run(args: list[str] | None) -> int:
    try:
        outcome = group.main(args, prog_name="specgl", standalone_mode=False)
    except click.exceptions.Abort:
        return _interrupted()
    except KeyboardInterrupt:
        return _interrupted()
    except click.ClickException as error:
        error.show()
        return int(Exit.USAGE)
    except SpecglError as error:
        return _say(error)
    except _ClosedPipe:
        # Whoever read our output has seen enough (`specgl show DIR | head`): no error, and no traceback
        # when the interpreter flushes the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.FINE)
    except MemoryError:
        click.echo(
            "specgl: error: the memory does not suffice; `specgl plan` tells what a run takes", err=True
        )
        return int(Exit.COMPUTATION)
    except Exception as error:
        return _unforeseen(error)
    return int(outcome) if isinstance(outcome, int) else int(Exit.FINE)


def _interrupted() -> int:
    click.echo("specgl: interrupted", err=True)
    return int(Exit.INTERRUPTED)


def _unforeseen(error: Exception) -> int:
    """Tell of an error that nobody has foreseen; what Python says of it is for those who ask."""
    from specgl.cli.findings import printable

    if os.environ.get(_TRACEBACK):
        raise error
    told = printable(f"{type(error).__name__}: {error}")
    click.echo(f"specgl: error: this should not have happened: {told}", err=True)
    click.echo(f"specgl: please report it, with what Python says when {_TRACEBACK}=1 is set", err=True)
    return int(Exit.COMPUTATION)


def _say(error: SpecglError) -> int:
    from specgl.cli.findings import printable_lines
    from specgl.cli.printing import print_findings

    if error.findings:
        print_findings(error.findings, stream=sys.stderr)
    else:
        prefix = "specgl" if isinstance(error, UsageError) else "specgl: error"
        click.echo(f"{prefix}: {printable_lines(str(error))}", err=True)
    return int(error.exit_code)
