"""``augury inspect``: what is a trace like, and is there anything to learn in it?"""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from augury import traces
from augury.cli.console import print_to
from augury.cli.failure import designed_failures
from augury.cli.interrupt import interruptible
from augury.cli.options import AsJson, Columns, SkipBad, TraceFormat
from augury.inspection import Inspection, Octave, Predictability

__all__ = ["inspect"]

BAR = 40


def inspect(
    source: Annotated[str, typer.Argument(metavar="TRACE", help="A file, -, or synthetic:NAME.")],
    as_json: AsJson = False,
    trace_format: TraceFormat = None,
    columns: Columns = None,
    skip_bad: SkipBad = False,
) -> None:
    """Tell what a trace is like, and whether there is anything to learn in it."""
    with designed_failures():
        found = interruptible(
            lambda: traces.inspect(
                source, trace_format=trace_format, columns=columns, skip_bad=skip_bad
            )
        )
        if as_json:
            typer.echo(json.dumps(found.to_dict(), indent=2))
        else:
            print_to(None, page(found))


def page(found: Inspection) -> RenderableType:
    """The findings for people."""
    parts: list[RenderableType] = [Text(found.trace, style="bold"), facts(found), Text()]
    if not found.unit_sizes:
        parts += [Text("Objects by size in bytes", style="bold")]
        parts += [histogram(found.object_sizes), Text()]
    parts += [
        Text("Requests between two for the same object", style="bold"),
        histogram(found.reuse_times),
        Text(),
    ]
    if found.ttls:
        parts += [Text("TTLs in seconds", style="bold"), histogram(found.ttls), Text()]
    parts.append(verdict(found.predictability))
    return Group(*parts)


def facts(found: Inspection) -> Table:
    """The counts."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in counts(found):
        table.add_row(name, value)
    return table


def counts(found: Inspection) -> Iterator[tuple[str, str]]:
    """What is counted, by name."""
    kinds = ", ".join(f"{name} {count:,}" for name, count in found.operations.items())
    yield "requests", f"{found.requests:,} ({kinds})"
    yield "objects", f"{found.objects:,}, of which requested once {found.one_hit_wonder_ratio:.1%}"
    if found.unit_sizes:
        yield "sizes", "none: every object counts as 1"
    else:
        yield "footprint", f"{found.footprint_bytes:,} bytes"
        yield (
            "mean size",
            f"{found.mean_object_size:,.0f} bytes per object, "
            + (f"{found.mean_request_size:,.0f} per request"),
        )
    yield "compulsory misses", f"{found.compulsory_miss_ratio:.1%} of the requests"
    skew = found.popularity
    yield (
        "popularity",
        (
            f"Zipf exponent {round(skew.zipf_alpha, 2) + 0.0:.2f}; the top 1% of the objects get "
            f"{skew.top_1pct_share:.1%} of the requests, the top 10% {skew.top_10pct_share:.1%}"
        ),
    )
    if found.requests_with_ttl:
        yield "TTLs", f"on {found.requests_with_ttl / found.requests:.1%} of the requests"
    no_times = found.time_span_seconds == found.requests - 1
    remark = " (a second per request: the trace seems to have no times)" if no_times else ""
    yield "time span", f"{found.time_span_seconds:,} s{remark}"
    for reason, count in found.skipped.items():
        yield "left out", f"{count:,} malformed records: {reason}"


def histogram(octaves: Sequence[Octave]) -> Table:
    """A bar per octave, as long as its share of the longest."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True, style="cyan")
    total = sum(octave.count for octave in octaves)
    longest = max((octave.count for octave in octaves), default=1)
    for octave in octaves:
        span = f"{octave.start:,}" if octave.start == octave.end else f"{octave.start:,}+"
        bar = "█" * round(BAR * octave.count / longest)
        table.add_row(span, f"{octave.count / total:.1%}", bar)
    return table


def verdict(found: Predictability | None) -> Text:
    """Whether there is anything to learn."""
    text = Text("Predictability: ", style="bold")
    if found is None:
        return text.append("the trace is too short to tell.", style="not bold")
    text.append(f"{found.verdict}. ", style="bold cyan")
    return text.append(
        f"Knowing age and last reuse time lowers the uncertainty about the next request by "
        f"{max(found.skill, 0.0):.1%} ({found.memoryless_bits:.3f} to {found.survival_bits:.3f} "
        f"bits per decision): {found.meaning}.",
        style="not bold",
    )
