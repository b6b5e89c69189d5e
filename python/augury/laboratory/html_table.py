"""The table for notebooks and for the report: plain HTML, styled by whoever shows it."""

from collections.abc import Iterable
from html import escape

from augury.laboratory.grid import NOTHING, Grid, Row, change, grids, room, share
from augury.laboratory.result import ReplayResult

__all__ = ["render", "table"]


NEWLINE = "\n"


def render(result: ReplayResult) -> str:
    """One table per trace, then where `auto` stands, then what a reader should know."""
    parts = [table(grid) for grid in grids(result.comparisons())]
    if summary := result.summary():
        parts.append(f"<p>{escape(str(summary))}</p>")
    parts += [f"<p>Note: {escape(note)}</p>" for note in result.notes]
    return f"<div>{''.join(parts)}</div>"


def table(grid: Grid) -> str:
    """One trace."""
    heads = "".join(
        f'<th scope="col">{escape(column.capacity)}<br>'
        f"<small>{room(column).replace(NEWLINE, '<br>')}</small></th>"
        for column in grid.columns
    )
    caption = f"{escape(grid.trace)}: object miss ratio over {grid.requests:,} requests"
    rows = "".join(map(body_row, grid.rows))
    feet = foot_row("auto, misses against lru", map(change, grid.fewer_misses()))
    feet += foot_row("auto, gap to the bound closed", map(share, grid.gap_closed()))
    said = grid.sentence()
    return (
        f"<table><caption>{caption}</caption>"
        f'<thead><tr><th scope="col">policy</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody><tfoot>{feet}</tfoot></table>"
        + (f"<p>{escape(said)}</p>" if said else "")
    )


def body_row(row: Row) -> str:
    """One policy."""
    ratios = (NOTHING if ratio is None else f"{ratio:.4f}" for ratio in row.miss_ratios)
    cells = "".join(
        f"<td>{f'<b>{ratio}</b>' if best else ratio}</td>"
        for ratio, best in zip(ratios, row.best, strict=True)
    )
    return f'<tr class="{row.kind}"><th scope="row">{escape(row.policy)}</th>{cells}</tr>'


def foot_row(label: str, values: Iterable[str]) -> str:
    """One of the last rows, unless it would say nothing."""
    shown = list(values)
    if all(value == NOTHING for value in shown):
        return ""
    cells = "".join(f"<td>{value}</td>" for value in shown)
    return f'<tr><th scope="row">{escape(label)}</th>{cells}</tr>'
