"""Options that several commands share."""

from typing import Annotated

import typer

__all__ = ["AsJson", "Columns", "SkipBad", "TraceFormat"]

AsJson = Annotated[bool, typer.Option("--json", help="The result as JSON on standard output.")]
TraceFormat = Annotated[
    str | None,
    typer.Option(
        "--trace-format",
        metavar="NAME",
        help="oracleGeneral, twitter, csv or keys. Told by name and contents if absent.",
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="ROLE=COLUMN,...",
        help="Columns of a CSV by name or number, as in key=object,size=3. Roles: time, key, size, "
        "key_size, op, ttl.",
    ),
]
SkipBad = Annotated[
    bool,
    typer.Option("--skip-bad", help="Count and leave out malformed records instead of stopping."),
]
