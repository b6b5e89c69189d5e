"""``augury train``: a model of one's own traffic, judged on later data."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from augury.cli.console import print_to
from augury.cli.failure import designed_failures
from augury.cli.files import check_target
from augury.cli.many import check_single, executor, many_page
from augury.cli.options import AsJson, Columns, SkipBad, TraceFormat
from augury.cli.sequences import check_unused, sequence_page
from augury.cli.stages import stages
from augury.errors import ConfigError
from augury.extras import require

if TYPE_CHECKING:
    from augury.learn import Artifact, Importance, SequenceArtifact, Training

__all__ = ["ROWS", "Model", "share_of", "train"]

#: Feature rows, if nothing is said.
ROWS = 200_000


class Model(StrEnum):
    """The kinds of model."""

    TREE = "tree"
    FOREST = "forest"
    EXTRATREES = "extratrees"
    GBM = "gbm"
    LIGHTGBM = "lightgbm"
    MLP = "mlp"
    LOGISTIC = "logistic"
    SURVIVAL = "survival"
    FREQUENCY = "frequency"
    SEASONAL = "seasonal"
    SEQUENCE = "sequence"


def train(
    traces: Annotated[
        list[str], typer.Argument(metavar="TRACE...", help="Files, or synthetic:NAME.")
    ],
    model: Annotated[Model, typer.Option("--model", "-m", help="The kind of model.")] = Model.GBM,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PATH", help="The artifact; TRACE-MODEL.augury if absent."
        ),
    ] = None,
    capacity: Annotated[
        str,
        typer.Option("--capacity", "-c", metavar="SIZE", help="Of the cache that is to use it."),
    ] = "1%",
    tune: Annotated[
        bool, typer.Option("--tune", help="Search for better hyper-parameters first.")
    ] = False,
    cv: Annotated[
        int,
        typer.Option(
            "--cv", metavar="FOLDS", help="Time-series cross-validation in so many folds."
        ),
    ] = 0,
    rows: Annotated[int, typer.Option(help="Feature rows to take.")] = ROWS,
    until: Annotated[
        str,
        typer.Option(metavar="SHARE", help="Train on this share of the trace, judge on the rest."),
    ] = "50%",
    horizon: Annotated[
        int | None,
        typer.Option(
            metavar="REQUESTS",
            help="Within which an access is reuse; a fifth of the mean residence if absent.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", help="Threads; one per processor if absent.")
    ] = None,
    plots: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Also draw what the model goes by, to .svg, .png or .pdf."
        ),
    ] = None,
    ray: Annotated[
        bool,
        typer.Option(
            "--ray",
            help="Sample, replay and judge on the workers of a Ray; the result is the same.",
        ),
    ] = False,
    ray_address: Annotated[
        str | None,
        typer.Option(
            "--ray-address",
            metavar="ADDRESS",
            help="Of a Ray cluster, whose workers read the traces by the same paths; one on this "
            "machine if absent.",
        ),
    ] = None,
    shards: Annotated[
        int,
        typer.Option(
            "--shards", metavar="N", help="Split each trace's objects and capacity over N nodes."
        ),
    ] = 1,
    as_json: AsJson = False,
    trace_format: TraceFormat = None,
    columns: Columns = None,
    skip_bad: SkipBad = False,
) -> None:
    """Train a model on the beginning of a trace, judge it on the rest, and save it.

    Of several traces, or shards of one, each is sampled, replayed and judged by itself, and one
    model learns from the rows of all.

    Use it with augury replay --policies learned:PATH; a sequence model, which learns what follows
    the last few keys, with --prefetch --prefetcher learned:PATH.
    """
    with designed_failures():
        require("sklearn", "learn")
        from augury.learn import importances, plot_dependence, train_many, train_sequence
        from augury.learn import train as run_training
        from augury.learn.explaining import check_picture

        trace = traces[0]
        is_many = len(traces) > 1 or shards > 1 or ray
        path = output or Path(f"{stem(trace)}{'-and-others' * (len(traces) > 1)}-{model}.augury")
        for one in traces:
            check_target(path, one)
        if plots is not None:
            require("matplotlib", "report")
            check_target(plots, trace, (path,))
            check_picture(plots)
        if ray_address is not None and not ray:
            raise ConfigError("--ray-address is where --ray is: add --ray")
        if model is Model.SEQUENCE:
            check_unused(
                {
                    "--ray": (ray, False),
                    "--shards": (shards, 1),
                    "a second trace": (len(traces), 1),
                    "--tune": (tune, False),
                    "--cv": (cv, 0),
                    "--rows": (rows, ROWS),
                    "--horizon": (horizon, None),
                    "--jobs": (jobs, None),
                    "--plots": (plots, None),
                }
            )
            with stages() as shown:
                sequence = train_sequence(
                    trace,
                    capacity=capacity,
                    until=share_of(until),
                    seed=seed,
                    trace_format=trace_format,
                    columns=columns,
                    skip_bad=skip_bad,
                    progress=shown,
                )
            save(sequence.artifact, path, sequence_page(sequence), as_json=as_json)
            return
        if is_many:
            check_single({"--tune": tune, "--cv": cv, "--plots": plots})
            with stages() as shown, executor(ray, ray_address, jobs) as execute:
                many = train_many(
                    traces,
                    shards=shards,
                    model=model,
                    capacity=capacity,
                    rows=rows,
                    until=share_of(until),
                    horizon=horizon,
                    seed=seed,
                    jobs=jobs,
                    trace_format=trace_format,
                    columns=columns,
                    skip_bad=skip_bad,
                    execute=execute,
                    progress=shown,
                )
            save(many.artifact, path, many_page(many), as_json=as_json)
            return
        with stages() as shown:
            found = run_training(
                trace,
                model=model,
                capacity=capacity,
                rows=rows,
                until=share_of(until),
                horizon=horizon,
                tuning=tune,
                cv=cv,
                seed=seed,
                jobs=jobs,
                trace_format=trace_format,
                columns=columns,
                skip_bad=skip_bad,
                progress=shown,
            )
        goes_by = going_by(importances(found.artifact, found.data))
        save(found.artifact, path, Group(page(found), goes_by), as_json=as_json)
        if plots is not None:
            plot_dependence(found.artifact, found.data, plots)
            typer.echo(f"wrote {plots}", err=True)


def save(
    artifact: "Artifact | SequenceArtifact", path: Path, shown: RenderableType, *, as_json: bool
) -> None:
    """Write the artifact, and print what it is."""
    artifact.save(path)
    if as_json:
        typer.echo(json.dumps(artifact.card, indent=2))
    else:
        print_to(None, shown)
    typer.echo(f"wrote {path} ({artifact.size:,} bytes)", err=True)


def stem(trace: str) -> str:
    """The trace's name without folder and endings."""
    name = trace.partition("?")[0].replace("synthetic:", "synthetic-")
    return Path(name).name.split(".")[0]


