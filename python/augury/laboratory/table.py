"""The table for terminals."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from augury.laboratory.cell import Cell
from augury.laboratory.curve import Curve
from augury.laboratory.grid import NOTHING, Grid, change, grids, room, share
from augury.laboratory.result import ReplayResult

__all__ = ["render"]

STYLES = {"subject": "cyan", "oracle": "dim", "peer": "", "policy": ""}


def render(result: ReplayResult) -> RenderableType:
    """One table per trace, then where `auto` stands, then what a reader should know."""
    parts: list[RenderableType] = []
    for grid in grids(result.comparisons()):
        parts += [heading(grid), table(grid)]
        if any(cell.prefetches_issued is not None for cell in cells_of(result, grid)):
            parts += [Text("prefetch", "dim"), prefetched(cells_of(result, grid))]
        if said := grid.sentence():
            parts.append(Text(said))
        parts.append(Text())
        curves = [curve for curve in result.curves if curve.trace == grid.trace]
        if curves:
            parts += [Text(f"{grid.trace}   miss ratio curves", "dim"), drawn(curves), Text()]
    if summary := result.summary():
        parts.append(Text(str(summary)))
    parts += [Text(f"Note: {note}", style="yellow") for note in result.notes]
    return Group(*parts)


def heading(grid: Grid) -> Text:
    """The trace's name and length."""
    text = Text(grid.trace, style="bold")
    return text.append(f"   {grid.requests:,} requests, object miss ratio", style="not bold dim")


def table(grid: Grid) -> Table:
    """One trace."""
    drawn = Table(box=None, padding=(0, 2, 0, 0), header_style="", pad_edge=False)
    drawn.add_column("policy", style="", no_wrap=True)
    for column in grid.columns:
        label = Text(column.capacity).append(f"\n{room(column)}", style="dim")
        drawn.add_column(label, justify="right", no_wrap=True)
    for row in grid.rows:
        style = STYLES[row.kind]
        ratios = [
            Text(NOTHING if ratio is None else f"{ratio:.4f}", style="bold" if best else "")
            for ratio, best in zip(row.miss_ratios, row.best, strict=True)
        ]
        drawn.add_row(Text(row.policy), *ratios, style=style)
    add_comparison(drawn, "auto, misses against lru", map(change, grid.fewer_misses()))
    add_comparison(drawn, "auto, gap to the bound closed", map(share, grid.gap_closed()))
    return drawn


def cells_of(result: ReplayResult, grid: Grid) -> list[Cell]:
    """The cells of one trace."""
    return [cell for cell in result if cell.trace == grid.trace]


def prefetched(cells: Iterable[Cell]) -> Table:
    """What was fetched ahead, a row per cell that was replayed with prefetch."""
    found = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    found.add_column("policy", no_wrap=True)
    for name in ("capacity", "demand misses", "issued", "used", "accuracy", "coverage", "origin"):
        found.add_column(name, justify="right", no_wrap=True)
    for cell in cells:
        if cell.prefetches_issued is None:
            continue
        counts = (cell.demand_misses, cell.prefetches_issued, cell.prefetches_used)
        shares = (cell.prefetch_accuracy, cell.prefetch_coverage)
        found.add_row(
            cell.policy,
            cell.capacity,
            *(f"{count:,}" for count in counts),
            *(share(value) for value in shares),
            f"{cell.origin_requests:,}",
        )
    return found


def drawn(curves: Sequence[Curve]) -> Table:
    """The points of the curves, a column per capacity."""
    found = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    found.add_column("capacity", style="", no_wrap=True)
    capacities = sorted({capacity for curve in curves for capacity, _ in curve.points})
    for capacity in capacities:
        found.add_column(short(capacity), justify="right", no_wrap=True)
    for curve in curves:
        ratios = dict(curve.points)
        found.add_row(curve.policy, *(f"{ratios[capacity]:.3f}" for capacity in capacities))
    return found


def short(number: int) -> str:
    """A number to three digits: 999, 1.23k, 45.6M.

    >>> [short(n) for n in (7, 999, 1000, 12_345, 999_999, 5_000_000_000)]
    ['7', '999', '1k', '12.3k', '1M', '5G']
    """
    thousands = 0
    while number / 1000**thousands >= 999.5:
        thousands += 1
    return f"{number / 1000**thousands:.3g}{['', 'k', 'M', 'G', 'T', 'P', 'E'][thousands]}"


def add_comparison(drawn: Table, label: str, values: Iterable[str]) -> None:
    """One of the last rows, unless it would say nothing."""
    shown = list(values)
    if any(value != NOTHING for value in shown):
        drawn.add_row(Text(label), *map(Text, shown), style="italic")
