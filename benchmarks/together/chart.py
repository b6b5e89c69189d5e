"""The picture of learning together: the gain over LRU as requests go by, a panel per workload."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

__all__ = ["NAME", "draw"]

#: File name beside the JSON.
NAME = "together.svg"
COLUMNS = 2
LOOKS: dict[str, dict[str, Any]] = {
    "together": {"color": "#0b6e4f", "linewidth": 2.2},
    "alone": {"color": "#b5651d"},
    "given": {"color": "#3b5b92"},
    "given the tables": {"color": "#888888", "linestyle": "--"},
    "bound": {"color": "#111111", "linestyle": ":"},
}


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the picture; the same rows give the same bytes."""
    columns = min(COLUMNS, len(rows))
    height = -(-len(rows) // columns)
    with rc_context({"svg.hashsalt": "together", "font.size": 8}):
        figure = Figure(figsize=(4.5 * columns, 2.7 * height), layout="constrained")
        panels = list(figure.subplots(height, columns, squeeze=False).flat)
        for panel, row in zip(panels, rows, strict=False):
            for name, look in LOOKS.items():
                gains = row["gains"][name]
                shown = [100 * (at + 1) / len(gains) for at in range(len(gains))]
                panel.plot(shown, [100 * gain for gain in gains], label=name, **look)
            panel.axhline(0, color="#cccccc", linewidth=0.8, zorder=0)
            title = f"{row['workload'].partition('&n=')[0]}, {row['capacity']:,}"
            panel.set(title=title, xlim=(0, 100))
            panel.set(xlabel="requests, % of the trace", ylabel="hit ratio over LRU's, points")
        for panel in panels[len(rows) :]:
            panel.set_axis_off()
        first = figure.axes[0]
        figure.legend(*first.get_legend_handles_labels(), loc="outside lower center", ncols=5)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
