"""``augury prefix``: what would a store of prefix blocks have spared a language model?"""

from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from augury.cli.console import print_to
from augury.cli.failure import designed_failures
from augury.cli.judgement import plain_table
from augury.cli.options import AsJson, Columns, SkipBad, TraceFormat
from augury.cli.stages import stages
from augury.laboratory.prefix import POLICIES, PrefixResult, replay_prefixes

__all__ = ["prefix"]


def prefix(
    trace: Annotated[
        str,
        typer.Argument(
            metavar="TRACE", help="Requests for blocks, those of a prompt of one client or session."
        ),
    ],
    policies: Annotated[
        str,
        typer.Option(
            "--policies",
            "-p",
            metavar="NAMES",
            help=f"Separated by commas, of {' '.join(POLICIES)}.",
        ),
    ] = ",".join(POLICIES),
    capacity: Annotated[
        str,
        typer.Option(
            "--capacity",
            "-c",
            metavar="SIZES",
            help="Separated by commas: 1% of the footprint, or in the unit of the sizes.",
        ),
    ] = "1%,5%,10%",
    as_json: AsJson = False,
    trace_format: TraceFormat = None,
    columns: Columns = None,
    skip_bad: SkipBad = False,
) -> None:
    """Replay the prompts of a language model against stores of their prefix blocks.

    A block is of use only where all blocks before it are stored. Told is the share of the tokens
    that need not be computed again.
    """
    with designed_failures():
        with stages() as shown:
            found = replay_prefixes(
                trace,
                policies=[name.strip() for name in policies.split(",")],
                capacity=capacity,
                trace_format=trace_format,
                columns=columns,
                skip_bad=skip_bad,
                progress=shown,
            )
        if as_json:
            typer.echo(found.to_json())
        else:
            print_to(None, page(found))


def page(found: PrefixResult) -> RenderableType:
    """A row per policy, a column per capacity."""
    title = Text(found.trace, style="bold")
    title.append(
        f"   {found.prompts:,} prompts, {found.blocks:,} blocks, {found.tokens:,} tokens; share of "
        "the tokens that are stored",
        style="not bold dim",
    )
    table = plain_table()
    table.add_column("policy")
    columns = list(dict.fromkeys(one.capacity for one in found.cells))
    for label in columns:
        table.add_column(label, justify="right")
    table.add_column("evicts", style="dim")
    for policy in dict.fromkeys(one.policy for one in found.cells):
        ratios = (f"{found.of(policy, label).token_hit_ratio:.4f}" for label in columns)
        table.add_row(policy, *ratios, POLICIES[policy])
    bound = Text(f"A store without bounds would have {found.most_hit_ratio:.4f}.")
    return Group(title, table, bound)
