"""``augury workloads``: what can be replayed without any file."""

import json
from typing import Any

import typer

from augury import traces
from augury.cli.console import print_to
from augury.cli.failure import designed_failures
from augury.cli.options import AsJson

__all__ = ["workloads"]


def workloads(
    as_json: AsJson = False,
) -> None:
    """List the synthetic workloads, each to be used as synthetic:NAME."""
    from rich.table import Table
    from rich.text import Text

    with designed_failures():
        found = traces.workloads()
        if as_json:
            typer.echo(json.dumps([as_json_object(workload) for workload in found], indent=2))
            return
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
        table.add_column("name", no_wrap=True)
        table.add_column("what it is, and its parameters")
        for workload in found:
            given = ", ".join(f"{one.name}={one.default:.10g}" for one in workload.parameters)
            about = Text(workload.description).append(f"\n{given}", style="dim")
            table.add_row(f"synthetic:{workload.name}", about)
        print_to(None, table)
        example = "'synthetic:zipf?n=200000&alpha=0.7'"
        hint = f"\nSet them as in {example}, in quotes: ? and & mean something to shells"
        print_to(None, Text(hint, style="dim"))


def as_json_object(workload: traces.Workload) -> dict[str, Any]:
    """The workload with its parameters as objects."""
    parameters = [parameter._asdict() for parameter in workload.parameters]
    return {**workload._asdict(), "parameters": parameters}
