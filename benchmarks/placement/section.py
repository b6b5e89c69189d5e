"""The section of RESULTS.md on forecasts of load and placement."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.markdown import method, table
from benchmarks.placement import measuring

__all__ = ["FORECAST_SERIES", "LIMIT", "placement_section"]

#: The busiest node's load over the mean that is asked for after a plan.
LIMIT = 1.10
#: The series with a season, on which the forecast has to be better than the seasonal naive one.
FORECAST_SERIES = "tenants"


def placement_section(part: Mapping[str, Any] | None) -> str:
    """Errors, drift, and the run on a cluster."""
    text = f"## Placement\n\n{method(measuring)}"
    if part is None:
        return f"{text}\n\nNot measured."
    return "\n\n".join(
        [
            text,
            f"### Errors of forecasts\n\n{forecast_table(part['forecasts'])}",
            f"### Drift\n\n{drift_table(part['drift'])}",
            f"### On a cluster\n\n{cluster_table(part['cluster'])}",
        ]
    )


def forecast_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each series: MASE of each method, the lowest in bold, and the other errors."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    series: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        series.setdefault(row["series"], {})[row["method"]] = row
    lines = []
    for name, by in series.items():
        least = min(row["mase"] for row in by.values())
        shown = [
            f"**{by[one]['mase']:.3f}**" if by[one]["mase"] == least else f"{by[one]['mase']:.3f}"
            for one in methods
        ]
        others = [f"{by[one]['smape']:.3f}, {by[one]['wape']:.1%}" for one in methods]
        lines.append([name, f"{by[methods[0]]['slots']:,}", *shown, *others])
    head = ["series", "slots", *(f"MASE {one}" for one in methods),
            *(f"sMAPE, error of the load, {one}" for one in methods)]  # fmt: skip
    return table(head, lines)


def drift_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each way to place slots."""
    lines = [
        [row["way"], f"{row['mean']:.3f}", f"{row['worst']:.3f}",
         f"{row['plans']} of {row['days']}", f"{row['bytes'] / 1e6:,.1f}"]
        for row in rows
    ]  # fmt: skip
    head = ["slots by", "imbalance, mean of days", "worst day", "days with moves", "MB moved"]
    return table(head, lines)


def cluster_table(row: Mapping[str, Any]) -> str:
    """The imbalance with even slots and after the plan, and what it cost."""
    lines = [
        ["even slots", *(f"{count:,}" for count in row["even"]), f"{row['even_imbalance']:.3f}",
         "0"],
        ["plan", *(f"{count:,}" for count in row["placed"]), f"{row['placed_imbalance']:.3f}",
         f"{row['moved_bytes'] / 1e6:.2f} of {row['stored_bytes'] / 1e6:.2f}"],
    ]  # fmt: skip
    nodes = [f"requests, node {number + 1}" for number in range(row["nodes"])]
    tail = (
        f"The plan expected {row['expected_imbalance']:.3f}; slots moved: {row['moved_slots']}, in "
        f"{row['moving_seconds']:.1f} s, no plan as good moves fewer than "
        f"{row['fewest_bytes'] / 1e6:.2f} MB. Of {row['requests']:,} requests {row['failures']} "
        f"failed and {row['wrong_answers']} answers were wrong."
    )
    head = ["slots", *nodes, "imbalance", "MB moved"]
    return f"{table(head, lines)}\n\n{tail}"
