"""``augury cluster plan``: which slots should move where, and which keys be held near."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from augury.cli.cluster.forecast import accuracy_table, judged, moment
from augury.cli.cluster.options import (
    URL,
    AsJson,
    Horizon,
    Load,
    Season,
    Series,
    connected,
    read_history,
)
from augury.cli.console import print_to
from augury.cli.durations import read_duration
from augury.cli.failure import designed_failures
from augury.errors import ConfigError

if TYPE_CHECKING:
    from augury.placement import Accuracy, Plan

__all__ = ["plan", "plan_page"]

#: Moves and keys that are shown.
SHOWN = 20


def plan(
    url: URL,
    folder: Series,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="PATH", help="The plan, as JSON.")
    ] = Path("plan.json"),
    load: Load = "cpu",
    horizon: Horizon = 12,
    season: Season = None,
    target: Annotated[
        float, typer.Option("--target", help="The largest load of a node over the mean.")
    ] = 1.05,
    trigger: Annotated[
        float, typer.Option("--trigger", help="Move nothing where it is no larger than this.")
    ] = 1.15,
    settle: Annotated[
        str, typer.Option("--settle", metavar="TIME", help="How long a slot stays at least.")
    ] = "1h",
    memory: Annotated[
        float,
        typer.Option("--memory", metavar="SHARE", help="Of its maxmemory that a node may use."),
    ] = 0.9,
    hot_keys: Annotated[
        str | None,
        typer.Option(
            "--hot-keys",
            metavar="TIME",
            help="Listen to each node by MONITOR for so long, as in 2s, and name keys to be held "
            "near. It costs the node part of its throughput; keys are named in the plan.",
        ),
    ] = None,
    held_near: Annotated[
        bool,
        typer.Option(
            "--held-near", help="Plan as if near caches held the hot keys: their reads are no load."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Plan slot moves by the forecast: the fewest bytes moved for a balance of load.

    Nothing is executed: augury cluster apply does that.
    """
    with designed_failures(), connected(url) as nodes:
        if held_near and hot_keys is None:
            raise ConfigError("--held-near is about hot keys: add --hot-keys 2s to find them")
        history, seconds = read_history(folder, season)
        from augury.placement import forecast, make_plan, sample_keys

        told = forecast(history, load, horizon=horizon, season=seconds)
        errors = judged(history, load, horizon, seconds)
        listened = read_duration(hot_keys)
        sample = sample_keys(nodes, nodes.topology(), listened) if listened else None
        found = make_plan(
            nodes,
            history,
            told,
            errors,
            target=target,
            trigger=trigger,
            settle=read_duration(settle) or 0.0,
            memory=memory,
            sample=sample,
            held_near=held_near,
        )
        found.save(output)
        if as_json:
            typer.echo(json.dumps(found.to_dict(), indent=1))
        else:
            print_to(None, plan_page(found, errors))
        typer.echo(f"wrote {output}", err=True)


def plan_page(found: "Plan", errors: "list[Accuracy]") -> RenderableType:
    """A plan as tables."""
    parts: list[RenderableType] = [
        Text(f"{len(found.moves):,} slots, {found.bytes:,} bytes to move", style="bold"),
        Text(
            f"{found.load} of the busiest node over the mean: {found.imbalance(found.before):.3f} "
            f"now, {found.imbalance(found.after):.3f} after; {found.reason}"
        ),
        Text(f"valid until {moment(found.valid_until)}"),
        Text(),
        node_table(found),
    ]
    if found.moves:
        parts += [Text(), move_table(found)]
    if found.hot_keys:
        parts += [Text(), key_table(found)]
    if errors:
        parts += [Text(), accuracy_table(errors)]
    return Group(*parts)


def empty_table(*columns: str) -> Table:
    """A table whose first column is text and the others numbers."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place else "left")
    return table


def node_table(found: "Plan") -> Table:
    """Loads by node."""
    table = empty_table("node", f"{found.load} per second", "after")
    for node in found.topology.nodes:
        before, after = found.before[node.id], found.after[node.id]
        table.add_row(node.address, f"{before:,.1f}", f"{after:,.1f}")
    return table


def move_table(found: "Plan") -> Table:
    """The moves that relieve most."""
    table = empty_table("slot", "from", "to", "load", "bytes")
    for move in sorted(found.moves, key=lambda one: -one.load)[:SHOWN]:
        places = (found.topology.node(node).address for node in (move.source, move.target))
        table.add_row(str(move.slot), *places, f"{move.load:,.1f}", f"{move.bytes:,}")
    if len(found.moves) > SHOWN:
        table.add_row(f"and {len(found.moves) - SHOWN:,} more")
    return table


def key_table(found: "Plan") -> Table:
    """The keys that belong into near caches."""
    table = empty_table("hold near, not move", "slot", "reads per second", "writes", "of its slot")
    for one in found.hot_keys[:SHOWN]:
        table.add_row(*key_row(one))
    return table


def key_row(one: Any) -> list[str]:
    """A line of it."""
    return [
        one.key,
        str(one.slot),
        f"{one.reads_per_second:,.1f}",
        f"{one.writes_per_second:,.1f}",
        f"{one.share_of_slot:.0%}",
    ]
