"""``augury cluster forecast``: the load to be expected of slots, and how far off it may be."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from augury.cli.cluster.options import AsJson, Horizon, Load, Season, Series, read_history
from augury.cli.console import print_to
from augury.cli.failure import designed_failures
from augury.errors import ConfigError

if TYPE_CHECKING:
    from augury.placement import Accuracy, Forecast

__all__ = ["accuracy_table", "forecast", "judged", "moment"]


def forecast(
    folder: Series,
    load: Load = "cpu",
    horizon: Horizon = 12,
    season: Season = None,
    top: Annotated[int, typer.Option("--top", help="Slots to show, the heaviest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Forecast the load of the slots that were watched.

    The errors are those of the same method, and of naive forecasts, on the last windows that were
    watched, forecast from those before.
    """
    with designed_failures():
        history, seconds = read_history(folder, season)
        from augury.placement import forecast as run_forecast

        found = run_forecast(history, load, horizon=horizon, season=seconds)
        errors = judged(history, load, horizon, seconds)
        if as_json:
            typer.echo(json.dumps(as_data(found, errors), indent=2))
        else:
            print_to(None, page(found, errors, top))


def judged(history: Any, load: str, horizon: int, season: float | None) -> "list[Accuracy]":
    """The errors on held-out windows; none where too few were watched."""
    from augury.placement import judge

    try:
        return judge(history, load, horizon=horizon, season=season)
    except ConfigError:
        return []


def as_data(found: "Forecast", errors: "list[Accuracy]") -> dict[str, Any]:
    """As JSON can hold it."""
    return {
        "load": found.metric,
        "method": found.method,
        "window_seconds": found.every,
        "since": found.since,
        "season_windows": found.season,
        "errors": [one.to_dict() for one in errors],
        "slots": {
            str(slot): [round(value, 3) for value in found.loads[:, place].tolist()]
            for place, slot in enumerate(found.slots.tolist())
        },
    }


def page(found: "Forecast", errors: "list[Accuracy]", top: int) -> RenderableType:
    """The heaviest slots, and the errors."""
    totals = found.loads.sum(axis=1)
    means = sorted(found.means().items(), key=lambda pair: -pair[1])
    whole = sum(load for _, load in means) or 1.0
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("slot", "per second", "share"):
        table.add_column(name, justify="right")
    for slot, mean in means[:top]:
        table.add_row(str(slot), f"{mean:,.1f}", f"{mean / whole:.1%}")
    season = f"seasons of {found.season} windows" if found.season > 1 else "no season"
    head = Text(
        f"{found.metric} of {len(means):,} slots, {len(totals)} windows of {found.every:g} s from "
        f"{moment(found.since)}; {season}",
        style="bold",
    )
    span = Text(f"all slots: {totals[0]:,.0f} per second at first, {totals[-1]:,.0f} at last")
    return Group(head, span, Text(), table, Text(), accuracy_table(errors))


def accuracy_table(errors: "list[Accuracy]") -> RenderableType:
    """How far off each method was, or why that is not known."""
    if not errors:
        return Text("Too few windows to hold some out: how far off it may be is not known.")
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("on windows held out")
    for name in ("MASE", "sMAPE", "of the load"):
        table.add_column(name, justify="right")
    for one in errors:
        table.add_row(one.method, f"{one.mase:.3f}", f"{one.smape:.3f}", f"{one.wape:.1%}")
    return table


def moment(seconds: float) -> str:
    """A time, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
