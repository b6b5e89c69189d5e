"""``augury convert``: a trace as another format."""

import json
from typing import Annotated

import typer

from augury import traces
from augury.cli.failure import designed_failures
from augury.cli.interrupt import interruptible
from augury.cli.options import AsJson, Columns, SkipBad, TraceFormat

__all__ = ["convert"]


def convert(
    source: Annotated[str, typer.Argument(metavar="TRACE", help="A file, -, or synthetic:NAME.")],
    target: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="As in out.oracleGeneral.zst or out.csv.gz; its endings decide."
        ),
    ],
    to: Annotated[
        str | None, typer.Option("--to", metavar="NAME", help="oracleGeneral or csv.")
    ] = None,
    as_json: AsJson = False,
    trace_format: TraceFormat = None,
    columns: Columns = None,
    skip_bad: SkipBad = False,
) -> None:
    """Write a trace as oracleGeneral or CSV.

    oracleGeneral keeps time, key and size; CSV also operation and TTL.
    """
    with designed_failures():
        written = interruptible(
            lambda: traces.convert(
                source,
                target,
                to=to,
                trace_format=trace_format,
                columns=columns,
                skip_bad=skip_bad,
            )
        )
        if as_json:
            typer.echo(json.dumps({"target": target, **written._asdict()}, indent=2))
        typer.echo(f"wrote {written.requests:,} requests to {target}", err=True)
        if written.skipped:
            typer.echo(f"note: left out {written.skipped:,} malformed records", err=True)
