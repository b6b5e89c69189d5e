"""The section of RESULTS.md on learning together."""

from collections.abc import Mapping
from typing import Any

from benchmarks.markdown import method, table
from benchmarks.together import chart, measuring

__all__ = ["NEAR", "SOONER", "together_section"]

#: Hit ratio that sharing may stay below that of a model given from the start.
NEAR = 0.005
#: Requests to 95% of the final gain, over those that caches alone take.
SOONER = 0.5


def together_section(part: Mapping[str, Any] | None) -> str:
    """The picture, hit ratios, how soon, who comes late, and what it costs."""
    text = f"## Learning together\n\n{method(measuring)}"
    if part is None:
        return f"{text}\n\nNot measured."
    folder = "" if part["quick"] else "results/"
    alt = "Gain over LRU as requests go by: together, alone, and given from the start"
    return "\n\n".join(
        [
            text,
            f"![{alt}]({folder}{chart.NAME})",
            f"### Hit ratios\n\n{ratios(part)}",
            f"### How soon\n\n{times(part)}",
            f"### Late, and what it costs\n\n{costs(part)}",
        ]
    )


def name(row: Mapping[str, Any]) -> str:
    """Workload and entries."""
    return f"{row['workload'].partition('&n=')[0]}, {row['capacity']:,}"


def ratios(part: Mapping[str, Any]) -> str:
    """A line for each workload: over the last quarter of the trace."""
    ways = list(part["rows"][0]["final"])
    lines = [
        [
            name(row),
            f"{row['requests']:,}",
            f"{row['requests'] / part['caches'] / row['capacity']:.0f}",
            *(f"{row['final'][way]:.4f}" for way in ways),
            f"{row['final']['together'] - row['final']['given the tables']:+.4f}",
            f"{row['final']['together'] - row['final']['given']:+.4f}",
        ]
        for row in part["rows"]
    ]
    head = [
        "workload, entries each",
        "requests",
        "requests per entry",
        *ways,
        "together less tables",
        "less given",
    ]
    return f"{table(head, lines)}\n\nOf the last quarter of each trace."


def times(part: Mapping[str, Any]) -> str:
    """A line for each workload: when 95% of a gain is reached."""
    lines = [
        [
            name(row),
            share(row["reached"]["alone"]),
            share(row["reached"]["together"]),
            against(row["reached"]["together"], row["reached"]["alone"]),
            against(row["reached"]["bound"], row["reached"]["alone"]),
            share(row["reached_alone"]["together"]),
            against(row["reached_alone"]["together"], row["reached"]["alone"]),
        ]
        for row in part["rows"]
    ]
    head = [
        "workload, entries each", "alone, its own", "together, its own",
        "in proportion", "the bound's",
        "together, alone's final gain", "in proportion",
    ]  # fmt: skip
    text = "Share of the trace after which 95% of the final gain over LRU is reached."
    return f"{text}\n\n{table(head, lines)}"


def costs(part: Mapping[str, Any]) -> str:
    """A line for each workload: the ninth cache, bytes and CPU time."""
    lines = [
        [
            name(row),
            f"{row['late']['alone']:.4f}",
            f"{row['late']['together']:.4f}",
            f"{row['told_bytes'] / 1e3:,.0f}",
            f"{row['agreed_bytes'] / 1e3:,.0f}",
            f"{row['agreed_objects']:,.0f}",
            f"{row['trainer_ms']:.0f}",
            f"{row['member_ms']:.0f}",
        ]
        for row in part["rows"]
    ]
    head = [
        "workload, entries each", "late, alone", "late, together", "told, KB", "agreed, KB",
        "objects agreed on", "trainer's round, ms", "other's round, ms",
    ]  # fmt: skip
    return table(head, lines)


def share(number: float | None) -> str:
    """In percent; what was not reached says so."""
    return "not reached" if number is None else f"{number:.1%}"


def against(one: float | None, other: float | None) -> str:
    """In proportion to the other."""
    return "" if one is None or other is None else f"{one / other:.2f}"
