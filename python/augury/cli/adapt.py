"""``augury adapt``: replay a trace in a cache that trains its model while it runs."""

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from augury.cli.console import print_to
from augury.cli.failure import designed_failures
from augury.cli.judgement import plain_table
from augury.cli.options import AsJson, Columns, SkipBad, TraceFormat
from augury.cli.stages import stages
from augury.cli.train import Model, share_of
from augury.extras import require

if TYPE_CHECKING:
    from augury.learn import Adaptation

__all__ = ["adapt"]


def adapt(
    trace: Annotated[str, typer.Argument(metavar="TRACE", help="A file, or synthetic:NAME.")],
    model: Annotated[
        Model,
        typer.Option("--model", "-m", help="The kind of model, other than sequence."),
    ] = Model.GBM,
    capacity: Annotated[
        str, typer.Option("--capacity", "-c", metavar="SIZE", help="Of the cache.")
    ] = "1%",
    artifact: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="A saved model to begin with; none if absent."),
    ] = None,
    every: Annotated[
        int | None,
        typer.Option(
            metavar="REQUESTS",
            help="Between two trainings, at least; a tenth of the trace if absent. Drift does not "
            "wait for it.",
        ),
    ] = None,
    budget: Annotated[
        str,
        typer.Option(
            metavar="SHARE",
            help="CPU time that training may take, of the time of the traffic since the last one.",
        ),
    ] = "10%",
    pace: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="Requests per second, for the budget; the trace's own times if absent.",
        ),
    ] = None,
    rows: Annotated[int, typer.Option(help="Feature rows to keep, the latest.")] = 20_000,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="The replay waits for trainings, so that results repeat."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
    as_json: AsJson = False,
    trace_format: TraceFormat = None,
    columns: Columns = None,
    skip_bad: SkipBad = False,
) -> None:
    """Replay a trace in a cache that watches its model, and retrains it while it runs.

    A model whose predictions stop holding is let go of; one that was retrained goes in if it is
    better. Beside it runs auto without a model.
    """
    with designed_failures():
        require("sklearn", "learn")
        from augury.learn import adapt as run_adaptation

        with stages() as shown:
            found = run_adaptation(
                trace,
                model=model,
                capacity=capacity,
                artifact=artifact,
                every=every,
                budget=share_of(budget),
                rows=rows,
                pace=pace,
                synchronous=wait,
                seed=seed,
                trace_format=trace_format,
                columns=columns,
                skip_bad=skip_bad,
                progress=shown,
            )
        if as_json:
            typer.echo(json.dumps(found.to_dict(), indent=2))
        else:
            print_to(None, page(found))


def page(found: "Adaptation") -> RenderableType:
    """Events, then the miss ratios."""
    return Group(
        Text(f"{found.model} retrained while {found.trace} is replayed", style="bold"),
        Text(),
        events(found),
        Text(),
        stretches(found),
        Text(),
        verdict(found),
    )


def events(found: "Adaptation") -> RenderableType:
    """What happened to the model, in order."""
    if not found.events:
        return Text("Nothing happened: there never were rows enough to train on.")
    table = plain_table()
    table.add_column("request", justify="right")
    table.add_column("what")
    table.add_column("")
    for event in found.events:
        style = "bold" if event.what in ("swapped", "drift", "fell back") else None
        table.add_row(f"{event.tick:,}", event.what, event.detail, style=style)
    return table


def stretches(found: "Adaptation") -> RenderableType:
    """Miss ratios with and without models, stretch by stretch."""
    table = plain_table()
    table.add_column("to request", justify="right")
    for name in ("object miss ratio", "auto", "difference"):
        table.add_column(name, justify="right")
    table.add_column("model")
    table.add_column("ruling")
    for stretch in found.stretches:
        with_models, without = stretch.object_miss_ratio, stretch.auto_object_miss_ratio
        table.add_row(
            f"{stretch.end:,}", f"{with_models:.4f}", f"{without:.4f}",
            f"{with_models - without:+.4f}", "loaded" if stretch.has_model else "-", stretch.ruling,
        )  # fmt: skip
    return table


def verdict(found: "Adaptation") -> Text:
    """What the models brought in all."""
    return Text(
        f"object miss ratio {found.object_miss_ratio:.4f}, of auto without models "
        f"{found.auto_object_miss_ratio:.4f} ({-found.gain:+.4f}); trainings took "
        f"{found.training_seconds:.1f} s of CPU time"
    )
