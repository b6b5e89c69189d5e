"""The plots, each a function from outcomes to inline SVG."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from augury.laboratory.cell import Cell, Window
from augury.laboratory.curve import Curve
from augury.laboratory.grid import Grid
from augury.laboratory.policies import is_oracle
from augury.laboratory.scores import Comparison
from augury.report import ink
from augury.report.drawing import as_svg, house_style, new_figure

__all__ = ["bars", "curves", "over_time", "rankings"]

#: Panels side by side.
ACROSS = 3
#: Points of one line in a panel.
MOST_WINDOWS = 50


@house_style
def bars(grid: Grid) -> str:
    """The object miss ratio of every policy, a panel per capacity, lowest on top."""
    down = -(-len(grid.columns) // ACROSS)
    figure = new_figure(down * (0.75 + 0.24 * len(grid.rows)))
    for panel, column in zip(panels_of(figure, len(grid.columns)), grid.columns, strict=True):
        bar_panel(panel, column)
    return as_svg(figure, f"miss ratios on {grid.trace}")


def bar_panel(panel: Axes, column: Comparison) -> None:
    """One capacity."""
    ranked = sorted(column.miss_ratios.items(), key=lambda item: -item[1])
    names = [name for name, _ in ranked]
    ratios = [ratio for _, ratio in ranked]
    colours = [bar_colour(name) for name in names]
    edges = [ink.MUTED if is_oracle(name) else "none" for name in names]
    drawn = panel.barh(names, ratios, height=0.68, color=colours, edgecolor=edges, linewidth=1)
    panel.bar_label(drawn, fmt="%.3f", padding=3, color=ink.INK, fontsize=9)
    panel.set_xlim(0, max(max(ratios) * 1.22, 1e-6))
    panel.grid(visible=False)
    panel.xaxis.set_visible(False)
    panel.spines[:].set_visible(False)
    panel.tick_params(axis="y", length=0, labelcolor=ink.INK)
    panel.set_title(f"{column.capacity} ({column.capacity_bytes:,})")


def bar_colour(policy: str) -> str:
    """`auto` stands out, oracles are hollow."""
    if policy == "auto":
        return ink.SUBJECT
    return "none" if is_oracle(policy) else ink.OTHER


@house_style
def curves(found: Sequence[Curve]) -> str:
    """Miss ratio curves: what each capacity would have come to."""
    figure = new_figure(3.6)
    panel = figure.subplots()
    colours = ink.assign(curve.policy for curve in found)
    for curve in found:
        capacities, ratios = zip(*sorted({*curve.points, *curve.fine}), strict=True)
        panel.plot(
            capacities, ratios, marker="" if curve.fine else "o", markersize=3,
            label=curve.policy, **line_style(curve.policy, colours[curve.policy]),
        )  # fmt: skip
    panel.set_xscale("log")
    panel.set_xlabel("capacity")
    panel.set_ylabel("object miss ratio")
    panel.set_ylim(bottom=0)
    legend(figure, [panel])
    return as_svg(figure, f"miss ratio curves of {found[0].trace}")


@house_style
def over_time(by_capacity: Mapping[str, Sequence[Cell]]) -> str:
    """The miss ratio in successive windows of one trace, a panel per capacity."""
    across = min(ACROSS, len(by_capacity))
    figure = new_figure(0.5 + 2.5 * -(-len(by_capacity) // across))
    panels = panels_of(figure, len(by_capacity))
    colours = ink.assign(dict.fromkeys(cell.policy for row in by_capacity.values() for cell in row))
    for panel, (capacity, cells) in zip(panels, by_capacity.items(), strict=True):
        for cell in cells:
            windows = coarse(cell.windows)
            ends = list(accumulate(window.requests for window in windows))
            ratios = [window.miss_ratio for window in windows]
            panel.plot(
                ends, ratios, label=cell.policy, **line_style(cell.policy, colours[cell.policy])
            )
        panel.set_title(capacity)
        panel.set_xlim(0, sum(window.requests for window in cells[0].windows))
        panel.xaxis.set_major_locator(MaxNLocator(4))
        panel.xaxis.set_major_formatter(EngFormatter(sep=""))
    panels[0].set_ylabel("object miss ratio")
    legend(figure, panels)
    return as_svg(figure, f"miss ratio over time of {cells[0].trace}")


@house_style
def rankings(cells: Sequence[Cell]) -> str:
    """Which ranking `auto` evicted by, a band per capacity, over the course of a trace."""
    shares: Counter[str] = Counter()
    for cell in cells:
        shares.update(cell.ruled())
    names = min(len(shares), len(ink.SERIES) + 1)
    figure = new_figure(max(0.95 + 0.4 * len(cells), 0.3 + 0.205 * names))
    panel = figure.subplots()
    common = [ranking for ranking, _ in shares.most_common(len(ink.SERIES))]
    colours = dict(zip(common, ink.SERIES, strict=False))
    rest = ["others"] if len(shares) > len(common) else []
    for name in common + rest:
        # An empty bar, so that the legend has the order of the shares.
        panel.barh(0, 0, color=colours.get(name, ink.OTHER), label=name)
    for place, cell in enumerate(reversed(cells)):
        ends = [reign.start for reign in cell.reigns[1:]] + [cell.requests]
        panel.barh(
            [place] * len(ends),
            [end - reign.start for reign, end in zip(cell.reigns, ends, strict=True)],
            left=[reign.start for reign in cell.reigns],
            height=0.7,
            color=[colours.get(reign.ranking, ink.OTHER) for reign in cell.reigns],
            antialiased=False,
        )
    panel.set_yticks(range(len(cells)), [cell.capacity for cell in reversed(cells)])
    panel.grid(visible=False)
    panel.tick_params(axis="y", length=0, labelcolor=ink.INK)
    panel.spines[:].set_visible(False)
    panel.set_xlim(0, max(cell.requests for cell in cells))
    panel.set_xlabel("requests")
    panel.xaxis.set_major_formatter(EngFormatter(sep=""))
    legend(figure, [panel])
    return as_svg(figure, f"rankings that ruled on {cells[0].trace}")


def coarse(windows: Sequence[Window]) -> list[Window]:
    """The windows, neighbours joined so that a narrow panel can show them."""
    together = -(-len(windows) // MOST_WINDOWS)
    groups = [windows[at : at + together] for at in range(0, len(windows), together or 1)]
    return [
        Window(sum(one.requests for one in group), sum(one.misses for one in group))
        for group in groups
    ]


def panels_of(figure: Figure, count: int) -> list[Axes]:
    """So many panels, a few side by side."""
    across = min(ACROSS, count)
    panels = list(figure.subplots(-(-count // across), across, squeeze=False).flat)
    for empty in panels[count:]:
        empty.set_visible(False)
    return panels[:count]


def legend(figure: Figure, panels: Sequence[Axes]) -> None:
    """One legend for all panels, to their right, where it hides nothing."""
    found: dict[str, Artist] = {}
    for panel in panels:
        handles, labels = panel.get_legend_handles_labels()
        found.update(zip(labels, handles, strict=True))
    figure.legend(list(found.values()), list(found), loc="outside right upper", handlelength=1.4)


def line_style(policy: str, colour: str) -> dict[str, Any]:
    """`auto` is drawn over the others, oracles are dashed."""
    if policy == "auto":
        return {"color": colour, "linewidth": 2.4, "zorder": 5}
    return {"color": colour, "linestyle": "--" if is_oracle(policy) else "-", "zorder": 3}
