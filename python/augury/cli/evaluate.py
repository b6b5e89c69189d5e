"""``augury evaluate``: judge a saved model on a trace."""

import json
from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from augury.cli.console import print_to
from augury.cli.failure import designed_failures
from augury.cli.options import Columns, SkipBad, TraceFormat
from augury.cli.train import share_of
from augury.extras import require

__all__ = ["evaluate"]


def evaluate(
    artifact: Annotated[str, typer.Argument(metavar="ARTIFACT", help="A saved model.")],
    trace: Annotated[str, typer.Argument(metavar="TRACE", help="A file, or synthetic:NAME.")],
    capacity: Annotated[
        str | None,
        typer.Option("--capacity", "-c", metavar="SIZE", help="That of its training if absent."),
    ] = None,
    since: Annotated[
        str,
        typer.Option(metavar="SHARE", help="Judge on what comes after this share of the trace."),
    ] = "50%",
    rows: Annotated[int, typer.Option(help="Feature rows to judge probabilities by.")] = 200_000,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object.")] = False,
    trace_format: TraceFormat = None,
    columns: Columns = None,
    skip_bad: SkipBad = False,
) -> None:
    """Judge a saved model on a trace: by its probabilities, and by the misses of a replay."""
    with designed_failures():
        require("sklearn", "learn")
        from augury.learn import Artifact
        from augury.learn import evaluate as judge

        saved = Artifact.load(artifact)
        found = judge(
            saved,
            trace,
            capacity=capacity,
            rows=rows,
            since=share_of(since),
            seed=seed,
            trace_format=trace_format,
            columns=columns,
            skip_bad=skip_bad,
        )
        if as_json:
            typer.echo(json.dumps(found.to_dict(), indent=2))
            return
        from augury.cli.judgement import judgement_of

        card = saved.card
        head = (
            f"{card.get('description', 'a model')} of {card.get('trace', 'an unnamed trace')}, "
            f"trained {card.get('trained', 'at an unknown time')}, on {trace}"
        )
        print_to(None, Group(Text(head, style="bold"), Text(), judgement_of(found)))
