"""``augury evaluate``: judge a saved model on a trace."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.text import Text

from augury import _core
from augury.artifacts import read_bytes
from augury.cli.console import print_to
from augury.cli.failure import designed_failures
from augury.cli.options import AsJson, Columns, SkipBad, TraceFormat
from augury.cli.sequences import check_unused, foreseen_page
from augury.cli.train import ROWS, share_of
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
    rows: Annotated[int, typer.Option(help="Feature rows to judge probabilities by.")] = ROWS,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
    as_json: AsJson = False,
    trace_format: TraceFormat = None,
    columns: Columns = None,
    skip_bad: SkipBad = False,
) -> None:
    """Judge a saved model on a trace: by its probabilities, and by the misses of a replay.

    A sequence model is judged by the misses of a replay with prefetch.
    """
    with designed_failures():
        require("sklearn", "learn")
        from augury.learn import Artifact
        from augury.learn import evaluate as judge

        if _core.Sequence.is_one(read_bytes(artifact)):
            check_unused({"--rows": (rows, ROWS)})
            judge_sequence(
                artifact,
                trace,
                as_json=as_json,
                capacity=capacity,
                since=share_of(since),
                seed=seed,
                trace_format=trace_format,
                columns=columns,
                skip_bad=skip_bad,
            )
            return
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

        print_to(None, Group(head_of(saved.card, trace), Text(), judgement_of(found)))


def judge_sequence(path: str, trace: str, *, as_json: bool, **options: Any) -> None:
    """Judge a sequence model, and print it."""
    from augury.learn import SequenceArtifact, evaluate_sequence

    saved = SequenceArtifact.load(path)
    found = evaluate_sequence(saved, trace, **options)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
    else:
        print_to(None, Group(head_of(saved.card, trace), Text(), foreseen_page(found)))


def head_of(card: Mapping[str, Any], trace: str) -> Text:
    """Which model on which trace."""
    text = (
        f"{card.get('description', 'a model')} of {card.get('trace', 'an unnamed trace')}, "
        f"trained {card.get('trained', 'at an unknown time')}, on {trace}"
    )
    return Text(text, style="bold")
