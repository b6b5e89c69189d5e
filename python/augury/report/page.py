"""The page: what was found, trace by trace, and how it was found."""

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from string import Template

from augury.laboratory import html_table
from augury.laboratory.cell import Cell
from augury.laboratory.grid import NOTHING, Grid, grids
from augury.laboratory.result import ReplayResult
from augury.laboratory.scores import Comparison
from augury.report import charts

__all__ = ["render"]

#: A plot with more lines than this shows those with the fewest misses.
MOST_LINES = 10


def render(result: ReplayResult, command: str = "") -> str:
    """A self-contained HTML page about the result; ``command`` is how to get it again."""
    folder = files("augury.report")
    page = Template((folder / "page.html").read_text(encoding="utf-8"))
    shown = grids(result.comparisons())
    summary = result.summary()
    return page.substitute(
        style=(folder / "page.css").read_text(encoding="utf-8"),
        summary=escape(str(summary)) if summary else "",
        overview=overview(result.comparisons()) if len(shown) > 1 else "",
        traces="".join(section(grid, result) for grid in shown),
        notes="".join(f"<p>Note: {escape(note)}</p>" for note in result.notes),
        method=method(result, command),
    )


def overview(comparisons: Iterable[Comparison]) -> str:
    """One line per trace and capacity: `auto` beside the best other policy and the bound."""
    lines = []
    for row in comparisons:
        others = {name: ratio for name, ratio in row.runnable.items() if name != "auto"}
        best = min(others, key=lambda name: others[name], default=None)
        auto, gap = row.miss_ratios.get("auto"), row.gap_closed("auto")
        leads = auto is not None and best is not None and auto <= others[best]
        cells = [
            number(row.miss_ratios.get("lru")),
            f"{number(others[best])} {escape(best)}" if best else NOTHING,
            f"<b>{number(auto)}</b>" if leads else number(auto),
            number(row.bound),
            NOTHING if gap is None else f"{gap:.2f}",
        ]
        heads = f'<th scope="row">{escape(row.trace)}</th><td>{escape(row.capacity)}</td>'
        lines.append(f"<tr>{heads}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    names = ["trace", "capacity", "lru", "best other", "auto", "bound", "gap closed"]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return (
        "<section><h2>All traces</h2><table><caption>Object miss ratio; bold where auto is "
        f"lowest</caption><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
        "</section>"
    )


def section(grid: Grid, result: ReplayResult) -> str:
    """One trace: the table and the plots."""
    first = min(cell.seed for cell in result.cells)
    cells = [cell for cell in result.cells if cell.trace == grid.trace and cell.seed == first]
    curves = [curve for curve in result.curves if curve.trace == grid.trace]
    parts = [html_table.table(grid), figure(charts.bars(grid), "Object miss ratio, lowest on top.")]
    if curves:
        parts.append(
            figure(
                charts.curves(curves),
                "Miss ratio curve: what each capacity would come to. A mark is a replay; a line "
                "without marks (lru) is exact at every capacity, by stack distances.",
            )
        )
    if timed := by_capacity(cells):
        parts.append(figure(charts.over_time(timed), "Miss ratio over time, in requests."))
    ruled = [cell for cell in cells if cell.policy == "auto" and cell.reigns]
    if ruled:
        caption = (
            "Which ranking auto evicted by, per capacity; +: newcomers had to prove themselves."
        )
        parts.append(figure(charts.rankings(ruled), caption))
    return f"<section><h2>{escape(grid.trace)}</h2>{''.join(parts)}</section>"


def by_capacity(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    """The cells that have windows, by capacity; the ones with the fewest misses if many."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.windows:
            found.setdefault(cell.capacity, []).append(cell)
    for capacity, lines in found.items():
        kept = sorted(lines, key=lambda cell: (cell.policy not in ("auto", "lru"), cell.misses))
        found[capacity] = [cell for cell in lines if cell in kept[:MOST_LINES]]
    return found


def figure(svg: str, caption: str) -> str:
    """A plot with its caption."""
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def number(ratio: float | None) -> str:
    """A miss ratio."""
    return NOTHING if ratio is None else f"{ratio:.4f}"


def method(result: ReplayResult, command: str) -> str:
    """What someone needs to get the same numbers again."""
    lengths = {cell.trace: cell.requests for cell in result.cells}
    facts = {
        "Traces": ", ".join(f"{trace} ({count:,} requests)" for trace, count in lengths.items()),
        "Capacities": ", ".join(dict.fromkeys(cell.capacity for cell in result.cells)),
        "Seeds": ", ".join(dict.fromkeys(str(cell.seed) for cell in result.cells)),
        "Versions": ", ".join(
            dict.fromkeys(
                cell.version if " " in cell.version else f"augury {cell.version}"
                for cell in result.cells
            )
        ),
    }
    listed = "".join(f"<dt>{term}</dt><dd>{escape(fact)}</dd>" for term, fact in facts.items())
    again = f"<pre>{escape(command)}</pre>" if command else ""
    return f"<dl>{listed}</dl>{again}"
