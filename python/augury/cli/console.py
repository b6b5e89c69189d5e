"""Printing for people: in colour on a terminal unless NO_COLOR is set, plain elsewhere."""

import io
import sys
from pathlib import Path

import typer
from rich.console import Console, RenderableType

from augury.cli.files import write_text

__all__ = ["print_to"]

#: Where no terminal says how wide it is.
WIDTH = 100


def print_to(output: Path | None, shown: RenderableType) -> None:
    """Print to the file, or to standard output."""
    if output is not None:
        write_text(output, plain(shown))
        typer.echo(f"wrote {output}", err=True)
    elif (console := Console()).is_terminal:
        console.print(shown)
    else:
        sys.stdout.write(plain(shown))


def plain(shown: RenderableType) -> str:
    """Text without colours, as wide as it must be, its lines without trailing blanks."""
    console = Console(file=io.StringIO(), width=wide_enough(shown), color_system=None)
    with console.capture() as captured:
        console.print(shown)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def wide_enough(shown: RenderableType) -> int:
    """The usual width, or what the widest table needs."""
    console = Console(width=10_000)
    return max(WIDTH, console.measure(shown).minimum)
