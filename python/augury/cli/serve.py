"""``augury serve``: the server, whose arguments are read where they are defined, in Rust."""

import os
import sys
import threading
from typing import Annotated

import typer

from augury import _core
from augury.cli import alone
from augury.cli.examples import COMMANDS
from augury.cli.failure import DONE

__all__ = ["CONTEXT", "serve"]

#: Everything behind the name of the command is the server's, its help too.
CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def serve(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[OPTIONS] [FILE]", help="See --help.")
    ] = None,
) -> None:
    """Serve Redis and memcached clients: --port, --memory, --dir and others (see --help)."""
    given = arguments or []
    is_asking = bool({"-h", "--help"} & set(given))
    sys.stdout.flush()
    sys.stderr.flush()
    # Another thread would not outlive it, and a program may have no interpreter to name.
    if not is_asking and threading.active_count() == 1 and sys.executable:
        script, core = alone.__file__, _core.__file__
        os.execv(sys.executable, [sys.executable, "-I", "-S", script, core, *given])
    code = _core.serve(["augury serve", *given])
    if is_asking and code == DONE:
        typer.echo("\nExamples:")
        for what, how in COMMANDS["serve"]:
            typer.echo(f"  {how}  # {what}")
    raise typer.Exit(code)
