"""The group of commands on a cluster."""

import typer

from augury.cli.cluster import apply, forecast, plan, watch

__all__ = ["app"]

app = typer.Typer(
    name="cluster",
    help="Forecast the load of a Valkey or Redis Cluster, and move slots ahead of it.",
    no_args_is_help=True,
)
app.command()(watch.watch)
app.command()(forecast.forecast)
app.command()(plan.plan)
app.command()(apply.apply)
