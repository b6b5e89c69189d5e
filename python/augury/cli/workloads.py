"""``augury workloads``: what can be replayed without any file."""

import json
from typing import Annotated

import typer

from augury import traces
from augury.cli.console import print_to
from augury.cli.failure import designed_failures

__all__ = ["workloads"]


def workloads(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array.")] = False,
) -> None:
    """List the synthetic workloads, each to be used as synthetic:NAME."""
    from rich.table import Table

    with designed_failures():
        found = traces.workloads()
        if as_json:
            typer.echo(json.dumps([workload._asdict() for workload in found], indent=2))
            return
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
        table.add_column("name", no_wrap=True)
        table.add_column("what it is")
        for workload in found:
            table.add_row(f"synthetic:{workload.name}", workload.description)
        print_to(None, table)
