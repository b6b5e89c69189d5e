"""``augury record``: history that is there already, as a trace."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from augury.cli.durations import read_duration
from augury.cli.failure import FAILED, INTERRUPTED, designed_failures
from augury.cli.options import AsJson
from augury.errors import ConfigError
from augury.recording import Recorder, Recording
from augury.recording import record as run_record

__all__ = ["record"]

SECRET = "AUGURY_RECORD_SECRET"
#: Where redis-cli and valkey-cli look for a password.
PASSWORD = "REDISCLI_AUTH"


def record(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="redis://USER:PASSWORD@HOST:PORT/DB (all but the host may be absent) for MONITOR "
            "of a server, rediss:// for TLS, unix:///PATH; memcached://HOST:PORT for its watch; "
            "else a log, plain or compressed, or -.",
        ),
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="As in out.csv.zst or out.oracleGeneral; its endings decide. CSV keeps "
            "operations, TTLs and keys as text.",
        ),
    ],
    duration: Annotated[
        str | None,
        typer.Option("--duration", metavar="TIME", help="Stop after so long: 90, 30s, 10m, 2h."),
    ] = None,
    requests: Annotated[
        int | None, typer.Option("--requests", metavar="N", help="Stop after so many requests.")
    ] = None,
    sample: Annotated[
        float,
        typer.Option(
            "--sample",
            metavar="SHARE",
            help="The share of the keys to keep, each with all of its requests or none.",
        ),
    ] = 1.0,
    anonymise: Annotated[
        bool,
        typer.Option(
            "--anonymise",
            help=f"Replace keys by hashes under a random secret, or the one in {SECRET}.",
        ),
    ] = False,
    secret_file: Annotated[
        Path | None,
        typer.Option(
            "--secret-file", metavar="PATH", help="The secret to anonymise by, 16 bytes or more."
        ),
    ] = None,
    namespaces: Annotated[
        str | None,
        typer.Option(
            "--namespaces",
            metavar="keep|hash",
            help="What becomes of the part of a key up to the first : or / when it is anonymised: "
            "left as it is, or hashed by itself. keep if absent.",
        ),
    ] = None,
    log_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="Of a log: combined, common, json or caddy; a format of nginx or Apache in "
            "quotes, as in '$time_local $request_uri $status'; postgresql for statements. Of an "
            "access log told by each line if absent.",
        ),
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            "--query",
            metavar="keep|drop",
            help="Whether the query string of an access log's path is part of the key. keep if "
            "absent.",
        ),
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(
            "--status",
            metavar="N,...|all",
            help="Answers of an access log that count. If absent, those that are cacheable by "
            "default (RFC 9110): 200, 203, 204, 206, 300, 301, 304, 308, 404, 405, 410, 414, 501.",
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            metavar="ROLE=FIELD,...",
            help="Fields of a JSON log or an own format, as in key=uri,size=bytes,time=ts. Roles: "
            "time, key, size, method, status, host, request.",
        ),
    ] = None,
    line_prefix: Annotated[
        str | None,
        typer.Option(
            "--line-prefix",
            metavar="TEXT",
            help="log_line_prefix of PostgreSQL, as in '%m \\[%p] '. Any time in front of a "
            "message is its time if absent.",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Stop at the first malformed line instead of counting."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Record history as a trace: from a server at work, an access log or a log of SQL statements.

    Ctrl-C ends a recording and keeps what there is. MONITOR takes part of a server's throughput
    while it runs. What was written, and what was left out and why, is told on standard error.
    """
    with designed_failures():
        given = {"--secret-file": secret_file, "--namespaces": namespaces}
        if not anonymise and (idle := [name for name, value in given.items() if value is not None]):
            raise ConfigError(f"{idle[0]} is for anonymised keys: add --anonymise")
        with terminable(), progress_line() as shown:
            found = run_record(
                source,
                target,
                duration=read_duration(duration),
                requests=requests,
                sample=sample,
                anonymise=anonymise,
                secret=read_secret(secret_file) if anonymise else None,
                namespaces=namespaces or "keep",
                log_format=log_format,
                query=query,
                statuses=status,
                columns=columns,
                line_prefix=line_prefix,
                strict=strict,
                password=os.environ.get(PASSWORD),
                progress=shown,
            )
        typer.echo(found.summary(), err=True)
        if as_json:
            typer.echo(json.dumps(found.to_dict(), indent=2))
        if not found.complete:
            raise typer.Exit(ending(found))


def ending(found: Recording) -> int:
    """The exit code of a recording that ended before its time."""
    return INTERRUPTED if found.ended == "interrupted" else FAILED


def read_secret(path: Path | None) -> bytes | None:
    """The secret from a file, else from the environment, else none."""
    if path is None:
        given = os.environ.get(SECRET)
        return given.encode("utf-8", "surrogateescape") if given else None
    return path.read_bytes().rstrip(b"\r\n")


@contextmanager
def terminable() -> Iterator[None]:
    """Let a request to terminate end a recording as Ctrl-C does."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def progress_line() -> "Iterator[Callable[[Recorder], None] | None]":
    """A line on standard error that says how far it is, if that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = [SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("waiting for requests", total=None)

        def show(recorder: Recorder) -> None:
            left_out = sum(one.count for one in recorder.left_out.counts())
            text = f"{recorder.requests:,} requests recorded, {left_out:,} left out"
            bar.update(task, description=text)

        yield show
