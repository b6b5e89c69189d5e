"""``augury replay``: what would a cache have missed?"""

import shlex
import sys
from collections.abc import Callable
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augury import _core
from augury.cli.failure import designed_failures
from augury.cli.files import is_same_file, write_text
from augury.cli.options import AsJson, Columns, SkipBad, TraceFormat
from augury.errors import ConfigError
from augury.extras import require
from augury.laboratory import Progress, ReplayResult
from augury.laboratory import replay as run_replay
from augury.laboratory.policies import DEFAULT_POLICIES
from augury.laboratory.run import DEFAULT_CAPACITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Format", "replay"]


class Format(StrEnum):
    """What a result is written as."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


def replay(
    traces: Annotated[
        list[str],
        typer.Argument(metavar="TRACE...", help="Files, or synthetic:NAME (see augury workloads)."),
    ],
    policies: Annotated[
        str,
        typer.Option(
            "--policies",
            "-p",
            metavar="NAMES",
            help=f"Separated by commas, of {' '.join(_core.policies())}; "
            "learned:PATH is auto with a saved model.",
        ),
    ] = ",".join(DEFAULT_POLICIES),
    capacity: Annotated[
        str,
        typer.Option(
            "--capacity",
            "-c",
            metavar="SIZES",
            help="Separated by commas: 1% of the footprint, 1000 (entries where every object has "
            "size 1, else bytes), 64MB.",
        ),
    ] = ",".join(DEFAULT_CAPACITIES),
    seed: Annotated[
        str, typer.Option(metavar="NUMBERS", help="One or several, separated by commas.")
    ] = "1",
    output_format: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="Told by the ending of --output, else table."),
    ] = None,
    as_json: AsJson = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="Write there, not to standard output."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Also write an HTML report with plots."),
    ] = None,
    curve: Annotated[
        bool,
        typer.Option(
            "--curve",
            help="Miss ratio curves too: lru's exactly by stack distances, the others' by replays "
            "at twelve capacities. In the table and the HTML page.",
        ),
    ] = False,
    sampled: Annotated[
        bool,
        typer.Option(
            "--sampled",
            help="With --curve: points of large capacities from a sample of the objects.",
        ),
    ] = False,
    stream: Annotated[
        bool | None,
        typer.Option(
            "--stream/--in-memory",
            help="Read traces anew for every replay, or decode them once; by their size if absent.",
            show_default=False,
        ),
    ] = None,
    prefetch: Annotated[
        str | None,
        typer.Option(
            metavar="[=BUDGET]",
            help="Fetch ahead what is predicted; BUDGET is how many requests to the origin that "
            "may add, as a share of those without: 0.1 or 10%, which is also the default.",
        ),
    ] = None,
    prefetcher: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Who predicts, of {' '.join(_core.prefetchers())}; learned:PATH is a saved "
            "sequence model.",
        ),
    ] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="Also run libCacheSim's policies, as peer:NAME.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", help="Threads; one per processor if absent.")
    ] = None,
    trace_format: TraceFormat = None,
    columns: Columns = None,
    skip_bad: SkipBad = False,
) -> None:
    """Replay recorded traffic and print what each policy would have missed.

    Several traces run at once. Standard output holds only the result.
    """
    with designed_failures():
        chosen = chosen_format(output_format, output, as_json=as_json)
        check_outputs(chosen, output, report)
        check_overwriting(traces, output, report)
        with progress_bar() as shown:
            result = run_replay(
                traces,
                policies=policies,
                capacity=capacity,
                seed=read_seeds(seed),
                prefetch=prefetch,
                prefetcher=prefetcher,
                peers=peers,
                curve=curve,
                sampled=sampled,
                stream=stream,
                trace_format=trace_format,
                columns=columns,
                skip_bad=skip_bad,
                jobs=jobs,
                progress=shown,
            )
        write(result, chosen, output)
        if chosen is not Format.TABLE:
            for note in result.notes:
                typer.echo(f"note: {note}", err=True)
            if curve and chosen is not Format.HTML and report is None:
                typer.echo(f"note: {chosen} has no room for curves: --report PATH", err=True)
        if report is not None:
            write(result, Format.HTML, report)


def read_seeds(text: str) -> list[int]:
    """The seeds from text."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"seed {text!r} is not whole numbers separated by commas") from None


def chosen_format(given: Format | None, output: Path | None, *, as_json: bool) -> Format:
    """The format asked for, else that of the file."""
    if as_json and given not in (None, Format.JSON):
        raise ConfigError(f"--json and --format {given} are two formats: give one")
    return Format.JSON if as_json else given or told_by(output)


def told_by(output: Path | None) -> Format:
    """The format that the file's ending names, else a table."""
    ending = output.suffix[1:].lower() if output else ""
    return Format(ending) if ending in set(Format) else Format.TABLE


def check_outputs(chosen: Format, output: Path | None, report: Path | None) -> None:
    """Refuse before the work what could only fail after it."""
    for path in (output, report):
        if path is not None and not path.parent.is_dir():
            raise ConfigError(f"{path} cannot be written: there is no folder {path.parent}")
    if chosen is Format.HTML or report is not None:
        require("matplotlib", "report")


def check_overwriting(traces: list[str], output: Path | None, report: Path | None) -> None:
    """Refuse to write over a trace, or the report over the result."""
    for path in (output, report):
        for trace in traces:
            if path is not None and is_same_file(path, Path(trace)):
                raise ConfigError(f"{path} is the trace {trace}: write to another file")
    if output is not None and report is not None and is_same_file(output, report):
        raise ConfigError(f"--output and --report are both {report}: name two files")


def write(result: ReplayResult, chosen: Format, output: Path | None) -> None:
    """Write the result to the file, or to standard output."""
    if chosen is Format.TABLE:
        from augury.cli.console import print_to

        print_to(output, result.table())
        return
    text = result.report(command_line()) if chosen is Format.HTML else as_text(result, chosen)
    if output is None:
        sys.stdout.write(text)
        return
    write_text(output, text)
    typer.echo(f"wrote {output}", err=True)


def as_text(result: ReplayResult, chosen: Format) -> str:
    """The result as JSON or CSV."""
    return result.to_csv() if chosen is Format.CSV else result.to_json() + "\n"


def command_line() -> str:
    """The command as it was typed."""
    return shlex.join(["augury", *sys.argv[1:]])


@contextmanager
def progress_bar() -> "Iterator[Callable[[Progress], None] | None]":
    """A progress bar on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = [TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()]
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=1.0)

        def show(now: Progress) -> None:
            text = f"{now.replays_done} of {now.replays} replays, {now.requests:,} requests"
            bar.update(task, completed=now.fraction, description=text)

        yield show
