"""``augury cluster watch``: the load of every slot, window by window, to a folder."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from augury.cli.cluster.options import URL, connected
from augury.cli.durations import read_duration
from augury.cli.failure import designed_failures
from augury.errors import ClusterError

__all__ = ["watch"]


def watch(
    url: URL,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where windows are kept; made if absent.")
    ],
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="Of a window: 30s, 1m, 1h.")
    ] = "1m",
    windows: Annotated[
        int | None, typer.Option("--windows", metavar="N", help="Stop after so many.")
    ] = None,
    limit: Annotated[
        int,
        typer.Option("--limit", metavar="MIB", help="What the folder may take; the oldest go."),
    ] = 256,
) -> None:
    """Watch what the slots of a cluster do: CPU time and bytes of each, and requests by estimate.

    Every node has to count by slot: CONFIG SET cluster-slot-stats-enabled yes (Valkey 8, Redis 8.2
    and newer). Ctrl-C ends it. It may be begun anew in the same folder at any time.
    """
    with designed_failures(), connected(url) as nodes:
        from augury.placement import Store
        from augury.placement import watch as run_watch

        with Store(folder, limit << 20) as store, stopped_by_signals() as stop:
            kept = run_watch(
                nodes,
                store.append,
                every=read_duration(every) or 0.0,
                windows=windows,
                stop=stop,
                troubled=tell,
            )
        typer.echo(f"{kept:,} windows of {every} in {folder}", err=True)


def tell(error: ClusterError) -> None:
    """A look has failed; watching goes on."""
    print(f"no data for a window: {error}", file=sys.stderr)


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and a request to terminate set."""
    stop = threading.Event()
    previous = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
