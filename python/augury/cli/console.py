"""Printing for people: in colour on a terminal unless NO_COLOR is set, plain elsewhere."""

from pathlib import Path

import typer
from rich.console import Console, RenderableType

__all__ = ["print_to"]

#: Where no terminal says how wide it is.
WIDTH = 100


def print_to(output: Path | None, shown: RenderableType) -> None:
    """Print to the file, or to standard output."""
    if output is None:
        console = Console()
        if not console.is_terminal:
            console = Console(width=wide_enough(shown))
        console.print(shown)
        return
    with output.open("w", encoding="utf-8") as file:
        Console(file=file, width=wide_enough(shown)).print(shown)
    typer.echo(f"wrote {output}", err=True)


def wide_enough(shown: RenderableType) -> int:
    """The usual width, or what the widest table needs."""
    console = Console(width=10_000)
    return max(WIDTH, console.measure(shown).minimum)
