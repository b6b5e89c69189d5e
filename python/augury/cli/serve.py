"""``augury serve``: the server, whose arguments are read where they are defined, in Rust."""

import signal
import sys
import threading
from typing import Annotated

import typer

from augury import _core
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
    if threading.current_thread() is threading.main_thread():
        # The server ends on signals by itself; the interpreter would only note them for later.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout.flush()
    given = arguments or []
    code = _core.serve(["augury serve", *given])
    if {"-h", "--help"} & set(given) and code == DONE:
        typer.echo("\nExamples:")
        for what, how in COMMANDS["serve"]:
            typer.echo(f"  {how}  # {what}")
    raise typer.Exit(code)
