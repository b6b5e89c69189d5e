"""``augury serve``: the server, whose arguments are read where they are defined, in Rust."""

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from augury import _core
from augury.cli import alone
from augury.cli.examples import COMMANDS
from augury.cli.failure import DONE

__all__ = ["CONTEXT", "serve"]

#: Everything behind the name of the command is the server's, its help too.
CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def can_be_replaced() -> bool:
    """Whether this process is an interpreter that another one can stand in for.

    Threads would not outlive it, a program that has an interpreter in it is none, and without its
    variables one that has been moved does not find its modules.
    """
    return (
        threading.active_count() == 1
        and not getattr(sys, "frozen", False)
        and "PYTHONHOME" not in os.environ
        and Path(sys.executable).name.startswith("python")
        and Path(alone.__file__).is_file()
    )


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
    if not is_asking and can_be_replaced():
        command = [sys.executable, "-I", "-S", alone.__file__, _core.__file__, *given]
        # It may be gone, or forbidden: then the server runs here, with less of --memory.
        with contextlib.suppress(OSError):
            os.execv(sys.executable, command)
    if threading.current_thread() is threading.main_thread():
        # The server ends on signals by itself; the interpreter would only note them for later.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    code = _core.serve(["augury serve", *given])
    if is_asking and code == DONE:
        typer.echo("\nExamples:")
        for what, how in COMMANDS["serve"]:
            typer.echo(f"  {how}  # {what}")
    raise typer.Exit(code)
