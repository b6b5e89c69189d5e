"""The picture of the part ``scale``: what reaches the cluster, and how many are told of writes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["draw"]


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Fetches by capacity, a line for each share of writes; messages by the share of writes."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "augury"
    from matplotlib import pyplot

    figure, (sizes, messages) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for writes in sorted({row["write_share"] for row in rows}):
        line = [row for row in rows if row["write_share"] == writes]
        fetched = [row["fetches"] / 1e6 for row in line]
        capacities = [row["capacity"] / 2**20 for row in line]
        sizes.plot(capacities, fetched, marker="o", label=f"{writes:.2%} writes")
    sizes.set_xscale("log", base=2)
    sizes.xaxis.set_major_formatter("{x:g}")
    sizes.set_xlabel("capacity of a near cache, MiB")
    sizes.set_title("fetches, millions per second", fontsize=10)
    sizes.set_ylim(bottom=0)
    largest = max(row["capacity"] for row in rows)
    line = [row for row in rows if row["capacity"] == largest and row["writes"]]
    shares = [100 * row["write_share"] for row in line]
    for name, label in (("broadcast", "everybody is told"), ("invalidations", "readers are told")):
        messages.plot(shares, [row[name] / 1e6 for row in line], marker="o", label=label)
    messages.set_xscale("log")
    messages.set_yscale("log")
    messages.xaxis.set_major_formatter("{x:g}")
    messages.yaxis.set_major_formatter("{x:g}")
    messages.set_xlabel("writes, % of the requests")
    messages.set_title("invalidations, millions per second", fontsize=10)
    for panel in (sizes, messages):
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
