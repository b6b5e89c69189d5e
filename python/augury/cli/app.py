"""The command and its subcommands."""

import io
import itertools
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from augury import _core
from augury.cli import (
    adapt,
    advise,
    cluster,
    convert,
    doctor,
    evaluate,
    explain,
    inspect,
    prefix,
    proxy,
    record,
    replay,
    serve,
    size,
    train,
    workloads,
)
from augury.cli.examples import epilog
from augury.cli.failure import EXIT_CODES
from augury.laboratory.prefetch import DEFAULT_BUDGET

__all__ = ["app", "main"]

app = typer.Typer(
    name="augury",
    help="A key-value cache that predicts, and the laboratory that shows what it would gain.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"{EXIT_CODES} Every command says more, with examples: augury COMMAND --help",
)
for function in (
    advise.advise,
    replay.replay,
    inspect.inspect,
    train.train,
    evaluate.evaluate,
    explain.explain,
    adapt.adapt,
    size.size,
    prefix.prefix,
    convert.convert,
    record.record,
    proxy.proxy,
    workloads.workloads,
    doctor.doctor,
):
    app.command(epilog=epilog(function.__name__))(function)
app.command(context_settings=serve.CONTEXT)(serve.serve)
app.add_typer(cluster.app)


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


def spelled_out(arguments: Sequence[str]) -> list[str]:
    """The arguments with ``--prefetch``, whose budget may be left out, given the default.

    As with any option of an optional value, that value follows an equals sign.

    >>> spelled_out(["replay", "--prefetch", "t.csv"])
    ['replay', '--prefetch=10%', 't.csv']
    >>> spelled_out(["proxy", "--prefetch", "20%", "--prefetch"])
    ['proxy', '--prefetch', '20%', '--prefetch=10%']
    """
    options = list(itertools.takewhile(lambda argument: argument != "--", arguments))
    given = f"--prefetch={DEFAULT_BUDGET:.0%}"
    # The proxy takes nothing but options, so what follows can only be the budget.
    is_proxy = options[:1] == ["proxy"]
    spelled = [
        given
        if option == "--prefetch" and not (is_proxy and following and following[0] != "-")
        else option
        for option, following in zip(options, [*options[1:], ""], strict=False)
    ]
    return [*spelled, *arguments[len(options) :]]


def main() -> None:
    """Run the command."""
    if sys.stdout is None:
        # It was closed. What cannot be written to fails like any other output, and keeps the
        # number from a file that is opened later.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(spelled_out(sys.argv[1:]), prog_name="augury")
