"""The picture of refresh-ahead: misses removed against loads added, a panel per workload."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

#: File name beside the JSON.
NAME = "freshness.svg"
COLUMNS = 3
#: Loads added that are shown, as a share.
SHOWN = 0.5
LOOKS: dict[str, dict[str, Any]] = {
    "planned": {"color": "#0b6e4f", "linewidth": 2.2},
    "xfetch": {"color": "#b5651d"},
    "most-recent": {"color": "#3b5b92"},
    "rates": {"color": "#888888", "linestyle": "--"},
    "clairvoyant": {"color": "#111111", "linestyle": ":"},
}


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the picture; the same rows give the same bytes."""
    height = -(-len(rows) // COLUMNS)
    with rc_context({"svg.hashsalt": "freshness", "font.size": 8}):
        figure = Figure(figsize=(9, 2.7 * height), layout="constrained")
        panels = list(figure.subplots(height, COLUMNS, sharey=True, squeeze=False).flat)
        for panel, row in zip(panels, rows, strict=False):
            for name, look in LOOKS.items():
                spent = sorted([(0.0, 0.0), *((x, y) for _, x, y in row["curves"][name])])
                shown = [(100 * x, 100 * y) for x, y in spent if x <= SHOWN]
                panel.plot(*zip(*shown, strict=True), label=name, **look)
            panel.axvline(10, color="#cccccc", linewidth=0.8, zorder=0)
            panel.set(title=row["workload"], xlim=(0, 100 * SHOWN), ylim=(0, 101))
            panel.set(xlabel="extra loads, %", ylabel="expiry misses removed, %")
        for panel in panels[len(rows) :]:
            panel.set_axis_off()
        first = figure.axes[0]
        figure.legend(*first.get_legend_handles_labels(), loc="outside lower center", ncols=5)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
