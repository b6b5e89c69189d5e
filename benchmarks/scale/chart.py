"""The picture of the part ``scale``: what reaches the cluster, by the size of a near cache."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["draw"]


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Two panels over the capacity, a line for each share of writes: fetches, invalidations."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "augury"
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for writes in sorted({row["write_share"] for row in rows}):
        line = [row for row in rows if row["write_share"] == writes]
        sizes = [row["capacity"] / 2**20 for row in line]
        label = f"{writes:.2%} writes"
        panels[0].plot(sizes, [row["fetches"] / 1e6 for row in line], marker="o", label=label)
        if writes:
            told = [row["invalidations"] / 1e6 for row in line]
            panels[1].plot(sizes, told, marker="o", label=label)
    # The colours of the two panels agree.
    for number, drawn in enumerate(panels[1].get_lines()):
        drawn.set_color(f"C{number + 1}")
    for panel, title in zip(
        panels, ("fetches, millions per second", "invalidations, millions per second"), strict=True
    ):
        panel.set_xscale("log", base=2)
        panel.set_xlabel("capacity of a near cache, MiB")
        panel.set_title(title, fontsize=10)
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
