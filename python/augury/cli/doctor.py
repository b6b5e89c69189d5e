"""``augury doctor``: does this machine have what augury needs?"""

import json
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from augury.capacity import Capacity
from augury.cli.console import print_to
from augury.cli.failure import FAILED, designed_failures
from augury.cli.judgement import plain_table
from augury.cli.options import AsJson
from augury.diagnosis import Finding, State, examine

__all__ = ["doctor"]

STYLES = {State.OK: "green", State.NOTE: "yellow", State.PROBLEM: "bold red"}
#: Of a line of text.
WIDTH = 80


def doctor(
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A server to reach: redis://USER:PASSWORD@HOST:PORT, rediss:// for TLS; the "
            "password may be in REDISCLI_AUTH.",
        ),
    ] = None,
    port: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="A port for a server, may be given again; 6379 if absent."),
    ] = None,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Of the server that is to run here.")
    ] = "64MiB",
    as_json: AsJson = False,
) -> None:
    """Look at versions, optional packages, memory, limits and ports, and say what is missing.

    Ends with 1 where something will not work.
    """
    with designed_failures():
        found = examine(
            memory=Capacity.parse(memory).for_cache(), ports=port or (6379,), server_url=server
        )
        if as_json:
            typer.echo(json.dumps([one.to_dict() for one in found], indent=2))
        else:
            print_to(None, page(found))
        if any(one.state is State.PROBLEM for one in found):
            raise typer.Exit(FAILED)


def page(found: list[Finding]) -> RenderableType:
    """The findings for people."""
    table = plain_table()
    table.show_header = False
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(max_width=WIDTH)
    for one in found:
        told = Text(one.found)
        if one.way_out:
            told.append(f"\n{one.way_out}", style="bold")
        table.add_row(Text(str(one.state), style=STYLES[one.state]), one.about, told)
    counts = {state: sum(one.state is state for one in found) for state in State}
    summary = f"{counts[State.PROBLEM]} problems, {counts[State.NOTE]} notes"
    return Group(table, Text(), Text(summary, style="bold"))
