"""The command and its subcommands."""

import io
import os
import sys
from typing import Annotated

import typer

from augury import _core
from augury.cli import convert, inspect, record, replay, workloads

__all__ = ["app", "main"]

app = typer.Typer(
    name="augury",
    help="A key-value cache that predicts, and the laboratory that shows what it would gain.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(replay.replay)
app.command()(inspect.inspect)
app.command()(convert.convert)
app.command()(record.record)
app.command()(workloads.workloads)


def print_version(asked: bool) -> None:
    """Print the version and leave, if asked to."""
    if asked:
        typer.echo(f"augury {_core.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """A key-value cache that predicts, and the laboratory that shows what it would gain."""


def main() -> None:
    """Run the command."""
    if sys.stdout is None:
        # It was closed. What cannot be written to fails like any other output, and keeps the
        # number from a file that is opened later.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(prog_name="augury")
