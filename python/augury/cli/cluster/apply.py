"""``augury cluster apply``: execute a plan, if it is still one for the cluster as it is."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from augury.cli.cluster.options import URL, AsJson, connected
from augury.cli.cluster.plan import plan_page
from augury.cli.cluster.watch import stopped_by_signals
from augury.cli.console import print_to
from augury.cli.failure import INTERRUPTED, designed_failures

__all__ = ["apply"]


def apply(
    url: URL,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="Of augury cluster plan.")],
    execute: Annotated[
        bool,
        typer.Option("--execute/--dry-run", help="Move slots; else only say what would be done."),
    ] = False,
    rate: Annotated[
        float, typer.Option("--rate", metavar="MIB", help="MiB per second to move at most.")
    ] = 32.0,
    as_json: AsJson = False,
) -> None:
    """Execute a plan by the cluster's own commands: atomic slot migration, or SETSLOT and MIGRATE.

    A plan whose time is over, or whose cluster has changed, is refused. One that was interrupted
    goes on where it was when it is applied again.
    """
    with designed_failures(), connected(url) as nodes:
        from augury.placement import Plan, apply_plan, remaining

        found = Plan.load_from(plan)
        if not execute:
            left = remaining(found, nodes.topology())
            if as_json:
                typer.echo(json.dumps({"executed": False, "left": [one.slot for one in left]}))
            else:
                print_to(None, plan_page(found, []))
            done = len(found.moves) - len(left)
            told = f"{len(left):,} slots to move, {done:,} moved already"
            typer.echo(f"{told}; nothing was done: add --execute", err=True)
            return
        with stopped_by_signals() as stop, moves_shown() as shown:
            came = apply_plan(nodes, found, rate=rate * 2**20, stop=stop, progress=shown)
        if as_json:
            typer.echo(json.dumps(as_data(came)))
        typer.echo(
            f"moved {len(came.moved):,} slots, {came.bytes:,} bytes, in {came.seconds:.1f} s; "
            f"{came.done_before:,} had been moved before, {came.left:,} are left",
            err=True,
        )
        if came.left:
            raise typer.Exit(INTERRUPTED)


def as_data(came: Any) -> dict[str, Any]:
    """As JSON can hold it."""
    return {
        "executed": True,
        "moved": [one.slot for one in came.moved],
        "bytes": came.bytes,
        "done_before": came.done_before,
        "left": came.left,
        "seconds": round(came.seconds, 3),
    }


@contextmanager
def moves_shown() -> Iterator[Callable[[int, int], object]]:
    """A progress bar on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("moving slots", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