def share_of(text: str) -> float:
    """A share written as 50% or 0.5."""
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise ConfigError(f"{text!r} is not a share: write 50% or 0.5") from None


def going_by(listed: "list[Importance]") -> RenderableType:
    """What the model goes by, the most important first."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("feature")
    table.add_column("log loss", justify="right")
    table.add_column("what it is", style="dim")
    for one in listed:
        table.add_row(one.feature, f"{one.log_loss:+.4f}", one.meaning)
    title = Text("What the model goes by: rise of log loss when shuffled", style="bold")
    return Group(Text(), title, table)


def page(found: "Training") -> RenderableType:
    """What was trained on what, and both judgements."""
    from augury.cli.judgement import folds_table, judgement_of

    card = found.artifact.card
    seen = card["trained_on"]
    parts: list[RenderableType] = [
        Text(f"{card['description']} for {card['trace']} at {card['capacity']}", style="bold"),
        Text(
            f"trained on {seen['rows']:,} rows of the first {seen['requests']:,} requests; "
            f"reuse within {card['horizon']:,} requests ({seen['unresolved_rows']:,} rows too late "
            f"to tell, {seen['malformed_records']:,} malformed records left out)"
        ),
    ]
    if card["parameters"]:
        chosen = ", ".join(f"{name}={value}" for name, value in card["parameters"].items())
        parts.append(Text(f"tuned: {chosen}"))
    if card["distillation"]:
        lost = card["distillation"]
        parts.append(
            Text(
                "too slow to be asked at every decision, so distilled into a table: mean absolute "
                f"difference {lost['mean_absolute_difference']:.4f}, variance explained "
                f"{lost['variance_explained']:.1%}"
            )
        )
    parts.append(Text())
    if found.folds:
        parts += [
            Text("Cross-validation, each fold later than what it was trained on", style="bold"),
            folds_table(found.folds),
            Text(),
        ]
    if found.judgement is not None:
        parts.append(judgement_of(found.judgement))
    else:
        parts.append(Text("The whole trace was trained on: nothing is left to judge by."))
    return Group(*parts)
