"""``augury size``: how large should the cache be?"""

import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from augury import _core
from augury.cli.console import print_to
from augury.cli.failure import designed_failures
from augury.cli.judgement import plain_table
from augury.cli.options import AsJson, Columns, SkipBad, TraceFormat
from augury.cli.stages import stages
from augury.errors import ConfigError
from augury.laboratory.sizing import SizePoint, Sizing, Target
from augury.laboratory.sizing import size as run_sizing

__all__ = ["SizeFormat", "size"]


class SizeFormat(StrEnum):
    """What the answer is written as."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def size(
    trace: Annotated[str, typer.Argument(metavar="TRACE", help="A file, or synthetic:NAME.")],
    capacity: Annotated[
        str,
        typer.Option(
            "--capacity", "-c", metavar="NOW",
            help="The present one: 1% of the footprint, 1000, 64MB.",
        ),
    ] = "1%",
    policy: Annotated[
        str, typer.Option("--policy", "-p", help=f"One of {' '.join(_core.policies())}.")
    ] = "auto",
    target_miss_ratio: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Also the smallest capacity that reaches it."),
    ] = None,
    target_hit_ratio: Annotated[
        float | None, typer.Option(metavar="SHARE", help="The same as a share of hits.")
    ] = None,
    price_per_gb_hour: Annotated[
        float | None,
        typer.Option(
            metavar="PRICE", help="Of 10^9 bytes; with --price-per-miss also the cheapest capacity."
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
    exact: Annotated[
        bool,
        typer.Option("--exact", help="No samples: replay the whole trace at every capacity."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the policy.")] = 1,
    output_format: Annotated[
        SizeFormat | None,
        typer.Option("--format", "-f", help="How to print the answer; table if absent."),
    ] = None,
    as_json: AsJson = False,
    stream: Annotated[
        bool | None,
        typer.Option(
            "--stream/--in-memory",
            help="Read the trace anew for every replay, or decode it once; by its size if absent.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", help="Threads; one per processor if absent.")
    ] = None,
    trace_format: TraceFormat = None,
    columns: Columns = None,
    skip_bad: SkipBad = False,
) -> None:  # fmt: skip
    """Tell what half, two and four times the capacity would give, and which to have.

    Large caches are judged from a sample of the objects, with its standard error.
    """
    with designed_failures():
        if as_json and output_format not in (None, SizeFormat.JSON):
            raise ConfigError(f"--json and --format {output_format} are two formats: give one")
        chosen = SizeFormat.JSON if as_json else output_format or SizeFormat.TABLE
        with stages() as shown:
            found = run_sizing(
                trace,
                capacity=capacity,
                policy=policy,
                target_miss_ratio=read_target(target_miss_ratio, target_hit_ratio),
                price_per_gb_hour=price_per_gb_hour,
                price_per_miss=price_per_miss,
                requests_per_second=requests_per_second,
                object_bytes=object_bytes,
                exact=exact,
                seed=seed,
                stream=stream,
                trace_format=trace_format,
                columns=columns,
                skip_bad=skip_bad,
                jobs=jobs,
                progress=shown,
            )
        if chosen is SizeFormat.TABLE:
            print_to(None, page(found))
        elif chosen is SizeFormat.JSON:
            typer.echo(found.to_json())
        else:
            sys.stdout.write(found.to_csv())


def read_target(miss_ratio: float | None, hit_ratio: float | None) -> float | None:
    """The target as a miss ratio."""
    if miss_ratio is not None and hit_ratio is not None:
        raise ConfigError("--target-miss-ratio and --target-hit-ratio are one target: give one")
    if hit_ratio is None:
        return miss_ratio
    if not 0 <= hit_ratio <= 1:
        raise ConfigError(f"target hit ratio {hit_ratio!r} is not a share from 0 to 1")
    return 1 - hit_ratio


def page(found: Sizing) -> RenderableType:
    """The answer for people."""
    unit = "entries" if found.unit_sizes else "bytes"
    title = Text(found.trace, style="bold")
    title.append(
        f"   {found.requests:,} requests, {found.objects:,} objects, footprint "
        f"{found.footprint:,} {unit}",
        style="not bold dim",
    )
    parts: list[RenderableType] = [title, table(found, unit)]
    if any(point.sampled < 1 for _, point in found.roles()):
        parts.append(
            Text("± is the standard error of a sample; --exact replays everything", style="dim")
        )
    if found.target is not None:
        parts += [Text(), Text(reached(found.target, found.policy, unit))]
    if found.cheapest is not None:
        parts += [Text(), Text(cheapest(found, found.cheapest, unit))]
    return Group(*parts)


def table(found: Sizing, unit: str) -> RenderableType:
    """A row per multiple of the present capacity."""
    is_priced = found.cheapest is not None
    drawn = plain_table()
    drawn.add_column("capacity")
    for name in (unit, found.policy, "lru", "bound", *(["per hour"] if is_priced else [])):
        drawn.add_column(name, justify="right", no_wrap=True)
    for point in found.points:
        shown = [f"{point.scale:g}x", f"{point.capacity:,}", ratio_of(point)]
        shown += [ratio(point.lru_object_miss_ratio), ratio(point.bound_object_miss_ratio)]
        if is_priced:
            shown.append(f"{point.cost_per_hour:,.4g}")
        drawn.add_row(*shown, style="bold" if point.scale == 1 else None)
    return drawn


def ratio_of(point: SizePoint) -> str:
    """A miss ratio, with its error where there is one."""
    shown = f"{point.object_miss_ratio:.4f}"
    return f"{shown} ±{point.standard_error:.4f}" if point.sampled < 1 else shown


def ratio(value: float | None) -> str:
    """A miss ratio, or a dash."""
    return "-" if value is None else f"{value:.4f}"


def reached(target: Target, policy: str, unit: str) -> str:
    """The smallest capacity for the target, or that there is none."""
    if target.point is None:
        return (
            f"No capacity reaches an object miss ratio of {target.object_miss_ratio:g} under "
            f"{policy}: as large as the footprint it is {target.least_object_miss_ratio:.4f}."
        )
    point = target.point
    return (
        f"An object miss ratio of {target.object_miss_ratio:g} takes {point.capacity:,} {unit} "
        f"under {policy} ({point.scale:.3g}x): it is {ratio_of(point)} there. The smallest that "
        f"does is less than {target.resolution:.1%} smaller."
    )


def cheapest(found: Sizing, point: SizePoint, unit: str) -> str:
    """The cheapest of the capacities tried."""
    present = next(one for one in found.points if one.scale == 1)
    first, last = found.tried[0], found.tried[-1]
    is_end = len(found.tried) > 1 and point in (first, last)
    beyond = " It is the last one tried on its side: beyond it may be cheaper." if is_end else ""
    return (
        f"Cheapest of {len(found.tried)} capacities from {first.capacity:,} to "
        f"{last.capacity:,}: {point.capacity:,} {unit} ({point.scale:.3g}x), "
        f"{point.cost_per_hour:,.4g} per hour; the present one costs "
        f"{present.cost_per_hour:,.4g}, at {found.requests_per_second:,.4g} requests per second."
        f"{beyond}"
    )
