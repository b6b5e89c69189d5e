"""``augury advise``: what would a cache bring here, and how sure is that?"""

from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from augury.advising import Advice
from augury.advising import advise as run_advising
from augury.cli.console import print_to
from augury.cli.failure import designed_failures
from augury.cli.judgement import plain_table
from augury.cli.options import AsJson, Columns, SkipBad, TraceFormat
from augury.cli.size import read_target
from augury.cli.stages import stages

__all__ = ["advise"]

#: Of a line of text.
WIDTH = 96


def advise(
    trace: Annotated[str, typer.Argument(metavar="TRACE", help="A file, or synthetic:NAME.")],
    capacity: Annotated[
        str,
        typer.Option(
            "--capacity",
            "-c",
            metavar="SIZE",
            help="Of the cache: 1% of the footprint, 1000, 64MB.",
        ),
    ] = "1%",
    against: Annotated[
        str, typer.Option("--against", metavar="POLICY", help="The policy in use.")
    ] = "lru",
    target_miss_ratio: Annotated[
        float | None,
        typer.Option(
            "--target",
            "--target-miss-ratio",
            metavar="SHARE",
            help="Also the smallest capacity that reaches this miss ratio.",
        ),
    ] = None,
    target_hit_ratio: Annotated[
        float | None, typer.Option(metavar="SHARE", help="The same as a share of hits.")
    ] = None,
    price_per_gb_hour: Annotated[
        float | None,
        typer.Option(
            metavar="PRICE",
            help="Of 10^9 bytes; with --price-per-miss also the cheapest capacity, and what is "
            "saved per hour.",
        ),
    ] = None,
    price_per_miss: Annotated[
        float | None, typer.Option(metavar="PRICE", help="In the same currency.")
    ] = None,
    requests_per_second: Annotated[
        float | None,
        typer.Option(metavar="N", help="For costs; the trace's own times if absent."),
    ] = None,
    object_bytes: Annotated[
        float | None,
        typer.Option(metavar="N", help="What an entry takes, for costs where sizes are all 1."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the policies.")] = 1,
    as_json: AsJson = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", help="Threads; one per processor if absent.")
    ] = None,
    trace_format: TraceFormat = None,
    columns: Columns = None,
    skip_bad: SkipBad = False,
) -> None:
    """Tell what a cache would save on recorded traffic, how sure that is, and what to do.

    Nothing is promised where there is nothing to learn, or too little to judge by.
    """
    with designed_failures():
        with stages() as shown:
            found = run_advising(
                trace,
                capacity=capacity,
                against=against,
                target_miss_ratio=read_target(target_miss_ratio, target_hit_ratio),
                price_per_gb_hour=price_per_gb_hour,
                price_per_miss=price_per_miss,
                requests_per_second=requests_per_second,
                object_bytes=object_bytes,
                seed=seed,
                trace_format=trace_format,
                columns=columns,
                skip_bad=skip_bad,
                jobs=jobs,
                progress=shown,
            )
        if as_json:
            typer.echo(found.to_json())
        else:
            print_to(None, page(found))


def page(found: Advice) -> RenderableType:
    """The advice for people."""
    unit = "entries" if found.inspection.unit_sizes else "bytes"
    title = Text(found.trace, style="bold")
    title.append(
        f"   {found.inspection.requests:,} requests, {found.inspection.objects:,} objects; a cache "
        f"of {found.capacity_bytes:,} {unit}",
        style="not bold dim",
    )
    told = plain_table()
    told.show_header = False
    told.add_column(style="bold", no_wrap=True)
    told.add_column(max_width=WIDTH)
    for about, text in found.sentences():
        told.add_row(about, Text(text))
    parts: list[RenderableType] = [title, Text(), told]
    if found.standings:
        parts += [Text(), standings(found)]
    for reason, count in found.inspection.skipped.items():
        parts.append(Text(f"Note: {count:,} malformed records left out: {reason}", style="yellow"))
    return Group(*parts)


def standings(found: Advice) -> RenderableType:
    """The policies beside each other."""
    table = plain_table()
    table.add_column("policy")
    for name in ("object miss ratio", "byte miss ratio", f"fewer of 1,000 than {found.against}"):
        table.add_column(name, justify="right")
    for one in found.standings:
        fewer = one.fewer
        beside = f"{1000 * fewer.mean:.1f} ({1000 * fewer.low:.1f} to {1000 * fewer.high:.1f})"
        table.add_row(
            one.policy,
            f"{one.object_miss_ratio:.4f}",
            "-" if one.byte_miss_ratio is None else f"{one.byte_miss_ratio:.4f}",
            "-" if one.policy == found.against else beside,
            style="bold" if one.policy == found.policy else None,
        )
    return table
