"""The section of RESULTS.md on the application."""

from collections.abc import Mapping
from typing import Any

from benchmarks import application
from benchmarks.application.measuring import HOPS, WAYS
from benchmarks.markdown import method, table

PERCENTILES = ("mean", "p50", "p99", "p99.9")
MEGABYTE = 1e6


def application_section(part: dict[str, Any] | None) -> str:
    """What came of it, by workload."""
    text = f"## Application\n\n{method(application)}"
    if part is None:
        return f"{text}\n\nNot measured."
    return "\n\n".join([text, *(workload_text(row) for row in part["workloads"])])


def workload_text(row: Mapping[str, Any]) -> str:
    """Findings, the contestants and what redis was sized by."""
    about = (
        f"{row['requests']:,} requests, {row['objects']:,} keys, answers of "
        f'{row["footprint"] / row["objects"]:,.0f} bytes on average; `Cache("{row["capacity"]} '
        f'B")`; {row["server"]}; load average {row["load"]:.1f} over the last five minutes.'
    )
    return "\n\n".join(
        [
            f"### {row['workload']}",
            about,
            "\n".join(found(row)),
            "Microseconds per request, the median of the rounds (and the highest):",
            contestant_table(row["runs"]),
            "Redis by its size: resident MB, and queries per 1,000 of the requests measured:",
            curve_table(row),
        ]
    )


def found(row: Mapping[str, Any]) -> list[str]:
    """One line for each comparison."""
    runs = row["runs"]
    own = runs["augury"]
    lines = []
    for way in WAYS:
        named = {name: run for name, run in runs.items() if name.endswith(way)}
        for name, run in named.items():
            memory = run["memory"]["grown"] / own["memory"]["grown"]
            lines.append(
                f"- {name}: {run['queries_per_1000']:.1f} queries per 1,000 requests, augury "
                f"{own['queries_per_1000']:.1f}; {memory:.2f} times augury's memory; "
                f"mean latency {micros(run, 'mean')} us, augury {micros(own, 'mean')}."
            )
        if len(named) < len(row["curves"]):
            lines.append(f"- {way}: beyond the sizes of redis that were tried, for what is absent.")
    return lines


def micros(run: Mapping[str, Any], what: str, of: str = "median") -> str:
    """A latency in microseconds, over the rounds."""
    value = run["latency_us"][what][of]
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def contestant_table(runs: Mapping[str, Any]) -> str:
    """Latency, queries and memory of each."""
    rows = []
    for name, run in runs.items():
        memory = run["memory"]
        rows.append(
            [
                f"*{name}*" if name in HOPS else name,
                *(f"{micros(run, what)} ({micros(run, what, 'max')})" for what in PERCENTILES),
                "" if name in HOPS else f"{run['queries_per_1000']:.1f}",
                *(
                    (
                        f"{memory['entries']:,}",
                        f"{memory['grown'] / MEGABYTE:.2f}",
                        f"{memory['counted'] / MEGABYTE:.2f}",
                    )
                    if memory
                    else ("", "", "")
                ),
            ]
        )
    head = ["", *PERCENTILES, "queries per 1,000", "entries", "resident, MB", "counted, MB"]
    return table(head, rows)


def curve_table(row: Mapping[str, Any]) -> str:
    """What the sizes of redis gave that were tried."""
    rows = [
        [
            policy,
            *(
                f"{point['grown'] / MEGABYTE:.2f}: {1000 * point['misses'] / row['measured']:.1f}"
                for point in points
            ),
        ]
        for policy, points in row["curves"].items()
    ]
    count = len(next(iter(row["curves"].values())))
    return table(["policy", *(f"size {number + 1}" for number in range(count))], rows)
