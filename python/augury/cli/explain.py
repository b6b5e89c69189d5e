"""``augury explain``: why is an object in the cache, or why not?"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from augury import explanation
from augury.cli.console import print_to
from augury.cli.failure import designed_failures
from augury.cli.interrupt import interruptible
from augury.cli.options import AsJson, Columns, SkipBad, TraceFormat
from augury.explanation import Explanation, Story
from augury.telling import decisions, remembered, standing

__all__ = ["explain"]


def explain(
    trace: Annotated[str, typer.Argument(metavar="TRACE", help="A file, or synthetic:NAME.")],
    key: Annotated[
        str, typer.Option("--key", "-k", metavar="KEY", help="The object, as the trace has it.")
    ],
    capacity: Annotated[
        str, typer.Option("--capacity", "-c", metavar="SIZE", help="Of the cache.")
    ] = "1%",
    at: Annotated[
        int | None,
        typer.Option("--at", metavar="N", help="After so many requests; at the end if absent."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A saved model among the experts.")
    ] = None,
    journal: Annotated[
        int, typer.Option(help="Latest decisions that are remembered.")
    ] = explanation.JOURNAL,
    seed: Annotated[int, typer.Option(help="Of the cache.")] = 1,
    as_json: AsJson = False,
    trace_format: TraceFormat = None,
    columns: Columns = None,
    skip_bad: SkipBad = False,
) -> None:
    """Tell why an object is, or is not, in the cache at a moment of a trace."""
    with designed_failures():
        story = interruptible(
            lambda: explanation.explain(
                trace,
                key,
                capacity=capacity,
                at=at,
                model=model,
                journal=journal,
                seed=seed,
                trace_format=trace_format,
                columns=columns,
                skip_bad=skip_bad,
            )
        )
        if as_json:
            typer.echo(json.dumps(story.to_dict(), indent=2))
        else:
            print_to(None, page(story))


def page(story: Story) -> RenderableType:
    """The story in sentences."""
    found = story.explanation
    where = "is in the cache" if story.resident else "is not in the cache"
    parts: list[RenderableType] = [
        Text(f"{story.key} {where} after {story.replayed:,} requests", style="bold"),
        Text(
            f"{story.residents:,} objects are, at a capacity of {story.capacity_bytes:,}; evicted "
            f"by {found.ruling}."
        ),
        *(Text(line) for line in history(story)),
    ]
    if found.standing is not None:
        parts += [Text(line) for line in standing(found)]
    if found.experts and any(expert.holds is not None for expert in found.experts):
        parts += [Text(), Text("What the experts' shadow caches would have", style="bold")]
        parts.append(experts(found))
    parts += [Text(), Text("Decisions about it", style="bold")]
    parts += [Text(line) for line in decisions(found)]
    return Group(*parts)


def history(story: Story) -> Iterator[str]:
    """What was asked, and what is remembered."""
    if not story.requests:
        yield "It was never asked for."
        return
    number, was_hit = story.latest[-1]
    outcome = "a hit" if was_hit else "a miss"
    yield (
        f"It was asked for {times(story.requests)}, {story.hits:,} of them hits; the latest, "
        f"request {number:,}, was {outcome}."
    )
    yield from remembered(story.explanation, is_resident=story.resident)


def times(count: int) -> str:
    """How often."""
    return "once" if count == 1 else f"{count:,} times"


def experts(found: Explanation) -> Table:
    """One line per expert that runs."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("expert")
    table.add_column("hits lately, of the best's", justify="right")
    table.add_column("holds it")
    for expert in found.experts:
        if expert.live:
            held = {True: "yes", False: "no", None: "not sampled"}[expert.holds]
            style = "bold" if expert.name == found.ruling else None
            table.add_row(expert.name, f"{expert.standing:.1%}", held, style=style)
    return table
