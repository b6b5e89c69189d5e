"""How a command ends: 0 done, 1 failed, 2 asked for wrongly, 130 interrupted."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from augury.errors import AuguryError, CapacityError, ConfigError, TraceError

__all__ = ["DONE", "EXIT_CODES", "FAILED", "INTERRUPTED", "USAGE", "designed_failures"]

DONE = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130
#: The same for people; README.md has them as a table.
EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 asked for wrongly, 130 interrupted."
#: Faults of the command line that only the trace layer can see.
USAGE_CODES = frozenset({"invalid_option", "unknown_synthetic"})


@contextmanager
def designed_failures() -> Iterator[None]:
    """Turn what augury raises on purpose into one line on standard error and an exit code."""
    try:
        yield
        sys.stdout.flush()
    except AuguryError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(exit_code(error)) from error
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read our output has enough.
        abandon_output()
        raise typer.Exit(FAILED) from None
    except OSError as error:
        abandon_output()
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(FAILED) from error
    except UnicodeEncodeError as error:
        # The system hands over what is no UTF-8 as lone surrogates.
        typer.echo(f"error: {error.object!a}: is not valid UTF-8: rename the file", err=True)
        raise typer.Exit(FAILED) from error


def abandon_output() -> None:
    """Leave nothing for the interpreter to flush, and to fail at, when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def exit_code(error: AuguryError) -> int:
    """Whether the command was asked for wrongly, or failed."""
    asked_wrongly = isinstance(error, ConfigError | CapacityError)
    if isinstance(error, TraceError):
        asked_wrongly = error.code in USAGE_CODES
    return USAGE if asked_wrongly else FAILED
